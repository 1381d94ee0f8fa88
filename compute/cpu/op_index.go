package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// gatherAttr: see backends.StandardOps.Gather.
type gatherAttr struct {
	indexVectorAxis    int
	offsetOutputAxes   []int // ascending; the output axes of a slice
	collapsedSliceAxes []int // operand axes that slices do not keep
	startIndexMap      []int // operand axis of each entry of an index vector
	sliceSizes         []int
}

// scatterAttr: see backends.StandardOps.ScatterSum.
type scatterAttr struct {
	op                       backends.OpType // how an update is combined with what is there
	indexVectorAxis          int
	updateWindowAxes         []int // ascending; the update axes of a window
	insertedWindowAxes       []int // operand axes that windows do not have
	scatterAxesToOperandAxes []int // operand axis of each entry of an index vector
}

// dynamicSliceAttr: the sizes of the slice.
type dynamicSliceAttr struct{ sizes []int }

func init() {
	register(backends.OpTypeGather, kernel{eval: evalGather})
	register(backends.OpTypeScatterSum, kernel{eval: evalScatter})
	register(backends.OpTypeScatterMax, kernel{eval: evalScatter})
	register(backends.OpTypeScatterMin, kernel{eval: evalScatter})
	register(backends.OpTypeDynamicSlice, kernel{eval: evalDynamicSlice})
	register(backends.OpTypeDynamicUpdateSlice, kernel{eval: evalDynamicUpdateSlice})
}

// indexVectors returns the index vectors of an integer array, one per position of its
// other axes, each as long as the axis of vectors.
func indexVectors(b *Buffer, vectorAxis int) (vectors []int, length int) {
	n := b.shape.Size()
	dims := b.shape.Dimensions
	length = 1
	if vectorAxis < len(dims) {
		length = dims[vectorAxis]
	}
	flat := make([]int, n)
	block := widePool.Get().(*wide)
	defer widePool.Put(block)
	e, size := elems[b.shape.DType], b.shape.DType.Size()
	for lo := 0; lo < n; lo += wideLen {
		hi := min(lo+wideLen, n)
		e.toWide(*block, b.bytes[lo*size:hi*size])
		for i := range hi - lo {
			if e.kind() == kindUint {
				flat[lo+i] = int(min(block.u[i], math.MaxInt64))
			} else {
				flat[lo+i] = int(block.i[i])
			}
		}
	}
	if vectorAxis >= len(dims)-1 {
		return flat, length
	}
	inner := rowMajor(dims)[vectorAxis]
	vectors = make([]int, n)
	for i, v := range flat { // [outer, length, inner] to [outer, inner, length]
		o, k, j := i/(length*inner), i/inner%length, i%inner
		vectors[(o*inner+j)*length+k] = v
	}
	return vectors, length
}

// Gather records slices of operand at the positions that startIndices holds, which are
// moved where a slice would not fit.
func (b *Builder) Gather(operand, startIndices backends.Op, indexVectorAxis int,
	offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes []int, indicesAreSorted bool) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeGather, operand, startIndices)
	if err != nil {
		return nil, err
	}
	indices := in[1].shape()
	if !indices.DType.IsInt() {
		return nil, fmt.Errorf("Gather: indices of type %s, want integers", indices.DType)
	}
	if indexVectorAxis < 0 || indexVectorAxis > indices.Rank() {
		return nil, fmt.Errorf("Gather: index vectors along axis %d of %s", indexVectorAxis, indices)
	}
	// Shape inference compares the axis with the wrong rank; in front, it always passes.
	vectorFirst := shapes.Make(indices.DType, 1)
	for axis, dim := range indices.Dimensions {
		if axis == indexVectorAxis {
			vectorFirst.Dimensions[0] = dim
		} else {
			vectorFirst.Dimensions = append(vectorFirst.Dimensions, dim)
		}
	}
	shape, err := shapeinference.Gather(in[0].shape(), vectorFirst, 0,
		offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes, indicesAreSorted)
	if err != nil {
		return nil, err
	}
	attr := gatherAttr{indexVectorAxis, slices.Clone(offsetOutputAxes), slices.Clone(collapsedSliceAxes),
		slices.Clone(startIndexMap), slices.Clone(sliceSizes)}
	slices.Sort(attr.offsetOutputAxes)
	return b.add(backends.OpTypeGather, attr, shape, in...), nil
}

