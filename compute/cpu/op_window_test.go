package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

type opWindow struct {
	dims, window, strides, base, dilation []int
	pads                                  [][2]int
}

var opWindows = []opWindow{
	{dims: []int{7}, window: []int{3}},
	{dims: []int{2, 6, 7, 3}, window: []int{1, 2, 2, 1}, strides: []int{1, 2, 2, 1}},
	{dims: []int{2, 6, 7, 3}, window: []int{1, 3, 3, 1}, strides: []int{1, 2, 2, 1}, pads: [][2]int{{}, {1, 1}, {1, 1}, {}}},
	{dims: []int{3, 5, 4}, window: []int{2, 3, 2}, strides: []int{1, 1, 1}, pads: [][2]int{{1, 0}, {2, 2}, {0, 1}}},
	{dims: []int{2, 5, 6}, window: []int{1, 3, 2}, strides: []int{1, 2, 1}, base: []int{1, 2, 3}, dilation: []int{1, 2, 3}, pads: [][2]int{{}, {0, 3}, {2, 1}}},
}

// opPlaces calls f for every element of the window at an output index, with its place in x; pad is true for
// what is not an element of x.
func (w opWindow) places(out []int, f func(x int, pad bool)) {
	or := func(s []int, axis, v int) int {
		if s == nil {
			return v
		}
		return s[axis]
	}
	opIndex(w.window, func(_ int, k []int) {
		at, pad := make([]int, len(k)), false
		for axis := range k {
			pos := out[axis]*or(w.strides, axis, w.window[axis]) + k[axis]*or(w.dilation, axis, 1)
			if w.pads != nil {
				pos -= w.pads[axis][0]
			}
			base := or(w.base, axis, 1)
			pad = pad || pos < 0 || pos%base != 0 || pos/base >= w.dims[axis]
			at[axis] = pos / base
		}
		if pad {
			f(0, true)
		} else {
			f(opAt(w.dims, at), false)
		}
	})
}

// TestReduceWindow compares with a plain loop over each window.
func TestReduceWindow(t *testing.T) {
	for i, w := range opWindows {
		for _, dtype := range []dtypes.DType{dtypes.Int32, dtypes.Uint16, dtypes.BFloat16, dtypes.Float32, dtypes.Float64} {
			x := opRamp(dtype, w.dims...)
			xs := opValues(x)
			for kind, f := range map[backends.ReduceOpType]func(a, v float64) float64{
				backends.ReduceOpSum: func(a, v float64) float64 { return a + v },
				backends.ReduceOpMax: math.Max, backends.ReduceOpMin: math.Min,
			} {
				got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					return opOne(b.ReduceWindow(in[0], kind, w.window, w.strides, w.base, w.dilation, w.pads))
				}, x)[0]
				want := make([]complex128, got.shape.Size())
				opIndex(got.shape.Dimensions, func(n int, out []int) {
					first, v := true, 0.0
					w.places(out, func(at int, pad bool) {
						switch {
						case pad:
						case first:
							first, v = false, real(xs[at])
						default:
							v = f(v, real(xs[at]))
						}
					})
					if first && kind != backends.ReduceOpSum { // nothing but padding
						e := elems[dtype]
						bound := newBuffer(got.shape)
						sign := 1
						if kind == backends.ReduceOpMax {
							sign = -1
						}
						copy(bound.bytes, e.bound(sign))
						v = real(opValues(bound)[0])
					}
					want[n] = complex(v, 0)
				})
				opWant(t, fmt.Sprint(dtype, " ", kind, " window ", i), got, want)
			}
		}
	}
}

// TestSelectAndScatter compares with a plain loop: the first extreme element of each window gets the gradient.
func TestSelectAndScatter(t *testing.T) {
	for i, w := range opWindows {
		if w.base != nil {
			continue
		}
		for _, dtype := range []dtypes.DType{dtypes.Int32, dtypes.BFloat16, dtypes.Float32, dtypes.Float64} {
			x := opRamp(dtype, w.dims...)
			xs := opValues(x)
			for _, isMin := range []bool{false, true} {
				pooled := opRun(t, "", func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					return opOne(b.ReduceWindow(in[0], backends.ReduceOpMax, w.window, w.strides, nil, nil, w.pads))
				}, x)[0]
				source := opRamp(dtype, pooled.shape.Dimensions...)
				got := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
					if isMin {
						return opOne(b.SelectAndScatterMin(in[0], in[1], w.window, w.strides, w.pads))
					}
					return opOne(b.SelectAndScatterMax(in[0], in[1], w.window, w.strides, w.pads))
				}, x, source)[0]
				want := make([]complex128, len(xs))
				ss := opValues(source)
				opIndex(pooled.shape.Dimensions, func(n int, out []int) {
					best := -1
					w.places(out, func(at int, pad bool) {
						if !pad && (best < 0 || isMin && real(xs[at]) < real(xs[best]) || !isMin && real(xs[at]) > real(xs[best])) {
							best = at
						}
					})
					if best >= 0 {
						want[best] += ss[n]
					}
				})
				opWant(t, fmt.Sprint(dtype, " min ", isMin, " window ", i), got, want)
			}
		}
	}
}
