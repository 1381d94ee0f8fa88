package reduce

import (
	"fmt"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// halves returns random bfloat16 numbers and the same as float32.
func halves(t testing.TB, n int, seed uint64) ([]uint16, []float32) {
	wide, half := random(t, n, seed), guarded[uint16](t, n, true)
	vec.ToBF16(half, wide)
	vec.FromBF16(wide, half)
	return half, wide
}

// TestBF16 holds every function on bfloat16 to the bits of the same function on the
// widened arrays, rounded where it stores.
func TestBF16(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range [][2]int{{1, 1}, {900, 3}, {41, 17}, {50, 24}, {300, 64}, {30, 100}, {7, 1030}} {
			rows, c := shape[0], shape[1]
			n := rows * c
			x, x32 := halves(t, n, 1)
			res, res32 := halves(t, n, 2)
			dy, dy32 := halves(t, n, 3)
			y, y32 := halves(t, n, 4)
			a, b, d := random(t, c, 5), random(t, c, 6), random(t, c, 7)
			mean := random(t, c, 8)
			out, out32 := guarded[uint16](t, n, true), make([]float32, n)
			scratch := make([]byte, BatchStatsScratchBytes(rows, c)+BatchGradScratchBytes(rows, c))
			equal := func(name string, got, want []float32) {
				for i := range want {
					if !same(got[i], want[i]) {
						t.Fatalf("%s [%d,%d]: element %d is %v, want %v", name, rows, c, i, got[i], want[i])
					}
				}
			}
			rounded := func(name string) {
				got, want := make([]float32, n), make([]uint16, n)
				vec.ToBF16(want, out32)
				vec.FromBF16(out32, want)
				vec.FromBF16(got, out)
				equal(name, got, out32)
			}
			for _, p := range pools {
				at := func(name string) string { return fmt.Sprintf("%s on %d threads", name, p.Threads()) }
				r := make([][]float32, 4)
				for i := range r {
					r[i] = make([]float32, c)
				}
				BatchStats(p, r[0], r[1], x, rows, c, scratch)
				BatchStats(p, r[2], r[3], x32, rows, c, scratch)
				equal(at("mean"), r[0], r[2])
				equal(at("variance"), r[1], r[3])
				BatchGradSums(p, r[0], r[1], dy, x, mean, rows, c, scratch)
				BatchGradSums(p, r[2], r[3], dy32, x32, mean, rows, c, scratch)
				equal(at("Σdy"), r[0], r[2])
				equal(at("Σdy·x"), r[1], r[3])
				BatchGradSumsReLU(p, r[0], r[1], nil, dy, x, y, mean, rows, c, scratch)
				BatchGradSumsReLU(p, r[2], r[3], nil, dy32, x32, y32, mean, rows, c, scratch)
				equal(at("masked Σdy"), r[0], r[2])
				equal(at("masked Σdy·x"), r[1], r[3])
				BatchGradSumsReLU(p, r[0], r[1], out, dy, x, y, mean, rows, c, scratch)
				BatchGradSumsReLU(p, r[2], r[3], out32, dy32, x32, y32, mean, rows, c, scratch)
				equal(at("kept Σdy·x"), r[1], r[3])
				rounded(at("kept dy"))
				BatchGradSumsAddReLU(p, r[0], r[1], out, dy, res, x, y, mean, rows, c, scratch)
				BatchGradSumsAddReLU(p, r[2], r[3], out32, dy32, res32, x32, y32, mean, rows, c, scratch)
				equal(at("added Σdy"), r[0], r[2])
				equal(at("added Σdy·x"), r[1], r[3])
				rounded(at("kept dy + dz"))
				BatchGradSumsAffineReLU(p, r[0], r[1], dy, x, mean, a, b, rows, c, scratch)
				BatchGradSumsAffineReLU(p, r[2], r[3], dy32, x32, mean, a, b, rows, c, scratch)
				equal(at("Σdy masked by x"), r[0], r[2])
				equal(at("Σdy·x masked by x"), r[1], r[3])
				BatchGradApplyAffineReLU(p, out, dy, x, a, b, d, b, a)
				BatchGradApplyAffineReLU(p, out32, dy32, x32, a, b, d, b, a)
				rounded(at("BatchGradApplyAffineReLU"))
				Affine(p, out, x, a, b)
				Affine(p, out32, x32, a, b)
				rounded(at("Affine"))
				AffineReLU(p, out, x, a, b)
				AffineReLU(p, out32, x32, a, b)
				rounded(at("AffineReLU"))
				AffineAdd(p, out, x, res, a, b)
				AffineAdd(p, out32, x32, res32, a, b)
				rounded(at("AffineAdd"))
				AffineAddReLU(p, out, x, res, a, b)
				AffineAddReLU(p, out32, x32, res32, a, b)
				rounded(at("AffineAddReLU"))
				BatchGradApply(p, out, dy, x, a, b, d)
				BatchGradApply(p, out32, dy32, x32, a, b, d)
				rounded(at("BatchGradApply"))
				BatchGradApplyReLU(p, out, dy, x, y, a, b, d)
				BatchGradApplyReLU(p, out32, dy32, x32, y32, a, b, d)
				rounded(at("BatchGradApplyReLU"))
			}
		}
	})
}

// TestAllocations holds the functions to what a call of Pool.For costs: a few closures,
// never an array.
func TestAllocations(t *testing.T) {
	rows, c := 20000, 64
	x, y := make([]float32, rows*c), make([]float32, rows*c)
	half := make([]uint16, rows*c)
	v := make([]float32, c)
	scratch := make([]byte, BatchStatsScratchBytes(rows, c)+BatchGradScratchBytes(rows, c))
	for name, f := range map[string]func(){
		"BatchStats":              func() { BatchStats(nil, v, v, x, rows, c, scratch) },
		"BatchStats bf16":         func() { BatchStats(nil, v, v, half, rows, c, scratch) },
		"AffineReLU":              func() { AffineReLU(nil, y, x, v, v) },
		"AffineReLU bf16":         func() { AffineReLU(nil, half, half, v, v) },
		"BatchGradSumsAffineReLU": func() { BatchGradSumsAffineReLU(nil, v, v, y, x, v, v, v, rows, c, scratch) },
		"BatchGradSumsAddReLU":    func() { BatchGradSumsAddReLU(nil, v, v, y, x, x, x, x, v, rows, c, scratch) },
		"SumOverRows":             func() { SumOverRows(nil, v, x, rows, c, scratch) },
		"Sum":                     func() { Sum(nil, x, scratch) },
	} {
		if n := testing.AllocsPerRun(3, f); n > 6 {
			t.Errorf("%s allocates %v times", name, n)
		} else {
			t.Logf("%s allocates %v times", name, n)
		}
	}
}
