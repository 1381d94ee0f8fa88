package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// The bounds of the error, as a share of Σ|x||w| or Σ|x||dy|: of one result's, if it
// sums over many channels and tiles, as those of a ResNet do. A result is computed
// from all of its tile, so with few terms the others' magnitudes count too: there the
// bound is a share of the mean over the results, if that is larger.
const (
	layerBound = 2.5e-6
	smallBound = 1e-5
)

// square returns a convolution with padding 1, of size x size pixels.
func square(n, size, c, k int) Shape {
	return Shape{N: n, H: size, W: size, C: c, K: k, Stride: 1, PadTop: 1, PadLeft: 1, OutH: size, OutW: size}
}

// halved returns a convolution of stride 2 and padding 1 of size x size pixels.
func halved(n, size, c, k int) Shape {
	s := square(n, size, c, k)
	s.Stride, s.OutH, s.OutW = 2, ceil(size, 2), ceil(size, 2)
	return s
}

// shapes are odd and even sizes, paddings and channels.
func shapes() []Shape {
	var all []Shape
	for size := 1; size <= 9; size++ {
		all = append(all, square(2, size, 16, 16))
	}
	for _, c := range []int{1, 3, 5, 16, 17, 33, 64} {
		for _, k := range []int{1, 5, 16, 17, 48, 64} {
			all = append(all, square(1, 5, c, k))
		}
	}
	all = append(all,
		square(1, 32, 17, 33),
		square(5, 4, 64, 80),
		square(10, 15, 19, 33), // enough tiles for slices
		Shape{N: 1, H: 3, W: 3, C: 16, K: 16, Stride: 1, OutH: 1, OutW: 1},
		Shape{N: 2, H: 7, W: 70, C: 3, K: 16, Stride: 1, OutH: 5, OutW: 68},
		Shape{N: 2, H: 1, W: 2, C: 16, K: 4, Stride: 1, PadTop: 2, PadLeft: 2, OutH: 3, OutW: 4},
		Shape{N: 1, H: 6, W: 9, C: 20, K: 16, Stride: 1, PadTop: 2, PadLeft: 0, OutH: 6, OutW: 9},
		Shape{N: 1, H: 8, W: 71, C: 16, K: 16, Stride: 1, PadTop: 0, PadLeft: 2, OutH: 8, OutW: 71},
	)
	for size := 1; size <= 17; size++ {
		all = append(all, halved(2, size, 16, 16))
	}
	for _, c := range []int{1, 5, 16, 33, 64} {
		for _, k := range []int{1, 17, 48, 64} {
			all = append(all, halved(1, 9, c, k))
		}
	}
	wide := halved(1, 5, 17, 20)
	wide.W, wide.OutW = 71, 36
	all = append(all, wide, halved(5, 8, 64, 80), halved(10, 30, 19, 33))
	return all
}

func (s Shape) String() string {
	return fmt.Sprintf("%dx%dx%dx%d to %dx%dx%d stride %d pad %d,%d", s.N, s.H, s.W, s.C, s.OutH, s.OutW, s.K, s.Stride, s.PadTop, s.PadLeft)
}

// random fills n numbers, normally distributed, the same for the same seed.
func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// each calls f with the offsets of every x[n,h,w,c], w[r,s,c,0], y[n,i,j,0] that meet.
func (s Shape) each(f func(xi, wi, yi int)) {
	for n := range s.N {
		for i := range s.OutH {
			for j := range s.OutW {
				for tap := range 9 {
					h, w := i*s.Stride+tap/3-s.PadTop, j*s.Stride+tap%3-s.PadLeft
					if h < 0 || h >= s.H || w < 0 || w >= s.W {
						continue
					}
					for c := range s.C {
						f(((n*s.H+h)*s.W+w)*s.C+c, (tap*s.C+c)*s.K, ((n*s.OutH+i)*s.OutW+j)*s.K)
					}
				}
			}
		}
	}
}

