//go:build xla_oracle && cgo

package oracle

import (
	"fmt"
	"math"
	"reflect"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/dtypes/bfloat16"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/x448/float16"
)

var (
	intTypes     = []dtypes.DType{dtypes.Int8, dtypes.Int16, dtypes.Int32, dtypes.Int64, dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64}
	floatTypes   = []dtypes.DType{dtypes.Float16, dtypes.BFloat16, dtypes.Float32, dtypes.Float64}
	complexTypes = []dtypes.DType{dtypes.Complex64, dtypes.Complex128}
	realTypes    = append(append([]dtypes.DType{}, intTypes...), floatTypes...)
	allTypes     = append(append([]dtypes.DType{dtypes.Bool}, realTypes...), complexTypes...)
)

// edges returns values that are likely to go wrong, but no subnormal numbers: XLA takes them for 0.
func edges(t dtypes.DType) []any {
	var list []any
	add := func(values ...float64) {
		for _, v := range values {
			list = append(list, cast(t, complex(v, 0)))
		}
	}
	switch {
	case t == dtypes.Bool:
		return []any{false, true}
	case t.IsComplex():
		for _, v := range []complex128{0, 1, -1, 1i, -1i, 3 + 4i, -0.5 + 2.25i, 1e-3 - 7i, -6.5 - 0.125i, 2} {
			list = append(list, cast(t, v))
		}
	case t.IsInt():
		add(0, 1, 2, 3, 5, 7, 8, 31, 63, 100)
		bits := t.Size() * 8
		lowest, highest := reflect.New(t.GoType()).Elem(), reflect.New(t.GoType()).Elem()
		if t.IsUnsigned() {
			highest.SetUint(math.MaxUint64 >> (64 - bits))
		} else {
			add(-1, -2, -3, -7, -100)
			lowest.SetInt(math.MinInt64 >> (64 - bits))
			highest.SetInt(math.MaxInt64 >> (64 - bits))
		}
		list = append(list, lowest.Interface(), highest.Interface())
	default:
		add(0, math.Copysign(0, -1), 0.5, -0.5, 1, -1, 1.5, -1.5, 2, 2.5, -2.5, 3, 0.25, -7.75, 10, -10, 80, -80, 1e-3, 1e-6, 300.5, -300.5,
			20000, math.Inf(1), math.Inf(-1), math.NaN())
		switch t {
		case dtypes.Float32, dtypes.BFloat16:
			add(3e38, -3e38, 88.8, -104, 5e9, -5e9, 1e19)
		case dtypes.Float64:
			add(1e308, -1e308, 1e-300, 709.9, -746)
		}
	}
	return list
}

// cast converts a number to the dtype's Go type, by Go's rules.
func cast(t dtypes.DType, v complex128) any {
	switch t {
	case dtypes.Bool:
		return v != 0
	case dtypes.Float16:
		return float16.Fromfloat32(float32(real(v)))
	case dtypes.BFloat16:
		return bfloat16.FromFloat32(float32(real(v)))
	}
	x := reflect.New(t.GoType()).Elem()
	switch {
	case t.IsComplex():
		x.SetComplex(v)
	case t.IsFloat():
		x.SetFloat(real(v))
	case t.IsUnsigned():
		x.SetUint(uint64(real(v)))
	default:
		x.SetInt(int64(real(v)))
	}
	return x.Interface()
}

func vector(t dtypes.DType, values []any) array {
	s := reflect.MakeSlice(reflect.SliceOf(t.GoType()), len(values), len(values))
	for i, v := range values {
		s.Index(i).Set(reflect.ValueOf(v))
	}
	return array{s.Interface(), []int{len(values)}}
}

// ramp returns an array of small numbers in no particular order.
func ramp(t dtypes.DType, dims ...int) array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]any, n)
	for i := range values {
		v := float64((i*7919+13)%23) - 11
		switch {
		case t.IsUnsigned() || t == dtypes.Bool:
			v = float64((i * 7919) % 5)
		case t.IsFloat():
			v /= 4
		}
		values[i] = cast(t, complex(v, 0))
	}
	return array{vector(t, values).flat, dims}
}

func one(op backends.Op, err error) ([]backends.Op, error) { return []backends.Op{op}, err }

func cases() []oracleCase {
	var list []oracleCase
	list = append(list, unaryCases()...)
	list = append(list, binaryCases()...)
	list = append(list, convertCases()...)
	list = append(list, moveCases()...)
	list = append(list, reduceCases()...)
	list = append(list, windowCases()...)
	list = append(list, indexCases()...)
	list = append(list, otherCases()...)
	return list
}

