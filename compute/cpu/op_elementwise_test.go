package cpu

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// TestBinaryBroadcast runs arithmetic on every type with every way of broadcasting.
func TestBinaryBroadcast(t *testing.T) {
	shapePairs := [][3][]int{ // lhs, rhs, result
		{{7}, {7}, {7}}, {{}, {}, {}}, {{2, 3}, {}, {2, 3}}, {{}, {5}, {5}},
		{{2, 3}, {1, 3}, {2, 3}}, {{2, 3}, {2, 1}, {2, 3}}, {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}},
		{{3, 0}, {3, 1}, {3, 0}}, {{0, 2}, {}, {0, 2}}, {{3, 1, 2, 1}, {3, 2, 1, 2}, {3, 2, 2, 2}}, {{1, 1}, {3, 600}, {3, 600}}, {{2, 1}, {2, 1100}, {2, 1100}},
	}
	ops := []struct {
		name string
		f    func(b *Builder, x, y backends.Op) (backends.Op, error)
		want func(x, y complex128) complex128
	}{
		{"Add", (*Builder).Add, func(x, y complex128) complex128 { return x + y }},
		{"Mul", (*Builder).Mul, func(x, y complex128) complex128 { return x * y }},
		{"Sub", (*Builder).Sub, func(x, y complex128) complex128 { return x - y }},
	}
	for _, dtype := range opNumbers {
		for _, op := range ops {
			if op.name == "Sub" && dtype.IsUnsigned() {
				continue
			}
			for _, s := range shapePairs {
				x, y := opRamp(dtype, s[0]...), opRamp(dtype, s[1]...)
				got := opRun(t, "threads=1", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					return opOne(op.f(b, in[0], in[1]))
				}, x, y)[0]
				if dtype == dtypes.Int8 && op.name == "Mul" {
					continue // wraps around; TestIntegerEdges has it
				}
				xs, ys := opValues(x), opValues(y)
				want := make([]complex128, got.shape.Size())
				opIndex(s[2], func(n int, at []int) {
					want[n] = op.want(xs[opBroadcastAt(s[0], at)], ys[opBroadcastAt(s[1], at)])
				})
				opWant(t, fmt.Sprintf("%s %s %v %v", op.name, dtype, s[0], s[1]), got, want)
			}
		}
	}
}

// opBroadcastAt is the position in an operand of the given dimensions behind an index of the result.
func opBroadcastAt(dims, at []int) int {
	n := 0
	for axis, d := range dims {
		n = n * d
		if d != 1 {
			n += at[axis]
		}
	}
	return n
}

// TestLargeElementwise crosses the bounds of parts and blocks, with the same bits on any number of threads.
func TestLargeElementwise(t *testing.T) {
	rows, cols := 57, 3001
	x, y := opRamp(dtypes.Float32, rows, cols), opRamp(dtypes.Float32, rows, 1)
	cond := opRamp(dtypes.Bool, rows, cols)
	out := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
		sum, err := b.Add(in[0], in[1])
		if err != nil {
			return nil, err
		}
		half, err := b.ConvertDType(sum, dtypes.BFloat16)
		if err != nil {
			return nil, err
		}
		half, err = b.Mul(half, half)
		if err != nil {
			return nil, err
		}
		where, err := b.Where(in[2], sum, in[0])
		return []backends.Op{sum, half, where}, err
	}, x, y, cond)
	xs, ys, cs := view[float32](x.bytes), view[float32](y.bytes), view[bool](cond.bytes)
	sum, half, where := view[float32](out[0].bytes), opValues(out[1]), view[float32](out[2].bytes)
	for i := range xs {
		s := xs[i] + ys[i/cols]
		w := xs[i]
		if cs[i] {
			w = s
		}
		if sum[i] != s || where[i] != w || math.Abs(real(half[i])-float64(s*s)) > 0.01*float64(s*s) {
			t.Fatalf("element %d: %v, %v, %v from %v + %v", i, sum[i], half[i], where[i], xs[i], ys[i/cols])
		}
	}
}

// opEdges runs one operation on vectors of a type and compares exactly.
func opEdges[T, R dtypes.Supported](t *testing.T, name string, graph opGraph, want []R, in ...[]T) {
	t.Helper()
	var buffers []*Buffer
	for _, x := range in {
		buffers = append(buffers, opBuffer(x, len(x)))
	}
	got := view[R](opRun(t, "", graph, buffers...)[0].bytes)
	for i := range want {
		g, w := any(got[i]), any(want[i])
		if g == w || fmt.Sprint(g) == "NaN" && fmt.Sprint(w) == "NaN" {
			continue
		}
		t.Errorf("%s, element %d: %v, want %v", name, i, g, w)
	}
}

