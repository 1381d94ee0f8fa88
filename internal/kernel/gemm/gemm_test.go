package gemm

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// dense returns a shape without gaps between rows.
func dense(m, n, k int, transA, transB bool) Shape {
	s := Shape{M: m, N: n, K: k, TransA: transA, TransB: transB, LDA: k, LDB: n, LDC: n}
	if transA {
		s.LDA = m
	}
	if transB {
		s.LDB = k
	}
	return s
}

// sizes are M, N, K.
var sizes = [][3]int{
	{1, 1, 1}, {1, 40, 3}, {7, 9, 2}, {8, 32, 16}, {6, 16, 5}, {13, 33, 31}, {64, 48, 100},
	{9, 65, 257}, {70, 15, 513}, {3, 8, 1030}, {130, 17, 9}, {5, 5, 0},
}

// values are pseudo-random bfloat16 numbers in [-1, 1).
func values(n int, seed uint32) []float32 {
	v := make([]float32, n)
	for i := range v {
		seed = seed*1664525 + 1013904223
		v[i] = widen(round(float32(int32(seed)) / (1 << 31)))
	}
	return v
}

func rounded(v []float32) []uint16 {
	r := make([]uint16, len(v))
	for i, f := range v {
		r[i] = round(f)
	}
	return r
}

const guard = 12345 // what elements of C hold that are not the product's

// multiply runs the product; kind is f32, bf16 or bf16to16.
func multiply(p *par.Pool, s Shape, kind string, a, b []float32) []float32 {
	scratch := make([]byte, ScratchBytes(s, p.Threads(), kind != "f32"))
	for i := range scratch {
		scratch[i] = 0xff // NaN
	}
	c := make([]float32, s.M*s.LDC)
	for i := range c {
		c[i] = widen(round(guard))
	}
	switch kind {
	case "f32":
		F32(p, s, c, a, b, scratch)
	case "bf16":
		BF16(p, s, c, rounded(a), rounded(b), scratch)
	default:
		c16 := rounded(c)
		BF16ToBF16(p, s, c16, rounded(a), rounded(b), scratch)
		for i, v := range c16 {
			c[i] = widen(v)
		}
	}
	return c
}

func TestAgainstFloat64(t *testing.T) {
	pools := []*par.Pool{nil, par.New(2), par.New(3)}
	for _, l := range isa.Available() {
		t.Run(l.String(), func(t *testing.T) {
			defer isa.Set(l)()
			for i, size := range sizes {
				for mode := range 4 {
					s := dense(size[0], size[1], size[2], mode&1 != 0, mode&2 != 0)
					s.LDA, s.LDB, s.LDC = s.LDA+i%3, s.LDB+i%2, s.LDC+i%4
					for _, kind := range []string{"f32", "bf16", "bf16to16"} {
						testShape(t, pools, s, kind)
					}
				}
			}
		})
	}
}

func testShape(t *testing.T, pools []*par.Pool, s Shape, kind string) {
	t.Helper()
	a, b := values(max(s.M, s.K)*s.LDA+s.K, 1), values(max(s.N, s.K)*s.LDB+s.K, 2)
	got := multiply(pools[0], s, kind, a, b)
	for m := range s.M {
		for n := range s.LDC {
			v := float64(got[m*s.LDC+n])
			var want, sum float64
			for k := range s.K {
				i, j := s.index(m, n, k)
				if n < s.N {
					want += float64(a[i]) * float64(b[j])
					sum += math.Abs(float64(a[i]) * float64(b[j]))
				}
			}
			if n >= s.N {
				want = float64(widen(round(guard)))
			}
			bound := float64(s.K) * 0x1p-24 * sum
			if kind == "bf16to16" {
				bound += 0x1p-8 * (math.Abs(want) + bound)
			}
			if !(math.Abs(v-want) <= bound) {
				t.Fatalf("%s %+v: C[%d,%d] = %v, want %v ± %v", kind, s, m, n, v, want, bound)
			}
		}
	}
	for _, p := range pools[1:] {
		for i, v := range multiply(p, s, kind, a, b) {
			if math.Float32bits(v) != math.Float32bits(got[i]) {
				t.Fatalf("%s %+v: element %d is %v on %d threads, %v on one", kind, s, i, v, p.Threads(), got[i])
			}
		}
	}
}

