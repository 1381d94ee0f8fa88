package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// opReduceNaive folds x over axes in float64 or complex128.
func opReduceNaive(x []complex128, dims, axes []int, first complex128, f func(a, v complex128) complex128) []complex128 {
	var outDims []int
	for axis, d := range dims {
		if !slices.Contains(axes, axis) {
			outDims = append(outDims, d)
		}
	}
	size := 1
	for _, d := range outDims {
		size *= d
	}
	out := slices.Repeat([]complex128{first}, size)
	opIndex(dims, func(n int, at []int) {
		var kept []int
		for axis, i := range at {
			if !slices.Contains(axes, axis) {
				kept = append(kept, i)
			}
		}
		o := opAt(outDims, kept)
		out[o] = f(out[o], x[n])
	})
	return out
}

// TestReduce compares the reductions with plain loops, over every set of axes, for every type.
func TestReduce(t *testing.T) {
	add := func(a, v complex128) complex128 { return a + v }
	most := func(a, v complex128) complex128 { return complex(math.Max(real(a), real(v)), 0) }
	least := func(a, v complex128) complex128 { return complex(math.Min(real(a), real(v)), 0) }
	for _, dims := range [][]int{{6}, {5, 7}, {3, 1, 4}, {2, 3, 4, 5}, {130, 9, 3}} {
		for set := range 1 << len(dims) {
			var axes []int
			for axis := range dims {
				if set>>axis&1 == 1 {
					axes = append(axes, axis)
				}
			}
			wantAxes := axes
			if len(axes) == 0 { // means all
				wantAxes = []int{0, 1, 2, 3}[:len(dims)]
			}
			for _, dtype := range opNumbers {
				if dtype.Size() == 1 && len(dims) == 3 {
					continue // the sum would not fit
				}
				x := opRamp(dtype, dims...)
				xs := opValues(x)
				name := fmt.Sprintf("%s%v over %v", dtype, dims, axes)
				run := func(f func(b *Builder, x backends.Op, axes ...int) (backends.Op, error)) *Buffer {
					return opRun(t, "threads=2", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
						return opOne(f(b, in[0], axes...))
					}, x)[0]
				}
				if dtype != dtypes.Int8 || len(dims) < 4 {
					opWant(t, "sum "+name, run((*Builder).ReduceSum), opReduceNaive(xs, dims, wantAxes, 0, add))
				}
				if !dtype.IsComplex() {
					opWant(t, "max "+name, run((*Builder).ReduceMax), opReduceNaive(xs, dims, wantAxes, complex(-opInf, 0), most))
					opWant(t, "min "+name, run((*Builder).ReduceMin), opReduceNaive(xs, dims, wantAxes, complex(opInf, 0), least))
				}
			}
		}
	}
}

// TestReduceLarge wants sums of large arrays to be near those in float64, and the same on any number of threads.
func TestReduceLarge(t *testing.T) {
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16, dtypes.Float64, dtypes.Int32} {
		for _, c := range []struct{ dims, axes []int }{
			{[]int{300007}, []int{0}}, {[]int{40000, 7}, []int{0}}, {[]int{40000, 7}, []int{1}}, {[]int{64, 5000}, []int{0}},
			{[]int{3, 5, 9000}, []int{0, 2}}, {[]int{31, 49, 200}, []int{1}}, {[]int{2, 9001, 13}, []int{1}},
		} {
			x := opRamp(dtype, c.dims...)
			got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
				return opOne(b.ReduceSum(in[0], c.axes...))
			}, x)[0]
			sum := func(a, v complex128) complex128 { return a + v }
			opWant(t, fmt.Sprint(dtype, c.dims, c.axes), got, opReduceNaive(opValues(x), c.dims, c.axes, 0, sum))
		}
	}
	// A float32 that is lost in a running sum of ones is not lost here.
	n := 1 << 18
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1 + 1e-16*float64(i%2)
	}
	ones[0] = 1 << 53
	sum := opRun(t, "", func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(b.ReduceSum(in[0])) }, opBuffer(ones, n))[0]
	if got, want := view[float64](sum.bytes)[0], float64(1<<53+n-1); math.Abs(got-want) > 64 {
		t.Errorf("sum of ones beside 2^53: %v, want %v", got, want)
	}
}