func opBinary(f func(b *Builder, x, y backends.Op) (backends.Op, error)) opGraph {
	return func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(f(b, in[0], in[1])) }
}

func opUnary(f func(b *Builder, x backends.Op) (backends.Op, error)) opGraph {
	return func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(f(b, in[0])) }
}

// TestIntegerEdges pins what XLA does where Go would panic or where C leaves it open.
func TestIntegerEdges(t *testing.T) {
	const lowest = math.MinInt8
	opEdges(t, "Add wraps", opBinary((*Builder).Add), []int8{lowest}, []int8{127}, []int8{1})
	opEdges(t, "Mul wraps", opBinary((*Builder).Mul), []int8{-112}, []int8{100}, []int8{4})
	opEdges(t, "Div", opBinary((*Builder).Div), []int8{-3, -1, -1, lowest}, []int8{-7, 5, 0, lowest}, []int8{2, 0, 0, -1})
	opEdges(t, "Div unsigned", opBinary((*Builder).Div), []uint16{3, 65535}, []uint16{7, 5}, []uint16{2, 0})
	opEdges(t, "Div int64", opBinary((*Builder).Div), []int64{math.MinInt64, -1}, []int64{math.MinInt64, 3}, []int64{-1, 0})
	opEdges(t, "Rem", opBinary((*Builder).Rem), []int8{-1, 1, 5, 0}, []int8{-7, 7, 5, lowest}, []int8{2, -2, 0, -1})
	opEdges(t, "Pow", opBinary((*Builder).Pow), []int32{1024, 1, 0, -1, 1, 1, 0}, []int32{2, 5, 2, -1, -1, 1, 0}, []int32{10, 0, -1, -3, -4, -9, 5})
	opEdges(t, "ShiftLeft", opBinary((*Builder).ShiftLeft), []int8{-2, 0, 0, lowest}, []int8{-1, 1, 1, 1}, []int8{1, 8, -1, 7})
	opEdges(t, "ShiftRightArithmetic", opBinary((*Builder).ShiftRightArithmetic), []int8{-1, -1, -1, 0}, []int8{-2, -2, -2, 5}, []int8{1, 8, -1, 100})
	opEdges(t, "ShiftRightArithmetic unsigned", opBinary((*Builder).ShiftRightArithmetic), []uint8{0xf0, 0xff}, []uint8{0xc0, 0x80}, []uint8{2, 9})
	opEdges(t, "ShiftRightLogical", opBinary((*Builder).ShiftRightLogical), []int8{127, 0, 0}, []int8{-2, -2, -2}, []int8{1, 8, -1})
	opEdges(t, "Abs", opUnary((*Builder).Abs), []int8{lowest, 3}, []int8{lowest, -3})
	opEdges(t, "Sign", opUnary((*Builder).Sign), []int8{-1, 0, 1}, []int8{lowest, 0, 9})
	opEdges(t, "Clz", opUnary((*Builder).Clz), []int8{8, 0, 7, 0}, []int8{0, -1, 1, lowest})
	opEdges(t, "BitCount", opUnary((*Builder).BitCount), []int16{0, 16, 1}, []int16{0, -1, 1024})
	opEdges(t, "BitwiseNot", opUnary((*Builder).BitwiseNot), []uint8{0xff, 0x0f}, []uint8{0, 0xf0})
	opEdges(t, "LogicalXor", opBinary((*Builder).LogicalXor), []bool{false, true, false}, []bool{true, true, false}, []bool{true, false, false})
}

// TestBools goes through all pairs: false is less than true.
func TestBools(t *testing.T) {
	x, y := []bool{false, false, true, true}, []bool{false, true, false, true}
	for name, c := range map[string]struct {
		f    func(b *Builder, x, y backends.Op) (backends.Op, error)
		want []bool
	}{
		"Equal": {(*Builder).Equal, []bool{true, false, false, true}}, "NotEqual": {(*Builder).NotEqual, []bool{false, true, true, false}},
		"LessThan": {(*Builder).LessThan, []bool{false, true, false, false}}, "LessOrEqual": {(*Builder).LessOrEqual, []bool{true, true, false, true}},
		"GreaterThan": {(*Builder).GreaterThan, []bool{false, false, true, false}}, "GreaterOrEqual": {(*Builder).GreaterOrEqual, []bool{true, false, true, true}},
		"Max": {(*Builder).Max, []bool{false, true, true, true}}, "Min": {(*Builder).Min, []bool{false, false, false, true}},
		"And": {(*Builder).LogicalAnd, []bool{false, false, false, true}}, "Or": {(*Builder).LogicalOr, []bool{false, true, true, true}},
		"Xor": {(*Builder).LogicalXor, []bool{false, true, true, false}},
	} {
		opEdges(t, name, opBinary(c.f), c.want, x, y)
	}
	where := func(b *Builder, in []backends.Op) ([]backends.Op, error) {
		chosen, err := b.Where(in[0], in[1], in[2])
		if err != nil {
			return nil, err
		}
		return opOne(b.LogicalNot(chosen)) // a chain, which may be fused
	}
	opEdges(t, "not Where", where, []bool{true, false, true, false}, x, y, []bool{false, true, true, false})
}