func evalGather(c *call) {
	attr := c.attr.(gatherAttr)
	operand, out := whole(c.in[0]), whole(c.out[0])
	vectors, length := indexVectors(c.in[1], attr.indexVectorAxis)

	// The axes of a slice that the output keeps, with their strides on both sides, and the output's batch axes.
	var dims, srcStrides, dstStrides, batchDims, batchStrides []int
	for axis, size := range attr.sliceSizes {
		if !slices.Contains(attr.collapsedSliceAxes, axis) {
			dims = append(dims, size)
			srcStrides = append(srcStrides, operand.strides[axis])
		}
	}
	for axis, stride := range out.strides {
		if slices.Contains(attr.offsetOutputAxes, axis) {
			dstStrides = append(dstStrides, stride)
		} else {
			batchDims = append(batchDims, c.out[0].shape.Dimensions[axis])
			batchStrides = append(batchStrides, stride)
		}
	}
	if c.out[0].shape.Size() == 0 {
		return
	}
	plan := newCopyPlan(c.out[0].shape.DType.Size(), dims, dstStrides, srcStrides)
	batches := 1
	for _, d := range batchDims {
		batches *= d
	}
	sliceLen := c.out[0].shape.Size() / batches
	perPart := max(1, partLen/sliceLen)
	c.pool.For(ceilDiv(batches, perPart), func(part, _ int) {
		for n := part * perPart; n < min((part+1)*perPart, batches); n++ {
			from := 0
			for k, axis := range attr.startIndexMap {
				at := vectors[n*length+k]
				at = max(0, min(at, c.in[0].shape.Dimensions[axis]-attr.sliceSizes[axis]))
				from += at * operand.strides[axis]
			}
			plan.run(out.bytes, operand.bytes, offsetOf(n, batchDims, batchStrides), from, 0, plan.cells)
		}
	})
}

// offsetOf returns the memory offset of the n-th position in row-major order.
func offsetOf(n int, dims, strides []int) int {
	offset := 0
	for axis := len(dims) - 1; axis >= 0; axis-- {
		offset += n % dims[axis] * strides[axis]
		n /= dims[axis]
	}
	return offset
}