// direct computes a form directly in float64, and the same with absolute values.
func (s Shape) direct(form Form, x, w, y []float32) (sum, abs []float64) {
	n := [...]int{s.lenY(), s.lenX(), s.lenW()}[form]
	sum, abs = make([]float64, n), make([]float64, n)
	add := func(i int, a, b float32) {
		v := float64(a) * float64(b)
		sum[i] += v
		abs[i] += math.Abs(v)
	}
	s.each(func(xi, wi, yi int) {
		for k := range s.K {
			switch form {
			case FormForward:
				add(yi+k, x[xi], w[wi+k])
			case FormInputGrad:
				add(xi, y[yi+k], w[wi+k])
			case FormKernelGrad:
				add(wi+k, x[xi], y[yi+k])
			}
		}
	})
	return sum, abs
}

// apply runs a form; the result is nan before, as is the scratch memory.
func (s Shape) apply(p *par.Pool, form Form, x, w, y []float32) []float32 {
	scratch := make([]byte, ScratchBytes(s, form, p.Threads()))
	for i := range scratch {
		scratch[i] = 0xff
	}
	out := make([]float32, [...]int{s.lenY(), s.lenX(), s.lenW()}[form])
	for i := range out {
		out[i] = float32(math.NaN())
	}
	switch form {
	case FormForward:
		Forward(p, s, out, x, w, scratch)
	case FormInputGrad:
		InputGrad(p, s, out, y, w, scratch)
	case FormKernelGrad:
		KernelGrad(p, s, out, x, y, scratch)
	}
	return out
}

var forms = []Form{FormForward, FormInputGrad, FormKernelGrad}

func (f Form) String() string {
	return [...]string{"forward", "inputgrad", "kernelgrad"}[f]
}

// compare returns the largest error as a share of the sum of magnitudes, or of mean
// times their mean where that is larger, and where it is; NaN counts as infinite.
func compare(got []float32, want, abs []float64, mean float64) (worst float64, at int) {
	total := 0.0
	for _, v := range abs {
		total += v
	}
	least := mean*total/float64(len(abs)) + 1e-30
	for i, v := range want {
		err := math.Abs(float64(got[i])-v) / max(abs[i], least)
		if math.IsNaN(err) {
			err = math.Inf(1)
		}
		if err > worst {
			worst, at = err, i
		}
	}
	return worst, at
}

func TestAgainstDirect(t *testing.T) {
	worst := map[string]float64{}
	for _, s := range shapes() {
		x, w, y := random(s.lenX(), 1), random(s.lenW(), 2), random(s.lenY(), 3)
		for _, form := range forms {
			want, abs := s.direct(form, x, w, y)
			for _, level := range isa.Available() {
				restore := isa.Set(level)
				got := s.apply(nil, form, x, w, y)
				restore()
				err, at := compare(got, want, abs, 1)
				if err > smallBound {
					t.Errorf("%v %v %v: [%d] = %v, want %v; error %.2g of the sum of magnitudes", form, level, s, at, got[at], want[at], err)
				}
				name := fmt.Sprint(form, " ", level)
				worst[name] = max(worst[name], err)
			}
		}
	}
	for name, err := range worst {
		t.Logf("%s: error at most %.2g of the sum of magnitudes", name, err)
	}
}

func TestErrorOfLayers(t *testing.T) {
	for _, s := range []Shape{square(2, 16, 64, 64), square(4, 8, 128, 64), square(8, 4, 256, 32), square(2, 5, 264, 250),
		halved(2, 16, 64, 64), halved(4, 16, 128, 64), halved(8, 8, 256, 32), halved(2, 9, 264, 250)} {
		x, w, y := random(s.lenX(), 4), random(s.lenW(), 5), random(s.lenY(), 6)
		for _, form := range forms {
			want, abs := s.direct(form, x, w, y)
			for _, level := range isa.Available() {
				restore := isa.Set(level)
				got := s.apply(nil, form, x, w, y)
				restore()
				err, at := compare(got, want, abs, 0)
				t.Logf("%v %v %v: %.2g", form, level, s, err)
				if err > layerBound {
					t.Errorf("%v %v %v: [%d] = %v, want %v; error %.2g of the sum of magnitudes", form, level, s, at, got[at], want[at], err)
				}
			}
		}
	}
}
