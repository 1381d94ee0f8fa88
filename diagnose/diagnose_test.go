package diagnose

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestEffectiveRank(t *testing.T) {
	identity := []float32{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0} // [4,3]
	line := []float32{1, 2, 2, 4, -1, -2}                     // [3,2], rank 1
	// Singular values 3 and 1: p = 3/4, 1/4.
	two := []float32{3, 0, 0, 0, 1, 0}
	want := math.Exp(-.75*math.Log(.75) - .25*math.Log(.25))
	for _, c := range []struct {
		x          []float32
		rows, cols int
		want       float64
	}{{identity, 4, 3, 3}, {line, 3, 2, 1}, {two, 2, 3, want}, {make([]float32, 6), 2, 3, 0}} {
		if got := EffectiveRank(c.x, c.rows, c.cols); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%d x %d: rank %v, want %v", c.rows, c.cols, got, c.want)
		}
	}
	if got := EffectiveRank([]float32{1, float32(math.NaN())}, 1, 2); !math.IsNaN(got) {
		t.Errorf("rank with a NaN is %v", got)
	}
}

// A random matrix spreads over nearly all directions, and rank does not depend on scale.
func TestEffectiveRankOfRandomMatrix(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, scaled := make([]float32, 64*32), make([]float32, 64*32)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		scaled[i] = 1e-3 * x[i]
	}
	a, b := EffectiveRank(x, 64, 32), EffectiveRank(scaled, 64, 32)
	if a < 26 || a > 32 || math.Abs(a-b) > 1e-3 {
		t.Errorf("rank %v, scaled %v", a, b)
	}
}
