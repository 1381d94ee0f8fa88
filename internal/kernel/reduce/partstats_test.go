package reduce

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
)

// TestPartStats hands arrays over in several ways: the bits are the same, and they are the
// moments of the array.
func TestPartStats(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range [][3]int{{64, 16, 16}, {200, 64, 32}, {95, 100, 20}, {31, 5, 7}, {40, 2100, 8}} {
			rows, c, block := shape[0], shape[1], shape[2]
			x16, x := halves(t, rows*c, 1)
			testPartStats(t, pools, x, x, rows, c, block)
			testPartStats(t, pools, x16, x, rows, c, block)
		}
	})
}

func testPartStats[T Element](t *testing.T, pools []*par.Pool, x []T, wide []float32, rows, c, block int) {
	var first [2][]float32
	for _, p := range pools {
		for _, step := range []int{rows, block, 3, 2*block + 1} { // rows of a part
			for _, cut := range []int{c, c / 3} {
				mean, variance := make([]float32, c), make([]float32, c)
				s := NewPartStats(rows, c, block, make([]byte, PartStatsScratchBytes(rows, c, block)))
				p.For(ceilDiv(rows, step), func(part, _ int) {
					n := min(step, rows-part*step)
					AddStats(s, x, part*step, n, cut, c)
					AddStats(s, x, part*step, n, 0, cut)
				})
				FinishStats(p, s, mean, variance, x)
				for j := range c {
					if first[0] == nil {
						m, v := moments(wide, rows, c, j)
						if math.Abs(float64(mean[j])-m) > 1e-5*math.Sqrt(v) || math.Abs(float64(variance[j])-v) > 1e-5*v {
							t.Fatalf("%T [%d,%d] column %d: mean %v, variance %v, want %v, %v", x, rows, c, j, mean[j], variance[j], m, v)
						}
					} else if mean[j] != first[0][j] || variance[j] != first[1][j] {
						t.Fatalf("%T [%d,%d] in parts of %d rows and %d columns: column %d differs", x, rows, c, step, cut, j)
					}
				}
				first = [2][]float32{mean, variance}
			}
		}
	}
}
