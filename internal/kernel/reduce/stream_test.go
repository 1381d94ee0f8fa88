package reduce

import (
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// TestStreamKernels holds the kernels that write past the caches to the bits of those
// that do not.
func TestStreamKernels(t *testing.T) {
	eachLevel(t, func(t *testing.T, _ []*par.Pool) {
		for _, c := range []int{16, 32, 64, 80, 144} {
			for _, rows := range []int{1, 2, 7} {
				n := rows * c
				got, want := guarded[float32](t, (n+1023)/1024*1024, false)[:n], make([]float32, n)
				x, y, z := random(t, n, 1), random(t, n, 2), random(t, n, 3)
				a, b, d := random(t, c, 4), random(t, c, 5), random(t, c, 6)
				x[n/2] = nan
				for _, f := range []struct {
					name        string
					stream, ref func(dst []float32)
				}{
					{"affine", func(dst []float32) { affineRowsStream(dst, x, a, b) }, func(dst []float32) { vec.AffineRows(dst, x, a, b) }},
					{"affineReLU", func(dst []float32) { affineReLURowsStream(dst, x, a, b) }, func(dst []float32) { vec.AffineReLURows(dst, x, a, b) }},
					{"affineAdd", func(dst []float32) { affineAddRowsStream(dst, x, y, a, b) }, func(dst []float32) { vec.AffineAddRows(dst, x, y, a, b) }},
					{"affineAddReLU", func(dst []float32) { affineAddReLURowsStream(dst, x, y, a, b) }, func(dst []float32) { vec.AffineAddReLURows(dst, x, y, a, b) }},
					{"grad", func(dst []float32) { gradRowsStream(dst, y, x, a, b, d) }, func(dst []float32) { vec.GradRows(dst, y, x, a, b, d) }},
					{"gradReLU", func(dst []float32) { gradReLURowsStream(dst, y, x, z, a, b, d) }, func(dst []float32) { vec.GradReLURows(dst, y, x, z, a, b, d) }},
					{"gradAffineReLU", func(dst []float32) { gradAffineReLURowsStream(dst, y, x, a, b, d, b, a) }, func(dst []float32) { vec.GradAffineReLURows(dst, y, x, a, b, d, b, a) }},
				} {
					f.stream(got)
					f.ref(want)
					for i := range want {
						if !same(got[i], want[i]) {
							t.Fatalf("%s [%d,%d]: element %d is %v, want %v", f.name, rows, c, i, got[i], want[i])
						}
					}
				}
			}
		}
	})
}

func TestStreams(t *testing.T) {
	const n = streamBytes / 4
	big := make([]float32, n+2*lineLen)
	for len(big) > 0 && !streams(big[:n], 64, make([]float32, n)) && canStream() {
		big = big[1:] // to the start of a line
		if len(big) < n {
			t.Fatal("no start of a large slice is taken")
		}
	}
	y, x := big[:n], make([]float32, n)
	for _, c := range []struct {
		name string
		y    []float32
		c    int
		x    []float32
		want bool
	}{
		{"large", y, 64, x, canStream()}, {"small", y[:n-64], 64, x[:n-64], false}, {"odd rows", y, 8, x, false},
		{"in place", y, 64, y, false}, {"unaligned", big[1 : n+1], 64, x, false},
	} {
		if got := streams(c.y, c.c, c.x); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