// benchShapes are the products of BYOL's heads at batch 64: forward, gradient
// of the input, gradient of the kernel; and a square one.
var benchShapes = []Shape{
	dense(64, 4096, 512, false, false),
	dense(64, 512, 4096, false, true),
	dense(512, 4096, 64, true, false),
	dense(64, 256, 4096, false, false),
	dense(4096, 256, 64, true, false),
	dense(1024, 1024, 1024, false, false),
}

func (s Shape) name() string {
	op := map[bool]string{false: "n", true: "t"}
	return fmt.Sprintf("%dx%dx%d%s%s", s.M, s.N, s.K, op[s.TransA], op[s.TransB])
}

func BenchmarkGemm(b *testing.B) {
	p := par.New(0)
	defer p.Close()
	for _, bf16 := range []bool{false, true} {
		kind := map[bool]string{false: "f32", true: "bf16"}[bf16]
		for _, s := range benchShapes {
			b.Run(fmt.Sprintf("%s/%s/%v", kind, s.name(), isa.Current()), func(b *testing.B) {
				x, y, c := values(s.M*s.K, 1), values(s.K*s.N, 2), make([]float32, s.M*s.N)
				x16, y16 := rounded(x), rounded(y)
				scratch := make([]byte, ScratchBytes(s, p.Threads(), bf16))
				for b.Loop() {
					if bf16 {
						BF16(p, s, c, x16, y16, scratch)
					} else {
						F32(p, s, c, x, y, scratch)
					}
				}
				b.ReportMetric(s.FLOP()*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// BenchmarkPeak measures independent multiply-adds on all threads: the figure
// that rates are shares of.
func BenchmarkPeak(b *testing.B) {
	p := par.New(0)
	defer p.Close()
	for _, bf16 := range []bool{false, true} {
		kind := map[bool]string{false: "f32", true: "bf16"}[bf16]
		b.Run(fmt.Sprintf("%s/%v", kind, isa.Current()), func(b *testing.B) {
			var flop float64
			for b.Loop() {
				p.For(p.Threads(), func(part, _ int) {
					if f := tile.Peak(isa.Current(), bf16, 1<<16); part == 0 {
						flop += f * float64(p.Threads())
					}
				})
			}
			b.ReportMetric(flop/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// TestNaNAndInf compares where NaN and infinities come out with the reference.
func TestNaNAndInf(t *testing.T) {
	for _, l := range isa.Available() {
		t.Run(l.String(), func(t *testing.T) {
			defer isa.Set(l)()
			for mode := range 4 {
				s := dense(13, 37, 29, mode&1 != 0, mode&2 != 0)
				a, b := values(s.M*s.K, 1), values(s.K*s.N, 2)
				a[5], a[len(a)-1] = float32(math.NaN()), float32(math.Inf(1))
				b[7], b[len(b)-1] = float32(math.Inf(-1)), float32(math.NaN())
				want := make([]float32, s.M*s.N)
				refF32(s, want, a, b, 0, s.M)
				for _, kind := range []string{"f32", "bf16", "bf16to16"} {
					for i, v := range multiply(nil, s, kind, a, b) {
						w := want[i]
						inf := math.IsInf(float64(w), 0)
						if (v != v) != (w != w) || math.IsInf(float64(v), 0) != inf || inf && v*w < 0 {
							t.Fatalf("%s %+v: element %d is %v, want %v", kind, s, i, v, w)
						}
					}
				}
			}
		})
	}
}

// TestMisuse expects a named panic instead of memory that is not the caller's.
func TestMisuse(t *testing.T) {
	s := dense(4, 5, 6, false, false)
	bad := s
	bad.LDA = 5
	v, scratch := make([]float32, 64), make([]byte, ScratchBytes(s, 1, false))
	for name, call := range map[string]func(){
		"leading dimension": func() { F32(nil, bad, v, v, v, scratch) },
		"a":                 func() { F32(nil, s, v, v[:23], v, scratch) },
		"b":                 func() { F32(nil, s, v, v, v[:29], scratch) },
		"c":                 func() { F32(nil, s, v[:19], v, v, scratch) },
		"scratch":           func() { F32(nil, s, v, v, v, scratch[:8]) },
	} {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.HasPrefix(r, "gemm: ") {
					t.Errorf("%s: recovered %v", name, r)
				}
			}()
			call()
		}()
	}
}
