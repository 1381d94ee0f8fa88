package report

import (
	"math"
	"slices"
	"testing"

	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
)

// clusters are unit vectors about three directions, n of each.
func clusters(t *testing.T, n int) eval.Features {
	f := eval.Features{N: 3 * n, D: 16, X: make([]float32, 3*n*16)}
	seed := uint64(1)
	for i := range f.X {
		seed = seed*6364136223846793005 + 1442695040888963407
		f.X[i] = (float32(seed>>40)/(1<<24) - .5) * .3
	}
	for i := range f.N {
		f.X[i*f.D+i/n] += 1
	}
	f, err := f.Normalized()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPlaneKeepsClustersTogether(t *testing.T) {
	const n = 30
	f := clusters(t, n)
	layout := func(threads int) []spot {
		pool := par.New(threads)
		defer pool.Close()
		return unit(embedPlane(pool, f, principal(f)))
	}
	places := layout(2)
	for i, p := range places {
		nearest, best := -1, math.Inf(1)
		for j, q := range places {
			if d := math.Hypot(p.x-q.x, p.y-q.y); j != i && d < best {
				nearest, best = j, d
			}
		}
		if nearest/n != i/n {
			t.Errorf("picture %d of cluster %d lies beside one of cluster %d", i, i/n, nearest/n)
		}
	}
	if !slices.Equal(places, layout(1)) {
		t.Error("the map depends on the number of threads")
	}
}

func TestPrincipalComponents(t *testing.T) {
	// Points on an ellipse in a plane of four dimensions.
	f := eval.Features{N: 8, D: 4}
	for i := range f.N {
		s, c := math.Sincos(2 * math.Pi * float64(i) / 8)
		f.X = append(f.X, 1, float32(3*c), 0, float32(s))
	}
	for i, p := range principal(f) {
		s, c := math.Sincos(2 * math.Pi * float64(i) / 8)
		if math.Abs(math.Abs(p.x)-3*math.Abs(c)) > 1e-5 || math.Abs(math.Abs(p.y)-math.Abs(s)) > 1e-5 {
			t.Errorf("point %d at %v, want ±(%v, %v)", i, p, 3*c, s)
		}
	}
}

func TestApart(t *testing.T) {
	places := []spot{{0, 0}, {1, 1}, {.5, .5}, {.501, .5}, {.5, .502}}
	got := apart(places, .05)
	for i, p := range got {
		for _, q := range got[:i] {
			if math.Abs(p.x-q.x) < .045 && math.Abs(p.y-q.y) < .045*mapAspect {
				t.Errorf("%v and %v lie on each other", p, q)
			}
		}
	}
}
