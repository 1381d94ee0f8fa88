package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// Pool2D is the shape of a two-dimensional max-pooling of x [N,H,W,C] to y [N,OH,OW,C].
// A window may hang over the edges by the padding; what lies outside does not count.
type Pool2D struct {
	N, H, W, C          int
	KernelH, KernelW    int
	StrideH, StrideW    int
	PadTop, PadLeft     int
	PadBottom, PadRight int
}

// OutH returns the height of the result.
func (s Pool2D) OutH() int { return (s.H+s.PadTop+s.PadBottom-s.KernelH)/s.StrideH + 1 }

// OutW returns the width of the result.
func (s Pool2D) OutW() int { return (s.W+s.PadLeft+s.PadRight-s.KernelW)/s.StrideW + 1 }

// window returns the rows [h0, h1) of the input that output row i covers.
func window(i, stride, pad, kernel, size int) (lo, hi int) {
	lo = i*stride - pad
	return max(lo, 0), min(lo+kernel, size)
}

func (s Pool2D) check(y, x []float32) {
	if s.StrideH < 1 || s.StrideW < 1 || s.KernelH < 1 || s.KernelW < 1 ||
		len(x) != s.N*s.H*s.W*s.C || len(y) != s.N*s.OutH()*s.OutW()*s.C {
		panic(shapeMismatch)
	}
}

// MaxPool sets y[n,oh,ow,c] to the maximum of its window of x; NaN propagates, a window
// wholly outside gives -Inf.
func MaxPool(p *par.Pool, y, x []float32, s Pool2D) {
	s.check(y, x)
	oh, ow, c := s.OutH(), s.OutW(), s.C
	p.For(s.N*oh, func(part, _ int) {
		n, i := part/oh, part%oh
		image := x[n*s.H*s.W*c : (n+1)*s.H*s.W*c]
		h0, h1 := window(i, s.StrideH, s.PadTop, s.KernelH, s.H)
		for j := range ow {
			w0, w1 := window(j, s.StrideW, s.PadLeft, s.KernelW, s.W)
			out := y[(part*ow+j)*c : (part*ow+j+1)*c]
			if h0 >= h1 || w0 >= w1 {
				vec.Fill(out, float32(math.Inf(-1)))
				continue
			}
			best := image[(h0*s.W+w0)*c:][:c]
			for h := h0; h < h1; h++ {
				for w := w0; w < w1; w++ {
					vec.Max(out, best, image[(h*s.W+w)*c:][:c])
					best = out
				}
			}
		}
	})
}

// MaxPoolGradScratchBytes is the scratch of MaxPoolGrad on a pool of that many threads.
func MaxPoolGradScratchBytes(threads int, s Pool2D) int { return 4*threads*s.C + 4 }

// MaxPoolGrad sets dx [N,H,W,C] to the gradient of MaxPool's input x for the gradient dy
// of its result y: each dy goes to the first maximum of its window, as XLA's
// SelectAndScatter with GE sends it.
func MaxPoolGrad(p *par.Pool, dx, dy, x, y []float32, s Pool2D, scratch []byte) {
	s.check(y, x)
	s.check(dy, dx)
	oh, ow, c := s.OutH(), s.OutW(), s.C
	left, _ := carve[float32](scratch, p.Threads()*c) // [threads, C] what no maximum has taken
	p.For(s.N, func(n, worker int) {
		lo, hi := n*s.H*s.W*c, (n+1)*s.H*s.W*c
		image, grad := x[lo:hi], dx[lo:hi]
		clear(grad)
		rem := left[worker*c : (worker+1)*c]
		for i := range oh {
			h0, h1 := window(i, s.StrideH, s.PadTop, s.KernelH, s.H)
			for j := range ow {
				w0, w1 := window(j, s.StrideW, s.PadLeft, s.KernelW, s.W)
				at := ((n*oh+i)*ow + j) * c
				copy(rem, dy[at:at+c])
				for h := h0; h < h1; h++ {
					for w := w0; w < w1; w++ {
						px := (h*s.W + w) * c
						vec.TakeEqual(grad[px:px+c], image[px:px+c], y[at:at+c], rem)
					}
				}
			}
		}
	})
}