// TestFloatEdges pins NaN, infinities, signed zeros and rounding.
func TestFloatEdges(t *testing.T) {
	nan, inf := opNaN, opInf
	negZero := math.Copysign(0, -1)
	x, y := []float64{nan, 1, -inf, 2}, []float64{1, nan, inf, 3}
	opEdges(t, "Max", opBinary((*Builder).Max), []float64{nan, nan, inf, 3}, x, y)
	opEdges(t, "Min", opBinary((*Builder).Min), []float64{nan, nan, -inf, 2}, x, y)
	nan32, inf32 := float32(nan), float32(inf)
	opEdges(t, "Max float32", opBinary((*Builder).Max), []float32{nan32, nan32, inf32}, []float32{nan32, 1, -inf32}, []float32{1, nan32, inf32})
	opEdges(t, "Rem", opBinary((*Builder).Rem), []float64{-1.5, 1.5, nan, 2}, []float64{-5.5, 5.5, 1, 2}, []float64{2, -2, 0, inf})
	opEdges(t, "Div", opBinary((*Builder).Div), []float32{inf32, -inf32, nan32}, []float32{1, -1, 0}, []float32{0, 0, 0})
	opEdges(t, "Pow", opBinary((*Builder).Pow), []float64{1, 1, nan, 0.25, nan}, []float64{nan, 1, -2, 2, nan}, []float64{0, nan, 0.5, -2, 1})
	opEdges(t, "Round", opUnary((*Builder).Round), []float32{0, 2, 2, -2, -4, inf32}, []float32{0.5, 1.5, 2.5, -2.5, -3.5, inf32})
	opEdges(t, "Sign", opUnary((*Builder).Sign), []float64{nan, -1, 0, 1}, []float64{nan, -inf, 0, 1e-300})
	opEdges(t, "IsFinite", opUnary((*Builder).IsFinite), []bool{false, false, true}, []float32{nan32, -inf32, 3e38})
	opEdges(t, "IsNaN", opUnary((*Builder).IsNaN), []bool{true, false, false}, []float32{nan32, inf32, 0})
	opEdges(t, "Equal", opBinary((*Builder).Equal), []bool{false, true, true}, []float64{nan, 0, inf}, []float64{nan, negZero, inf})
	opEdges(t, "NotEqual", opBinary((*Builder).NotEqual), []bool{true, false}, []float32{nan32, 0}, []float32{nan32, 0})

	negNaN := math.Float64frombits(math.Float64bits(nan) | 1<<63)
	order := []float64{negNaN, -inf, -2, -1, negZero, 0, 1, 2, inf, nan}
	var a, b []float64
	var less, lessEqual, equal []bool
	for i, u := range order {
		for j, v := range order {
			a, b = append(a, u), append(b, v)
			less, lessEqual, equal = append(less, i < j), append(lessEqual, i <= j), append(equal, i == j)
		}
	}
	opEdges(t, "LessThanTotalOrder", opBinary((*Builder).LessThanTotalOrder), less, a, b)
	opEdges(t, "GreaterThanTotalOrder", opBinary((*Builder).GreaterThanTotalOrder), less, b, a)
	opEdges(t, "LessOrEqualTotalOrder", opBinary((*Builder).LessOrEqualTotalOrder), lessEqual, a, b)
	opEdges(t, "EqualTotalOrder", opBinary((*Builder).EqualTotalOrder), equal, a, b)

	clamp := func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(b.Clamp(in[0], in[1], in[2])) }
	opEdges(t, "Clamp", clamp, []float64{1, 2, 3, nan, 3}, []float64{1, 1, 1, 1, 5}, []float64{0, 2, inf, nan, 4}, []float64{3, 3, 3, 3, 3})
}

