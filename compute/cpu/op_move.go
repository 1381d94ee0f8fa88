package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// The operations that move elements without looking at them are all copies between
// strided regions (move.go).

// transposeAttr: output axis i is input axis perm[i].
type transposeAttr struct{ perm []int }

// broadcastInDimAttr: input axis i becomes output axis axes[i].
type broadcastInDimAttr struct{ axes []int }

// sliceAttr: per axis, from starts to before limits in steps of strides.
type sliceAttr struct{ starts, limits, strides []int }

// reverseAttr: the axes whose order is reversed.
type reverseAttr struct{ axes []int }

// concatenateAttr: the axis along which the inputs are joined.
type concatenateAttr struct{ axis int }

// padAttr: one entry per axis. Start and End may be negative, which cuts.
type padAttr struct{ axes []backends.PadAxis }

func init() {
	register(backends.OpTypeTranspose, kernel{eval: evalTranspose})
	register(backends.OpTypeBroadcastInDim, kernel{eval: evalBroadcastInDim})
	register(backends.OpTypeSlice, kernel{eval: evalSlice})
	register(backends.OpTypeReverse, kernel{eval: evalReverse})
	register(backends.OpTypeConcatenate, kernel{eval: evalConcatenate})
	register(backends.OpTypePad, kernel{eval: evalPad})
}

// Transpose records a permutation of the axes.
func (b *Builder) Transpose(x backends.Op, permutation ...int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeTranspose, x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.TransposeOp(in[0].shape(), permutation)
	if err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeTranspose, transposeAttr{slices.Clone(permutation)}, shape, in...), nil
}

func evalTranspose(c *call) {
	x, out := whole(c.in[0]), whole(c.out[0])
	strides := make([]int, len(x.strides))
	for i, axis := range c.attr.(transposeAttr).perm {
		strides[i] = x.strides[axis]
	}
	x.strides = strides
	copyRegion(c.pool, c.out[0].shape.DType.Size(), c.out[0].shape.Dimensions, out, x)
}

// BroadcastInDim records the repetition of x along new axes and those of size 1.
func (b *Builder) BroadcastInDim(x backends.Op, outputShape shapes.Shape, broadcastAxes []int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeBroadcastInDim, x)
	if err != nil {
		return nil, err
	}
	if err := shapeinference.BroadcastInDimOp(in[0].shape(), outputShape, broadcastAxes); err != nil {
		return nil, err
	}
	if in[0].shape().DType != outputShape.DType {
		return nil, fmt.Errorf("BroadcastInDim: from %s to %s: the types differ", in[0].shape(), outputShape)
	}
	attr := broadcastInDimAttr{slices.Clone(broadcastAxes)}
	return b.add(backends.OpTypeBroadcastInDim, attr, outputShape.Clone(), in...), nil
}

func evalBroadcastInDim(c *call) {
	x, out := whole(c.in[0]), whole(c.out[0])
	strides := make([]int, len(out.strides))
	for i, axis := range c.attr.(broadcastInDimAttr).axes {
		if c.in[0].shape.Dimensions[i] != 1 {
			strides[axis] = x.strides[i]
		}
	}
	x.strides = strides
	copyRegion(c.pool, c.out[0].shape.DType.Size(), c.out[0].shape.Dimensions, out, x)
}

// Slice records a part of x; nil strides mean 1.
func (b *Builder) Slice(x backends.Op, starts, limits, strides []int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeSlice, x)
	if err != nil {
		return nil, err
	}
	if len(strides) == 0 {
		strides = slices.Repeat([]int{1}, in[0].shape().Rank())
	}
	shape, err := shapeinference.SliceOp(in[0].shape(), starts, limits, strides)
	if err != nil {
		return nil, err
	}
	attr := sliceAttr{slices.Clone(starts), slices.Clone(limits), slices.Clone(strides)}
	return b.add(backends.OpTypeSlice, attr, shape, in...), nil
}

func evalSlice(c *call) {
	x, out := whole(c.in[0]), whole(c.out[0])
	attr := c.attr.(sliceAttr)
	for axis := range x.strides {
		x.offset += attr.starts[axis] * x.strides[axis]
		x.strides[axis] *= attr.strides[axis]
	}
	copyRegion(c.pool, c.out[0].shape.DType.Size(), c.out[0].shape.Dimensions, out, x)
}

// Reverse records x with the order along some axes reversed.
func (b *Builder) Reverse(x backends.Op, axes ...int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeReverse, x)
	if err != nil {
		return nil, err
	}
	if err := checkAxes(backends.OpTypeReverse, in[0].shape(), axes); err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeReverse, reverseAttr{slices.Clone(axes)}, in[0].shape(), in...), nil
}

