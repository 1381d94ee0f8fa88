package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// reduceWindowAttr: one entry per axis of each slice.
type reduceWindowAttr struct {
	op              backends.OpType // the binary operation that the window repeats
	window, strides []int
	baseDilations   []int // distance of neighbouring inputs
	windowDilations []int // distance of a window's neighbouring elements
	paddings        [][2]int
}

// selectAndScatterAttr: one entry per axis of each slice.
type selectAndScatterAttr struct {
	window, strides []int
	paddings        [][2]int
}

// Fast kernels for the windows that pooling uses set these; they return false for what they do not cover.
var (
	reduceWindowFast     func(c *call) bool
	selectAndScatterFast func(c *call) bool
)

func init() {
	register(backends.OpTypeReduceWindow, kernel{eval: evalReduceWindow})
	register(backends.OpTypeSelectAndScatterMax, kernel{eval: evalSelectAndScatter})
	register(backends.OpTypeSelectAndScatterMin, kernel{eval: evalSelectAndScatter})
}

// orFill returns a copy of s, or n times v if s is empty.
func orFill[T any](s []T, n int, v T) []T {
	if len(s) == 0 {
		return slices.Repeat([]T{v}, n)
	}
	return slices.Clone(s)
}

// ReduceWindow records the reduction of every window of x. What a window covers of the padding, and of the
// gaps that dilation makes, does not count.
func (b *Builder) ReduceWindow(x backends.Op, reductionType backends.ReduceOpType,
	windowDimensions, strides, baseDilations, windowDilations []int, paddings [][2]int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeReduceWindow, x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape()
	out, err := shapeinference.ReduceWindowOp(shape, windowDimensions, strides, baseDilations, windowDilations, paddings)
	if err != nil {
		return nil, err
	}
	attr := reduceWindowAttr{window: orFill(windowDimensions, shape.Rank(), 1)}
	attr.strides = slices.Clone(attr.window)
	if len(strides) > 0 {
		attr.strides = slices.Clone(strides)
	}
	attr.baseDilations = orFill(baseDilations, shape.Rank(), 1)
	attr.windowDilations = orFill(windowDilations, shape.Rank(), 1)
	attr.paddings = orFill(paddings, shape.Rank(), [2]int{})
	if attr.op, err = reductionOf(reductionType); err != nil {
		return nil, fmt.Errorf("ReduceWindow: %w", err)
	}
	e, err := elemOf(backends.OpTypeReduceWindow, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.binary(attr.op) == nil {
		return nil, unsupported(attr.op, shape.DType)
	}
	return b.add(backends.OpTypeReduceWindow, attr, out, in...), nil
}

// reductionOf returns the binary operation of a type of reduction.
func reductionOf(t backends.ReduceOpType) (backends.OpType, error) {
	switch t {
	case backends.ReduceOpSum:
		return backends.OpTypeAdd, nil
	case backends.ReduceOpProduct:
		return backends.OpTypeMul, nil
	case backends.ReduceOpMax:
		return backends.OpTypeMax, nil
	case backends.ReduceOpMin:
		return backends.OpTypeMin, nil
	}
	return backends.OpTypeInvalid, fmt.Errorf("unknown reduction %s", t)
}

// neutral returns the element that changes nothing when it is combined by op.
func neutral(op backends.OpType, e elem, size int) []byte {
	element := make([]byte, size)
	switch op {
	case backends.OpTypeMax:
		return e.bound(-1)
	case backends.OpTypeMin, backends.OpTypeLogicalAnd:
		return e.bound(1)
	case backends.OpTypeBitwiseAnd:
		repeat(element, []byte{0xff})
		return element
	}
	one := int64(0)
	if op == backends.OpTypeMul {
		one = 1
	}
	e.fromWide(element, wide{kind: kindInt, i: []int64{one}}, 1)
	return element
}

// evalReduceWindow pads x with the neutral element and combines, for each place in the
// window, a strided view of it: one pass over the output per place.
func evalReduceWindow(c *call) {
	if reduceWindowFast != nil && reduceWindowFast(c) {
		return
	}
	attr := c.attr.(reduceWindowAttr)
	x, out := c.in[0], c.out[0]
	if t := computeType(x.shape.DType); t != x.shape.DType {
		x = convertBuffer(c.pool, x, t)
		out = newBuffer(shapes.Make(t, out.shape.Dimensions...))
	}
	e, size := elems[x.shape.DType], x.shape.DType.Size()
	pad := make([]backends.PadAxis, x.shape.Rank())
	dims := slices.Clone(x.shape.Dimensions)
	for axis := range pad {
		p := attr.paddings[axis]
		pad[axis] = backends.PadAxis{Start: p[0], End: p[1], Interior: attr.baseDilations[axis] - 1}
		dims[axis] = (dims[axis]-1)*attr.baseDilations[axis] + 1 + p[0] + p[1]
	}
	padded := newBuffer(shapes.Make(x.shape.DType, dims...))
	fillParts(c, padded.bytes, neutral(attr.op, e, size))
	padInto(c, whole(padded), dims, x, pad)

	combine := elems[x.shape.DType].binary(attr.op)
	place := newBuffer(out.shape)
	for i, at := range windowPlaces(attr.window) {
		src := whole(padded)
		for axis, k := range at {
			src.offset += k * attr.windowDilations[axis] * src.strides[axis]
			src.strides[axis] *= attr.strides[axis]
		}
		if i == 0 {
			copyRegion(c.pool, size, out.shape.Dimensions, whole(out), src)
			continue
		}
		copyRegion(c.pool, size, out.shape.Dimensions, whole(place), src)
		combineInto(c, combine, out, place)
	}
	if out != c.out[0] {
		convertInto(c.pool, c.out[0], out)
	}
}

// combineInto replaces dst by f(dst, x), both of one shape.
func combineInto(c *call, f span, dst, x *Buffer) {
	step := partLen * x.shape.DType.Size()
	c.pool.For(ceilDiv(len(dst.bytes), step), func(part, _ int) {
		lo, hi := part*step, min((part+1)*step, len(dst.bytes))
		f(dst.bytes[lo:hi], [3][]byte{dst.bytes[lo:hi], x.bytes[lo:hi]})
	})
}

// windowPlaces lists the positions in a window, the last axis fastest.
func windowPlaces(window []int) [][]int {
	places := [][]int{make([]int, len(window))}
	for {
		next := slices.Clone(places[len(places)-1])
		if !advance(next, window) {
			return places
		}
		places = append(places, next)
	}
}

// advance steps a row-major index; false means that it was the last.
func advance(index, dims []int) bool {
	for axis := len(dims) - 1; axis >= 0; axis-- {
		if index[axis]++; index[axis] < dims[axis] {
			return true
		}
		index[axis] = 0
	}
	return false
}

// SelectAndScatterMax records the gradient of a maximum pooling: each element of source
// is added where its window of operand has the largest element (the first of equal ones).
func (b *Builder) SelectAndScatterMax(operand, source backends.Op, windowDimensions, windowStrides []int, paddings [][2]int) (backends.Op, error) {
	return b.selectAndScatter(backends.OpTypeSelectAndScatterMax, operand, source, windowDimensions, windowStrides, paddings)
}

// SelectAndScatterMin is SelectAndScatterMax with the smallest element.
func (b *Builder) SelectAndScatterMin(operand, source backends.Op, windowDimensions, windowStrides []int, paddings [][2]int) (backends.Op, error) {
	return b.selectAndScatter(backends.OpTypeSelectAndScatterMin, operand, source, windowDimensions, windowStrides, paddings)
}

func (b *Builder) selectAndScatter(op backends.OpType, operand, source backends.Op, window, strides []int, paddings [][2]int) (backends.Op, error) {
	in, err := b.operands(op, operand, source)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape()
	want, err := shapeinference.ReduceWindowOp(shape, window, strides, nil, nil, paddings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if !in[1].shape().Equal(want) {
		return nil, fmt.Errorf("%s: source %s, want %s", op, in[1].shape(), want)
	}
	e, err := elemOf(op, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.selectScatter(false) == nil {
		return nil, unsupported(op, shape.DType)
	}
	attr := selectAndScatterAttr{window: orFill(window, shape.Rank(), 1)}
	attr.strides = slices.Clone(attr.window)
	if len(strides) > 0 {
		attr.strides = slices.Clone(strides)
	}
	attr.paddings = orFill(paddings, shape.Rank(), [2]int{})
	return b.add(op, attr, shape, in...), nil
}

// selectFunc adds each element of source to out where its window of operand has the extreme element.
type selectFunc func(out, operand, source []byte, dims, sourceDims []int, attr selectAndScatterAttr)

// evalSelectAndScatter goes through the windows one after the other, the parts of the
// first axis in parallel if windows do not cross it. Half floats are added in float32.
func evalSelectAndScatter(c *call) {
	if selectAndScatterFast != nil && selectAndScatterFast(c) {
		return
	}
	attr := c.attr.(selectAndScatterAttr)
	operand, source, out := c.in[0], c.in[1], c.out[0]
	if t := computeType(operand.shape.DType); t != operand.shape.DType {
		operand, source = convertBuffer(c.pool, operand, t), convertBuffer(c.pool, source, t)
		out = newBuffer(shapes.Make(t, out.shape.Dimensions...))
	}
	clear(out.bytes)
	f := elems[operand.shape.DType].selectScatter(c.op == backends.OpTypeSelectAndScatterMin)
	dims, sourceDims := operand.shape.Dimensions, source.shape.Dimensions
	parts := 1
	if len(dims) > 1 && attr.window[0] == 1 && attr.strides[0] == 1 && attr.paddings[0] == [2]int{} {
		parts = dims[0]
		dims, sourceDims = dims[1:], sourceDims[1:]
		attr = selectAndScatterAttr{attr.window[1:], attr.strides[1:], attr.paddings[1:]}
	}
	n, m := len(operand.bytes)/parts, len(source.bytes)/parts
	c.pool.For(parts, func(p, _ int) {
		f(out.bytes[p*n:(p+1)*n], operand.bytes[p*n:(p+1)*n], source.bytes[p*m:(p+1)*m], dims, sourceDims, attr)
	})
	if out != c.out[0] {
		convertInto(c.pool, c.out[0], out)
	}
}

func (boolElem) selectScatter(bool) selectFunc    { return nil }
func (complexElem) selectScatter(bool) selectFunc { return nil }

func (intElem[T]) selectScatter(isMin bool) selectFunc   { return selectOf[T](isMin) }
func (floatElem[T]) selectScatter(isMin bool) selectFunc { return selectOf[T](isMin) }

// selectScatter is that of the wider type, to which the evaluation converts.
func (e narrowElem[N, W]) selectScatter(isMin bool) selectFunc {
	return e.wideType.selectScatter(isMin)
}

func selectOf[T ordered](isMin bool) selectFunc {
	return func(outBytes, operandBytes, sourceBytes []byte, dims, sourceDims []int, attr selectAndScatterAttr) {
		out, operand := view[T](outBytes), view[T](operandBytes)
		strides := rowMajor(dims)
		places := windowPlaces(attr.window)
		at := make([]int, len(dims))
		for _, v := range view[T](sourceBytes) {
			best := -1
			for _, place := range places {
				i := 0
				for axis, k := range place {
					pos := at[axis]*attr.strides[axis] - attr.paddings[axis][0] + k
					if pos < 0 || pos >= dims[axis] {
						i = -1
						break
					}
					i += pos * strides[axis]
				}
				// The one selected stays if it compares as not worse: a later NaN replaces it, and is replaced.
				if i >= 0 && (best < 0 || isMin && !(operand[best] <= operand[i]) || !isMin && !(operand[best] >= operand[i])) {
					best = i
				}
			}
			if best >= 0 {
				out[best] += v
			}
			advance(at, sourceDims)
		}
	}
}