// TestReduceEdges pins logic, NaN and empty arrays.
func TestReduceEdges(t *testing.T) {
	reduce := func(f func(b *Builder, x backends.Op, axes ...int) (backends.Op, error)) opGraph {
		return func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(f(b, in[0], 0)) }
	}
	opEdges(t, "and", reduce((*Builder).ReduceLogicalAnd), []bool{false}, []bool{true, false, true})
	opEdges(t, "or", reduce((*Builder).ReduceLogicalOr), []bool{true}, []bool{false, false, true})
	opEdges(t, "xor", reduce((*Builder).ReduceLogicalXor), []bool{true}, []bool{true, true, true})
	opEdges(t, "bitwise and", reduce((*Builder).ReduceBitwiseAnd), []int8{8}, []int8{-8, 15, 12})
	opEdges(t, "bitwise or", reduce((*Builder).ReduceBitwiseOr), []uint16{0xff}, []uint16{0xf0, 0x0f, 1})
	opEdges(t, "bitwise xor", reduce((*Builder).ReduceBitwiseXor), []int64{6}, []int64{3, 4, 1})
	opEdges(t, "product", reduce((*Builder).ReduceProduct), []int16{-24}, []int16{2, -3, 4})
	opEdges(t, "max with NaN", reduce((*Builder).ReduceMax), []float32{float32(opNaN)}, []float32{1, float32(opNaN), 3})
	opEdges(t, "min with NaN", reduce((*Builder).ReduceMin), []float64{opNaN}, []float64{opNaN, 2, 3})

	empty := newBuffer(shapes.Make(dtypes.Float32, 3, 0))
	out := opRun(t, "", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
		sum, err := b.ReduceSum(in[0], 1)
		if err != nil {
			return nil, err
		}
		most, err := b.ReduceMax(in[0], 1)
		if err != nil {
			return nil, err
		}
		product, err := b.ReduceProduct(in[0])
		return []backends.Op{sum, most, product}, err
	}, empty)
	opWant(t, "sum of nothing", out[0], []complex128{0, 0, 0})
	opWant(t, "product of nothing", out[2], []complex128{1})
	if got := view[float32](out[1].bytes)[2]; !math.IsInf(float64(got), -1) {
		t.Errorf("maximum of nothing is %v", got)
	}
}

// TestArgMinMax compares with a plain search: the first of equal ones, the first NaN.
func TestArgMinMax(t *testing.T) {
	dims := []int{4, 26, 3}
	for _, dtype := range append(opReal, dtypes.Bool) {
		x := opRamp(dtype, dims...)
		xs := opValues(x)
		for axis := range dims {
			for _, isMin := range []bool{false, true} {
				got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					return opOne(b.ArgMinMax(in[0], axis, dtypes.Int64, isMin))
				}, x)[0]
				outDims := slices.Delete(slices.Clone(dims), axis, axis+1)
				want := make([]complex128, got.shape.Size())
				opIndex(outDims, func(n int, at []int) {
					index := slices.Insert(slices.Clone(at), axis, 0)
					best := xs[opAt(dims, index)]
					for i := range dims[axis] {
						index[axis] = i
						v := xs[opAt(dims, index)]
						if isMin && real(v) < real(best) || !isMin && real(v) > real(best) {
							best, want[n] = v, complex(float64(i), 0)
						}
					}
				})
				opWant(t, fmt.Sprint(dtype, " axis ", axis, " min ", isMin), got, want)
			}
		}
	}
	nan := opBuffer([]float32{1, float32(opNaN), 5, float32(opNaN)}, 4)
	got := opRun(t, "", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
		return opOne(b.ArgMinMax(in[0], 0, dtypes.Uint8, false))
	}, nan)[0]
	opWant(t, "NaN", got, []complex128{1})
}
