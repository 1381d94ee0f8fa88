package cpu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// TestGather compares with the definition in the StableHLO specification.
func TestGather(t *testing.T) {
	dims := []int{3, 4, 5}
	for i, g := range []struct {
		indices []int64
		idims   []int
		attr    gatherAttr
	}{
		{[]int64{0, 2, 9, -3}, []int{4, 1}, gatherAttr{1, []int{1, 2}, []int{0}, []int{0}, []int{1, 4, 5}}},
		{[]int64{0, 2, 9, -3}, []int{4}, gatherAttr{1, []int{0, 2}, []int{1}, []int{1}, []int{2, 1, 5}}}, // vectors along an axis that is not there
		{[]int64{0, 2, 1, 3, 0, 4, 2, 2, 9, -1, 1, 0}, []int{4, 3}, gatherAttr{1, nil, []int{0, 1, 2}, []int{0, 1, 2}, []int{1, 1, 1}}},
		{[]int64{0, 2, 1, 3, 0, 4}, []int{2, 3}, gatherAttr{0, []int{0, 2, 3}, nil, []int{2, 0}, []int{2, 3, 2}}},
		{[]int64{1, 0, 3, 2, 0, 1, 2, 9}, []int{2, 2, 2}, gatherAttr{1, []int{1, 3}, []int{1}, []int{1, 2}, []int{2, 1, 3}}},
	} {
		for _, dtype := range []dtypes.DType{dtypes.Bool, dtypes.Int8, dtypes.BFloat16, dtypes.Float32, dtypes.Complex128} {
			x := opRamp(dtype, dims...)
			xs := opValues(x)
			a := g.attr
			got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
				return opOne(b.Gather(in[0], in[1], a.indexVectorAxis, a.offsetOutputAxes, a.collapsedSliceAxes, a.startIndexMap, a.sliceSizes, false))
			}, x, opBuffer(g.indices, g.idims...))[0]
			want := make([]complex128, got.shape.Size())
			opIndex(got.shape.Dimensions, func(n int, out []int) {
				var batch, offset []int
				for axis, i := range out {
					if slices.Contains(a.offsetOutputAxes, axis) {
						offset = append(offset, i)
					} else {
						batch = append(batch, i)
					}
				}
				at := make([]int, len(dims))
				for k, axis := range a.startIndexMap {
					v := opIndexEntry(g.indices, g.idims, a.indexVectorAxis, batch, k)
					at[axis] = max(0, min(v, dims[axis]-a.sliceSizes[axis]))
				}
				for axis := range dims {
					if !slices.Contains(a.collapsedSliceAxes, axis) {
						at[axis] += offset[0]
						offset = offset[1:]
					}
				}
				want[n] = xs[opAt(dims, at)]
			})
			opWant(t, fmt.Sprint(dtype, " ", i), got, want)
		}
	}
}

// opIndexEntry is the k-th entry of the index vector at a batch position.
func opIndexEntry(indices []int64, dims []int, vectorAxis int, batch []int, k int) int {
	if vectorAxis == len(dims) {
		return int(indices[opAt(dims, batch)])
	}
	return int(indices[opAt(dims, slices.Insert(slices.Clone(batch), vectorAxis, k))])
}

// TestScatter compares with a loop over the updates, of which some repeat and some do not fit.
func TestScatter(t *testing.T) {
	dims := []int{3, 4, 5}
	for i, s := range []struct {
		indices []int64
		idims   []int
		udims   []int
		attr    scatterAttr
	}{
		{[]int64{0, 2, 0, 9, -1}, []int{5, 1}, []int{5, 4, 5}, scatterAttr{0, 1, []int{1, 2}, []int{0}, []int{0}}},
		{[]int64{0, 2, 1, 3, 1, 4, 2, 2, 9, 0, 2, 1}, []int{4, 3}, []int{4}, scatterAttr{0, 1, nil, []int{0, 1, 2}, []int{0, 1, 2}}},
		{[]int64{0, 1, 2, 3, 1, 4}, []int{3, 2}, []int{2, 3, 3}, scatterAttr{0, 1, []int{0, 2}, []int{0}, []int{1, 2}}},
		{[]int64{0, 2, 1, 3}, []int{2, 2}, []int{2, 2, 2, 2}, scatterAttr{0, 0, []int{0, 2, 3}, nil, []int{0, 1}}},
	} {
		for _, dtype := range []dtypes.DType{dtypes.Int32, dtypes.BFloat16, dtypes.Float32, dtypes.Float64} {
			for _, combine := range []backends.OpType{backends.OpTypeAdd, backends.OpTypeMax, backends.OpTypeMin} {
				x, u := opRamp(dtype, dims...), opRamp(dtype, s.udims...)
				a := s.attr
				got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					f := b.ScatterSum
					switch combine {
					case backends.OpTypeMax:
						f = b.ScatterMax
					case backends.OpTypeMin:
						f = b.ScatterMin
					}
					return opOne(f(in[0], in[1], in[2], a.indexVectorAxis, a.updateWindowAxes, a.insertedWindowAxes, a.scatterAxesToOperandAxes, false, false))
				}, x, opBuffer(s.indices, s.idims...), u)[0]
				opWant(t, fmt.Sprint(dtype, " ", combine, " ", i), got, opScatterNaive(opValues(x), opValues(u), dims, s.udims, s.indices, s.idims, a, combine))
			}
		}
	}
}

