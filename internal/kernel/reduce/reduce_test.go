package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// eachLevel runs f at every instruction set of this machine, with pools of 1, 2 and 3
// threads.
func eachLevel(t *testing.T, f func(t *testing.T, pools []*par.Pool)) {
	pools := []*par.Pool{nil, par.New(2), par.New(3)}
	for _, p := range pools {
		t.Cleanup(p.Close)
	}
	for _, l := range isa.Available() {
		restore := isa.Set(l)
		t.Run(l.String(), func(t *testing.T) { f(t, pools) })
		restore()
	}
}

func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func random(t testing.TB, n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := guarded[float32](t, n, true)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

// TestLanes holds the slice kernels to the bits of the reference.
func TestLanes(t *testing.T) {
	eachLevel(t, func(t *testing.T, _ []*par.Pool) {
		for n := range 200 {
			x := random(t, n, 1)
			if got, want := sum(x), sumRef(x); got != want {
				t.Fatalf("sum of %d: %v, want %v", n, got, want)
			}
			if got, want := maximum(x), maximumRef(x); !same(got, want) {
				t.Fatalf("maximum of %d: %v, want %v", n, got, want)
			}
			if got, want := minimum(x), minimumRef(x); !same(got, want) {
				t.Fatalf("minimum of %d: %v, want %v", n, got, want)
			}
			for i := 0; i < n; i += 1 + n/50 {
				old := x[i]
				for _, v := range []float32{nan, inf, -inf} {
					x[i] = v
					if !same(maximum(x), maximumRef(x)) || !same(minimum(x), minimumRef(x)) {
						t.Fatalf("%v at %d of %d: maximum %v, minimum %v", v, i, n, maximum(x), minimum(x))
					}
					if i%17 == 0 && !same(float32(sum(x)), v) {
						t.Fatalf("%v at %d of %d: sum %v", v, i, n, sum(x))
					}
				}
				x[i] = old
			}
			for i := range x { // an even number of NaNs in a lane
				if x[i] = nan; i%2 == 1 && (!same(maximum(x), nan) || !same(minimum(x), nan)) {
					t.Fatalf("%d NaNs in %d: maximum %v, minimum %v", i+1, n, maximum(x), minimum(x))
				}
			}
		}
	})
}

func close32(got float32, want, size float64) bool {
	return math.Abs(float64(got)-want) <= 1e-6*size+1e-30
}

// TestAll compares the reductions over everything with float64, and the threads with
// each other.
func TestAll(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, n := range []int{0, 1, 1000, chunk - 1, chunk, chunk + 1, 5*chunk + 77} {
			x, y := random(t, n, 3), random(t, n, 4)
			for i := range x { // a product that stays in range
				y[i] = 1 + y[i]*1e-3
			}
			scratch := make([]byte, AllScratchBytes(n))
			var s, abs, product float64 = 0, 0, 1
			most, least := math.Inf(-1), math.Inf(1)
			for i := range x {
				v := float64(x[i])
				s, abs, product = s+v, abs+math.Abs(v), product*float64(y[i])
				most, least = max(most, v), min(least, v)
			}
			for k, f := range []struct {
				name       string
				run        func(p *par.Pool) float32
				want, size float64
			}{
				{"Sum", func(p *par.Pool) float32 { return Sum(p, x, scratch) }, s, abs},
				{"Prod", func(p *par.Pool) float32 { return Prod(p, y, scratch) }, product, product},
			} {
				got := f.run(nil)
				if !close32(got, f.want, f.size) {
					t.Errorf("%s of %d: %v, want %v", f.name, n, got, f.want)
				}
				for _, p := range pools {
					if again := f.run(p); !same(again, got) {
						t.Errorf("%s of %d: %v on one thread, %v on %d (case %d)", f.name, n, got, again, p.Threads(), k)
					}
				}
			}
			for _, p := range pools {
				if Max(p, x, scratch) != float32(most) || Min(p, x, scratch) != float32(least) {
					t.Errorf("Max, Min of %d: %v, %v", n, Max(p, x, scratch), Min(p, x, scratch))
				}
			}
		}
	})
}

var shapes = [][2]int{{1, 1}, {5, 1}, {40000, 1}, {7, 3}, {23000, 3}, {9, 10}, {300, 16}, {2100, 17}, {33, 31}, {1, 63}, {65, 64},
	{1100, 64}, {50, 65}, {70, 100}, {9, 130}, {300, 512}, {3, 1024}, {65, 1500}, {40, 4100}, {2, 70000}}