// TestElementaryFunctions compares every function with its definition, for every float and complex type.
func TestElementaryFunctions(t *testing.T) {
	type complexFunc = func(complex128) complex128
	of := func(f func(float64) float64) complexFunc {
		return func(x complex128) complex128 { return complex(f(real(x)), 0) }
	}
	for _, u := range []struct {
		name      string
		f         func(b *Builder, x backends.Op) (backends.Op, error)
		want      complexFunc
		isComplex bool
	}{
		{"Abs", (*Builder).Abs, func(x complex128) complex128 { return complex(cmplx.Abs(x), 0) }, true},
		{"Neg", (*Builder).Neg, func(x complex128) complex128 { return -x }, true},
		{"Exp", (*Builder).Exp, cmplx.Exp, true},
		{"Log", (*Builder).Log, func(x complex128) complex128 {
			if imag(x) == 0 && real(x) < 0 {
				return cmplx.NaN()
			}
			return cmplx.Log(x)
		}, false},
		{"Expm1", (*Builder).Expm1, of(math.Expm1), false},
		{"Log1p", (*Builder).Log1p, of(math.Log1p), false},
		{"Sqrt", (*Builder).Sqrt, of(math.Sqrt), false},
		{"Rsqrt", (*Builder).Rsqrt, of(func(x float64) float64 { return 1 / math.Sqrt(x) }), false},
		{"Sin", (*Builder).Sin, of(math.Sin), false}, {"Cos", (*Builder).Cos, of(math.Cos), false},
		{"Tanh", (*Builder).Tanh, of(math.Tanh), false}, {"Erf", (*Builder).Erf, of(math.Erf), false},
		{"Logistic", (*Builder).Logistic, of(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }), false},
		{"Ceil", (*Builder).Ceil, of(math.Ceil), false}, {"Floor", (*Builder).Floor, of(math.Floor), false},
		{"Conj", (*Builder).Conj, cmplx.Conj, true},
		{"Imag", (*Builder).Imag, func(x complex128) complex128 { return complex(imag(x), 0) }, true},
		{"Real", (*Builder).Real, func(x complex128) complex128 { return complex(real(x), 0) }, true},
	} {
		for _, dtype := range opNumbers {
			if dtype.IsInt() || dtype.IsComplex() && !u.isComplex || u.name == "Conj" && !dtype.IsComplex() {
				continue
			}
			x := opRamp(dtype, 700)
			got := opRun(t, "", opUnary(u.f), x)[0]
			want := opValues(x)
			for i, v := range want {
				want[i] = u.want(v)
			}
			opWant(t, u.name+" "+dtype.String(), got, want)
		}
	}
}

// TestConvert pins saturation, truncation and rounding, and compares all pairs of types on small numbers.
func TestConvert(t *testing.T) {
	to := func(dtype dtypes.DType) opGraph {
		return func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(b.ConvertDType(in[0], dtype)) }
	}
	opEdges(t, "to int8", to(dtypes.Int8), []int8{-128, 127, 0, -1, 1}, []float32{-1e9, 1e9, float32(opNaN), -1.9, 1.9})
	opEdges(t, "to uint8", to(dtypes.Uint8), []uint8{0, 255, 200}, []float64{-5, 1e300, 200.7})
	opEdges(t, "to int64", to(dtypes.Int64), []int64{math.MaxInt64, math.MinInt64}, []float32{1e30, -1e30})
	opEdges(t, "to uint64", to(dtypes.Uint64), []uint64{math.MaxUint64, 1 << 63}, []float64{1e30, 1 << 63})
	opEdges(t, "narrowed", to(dtypes.Int8), []int8{44, -1}, []int32{300, -1})
	opEdges(t, "widened", to(dtypes.Int64), []int64{-2, 5}, []int8{-2, 5})
	opEdges(t, "uint64 to float32", to(dtypes.Float32), []float32{1 << 63}, []uint64{1<<63 + 1})
	opEdges(t, "to bool", to(dtypes.Bool), []bool{false, true, true, true}, []float32{0, 0.25, -1, float32(opNaN)})
	for _, from := range append(opNumbers, dtypes.Bool) {
		for _, into := range append(opNumbers, dtypes.Bool) {
			x := opRamp(from, 1300)
			got := opRun(t, "", to(into), x)[0]
			want := opValues(x)
			for i, v := range want {
				switch {
				case into == dtypes.Bool:
					if v != 0 {
						want[i] = 1
					} else {
						want[i] = 0
					}
				case into.IsInt():
					v = complex(math.Trunc(real(v)), 0)
					if into.IsUnsigned() && real(v) < 0 {
						if from.IsInt() { // wraps around
							v = complex(real(v)+math.Pow(2, float64(8*into.Size())), 0)
						} else {
							v = 0
						}
					}
					want[i] = v
				case into.IsFloat():
					want[i] = complex(real(v), 0)
				}
			}
			opWant(t, fmt.Sprintf("%s to %s", from, into), got, want)
		}
	}
}

