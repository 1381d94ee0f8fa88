//go:build xla_oracle && cgo

package oracle

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

func reduceCases() (list []oracleCase) {
	type B = backends.Builder
	for _, u := range []struct {
		name  string
		f     func(B, backends.Op, ...int) (backends.Op, error)
		types []dtypes.DType
	}{
		{"ReduceSum", B.ReduceSum, append(realTypes, complexTypes...)}, {"ReduceProduct", B.ReduceProduct, realTypes},
		{"ReduceMax", B.ReduceMax, realTypes}, {"ReduceMin", B.ReduceMin, realTypes},
		{"ReduceBitwiseAnd", B.ReduceBitwiseAnd, intTypes}, {"ReduceBitwiseOr", B.ReduceBitwiseOr, intTypes},
		{"ReduceBitwiseXor", B.ReduceBitwiseXor, intTypes},
		{"ReduceLogicalAnd", B.ReduceLogicalAnd, []dtypes.DType{dtypes.Bool}}, {"ReduceLogicalOr", B.ReduceLogicalOr, []dtypes.DType{dtypes.Bool}},
		{"ReduceLogicalXor", B.ReduceLogicalXor, []dtypes.DType{dtypes.Bool}},
	} {
		for _, t := range u.types {
			for _, axes := range [][]int{nil, {0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1, 2}} {
				list = append(list, oracleCase{name: fmt.Sprintf("%s/%s %v", u.name, t, axes), inputs: []array{ramp(t, 3, 5, 4)}, ulps: 8,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(u.f(b, in[0], axes...)) }})
			}
		}
	}
	for _, t := range floatTypes {
		x := vector(t, edges(t))
		list = append(list, oracleCase{name: "ReduceMax/edges " + t.String(), inputs: []array{x},
			build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) { return one(b.ReduceMax(in[0], 0)) }})
	}
	for _, t := range realTypes {
		for _, isMin := range []bool{false, true} {
			for axis := range 3 {
				list = append(list, oracleCase{name: fmt.Sprintf("ArgMinMax/%s min=%v axis %d", t, isMin, axis), inputs: []array{ramp(t, 6, 9, 4)},
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(b.ArgMinMax(in[0], axis, dtypes.Int32, isMin))
					}})
			}
		}
	}
	return list
}

func windowCases() (list []oracleCase) {
	for _, t := range []dtypes.DType{dtypes.Int32, dtypes.Float32, dtypes.Float64, dtypes.BFloat16, dtypes.Uint8} {
		for name, op := range map[string]backends.ReduceOpType{"sum": backends.ReduceOpSum, "product": backends.ReduceOpProduct, "max": backends.ReduceOpMax, "min": backends.ReduceOpMin} {
			for i, w := range []struct {
				window, strides, dilation []int
				pads                      [][2]int
			}{
				{window: []int{1, 2, 2, 1}, strides: []int{1, 2, 2, 1}},
				{window: []int{1, 3, 3, 1}, strides: []int{1, 2, 2, 1}, pads: [][2]int{{}, {1, 1}, {1, 1}, {}}},
				{window: []int{1, 2, 3, 1}, strides: []int{1, 1, 2, 1}, dilation: []int{1, 2, 1, 1}, pads: [][2]int{{}, {1, 0}, {0, 2}, {}}},
			} {
				list = append(list, oracleCase{name: fmt.Sprintf("ReduceWindow/%s %s %d", t, name, i), inputs: []array{ramp(t, 2, 6, 7, 3)}, ulps: 4,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(b.ReduceWindow(in[0], op, w.window, w.strides, nil, w.dilation, w.pads))
					}})
			}
		}
	}
	for _, t := range []dtypes.DType{dtypes.Int32, dtypes.Float32, dtypes.Float64} {
		for i, w := range []struct {
			window, strides []int
			pads            [][2]int
			source          []int
		}{
			{[]int{1, 2, 2, 1}, []int{1, 2, 2, 1}, nil, []int{2, 3, 3, 3}},
			{[]int{1, 3, 3, 1}, []int{1, 2, 2, 1}, [][2]int{{}, {1, 1}, {1, 1}, {}}, []int{2, 3, 4, 3}},
			{[]int{2, 3, 2, 1}, []int{1, 1, 1, 1}, [][2]int{{}, {1, 1}, {0, 1}, {}}, []int{1, 6, 7, 3}},
		} {
			inputs := []array{ramp(t, 2, 6, 7, 3), ramp(t, w.source...)}
			if w.pads == nil {
				w.pads = make([][2]int, 4)
			}
			list = append(list,
				oracleCase{name: fmt.Sprintf("SelectAndScatterMax/%s %d", t, i), inputs: inputs, ulps: 4,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(b.SelectAndScatterMax(in[0], in[1], w.window, w.strides, w.pads))
					}},
				oracleCase{name: fmt.Sprintf("SelectAndScatterMin/%s %d", t, i), inputs: inputs, ulps: 4,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(b.SelectAndScatterMin(in[0], in[1], w.window, w.strides, w.pads))
					}})
		}
	}
	return list
}

