package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// TestMoves compares every mover with its definition, element by element, for each
// element size, small shapes and some that cross the bounds of parts and tiles.
func TestMoves(t *testing.T) {
	types := []dtypes.DType{dtypes.Int8, dtypes.BFloat16, dtypes.Float32, dtypes.Float64, dtypes.Complex128}
	for _, dims := range [][]int{{5}, {1, 1}, {3, 4}, {2, 3, 4}, {3, 1, 2, 5}, {70, 33}, {2, 17, 3, 40}, {300, 331}} {
		dtypes := types
		if len(dims) == 2 && dims[0] == 300 {
			dtypes = types[1:3]
		}
		for _, dtype := range dtypes {
			x := opRamp(dtype, dims...)
			xs := opValues(x)
			rng := rand.New(rand.NewPCG(7, uint64(len(dims)*dims[0])))
			perm := rng.Perm(len(dims))
			starts, limits, steps := make([]int, len(dims)), make([]int, len(dims)), make([]int, len(dims))
			pads := make([]backends.PadAxis, len(dims))
			for axis, d := range dims {
				starts[axis] = rng.IntN(d)
				limits[axis] = starts[axis] + rng.IntN(d-starts[axis]) + 1
				steps[axis] = 1 + rng.IntN(3)
				pads[axis] = backends.PadAxis{Start: rng.IntN(4) - 1, End: rng.IntN(4) - 1, Interior: rng.IntN(3)}
				if d < 3 {
					pads[axis].Start, pads[axis].End = max(0, pads[axis].Start), max(0, pads[axis].End)
				}
			}
			reversed := perm[:rng.IntN(len(dims))+1]
			padded := padAttr{pads}
			fill := opRamp(dtype)
			broadcastDims := append([]int{2}, dims...)
			broadcastAxes := make([]int, len(dims))
			for axis := range dims {
				broadcastAxes[axis] = axis + 1
				if dims[axis] == 1 {
					broadcastDims[axis+1] = 3
				}
			}
			out := opRunSame(t, func(b *Builder, in []backends.Op) (ops []backends.Op, err error) {
				record := func(op backends.Op, e error) {
					ops = append(ops, op)
					if e != nil {
						err = e
					}
				}
				record(b.Transpose(in[0], perm...))
				record(b.Slice(in[0], starts, limits, steps))
				record(b.Reverse(in[0], reversed...))
				record(b.Concatenate(perm[0], in[0], ops[2], in[0]))
				record(b.Pad(in[0], in[1], pads...))
				record(b.BroadcastInDim(in[0], shapes.Make(dtype, broadcastDims...), broadcastAxes))
				return ops, err
			}, x, fill)

			source := make([]int, len(dims))
			// at maps an index of the output to the element of x that belongs there, nil for the fill value.
			for i, at := range []func(index []int) []int{
				func(index []int) []int {
					for i, axis := range perm {
						source[axis] = index[i]
					}
					return source
				},
				func(index []int) []int {
					for axis := range dims {
						source[axis] = starts[axis] + index[axis]*steps[axis]
					}
					return source
				},
				func(index []int) []int {
					copy(source, index)
					for _, axis := range reversed {
						source[axis] = dims[axis] - 1 - index[axis]
					}
					return source
				},
				func(index []int) []int {
					copy(source, index)
					source[perm[0]] %= dims[perm[0]]
					if index[perm[0]]/dims[perm[0]] == 1 { // the reversed one in the middle
						for _, axis := range reversed {
							source[axis] = dims[axis] - 1 - source[axis]
						}
					}
					return source
				},
				func(index []int) []int {
					for axis, p := range padded.axes {
						at, step := index[axis]-p.Start, p.Interior+1
						if at < 0 || at%step != 0 || at/step >= dims[axis] {
							return nil
						}
						source[axis] = at / step
					}
					return source
				},
				func(index []int) []int {
					for axis, d := range dims {
						source[axis] = index[axis+1]
						if d == 1 {
							source[axis] = 0
						}
					}
					return source
				},
			} {
				want := make([]complex128, out[i].shape.Size())
				opIndex(out[i].shape.Dimensions, func(n int, index []int) {
					if s := at(index); s != nil {
						want[n] = xs[opAt(dims, s)]
					} else {
						want[n] = opValues(fill)[0]
					}
				})
				opWant(t, fmt.Sprintf("mover %d of %s%v", i, dtype, dims), out[i], want)
			}
		}
	}
}

// TestIotaAndBitcast checks the values that are made and the bytes that are kept.
func TestIotaAndBitcast(t *testing.T) {
	for _, dtype := range opNumbers {
		got := opRun(t, "", func(b *Builder, _ []backends.Op) ([]backends.Op, error) {
			return opOne(b.Iota(shapes.Make(dtype, 2, 5, 3), 1))
		})[0]
		want := make([]complex128, 30)
		for i := range want {
			want[i] = complex(float64(i/3%5), 0)
		}
		opWant(t, dtype.String(), got, want)
	}
	split := func(to dtypes.DType) opGraph {
		return func(b *Builder, in []backends.Op) ([]backends.Op, error) { return opOne(b.Bitcast(in[0], to)) }
	}
	words := opBuffer([]uint32{0xdeadbeef, 0x3f800000}, 2)
	got := opRun(t, "", split(dtypes.Uint16), words)[0]
	if want := shapes.Make(dtypes.Uint16, 2, 2); !got.shape.Equal(want) {
		t.Errorf("shape %s, want %s", got.shape, want)
	}
	opWant(t, "uint32 to uint16", got, []complex128{0xbeef, 0xdead, 0, 0x3f80})
	back := opRun(t, "", split(dtypes.Float32), got)[0]
	if v := view[float32](back.bytes); len(v) != 2 || v[1] != 1 {
		t.Errorf("uint16 to float32: %v", v)
	}
}