func opScatterNaive(want, updates []complex128, dims, udims []int, indices []int64, idims []int, a scatterAttr, combine backends.OpType) []complex128 {
	opIndex(udims, func(n int, index []int) {
		var batch, window []int
		for axis, i := range index {
			if slices.Contains(a.updateWindowAxes, axis) {
				window = append(window, i)
			} else {
				batch = append(batch, i)
			}
		}
		at, size := make([]int, len(dims)), slices.Repeat([]int{1}, len(dims))
		next := 0
		for axis := range dims {
			if !slices.Contains(a.insertedWindowAxes, axis) {
				at[axis], size[axis] = window[next], udims[a.updateWindowAxes[next]]
				next++
			}
		}
		for k, axis := range a.scatterAxesToOperandAxes {
			v := opIndexEntry(indices, idims, a.indexVectorAxis, batch, k)
			if v < 0 || v+size[axis] > dims[axis] {
				return // the window does not fit
			}
			at[axis] += v
		}
		o := opAt(dims, at)
		switch u := updates[n]; combine {
		case backends.OpTypeAdd:
			want[o] += u
		case backends.OpTypeMax:
			want[o] = complex(max(real(want[o]), real(u)), 0)
		case backends.OpTypeMin:
			want[o] = complex(min(real(want[o]), real(u)), 0)
		}
	})
	return want
}

// TestDynamicSlices checks that start indices are moved to where the slice fits, and both ways to give them.
func TestDynamicSlices(t *testing.T) {
	dims, sizes := []int{3, 4, 5}, []int{2, 2, 3}
	x, u := opRamp(dtypes.Float32, dims...), opRamp(dtypes.Float32, sizes...)
	for _, starts := range [][]int32{{0, 1, 2}, {-4, 9, 1}} {
		vector := opBuffer(starts, 3)
		out := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
			var scalars []backends.Op
			for axis := range 3 {
				v, err := b.Slice(in[2], []int{axis}, []int{axis + 1}, nil)
				if err != nil {
					return nil, err
				}
				if v, err = b.Reshape(v); err != nil {
					return nil, err
				}
				scalars = append(scalars, v)
			}
			slice, err := b.DynamicSlice(in[0], scalars, sizes)
			if err != nil {
				return nil, err
			}
			updated, err := b.DynamicUpdateSlice(in[0], in[1], in[2:3])
			return []backends.Op{slice, updated}, err
		}, x, u, vector)
		xs, us := opValues(x), opValues(u)
		slice, updated := make([]complex128, len(us)), slices.Clone(xs)
		opIndex(sizes, func(n int, at []int) {
			index := slices.Clone(at)
			for axis := range index {
				index[axis] += max(0, min(int(starts[axis]), dims[axis]-sizes[axis]))
			}
			slice[n] = xs[opAt(dims, index)]
			updated[opAt(dims, index)] = us[n]
		})
		opWant(t, fmt.Sprint("slice ", starts), out[0], slice)
		opWant(t, fmt.Sprint("update ", starts), out[1], updated)
	}
}

// TestAllReduce is the identity on one device.
func TestAllReduce(t *testing.T) {
	x := opRamp(dtypes.Float32, 4)
	got := opRun(t, "", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
		if _, err := b.AllReduce(in, backends.ReduceOpSum, [][]int{{0, 1}}); err == nil {
			t.Error("two devices were accepted")
		}
		return b.AllReduce(in, backends.ReduceOpSum, [][]int{{0}})
	}, x)[0]
	opWant(t, "one device", got, opValues(x))
	if !got.shape.Equal(shapes.Make(dtypes.Float32, 4)) {
		t.Errorf("shape %s", got.shape)
	}
}