func indexCases() (list []oracleCase) {
	for _, t := range []dtypes.DType{dtypes.Float32, dtypes.Int8, dtypes.BFloat16, dtypes.Complex128} {
		for i, g := range []struct {
			indices                                 array
			vectorAxis                              int
			offset, collapsed, startMap, sliceSizes []int
		}{
			{array{[]int32{0, 2, 9, -3}, []int{4, 1}}, 1, []int{1, 2}, []int{0}, []int{0}, []int{1, 4, 5}},
			{array{[]int32{0, 2, 1, 3, 0, 4, 2, 2, 9, -1, 1, 0}, []int{4, 3}}, 1, nil, []int{0, 1, 2}, []int{0, 1, 2}, []int{1, 1, 1}},
			{array{[]int32{0, 2, 1, 3, 0, 4}, []int{2, 3}}, 0, []int{0, 2, 3}, nil, []int{2, 0}, []int{2, 3, 2}},
			{array{[]int32{1, 0, 3, 2, 0, 1, 2, 9}, []int{2, 2, 2}}, 2, []int{1, 3}, []int{1}, []int{1, 2}, []int{2, 1, 3}},
		} {
			list = append(list, oracleCase{name: fmt.Sprintf("Gather/%s %d", t, i), inputs: []array{ramp(t, 3, 4, 5), g.indices},
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
					return one(b.Gather(in[0], in[1], g.vectorAxis, g.offset, g.collapsed, g.startMap, g.sliceSizes, false))
				}})
		}
	}
	type B = backends.Builder
	for _, u := range []struct {
		name string
		f    func(b B, operand, indices, updates backends.Op, axis int, window, inserted, toOperand []int, sorted, unique bool) (backends.Op, error)
	}{{"ScatterSum", B.ScatterSum}, {"ScatterMax", B.ScatterMax}, {"ScatterMin", B.ScatterMin}} {
		for _, t := range []dtypes.DType{dtypes.Float32, dtypes.Int32, dtypes.Float64} {
			for i, s := range []struct {
				indices                     array
				updates                     []int
				vectorAxis                  int
				window, inserted, toOperand []int
			}{
				{array{[]int32{0, 2, 0, 9, -1}, []int{5, 1}}, []int{5, 4, 5}, 1, []int{1, 2}, []int{0}, []int{0}},
				{array{[]int32{0, 2, 1, 3, 1, 4, 2, 2, 9, 0, 2, 1}, []int{4, 3}}, []int{4}, 1, nil, []int{0, 1, 2}, []int{0, 1, 2}},
				{array{[]int32{0, 1, 2, 3, 1, 4}, []int{3, 2}}, []int{2, 3, 3}, 1, []int{0, 2}, []int{0}, []int{1, 2}},
				{array{[]int32{0, 2, 1, 3}, []int{2, 2}}, []int{2, 2, 2, 2}, 0, []int{0, 2, 3}, nil, []int{0, 1}},
			} {
				list = append(list, oracleCase{name: fmt.Sprintf("%s/%s %d", u.name, t, i), inputs: []array{ramp(t, 3, 4, 5), s.indices, ramp(t, s.updates...)}, ulps: 4,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(u.f(b, in[0], in[1], in[2], s.vectorAxis, s.window, s.inserted, s.toOperand, false, false))
					}})
			}
		}
	}
	scalar := func(v int32) array { return array{[]int32{v}, nil} }
	for i, at := range [][3]int32{{0, 1, 2}, {-4, 9, 1}} {
		list = append(list,
			oracleCase{name: fmt.Sprint("DynamicSlice/", i), inputs: []array{ramp(dtypes.Float32, 3, 4, 5), scalar(at[0]), scalar(at[1]), scalar(at[2])},
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
					return one(b.DynamicSlice(in[0], in[1:], []int{2, 2, 3}))
				}},
			oracleCase{name: fmt.Sprint("DynamicUpdateSlice/", i), inputs: []array{ramp(dtypes.Float32, 3, 4, 5), ramp(dtypes.Float32, 2, 2, 3), scalar(at[0]), scalar(at[1]), scalar(at[2])},
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
					return one(b.DynamicUpdateSlice(in[0], in[1], in[2:]))
				}})
	}
	return list
}

func otherCases() (list []oracleCase) {
	// XLA makes unsigned numbers of whatever type is asked for.
	for _, t := range []dtypes.DType{dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64} {
		for _, n := range []int{1, 4, 7, 33} {
			state := array{[]uint64{0x0123456789abcdef, ^uint64(0) - 2, 42}, []int{3}}
			list = append(list, oracleCase{name: fmt.Sprintf("RNGBitGenerator/%s %d", t, n), inputs: []array{state},
				build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
					next, values, err := b.RNGBitGenerator(in[0], shapes.Make(t, n))
					return []backends.Op{next, values}, err
				}})
		}
	}
	for _, n := range []int{1, 2, 8, 11, 12} {
		for _, f := range []struct {
			kind backends.FFTType
			in   dtypes.DType
			last int
		}{{backends.FFTForward, dtypes.Complex64, n}, {backends.FFTInverse, dtypes.Complex128, n}, {backends.FFTForwardReal, dtypes.Float32, n}, {backends.FFTInverseReal, dtypes.Complex128, n/2 + 1}} {
			x := ramp(f.in, 2, 3, f.last)
			for _, length := range [][]int{{n}, {3, n}} {
				list = append(list, oracleCase{name: fmt.Sprintf("FFT/%s %v", f.kind, length), inputs: []array{x}, tolerance: 1e-6,
					build: func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
						return one(b.FFT(in[0], f.kind, length))
					}})
			}
		}
	}
	return list
}