func unaryCases() (list []oracleCase) {
	type B = backends.Builder
	for _, u := range []struct {
		name  string
		f     func(B, backends.Op) (backends.Op, error)
		types []dtypes.DType
		ulps  float64
	}{
		{"Abs", B.Abs, append(realTypes, complexTypes...), 2}, {"Neg", B.Neg, append(realTypes, complexTypes...), 0},
		{"Sign", B.Sign, append(realTypes, complexTypes...), 2}, {"BitwiseNot", B.BitwiseNot, intTypes, 0},
		{"BitCount", B.BitCount, intTypes, 0}, {"Clz", B.Clz, intTypes, 0}, {"LogicalNot", B.LogicalNot, []dtypes.DType{dtypes.Bool}, 0},
		{"Ceil", B.Ceil, floatTypes, 0}, {"Floor", B.Floor, floatTypes, 0}, {"Round", B.Round, floatTypes, 0},
		{"Exp", B.Exp, append(floatTypes, complexTypes...), 4}, {"Expm1", B.Expm1, floatTypes, 4},
		{"Log", B.Log, append(floatTypes, complexTypes...), 4}, {"Log1p", B.Log1p, floatTypes, 4},
		{"Sqrt", B.Sqrt, append(floatTypes, complexTypes...), 4}, {"Rsqrt", B.Rsqrt, floatTypes, 4},
		{"Sin", B.Sin, floatTypes, 4}, {"Cos", B.Cos, floatTypes, 4}, {"Tanh", B.Tanh, floatTypes, 8},
		{"Logistic", B.Logistic, floatTypes, 4}, {"Erf", B.Erf, floatTypes, 8},
		{"Real", B.Real, complexTypes, 0}, {"Imag", B.Imag, complexTypes, 0}, {"Conj", B.Conj, complexTypes, 0},
		{"IsFinite", B.IsFinite, floatTypes, 0}, {"IsNaN", B.IsNaN, floatTypes, 0},
	} {
		for _, t := range u.types {
			list = append(list, oracleCase{name: u.name + "/" + t.String(), inputs: []array{vector(t, edges(t))}, ulps: u.ulps,
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(u.f(b, in[0])) }})
		}
	}
	return list
}

func binaryCases() (list []oracleCase) {
	type B = backends.Builder
	numbers := append(append([]dtypes.DType{}, realTypes...), complexTypes...)
	boolOnly := []dtypes.DType{dtypes.Bool}
	for _, u := range []struct {
		name  string
		f     func(B, backends.Op, backends.Op) (backends.Op, error)
		types []dtypes.DType
		ulps  float64
	}{
		{"Add", B.Add, numbers, 0}, {"Sub", B.Sub, numbers, 0}, {"Mul", B.Mul, numbers, 1}, {"Div", B.Div, numbers, 4},
		{"Rem", B.Rem, realTypes, 0}, {"Pow", B.Pow, numbers, 64},
		{"Max", B.Max, append(realTypes, dtypes.Bool), 0}, {"Min", B.Min, append(realTypes, dtypes.Bool), 0},
		{"BitwiseAnd", B.BitwiseAnd, intTypes, 0}, {"BitwiseOr", B.BitwiseOr, intTypes, 0}, {"BitwiseXor", B.BitwiseXor, intTypes, 0},
		{"LogicalAnd", B.LogicalAnd, boolOnly, 0}, {"LogicalOr", B.LogicalOr, boolOnly, 0}, {"LogicalXor", B.LogicalXor, boolOnly, 0},
		{"ShiftLeft", B.ShiftLeft, intTypes, 0}, {"ShiftRightArithmetic", B.ShiftRightArithmetic, intTypes, 0},
		{"ShiftRightLogical", B.ShiftRightLogical, intTypes, 0},
		{"Equal", B.Equal, allTypes, 0}, {"NotEqual", B.NotEqual, allTypes, 0},
		{"LessThan", B.LessThan, append(realTypes, dtypes.Bool), 0}, {"LessOrEqual", B.LessOrEqual, realTypes, 0},
		{"GreaterThan", B.GreaterThan, realTypes, 0}, {"GreaterOrEqual", B.GreaterOrEqual, realTypes, 0},
		{"EqualTotalOrder", B.EqualTotalOrder, floatTypes, 0}, {"NotEqualTotalOrder", B.NotEqualTotalOrder, floatTypes, 0},
		{"LessThanTotalOrder", B.LessThanTotalOrder, floatTypes, 0}, {"LessOrEqualTotalOrder", B.LessOrEqualTotalOrder, floatTypes, 0},
		{"GreaterThanTotalOrder", B.GreaterThanTotalOrder, floatTypes, 0}, {"GreaterOrEqualTotalOrder", B.GreaterOrEqualTotalOrder, floatTypes, 0},
	} {
		for _, t := range u.types {
			var x, y []any
			for _, a := range edges(t) {
				for _, b := range edges(t) {
					x, y = append(x, a), append(y, b)
				}
			}
			build := func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(u.f(b, in[0], in[1])) }
			list = append(list, oracleCase{name: u.name + "/" + t.String(), inputs: []array{vector(t, x), vector(t, y)}, ulps: u.ulps, build: build})
		}
	}
	for _, shapes := range [][2][]int{{{2, 3}, {}}, {{}, {4}}, {{2, 3}, {1, 3}}, {{2, 1, 4}, {1, 3, 1}}, {{1}, {5}}} {
		list = append(list, oracleCase{name: fmt.Sprintf("Sub/broadcast %v %v", shapes[0], shapes[1]),
			inputs: []array{ramp(dtypes.Float32, shapes[0]...), ramp(dtypes.Float32, shapes[1]...)},
			build:  func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(b.Sub(in[0], in[1])) }})
	}
	for _, t := range append(realTypes, dtypes.Bool, dtypes.Complex64) {
		cond := array{[]bool{true, false, false, true, true, false}, []int{2, 3}}
		list = append(list, oracleCase{name: "Where/" + t.String(), inputs: []array{cond, ramp(t, 2, 3), ramp(t)},
			build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
				return one(b.Where(in[0], in[1], in[2]))
			}})
	}
	for _, t := range realTypes {
		x := vector(t, edges(t))
		list = append(list, oracleCase{name: "Clamp/" + t.String(), inputs: []array{ramp(t), x, vector(t, edges(t))},
			build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
				low, err := b.BroadcastInDim(in[0], x.shape(), nil)
				if err != nil {
					return nil, err
				}
				return one(b.Clamp(low, in[1], in[2]))
			}})
	}
	for _, t := range []dtypes.DType{dtypes.Float32, dtypes.Float64} {
		list = append(list, oracleCase{name: "Complex/" + t.String(), inputs: []array{ramp(t, 5), ramp(t, 5)},
			build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(b.Complex(in[0], in[1])) }})
	}
	return list
}

