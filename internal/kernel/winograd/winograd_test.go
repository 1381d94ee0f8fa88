package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// The bounds of the error, as a share of Σ|x||w| or Σ|x||dy|.
const (
	forwardBound = 1.5e-6
	kernelBound  = 1.5e-6
)

// square returns a convolution with padding 1, of size x size pixels.
func square(n, size, c, k int) Shape {
	return Shape{N: n, H: size, W: size, C: c, K: k, PadTop: 1, PadLeft: 1, OutH: size, OutW: size}
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
		Shape{N: 1, H: 3, W: 3, C: 16, K: 16, OutH: 1, OutW: 1},
		Shape{N: 2, H: 7, W: 70, C: 3, K: 16, OutH: 5, OutW: 68},
		Shape{N: 2, H: 1, W: 2, C: 16, K: 4, PadTop: 2, PadLeft: 2, OutH: 3, OutW: 4},
		Shape{N: 1, H: 6, W: 9, C: 20, K: 16, PadTop: 2, PadLeft: 0, OutH: 5, OutW: 9},
		Shape{N: 1, H: 8, W: 71, C: 16, K: 16, PadTop: 0, PadLeft: 2, OutH: 8, OutW: 71},
	)
	return all
}

func (s Shape) String() string {
	return fmt.Sprintf("%dx%dx%dx%d to %dx%dx%d pad %d,%d", s.N, s.H, s.W, s.C, s.OutH, s.OutW, s.K, s.PadTop, s.PadLeft)
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
					h, w := i+tap/3-s.PadTop, j+tap%3-s.PadLeft
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

func TestAgainstDirect(t *testing.T) {
	worst := map[string]float64{}
	for _, s := range shapes() {
		x, w, y := random(s.lenX(), 1), random(s.lenW(), 2), random(s.lenY(), 3)
		for _, form := range forms {
			want, abs := s.direct(form, x, w, y)
			bound := forwardBound
			if form == FormKernelGrad {
				bound = kernelBound
			}
			for _, level := range isa.Available() {
				restore := isa.Set(level)
				got := s.apply(nil, form, x, w, y)
				restore()
				for i := range want {
					err := math.Abs(float64(got[i])-want[i]) / max(abs[i], 1e-30)
					if abs[i] == 0 {
						err = math.Abs(float64(got[i])) * 1e-6
					}
					name := fmt.Sprint(form, " ", level)
					worst[name] = max(worst[name], err)
					if !(err <= bound) {
						t.Errorf("%v %v %v: [%d] = %v, want %v; error %.2g of the sum of magnitudes", form, level, s, i, got[i], want[i], err)
						break
					}
				}
			}
		}
	}
	for name, err := range worst {
		t.Logf("%s: error at most %.2g of the sum of magnitudes", name, err)
	}
}