// checkAxes refuses axes that the shape does not have, and repeated ones.
func checkAxes(op backends.OpType, shape shapes.Shape, axes []int) error {
	for i, axis := range axes {
		if axis < 0 || axis >= shape.Rank() || slices.Contains(axes[:i], axis) {
			return fmt.Errorf("%s: axes %v are not distinct axes of %s", op, axes, shape)
		}
	}
	return nil
}

func evalReverse(c *call) {
	x, out := whole(c.in[0]), whole(c.out[0])
	dims := c.out[0].shape.Dimensions
	for _, axis := range c.attr.(reverseAttr).axes {
		x.offset += (dims[axis] - 1) * x.strides[axis]
		x.strides[axis] = -x.strides[axis]
	}
	copyRegion(c.pool, c.out[0].shape.DType.Size(), dims, out, x)
}

// Concatenate records the operands joined along an axis.
func (b *Builder) Concatenate(axis int, operands ...backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeConcatenate, operands...)
	if err != nil {
		return nil, err
	}
	inShapes := make([]shapes.Shape, len(in))
	for i, v := range in {
		inShapes[i] = v.shape()
	}
	shape, err := shapeinference.ConcatenateOp(inShapes, axis)
	if err != nil {
		return nil, err
	}
	if len(in) == 1 {
		return in[0], nil
	}
	return b.add(backends.OpTypeConcatenate, concatenateAttr{axis}, shape, in...), nil
}

func evalConcatenate(c *call) {
	axis := c.attr.(concatenateAttr).axis
	out := whole(c.out[0])
	for _, in := range c.in {
		copyRegion(c.pool, in.shape.DType.Size(), in.shape.Dimensions, out, whole(in))
		out.offset += in.shape.Dimensions[axis] * out.strides[axis]
	}
}

// Pad records x with fillValue before, after and between its elements.
func (b *Builder) Pad(x, fillValue backends.Op, axesConfig ...backends.PadAxis) (backends.Op, error) {
	in, err := b.operands(backends.OpTypePad, x, fillValue)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape().Clone()
	if fill := in[1].shape(); fill.DType != shape.DType || !fill.IsScalar() {
		return nil, fmt.Errorf("Pad: fill value %s, want a scalar of type %s", fill, shape.DType)
	}
	if len(axesConfig) > shape.Rank() {
		return nil, fmt.Errorf("Pad: %d axes given for %s", len(axesConfig), shape)
	}
	attr := padAttr{make([]backends.PadAxis, shape.Rank())}
	copy(attr.axes, axesConfig)
	for axis, p := range attr.axes {
		if p.Interior < 0 {
			return nil, fmt.Errorf("Pad: negative interior padding %d of axis %d", p.Interior, axis)
		}
		dim := shape.Dimensions[axis]
		if dim = dim + p.Start + p.End + max(dim-1, 0)*p.Interior; dim < 0 {
			return nil, fmt.Errorf("Pad: axis %d of %s padded by %+v has a negative size", axis, shape, p)
		}
		shape.Dimensions[axis] = dim
	}
	return b.add(backends.OpTypePad, attr, shape, in...), nil
}

func evalPad(c *call) {
	out := c.out[0]
	fillParts(c, out.bytes, c.in[1].bytes)
	padInto(c, whole(out), out.shape.Dimensions, c.in[0], c.attr.(padAttr).axes)
}

// fillParts fills dst with one element, in parallel.
func fillParts(c *call, dst, element []byte) {
	step := partLen * len(element)
	c.pool.For(ceilDiv(len(dst), step), func(part, _ int) {
		repeat(dst[part*step:min((part+1)*step, len(dst))], element)
	})
}

// padInto writes x to its places in the padded dst of the given dimensions, cutting off what negative
// padding leaves outside.
func padInto(c *call, dst region, dims []int, x *Buffer, pad []backends.PadAxis) {
	src := whole(x)
	copied := slices.Clone(x.shape.Dimensions)
	for axis, p := range pad {
		step := p.Interior + 1
		first := max(0, ceilDiv(-p.Start, step)) // first element whose place is not negative
		if p.Start >= 0 {
			first = 0
		}
		end := 0 // one after the last element whose place is below the output's size
		if room := dims[axis] - p.Start; room > 0 {
			end = min(copied[axis], ceilDiv(room, step))
		}
		copied[axis] = max(0, end-first)
		src.offset += first * src.strides[axis]
		dst.offset += (p.Start + first*step) * dst.strides[axis]
		dst.strides[axis] *= step
	}
	copyRegion(c.pool, x.shape.DType.Size(), copied, dst, src)
}