func TestOverRowsAndCols(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range shapes {
			rows, c := shape[0], shape[1]
			x := random(t, rows*c, 5)
			x[len(x)/2] *= 100
			small := random(t, rows*c, 6)
			for i := range small {
				small[i] = 1 + small[i]*1e-3
			}
			type ref struct{ sum, abs, product, most, least float64 }
			fresh := func(n int) []ref {
				rs := make([]ref, n)
				for i := range rs {
					rs[i] = ref{product: 1, most: math.Inf(-1), least: math.Inf(1)}
				}
				return rs
			}
			perCol, perRow := fresh(c), fresh(rows)
			for i, v := range x {
				for _, r := range []*ref{&perCol[i%c], &perRow[i/c]} {
					v := float64(v)
					r.sum, r.abs = r.sum+v, r.abs+math.Abs(v)
					r.product *= float64(small[i])
					r.most, r.least = max(r.most, v), min(r.least, v)
				}
			}
			for _, f := range []struct {
				name  string
				rows  func(p *par.Pool, dst, x []float32, rows, c int, scratch []byte)
				cols  func(p *par.Pool, dst, x []float32, rows, c int, scratch []byte)
				in    []float32
				value func(r ref) (want, size float64)
			}{
				{"Sum", SumOverRows, SumOverCols, x, func(r ref) (float64, float64) { return r.sum, r.abs }},
				{"Prod", ProdOverRows, ProdOverCols, small, func(r ref) (float64, float64) { return r.product, r.product }},
				{"Max", MaxOverRows, MaxOverCols, x, func(r ref) (float64, float64) { return r.most, 0 }},
				{"Min", MinOverRows, MinOverCols, x, func(r ref) (float64, float64) { return r.least, 0 }},
			} {
				verify := func(name string, run func(*par.Pool, []float32, []float32, int, int, []byte), refs []ref, bytes int) {
					var first []float32
					for _, p := range pools {
						got := random(t, len(refs), 9)
						run(p, got, f.in, rows, c, make([]byte, bytes))
						for j := range got {
							if want, size := f.value(refs[j]); !close32(got[j], want, size) {
								t.Fatalf("%s%s [%d,%d]: element %d is %v, want %v", f.name, name, rows, c, j, got[j], want)
							}
							if first != nil && !same(got[j], first[j]) {
								t.Fatalf("%s%s [%d,%d]: element %d is %v on %d threads, %v on one", f.name, name, rows, c, j, got[j], p.Threads(), first[j])
							}
						}
						if first == nil {
							first = got
						}
					}
				}
				verify("OverRows", f.rows, perCol, OverRowsScratchBytes(rows, c))
				verify("OverCols", f.cols, perRow, OverColsScratchBytes(rows, c))
			}
		}
	})
}

func TestNaNPropagates(t *testing.T) {
	eachLevel(t, func(t *testing.T, _ []*par.Pool) {
		for _, c := range []int{3, 20, 64, 100} {
			rows := 40
			x := random(t, rows*c, 1)
			x[17*c+2] = nan
			dst, scratch := make([]float32, max(rows, c)), make([]byte, OverRowsScratchBytes(rows, c)+OverColsScratchBytes(rows, c))
			for _, f := range []func(*par.Pool, []float32, []float32, int, int, []byte){SumOverRows, MaxOverRows, MinOverRows, ProdOverRows} {
				f(nil, dst[:c], x, rows, c, scratch)
				for j, v := range dst[:c] {
					if (v != v) != (j == 2) {
						t.Fatalf("over rows, %d columns: column %d is %v", c, j, v)
					}
				}
			}
			for _, f := range []func(*par.Pool, []float32, []float32, int, int, []byte){SumOverCols, MaxOverCols, MinOverCols, ProdOverCols} {
				f(nil, dst[:rows], x, rows, c, scratch)
				for r, v := range dst[:rows] {
					if (v != v) != (r == 17) {
						t.Fatalf("over columns, %d columns: row %d is %v", c, r, v)
					}
				}
			}
		}
	})
}

func TestEmpty(t *testing.T) {
	dst := []float32{1, 2}
	SumOverRows(nil, dst, nil, 0, 2, nil)
	if dst[0] != 0 || dst[1] != 0 {
		t.Errorf("SumOverRows of no rows: %v", dst)
	}
	MaxOverRows(nil, dst, nil, 0, 2, nil)
	if dst[0] != -inf {
		t.Errorf("MaxOverRows of no rows: %v", dst)
	}
	ProdOverCols(nil, dst, nil, 2, 0, nil)
	if dst[0] != 1 {
		t.Errorf("ProdOverCols of no columns: %v", dst)
	}
	SumOverRows(nil, nil, nil, 3, 0, nil)
}

func TestMisusePanics(t *testing.T) {
	x := make([]float32, 12)
	for want, f := range map[string]func(){
		shapeMismatch: func() { SumOverRows(nil, x[:4], x, 4, 3, make([]byte, 1000)) },
		scratchSmall:  func() { SumOverRows(nil, x[:3], x, 4, 3, make([]byte, 20)) },
	} {
		func() {
			defer func() {
				if r := recover(); r != want {
					t.Errorf("recovered %v, want %v", r, want)
				}
			}()
			f()
		}()
	}
}
