package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// eachLevel runs f at every instruction set of this machine.
func eachLevel(t *testing.T, f func(t *testing.T)) {
	for _, l := range isa.Available() {
		restore := isa.Set(l)
		t.Run(l.String(), f)
		restore()
	}
}

var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-40, -1e-40, math.SmallestNonzeroFloat32,
	1.1754944e-38, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	8388607.5, 8388609, -8388607.5, 88.72, 88.73, -87.3, -103.9, -104.1, 3.3895e38,
	math.Float32frombits(0x7F800001), math.Float32frombits(0xFFFFFFFF), math.Float32frombits(0x3F808000), math.Float32frombits(0x3F818000),
}

// fill gives special values, any bits and moderate numbers in turn.
func fill(x []float32, r *rand.Rand) {
	for i := range x {
		switch r.IntN(4) {
		case 0:
			x[i] = special[r.IntN(len(special))]
		case 1:
			x[i] = math.Float32frombits(r.Uint32())
		default:
			x[i] = float32(r.NormFloat64()) * 4
		}
	}
}

func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// flat is a kernel whose operands all have n elements; it must match its reference to
// the bit.
type flat struct {
	name     string
	operands int
	run, ref func(dst []float32, in [][]float32)
}

func unaryCase(name string, run, ref func(dst, x []float32)) flat {
	return flat{name, 1,
		func(dst []float32, in [][]float32) { run(dst, in[0]) },
		func(dst []float32, in [][]float32) { ref(dst, in[0]) }}
}

func binaryCase(name string, run, ref func(dst, a, b []float32)) flat {
	return flat{name, 2,
		func(dst []float32, in [][]float32) { run(dst, in[0], in[1]) },
		func(dst []float32, in [][]float32) { ref(dst, in[0], in[1]) }}
}

// scalarCase takes its scalar from the first element of the last operand.
func scalarCase(name string, run, ref func(dst, a []float32, s float32)) flat {
	first := func(x []float32) float32 {
		if len(x) == 0 {
			return 0
		}
		return x[0]
	}
	return flat{name, 2,
		func(dst []float32, in [][]float32) { run(dst, in[0], first(in[1])) },
		func(dst []float32, in [][]float32) { ref(dst, in[0], first(in[1])) }}
}

func leftCase(name string, run, ref func(dst []float32, s float32, b []float32)) flat {
	return scalarCase(name, func(dst, a []float32, s float32) { run(dst, s, a) }, func(dst, a []float32, s float32) { ref(dst, s, a) })
}

var exactCases = []flat{
	binaryCase("Add", Add, addRef), binaryCase("Sub", Sub, subRef), binaryCase("Mul", Mul, mulRef), binaryCase("Div", Div, divRef),
	binaryCase("Max", Max, maximumRef), binaryCase("Min", Min, minimumRef),
	scalarCase("AddScalar", AddScalar, addScalarRef), scalarCase("SubScalar", SubScalar, subScalarRef),
	scalarCase("MulScalar", MulScalar, mulScalarRef), scalarCase("DivScalar", DivScalar, divScalarRef),
	scalarCase("MaxScalar", MaxScalar, maxScalarRef), scalarCase("MinScalar", MinScalar, minScalarRef),
	leftCase("ScalarSub", ScalarSub, scalarSubRef), leftCase("ScalarDiv", ScalarDiv, scalarDivRef),
	unaryCase("Neg", Neg, negRef), unaryCase("Abs", Abs, absRef), unaryCase("Square", Square, squareRef),
	unaryCase("Sqrt", Sqrt, sqrtRef), unaryCase("Rsqrt", Rsqrt, rsqrtRef), unaryCase("Sign", Sign, signRef),
	unaryCase("Floor", Floor, floorRef), unaryCase("Ceil", Ceil, ceilRef), unaryCase("Round", Round, roundRef),
	unaryCase("ReLU", ReLU, reluRef), binaryCase("ReLUGrad", ReLUGrad, reluGradRef),
}