func convertCases() (list []oracleCase) {
	for _, from := range allTypes {
		for _, to := range allTypes {
			if from.IsComplex() && !to.IsComplex() {
				continue
			}
			list = append(list, oracleCase{name: fmt.Sprintf("ConvertDType/%s to %s", from, to), inputs: []array{vector(from, edges(from))},
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
					return one(b.ConvertDType(in[0], to))
				}})
		}
	}
	for _, c := range []struct {
		from, to dtypes.DType
		dims     []int
	}{{dtypes.Float32, dtypes.Uint32, []int{3}}, {dtypes.Float64, dtypes.Uint16, []int{3}}, {dtypes.Int8, dtypes.Int32, []int{5, 4}}, {dtypes.Uint16, dtypes.BFloat16, []int{2, 2}}} {
		list = append(list, oracleCase{name: fmt.Sprintf("Bitcast/%s to %s", c.from, c.to), inputs: []array{ramp(c.from, c.dims...)},
			build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(b.Bitcast(in[0], c.to)) }})
	}
	for _, t := range append(realTypes, complexTypes...) {
		list = append(list, oracleCase{name: "Iota/" + t.String(),
			build: func(b backends.Builder, _ []backends.Op) ([]backends.Op, error) {
				return one(b.Iota(shapes.Make(t, 3, 4, 2), 1))
			}})
	}
	return list
}

func moveCases() (list []oracleCase) {
	add := func(name string, build func(b backends.Builder, in []backends.Op) ([]backends.Op, error), inputs ...array) {
		list = append(list, oracleCase{name: name, inputs: inputs, build: build})
	}
	x := ramp(dtypes.Float32, 3, 4, 5)
	for _, perm := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}} {
		add(fmt.Sprint("Transpose/", perm), func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
			return one(b.Transpose(in[0], perm...))
		}, x)
	}
	add("Slice", func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
		return one(b.Slice(in[0], []int{1, 0, 1}, []int{3, 4, 5}, []int{1, 3, 2}))
	}, x)
	add("Reverse", func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(b.Reverse(in[0], 0, 2)) }, x)
	add("Concatenate", func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
		return one(b.Concatenate(1, in...))
	}, x, ramp(dtypes.Float32, 3, 1, 5), ramp(dtypes.Float32, 3, 2, 5))
	for i, pads := range [][]backends.PadAxis{{{Start: 1, End: 2}, {Interior: 2}}, {{Start: -1}, {Start: 2, End: -1, Interior: 1}, {Start: -2, End: -1}}, {{Start: -2, End: 3, Interior: 3}, {}, {Start: -1, End: 1, Interior: 1}}} {
		add(fmt.Sprint("Pad/", i), func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
			return one(b.Pad(in[0], in[1], pads...))
		}, x, ramp(dtypes.Float32))
	}
	add("BroadcastInDim", func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
		return one(b.BroadcastInDim(in[0], shapes.Make(dtypes.Float32, 2, 3, 4, 5), []int{1, 3}))
	}, ramp(dtypes.Float32, 3, 1))
	return list
}
