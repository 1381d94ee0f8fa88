package conv

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// TestGivenKernel compares with the convolution that packs its kernel itself, finished
// afterwards: up to the order in which a bias and a residual are added, they are equal.
func TestGivenKernel(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	for _, s := range shapes {
		x, w, before, bias := values(s.sizeX(), 1), values(s.sizeW(), 2), values(s.sizeY(), 3), values(s.K, 4)
		x[len(x)/2] = float32(math.NaN())
		for _, level := range isa.Available() {
			restore := isa.Set(level)
			sums := make([]float32, s.sizeY())
			ForwardF32(nil, s, sums, x, w, make([]byte, ScratchBytes(s, Forward, 1, false)))
			for _, p := range []*par.Pool{nil, pool} {
				k := NewKernel(p, s, w)
				scratch := make([]byte, GivenScratchBytes(s, p.Threads()))
				for i := range scratch {
					scratch[i] = 0xff
				}
				for _, f := range []Finish{{}, {ReLU: true}, {Add: true}, {Add: true, ReLU: true}} {
					f.Bias = PadBias(bias)
					got := make([]float32, s.sizeY()+1)
					for i := range got {
						got[i] = float32(math.NaN())
					}
					if f.Add {
						copy(got, before)
					}
					got[s.sizeY()] = 7
					k.Forward(p, got[:s.sizeY()], x, f, scratch)
					if got[s.sizeY()] != 7 {
						t.Errorf("%v %v: written behind the end", level, s)
					}
					for i, v := range sums {
						bound := 4e-7 * (math.Abs(float64(v)) + 2)
						v += bias[i%s.K]
						if f.Add {
							v += before[i]
						}
						if f.ReLU && v < 0 {
							v = 0
						}
						isNaN := v != v || got[i] != got[i]
						if isNaN && v == v != (got[i] == got[i]) || !isNaN && math.Abs(float64(got[i]-v)) > bound {
							t.Fatalf("%v %v, add %v, ReLU %v, %d threads: [%d] = %v, want %v", level, s, f.Add, f.ReLU, p.Threads(), i, got[i], v)
						}
					}
				}
			}
			restore()
		}
	}
}