// TestExact tries every length to 130, at both edges of unreadable memory, into a new
// destination and in place.
func TestExact(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, c := range exactCases {
			for _, atEnd := range []bool{true, false} {
				mem := make([][]float32, 4)
				for i := range mem {
					mem[i] = guarded[float32](t, 131, atEnd)
				}
				for n := range 131 {
					cut := func(x []float32) []float32 {
						if atEnd {
							return x[len(x)-n:]
						}
						return x[:n]
					}
					in := [][]float32{cut(mem[0]), cut(mem[1])}
					fill(in[0], r)
					fill(in[1], r)
					want, got := make([]float32, n), cut(mem[2])
					c.ref(want, in[:c.operands])
					c.run(got, in[:c.operands])
					check(t, c.name, n, got, want, in)
					for alias := range c.operands {
						copied := [][]float32{append([]float32{}, in[0]...), append([]float32{}, in[1]...)}
						c.run(copied[alias], copied[:c.operands])
						check(t, c.name+" in place", n, copied[alias], want, in)
					}
				}
			}
		}
	})
}

func check(t *testing.T, name string, n int, got, want []float32, in [][]float32) {
	t.Helper()
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("%s, length %d, element %d: got %v (%08x), want %v (%08x) from %v, %v", name, n, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]), in[0][i], in[1][i])
		}
	}
}

func TestCompareAndSelect(t *testing.T) {
	type compare struct {
		name     string
		run, ref func(dst []bool, a, b []float32)
		runS     func(dst []bool, a []float32, s float32)
	}
	cases := []compare{
		{"Eq", Eq, eqRef, EqScalar}, {"Ne", Ne, neRef, NeScalar}, {"Lt", Lt, ltRef, LtScalar},
		{"Le", Le, leRef, LeScalar}, {"Gt", Gt, gtRef, GtScalar}, {"Ge", Ge, geRef, GeScalar},
	}
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for n := range 131 {
			a, b, dst := guarded[float32](t, n, true), guarded[float32](t, n, true), guarded[float32](t, n, true)
			got, want := guarded[bool](t, n, true), make([]bool, n)
			fill(a, r)
			fill(b, r)
			for i := range a { // make equal values likely
				if i%3 == 0 {
					b[i] = a[i]
				}
			}
			for _, c := range cases {
				c.run(got, a, b)
				c.ref(want, a, b)
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("%s(%v, %v) = %v at %d of %d", c.name, a[i], b[i], got[i], i, n)
					}
				}
				for _, s := range special {
					c.runS(got, a, s)
					for i := range got {
						if c.ref(want[:1], a[i:i+1], []float32{s}); got[i] != want[0] {
							t.Fatalf("%sScalar(%v, %v) = %v at %d of %d", c.name, a[i], s, got[i], i, n)
						}
					}
				}
			}
			cond := got
			for i := range cond {
				cond[i] = r.IntN(2) == 0
			}
			for _, k := range []struct {
				name string
				run  func()
				ref  func(yes bool, i int) float32
			}{
				{"Select", func() { Select(dst, cond, a, b) }, func(yes bool, i int) float32 { return pick(yes, a[i], b[i]) }},
				{"SelectVS", func() { SelectVS(dst, cond, a, 7) }, func(yes bool, i int) float32 { return pick(yes, a[i], 7) }},
				{"SelectSV", func() { SelectSV(dst, cond, 7, b) }, func(yes bool, i int) float32 { return pick(yes, 7, b[i]) }},
				{"SelectSS", func() { SelectSS(dst, cond, 7, 8) }, func(yes bool, i int) float32 { return pick(yes, 7, 8) }},
			} {
				k.run()
				for i := range dst {
					if want := k.ref(cond[i], i); !same(dst[i], want) {
						t.Fatalf("%s: element %d of %d is %v, want %v", k.name, i, n, dst[i], want)
					}
				}
			}
		}
	})
}

func pick(yes bool, a, b float32) float32 {
	if yes {
		return a
	}
	return b
}

// TestFused checks the kernels with fused multiply-adds against float64.
func TestFused(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for n := range 131 {
			x, y, z := guarded[float32](t, n, true), guarded[float32](t, n, true), guarded[float32](t, n, true)
			dst := guarded[float32](t, n, true)
			for i := range n {
				x[i], y[i], z[i] = float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())
				if i%7 == 3 {
					x[i] = float32(math.NaN())
				}
				if i%11 == 5 {
					y[i] = float32(math.Inf(1))
				}
			}
			for _, k := range []struct {
				name string
				run  func()
				want func(x, y, z float64) (value, terms float64)
			}{
				{"MulAdd", func() { MulAdd(dst, x, y, z) }, func(x, y, z float64) (float64, float64) {
					return x*y + z, math.Abs(x*y) + math.Abs(z)
				}},
			} {
				k.run()
				for i := range n {
					want, terms := k.want(float64(x[i]), float64(y[i]), float64(z[i]))
					if !near(dst[i], want, 2*terms) {
						t.Fatalf("%s: element %d of %d is %v, want %v", k.name, i, n, dst[i], want)
					}
				}
			}
		}
	})
}