// scatter records operand with windows of updates combined into it.
func (b *Builder) scatter(op, combine backends.OpType, operand, scatterIndices, updates backends.Op, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int) (backends.Op, error) {
	in, err := b.operands(op, operand, scatterIndices, updates)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.ScatterOp(in[0].shape(), in[1].shape(), in[2].shape(), indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes)
	if err != nil {
		return nil, err
	}
	e, err := elemOf(op, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.binary(combine) == nil {
		return nil, unsupported(op, shape.DType)
	}
	attr := scatterAttr{combine, indexVectorAxis, slices.Clone(updateWindowAxes),
		slices.Clone(insertedWindowAxes), slices.Clone(scatterAxesToOperandAxes)}
	slices.Sort(attr.updateWindowAxes)
	return b.add(op, attr, shape, in...), nil
}

// ScatterSum records operand with updates added at the positions that scatterIndices holds, one after the
// other. Windows that do not fit are left out.
func (b *Builder) ScatterSum(operand, scatterIndices, updates backends.Op, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, _, _ bool) (backends.Op, error) {
	return b.scatter(backends.OpTypeScatterSum, backends.OpTypeAdd, operand, scatterIndices, updates, indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes)
}

// ScatterMax is ScatterSum with the larger value kept.
func (b *Builder) ScatterMax(operand, scatterIndices, updates backends.Op, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, _, _ bool) (backends.Op, error) {
	return b.scatter(backends.OpTypeScatterMax, backends.OpTypeMax, operand, scatterIndices, updates, indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes)
}

// ScatterMin is ScatterSum with the smaller value kept.
func (b *Builder) ScatterMin(operand, scatterIndices, updates backends.Op, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, _, _ bool) (backends.Op, error) {
	return b.scatter(backends.OpTypeScatterMin, backends.OpTypeMin, operand, scatterIndices, updates, indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes)
}

// evalScatter goes through the updates in order, on one thread: windows may overlap.
func evalScatter(c *call) {
	attr := c.attr.(scatterAttr)
	out, updates := whole(c.out[0]), whole(c.in[2])
	copy(out.bytes, c.in[0].bytes)
	vectors, length := indexVectors(c.in[1], attr.indexVectorAxis)

	var dims, dstStrides, srcStrides, batchDims, batchStrides []int
	windowSizes := slices.Repeat([]int{1}, len(out.strides))
	for axis, stride := range updates.strides {
		if slices.Contains(attr.updateWindowAxes, axis) {
			dims = append(dims, c.in[2].shape.Dimensions[axis])
			srcStrides = append(srcStrides, stride)
		} else {
			batchDims = append(batchDims, c.in[2].shape.Dimensions[axis])
			batchStrides = append(batchStrides, stride)
		}
	}
	for axis, stride := range out.strides {
		if !slices.Contains(attr.insertedWindowAxes, axis) {
			windowSizes[axis] = dims[len(dstStrides)]
			dstStrides = append(dstStrides, stride)
		}
	}
	window := newCombinePlan(c.out[0], attr.op, dims, dstStrides, srcStrides)
	if c.in[2].shape.Size() == 0 {
		return
	}
	for n := range len(vectors) / max(1, length) {
		to, fits := 0, true
		for k, axis := range attr.scatterAxesToOperandAxes {
			at := vectors[n*length+k]
			fits = fits && at >= 0 && at <= c.out[0].shape.Dimensions[axis]-windowSizes[axis]
			to += at * out.strides[axis]
		}
		if fits {
			window.run(out.bytes, updates.bytes, to, offsetOf(n, batchDims, batchStrides))
		}
	}
}

// combinePlan combines one strided window into another, in runs of consecutive elements.
type combinePlan struct {
	f        span
	size     int
	dims     []int // of the runs
	dst, src []int // strides of the runs
	runLen   int
	index    []int
}

func newCombinePlan(b *Buffer, op backends.OpType, dims, dst, src []int) *combinePlan {
	dims, strides := mergeAxes(dims, dst, src)
	p := &combinePlan{f: elems[b.shape.DType].binary(op), size: b.shape.DType.Size(), dims: dims, dst: strides[0], src: strides[1], runLen: 1}
	if last := len(dims) - 1; p.dst[last] == 1 && p.src[last] == 1 {
		p.runLen = dims[last]
		p.dims, p.dst, p.src = dims[:last], p.dst[:last], p.src[:last]
	}
	p.index = make([]int, len(p.dims))
	return p
}

func (p *combinePlan) run(dst, src []byte, dstAt, srcAt int) {
	for {
		to, from := dstAt, srcAt
		for axis, i := range p.index {
			to += i * p.dst[axis]
			from += i * p.src[axis]
		}
		place := dst[to*p.size:][:p.runLen*p.size]
		p.f(place, [3][]byte{place, src[from*p.size:][:p.runLen*p.size]})
		if !advance(p.index, p.dims) {
			return
		}
	}
}

// dynamicStarts checks the start indices of a dynamic slice: one scalar per axis, or one vector.
func dynamicStarts(op backends.OpType, rank int, starts []value) error {
	if len(starts) == 1 && starts[0].shape().Rank() == 1 && starts[0].shape().Dimensions[0] == rank && starts[0].shape().DType.IsInt() {
		return nil
	}
	if len(starts) != rank {
		return fmt.Errorf("%s: %d start indices for %d axes", op, len(starts), rank)
	}
	for i, v := range starts {
		if s := v.shape(); !s.IsScalar() || !s.DType.IsInt() {
			return fmt.Errorf("%s: start index %d is %s, want an integer scalar", op, i, s)
		}
	}
	return nil
}

// startsOf reads the start indices and moves them so that a slice of the given sizes fits.
func startsOf(starts []*Buffer, dims, sizes []int) []int {
	var at []int
	for _, b := range starts {
		v, _ := indexVectors(b, 0)
		at = append(at, v...)
	}
	for axis := range at {
		at[axis] = max(0, min(at[axis], dims[axis]-sizes[axis]))
	}
	return at
}

// DynamicSlice records the part of operand that begins at startIndices, moved where it would not fit.
func (b *Builder) DynamicSlice(operand backends.Op, startIndices []backends.Op, sliceDims []int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeDynamicSlice, append([]backends.Op{operand}, startIndices...)...)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape().Clone()
	if err := dynamicStarts(backends.OpTypeDynamicSlice, shape.Rank(), in[1:]); err != nil {
		return nil, err
	}
	if len(sliceDims) != shape.Rank() {
		return nil, fmt.Errorf("DynamicSlice: %d sizes for %s", len(sliceDims), shape)
	}
	for axis, size := range sliceDims {
		if size < 0 || size > shape.Dimensions[axis] {
			return nil, fmt.Errorf("DynamicSlice: size %d of axis %d does not fit %s", size, axis, shape)
		}
	}
	shape.Dimensions = slices.Clone(sliceDims)
	return b.add(backends.OpTypeDynamicSlice, dynamicSliceAttr{slices.Clone(sliceDims)}, shape, in...), nil
}

