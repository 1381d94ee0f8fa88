package conv

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
)

// TestThen holds every value of the output to be handed over once, when it has its final value.
func TestThen(t *testing.T) {
	pools := []*par.Pool{nil, par.New(2), par.New(3)}
	for _, s := range append([]Shape{
		square(3, 13, 18, 40, 3, 72, 1, 1),    // Winograd, with tiles that a border cuts
		square(1, 6, 7, 256, 3, 260, 1, 1),    // Winograd of few tiles
		square(1, 20, 20, 64, 3, 64, 2, 1),    // of stride 2
		square(1, 12, 12, 1024, 1, 200, 1, 0), // groups of panels
	}, shapes[:12]...) {
		x, w, _ := operands(s, Forward)
		eachLevel(t, func(t *testing.T) {
			for _, p := range pools {
				y := make([]float32, s.sizeY())
				testThen(t, fmt.Sprintf("%v float32 on %d threads", s, p.Threads()), s, y, func(then Then) {
					ForwardF32Then(p, s, y, x, w, make([]byte, ScratchBytes(s, Forward, p.Threads(), false)), then)
				})
				half := make([]uint16, s.sizeY())
				testThen(t, fmt.Sprintf("%v bfloat16 on %d threads", s, p.Threads()), s, half, func(then Then) {
					ForwardBF16Then(p, s, half, rounded(x), rounded(w), make([]byte, ScratchBytes(s, Forward, p.Threads(), true)), then)
				})
			}
		})
	}
}

func testThen[T float32 | uint16](t *testing.T, name string, s Shape, y []T, run func(then Then)) {
	t.Helper()
	run(nil)
	want := slices.Clone(y)
	clear(y)
	var mu sync.Mutex
	seen, times := make([]T, len(y)), make([]int, len(y))
	run(func(first, pixels, c0, c1 int) {
		mu.Lock()
		defer mu.Unlock()
		for m := first; m < first+pixels; m++ {
			for c := c0; c < c1; c++ {
				seen[m*s.K+c] = y[m*s.K+c]
				times[m*s.K+c]++
			}
		}
	})
	for i := range want {
		if times[i] != 1 || seen[i] != want[i] || y[i] != want[i] {
			t.Fatalf("%s: value %d is handed over %d times, last as %v, and ends as %v, want %v", name, i, times[i], seen[i], y[i], want[i])
		}
	}
}