// near allows one rounding of a sum of that size; NaN and infinities must agree.
func near(got float32, want, terms float64) bool {
	if want != want || math.IsInf(want, 0) {
		return same(got, float32(want))
	}
	return math.Abs(float64(got)-want) <= terms*0x1p-23
}

func TestTakeEqual(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for n := range 70 {
			mem := make([][]float32, 4)
			want := make([][]float32, 4)
			for i := range mem {
				mem[i] = guarded[float32](t, n, true)
				fill(mem[i], r)
			}
			for i := range n {
				if i%2 == 0 {
					mem[2][i] = mem[1][i]
				}
			}
			for i := range mem {
				want[i] = append([]float32{}, mem[i]...)
			}
			TakeEqual(mem[0], mem[1], mem[2], mem[3])
			takeEqualRef(want[0], want[1], want[2], want[3])
			check(t, "TakeEqual dst", n, mem[0], want[0], want)
			check(t, "TakeEqual rem", n, mem[3], want[3], want)
		}
	})
}

func TestBF16(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for n := range 131 {
			src, back := guarded[float32](t, n, true), guarded[float32](t, n, true)
			dst, want := guarded[uint16](t, n, true), make([]uint16, n)
			fill(src, r)
			ToBF16(dst, src)
			toBF16Ref(want, src)
			for i := range want {
				if dst[i] != want[i] {
					t.Fatalf("ToBF16(%08x) = %04x, want %04x at %d of %d", math.Float32bits(src[i]), dst[i], want[i], i, n)
				}
			}
			FromBF16(back, dst)
			for i := range back {
				if math.Float32bits(back[i]) != uint32(dst[i])<<16 {
					t.Fatalf("FromBF16(%04x) = %08x", dst[i], math.Float32bits(back[i]))
				}
			}
		}
	})
}

// TestBF16Rounding pins the reference itself: the nearest of the two neighbours, the even
// one at a tie, infinity above the greatest, NaN kept.
func TestBF16Rounding(t *testing.T) {
	for _, c := range []struct{ in, want uint32 }{
		{0x3F800000, 0x3F80}, {0x3F807FFF, 0x3F80}, {0x3F808000, 0x3F80}, {0x3F808001, 0x3F81}, {0x3F818000, 0x3F82},
		{0x7F7FFFFF, 0x7F80}, {0x7F800001, 0x7FC0}, {0xFFFFFFFF, 0xFFFF}, {0x00008000, 0}, {0x00008001, 1}, {0x80018000, 0x8002},
	} {
		var got [1]uint16
		toBF16Ref(got[:], []float32{math.Float32frombits(c.in)})
		if uint32(got[0]) != c.want {
			t.Errorf("%08x: got %04x, want %04x", c.in, got[0], c.want)
		}
	}
}

func TestMismatchPanics(t *testing.T) {
	x, y := make([]float32, 3), make([]float32, 4)
	for name, f := range map[string]func(){
		"Add": func() { Add(x, x, y) }, "Exp": func() { Exp(x, y) }, "Lt": func() { Lt(make([]bool, 3), x, y) },
		"AddRows": func() { AddRows(y, y, x) }, "Transpose32": func() { Transpose32(x, y, 2, 2) },
		"AffineRows": func() { AffineRows(x, x, x, y) },
	} {
		func() {
			defer func() {
				if r := recover(); r != lengthMismatch && r != shapeMismatch {
					t.Errorf("%s: recovered %v", name, r)
				}
			}()
			f()
		}()
	}
}

func ExampleAffineReLURows() {
	x := []float32{1, -2, 3, 4} // [2, 2]
	AffineReLURows(x, x, []float32{2, 1}, []float32{0, -1})
	fmt.Println(x)
	// Output: [2 0 6 3]
}