// TestHalfFloats goes through all float16 values, and through what rounds between them.
func TestHalfFloats(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	wide, back := make([]float32, len(all)), make([]uint16, len(all))
	fromFloat16(wide, all)
	toFloat16(back, wide)
	for i, f := range wide {
		sign, exp, frac := 1.0, i>>10&31, float64(i&1023)
		if i>>15 == 1 {
			sign = -1
		}
		want := sign * math.Ldexp(1+frac/1024, exp-15)
		switch exp {
		case 0:
			want = sign * math.Ldexp(frac, -24)
		case 31:
			want = sign * opInf
		}
		if exp == 31 && frac != 0 {
			if f == f || back[i]&0x7c00 != 0x7c00 || back[i]&0x3ff == 0 {
				t.Fatalf("%#04x: NaN is %v and %#04x", i, f, back[i])
			}
			continue
		}
		if float64(f) != want || back[i] != uint16(i) {
			t.Fatalf("%#04x is %v, want %v; back %#04x", i, f, want, back[i])
		}
		if i&0x7fff < 0x7bff { // the next one exists: halfway goes to the even one, anything else to the nearer
			next := wide[i+1]
			mid := (f + next) / 2
			even := uint16(i + i&1)
			var got [3]uint16
			toFloat16(got[:], []float32{mid, math.Nextafter32(mid, f), math.Nextafter32(mid, next)})
			if got != [3]uint16{even, uint16(i), uint16(i + 1)} {
				t.Fatalf("between %#04x and the next: %#04x", i, got)
			}
		}
	}
	var over [3]uint16
	toFloat16(over[:], []float32{65519.99, 65520, 1e30})
	if over != [3]uint16{0x7bff, 0x7c00, 0x7c00} {
		t.Errorf("overflow: %#04x", over)
	}
}

// TestUnsupportedTypes wants an error at recording, not a panic at execution.
func TestUnsupportedTypes(t *testing.T) {
	backend, _ := New("threads=1")
	defer backend.Finalize()
	b := newBuilder(backend, "errors")
	param := func(dtype dtypes.DType, dims ...int) backends.Op {
		op, err := b.Parameter("", shapes.Make(dtype, dims...), nil)
		if err != nil {
			t.Fatal(err)
		}
		return op
	}
	z, f, n := param(dtypes.Complex64, 2), param(dtypes.Float32, 2), param(dtypes.Int32, 2)
	for name, record := range map[string]func() (backends.Op, error){
		"Max complex":     func() (backends.Op, error) { return b.Max(z, z) },
		"LessThan":        func() (backends.Op, error) { return b.LessThan(z, z) },
		"mixed types":     func() (backends.Op, error) { return b.Add(f, n) },
		"Where types":     func() (backends.Op, error) { return b.Where(param(dtypes.Bool, 2), f, n) },
		"Exp int":         func() (backends.Op, error) { return b.Exp(n) },
		"Complex of ints": func() (backends.Op, error) { return b.Complex(n, n) },
		"Reverse axis":    func() (backends.Op, error) { return b.Reverse(f, 1) },
		"Pad to nothing":  func() (backends.Op, error) { return b.Pad(f, param(dtypes.Float32), backends.PadAxis{Start: -3}) },
		"ReduceSum twice": func() (backends.Op, error) { return b.ReduceSum(f, 0, 0) },
		"Iota axis":       func() (backends.Op, error) { return b.Iota(shapes.Make(dtypes.Int32, 2), 1) },
		"Bitcast":         func() (backends.Op, error) { return b.Bitcast(f, dtypes.Complex128) },
	} {
		if op, err := record(); err == nil {
			t.Errorf("%s: recorded as %v", name, op.(value).shape())
		}
	}
	// Everything that the interface has must be there, or say which is not.
	missing := []backends.OpType{}
	for op := backends.OpTypeInvalid + 1; op < backends.OpTypeLast; op++ {
		if !capabilities().Operations[op] {
			missing = append(missing, op)
		}
	}
	without := []backends.OpType{ // no method of the interface records these
		backends.OpTypeBroadcast, backends.OpTypeSelectAndScatterSum,
		backends.OpTypeAllReduce, backends.OpTypeCollectiveBroadcast, backends.OpTypeAllGather,
	}
	if !slices.Equal(missing, without) {
		t.Errorf("operations without a kernel: %v, want %v", missing, without)
	}
	if err := b.ErrFn(backends.OpTypeAllGather); !errors.Is(err, notimplemented.NotImplementedError) {
		t.Errorf("unimplemented operation: %v", err)
	}
}