func evalDynamicSlice(c *call) {
	x, sizes := whole(c.in[0]), c.attr.(dynamicSliceAttr).sizes
	for axis, at := range startsOf(c.in[1:], c.in[0].shape.Dimensions, sizes) {
		x.offset += at * x.strides[axis]
	}
	copyRegion(c.pool, c.out[0].shape.DType.Size(), sizes, whole(c.out[0]), x)
}

// DynamicUpdateSlice records operand with update in place of the part that begins at startIndices, moved
// where it would not fit.
func (b *Builder) DynamicUpdateSlice(operand, update backends.Op, startIndices []backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeDynamicUpdateSlice, append([]backends.Op{operand, update}, startIndices...)...)
	if err != nil {
		return nil, err
	}
	shape, part := in[0].shape(), in[1].shape()
	if err := dynamicStarts(backends.OpTypeDynamicUpdateSlice, shape.Rank(), in[2:]); err != nil {
		return nil, err
	}
	if part.DType != shape.DType || part.Rank() != shape.Rank() {
		return nil, fmt.Errorf("DynamicUpdateSlice: update %s does not fit %s", part, shape)
	}
	for axis, size := range part.Dimensions {
		if size > shape.Dimensions[axis] {
			return nil, fmt.Errorf("DynamicUpdateSlice: update %s does not fit %s", part, shape)
		}
	}
	return b.add(backends.OpTypeDynamicUpdateSlice, nil, shape, in...), nil
}

func evalDynamicUpdateSlice(c *call) {
	operand, update, out := c.in[0], c.in[1], whole(c.out[0])
	copyRegion(c.pool, operand.shape.DType.Size(), operand.shape.Dimensions, out, whole(operand))
	for axis, at := range startsOf(c.in[2:], operand.shape.Dimensions, update.shape.Dimensions) {
		out.offset += at * out.strides[axis]
	}
	copyRegion(c.pool, operand.shape.DType.Size(), update.shape.Dimensions, out, whole(update))
}
