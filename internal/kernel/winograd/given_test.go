package winograd

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// TestGivenKernel wants the very bits of a product that transforms its kernel itself,
// finished afterwards.
func TestGivenKernel(t *testing.T) {
	few, few2 := square(3, 5, 250, 264), halved(2, 7, 192, 200)
	pool := par.New(3)
	defer pool.Close()
	for at, s := range append(shapes(), few, few2) {
		if at%3 != 0 && s != few && s != few2 {
			continue
		}
		x, w, bias, before := random(s.lenX(), 1), random(s.lenW(), 2), random(s.K, 3), random(s.lenY(), 4)
		x[0] = float32(math.NaN())
		for _, level := range isa.Available() {
			if level == isa.Generic && s.lenW() > 1<<16 {
				continue // takes seconds in Go
			}
			restore := isa.Set(level)
			sums := s.apply(nil, FormForward, x, w, nil)
			for _, p := range []*par.Pool{nil, pool} {
				k := NewKernel(p, s, w)
				for _, f := range []Finish{{}, {ReLU: true}, {Add: true}, {Add: true, ReLU: true}} {
					f.Bias = append(bias, make([]float32, BiasLen(s.K)-s.K)...)
					got, want := make([]float32, s.lenY()), make([]float32, s.lenY())
					for i, v := range sums {
						v += bias[i%s.K]
						got[i] = float32(math.NaN())
						if f.Add {
							got[i] = before[i]
							v += before[i]
						}
						if f.ReLU && v < 0 {
							v = 0
						}
						want[i] = v
					}
					scratch := make([]byte, GivenScratchBytes(s, p.Threads()))
					for i := range scratch {
						scratch[i] = 0xff
					}
					k.Forward(p, got, x, f, scratch)
					if !sameBits(got, want) {
						t.Errorf("%v %v, add %v, ReLU %v, %d threads: other bits", level, s, f.Add, f.ReLU, p.Threads())
					}
				}
			}
			restore()
		}
	}
}
