package cpu

import (
	"slices"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// reduceAttr: the axes that go away, ascending.
type reduceAttr struct{ axes []int }

// reductions: the binary operation that each one repeats.
var reductions = map[backends.OpType]backends.OpType{
	backends.OpTypeReduceSum:        backends.OpTypeAdd,
	backends.OpTypeReduceProduct:    backends.OpTypeMul,
	backends.OpTypeReduceMax:        backends.OpTypeMax,
	backends.OpTypeReduceMin:        backends.OpTypeMin,
	backends.OpTypeReduceBitwiseAnd: backends.OpTypeBitwiseAnd,
	backends.OpTypeReduceBitwiseOr:  backends.OpTypeBitwiseOr,
	backends.OpTypeReduceBitwiseXor: backends.OpTypeBitwiseXor,
	backends.OpTypeReduceLogicalAnd: backends.OpTypeLogicalAnd,
	backends.OpTypeReduceLogicalOr:  backends.OpTypeLogicalOr,
	backends.OpTypeReduceLogicalXor: backends.OpTypeLogicalXor,
}

func init() {
	for op := range reductions {
		register(op, kernel{eval: evalReduce, scratch: reduceScratch})
	}
}

// reduction records a reduction over axes, over all of them if none is given.
func (b *Builder) reduction(op backends.OpType, x backends.Op, axes []int) (backends.Op, error) {
	in, err := b.operands(op, x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape()
	axes = slices.Clone(axes)
	if len(axes) == 0 {
		for axis := range shape.Rank() {
			axes = append(axes, axis)
		}
	}
	slices.Sort(axes)
	if err := checkAxes(op, shape, axes); err != nil {
		return nil, err
	}
	e, err := elemOf(op, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.binary(reductions[op]) == nil {
		return nil, unsupported(op, shape.DType)
	}
	out, err := shapeinference.ReduceOp(shape, axes)
	if err != nil {
		return nil, err
	}
	return b.add(op, reduceAttr{axes}, out, in...), nil
}

// ReduceSum records the sum over axes; floats are added pairwise.
func (b *Builder) ReduceSum(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceSum, x, axes)
}

// ReduceProduct records the product over axes.
func (b *Builder) ReduceProduct(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceProduct, x, axes)
}

// ReduceMax records the maximum over axes, NaN if one is among them.
func (b *Builder) ReduceMax(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceMax, x, axes)
}

// ReduceMin records the minimum over axes, NaN if one is among them.
func (b *Builder) ReduceMin(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceMin, x, axes)
}

// ReduceBitwiseAnd records the bitwise and over axes.
func (b *Builder) ReduceBitwiseAnd(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceBitwiseAnd, x, axes)
}

// ReduceBitwiseOr records the bitwise or over axes.
func (b *Builder) ReduceBitwiseOr(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceBitwiseOr, x, axes)
}

// ReduceBitwiseXor records the bitwise exclusive or over axes.
func (b *Builder) ReduceBitwiseXor(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceBitwiseXor, x, axes)
}

// ReduceLogicalAnd records whether all over the axes hold.
func (b *Builder) ReduceLogicalAnd(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceLogicalAnd, x, axes)
}

// ReduceLogicalOr records whether any over the axes holds.
func (b *Builder) ReduceLogicalOr(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceLogicalOr, x, axes)
}

// ReduceLogicalXor records whether an odd number over the axes hold.
func (b *Builder) ReduceLogicalXor(x backends.Op, axes ...int) (backends.Op, error) {
	return b.reduction(backends.OpTypeReduceLogicalXor, x, axes)
}

// reduceGroup is an array seen as [outer, rows, inner], to be reduced over rows.
type reduceGroup struct{ outer, rows, inner int }

// reduceGroups splits a reduction into groups of neighbouring axes, the innermost first.
// Each is applied to the result of the former.
func reduceGroups(dims []int, axes []int) []reduceGroup {
	var groups []reduceGroup
	inner := 1 // product of what is kept behind
	for end := len(dims); end > 0; {
		begin := end
		reduced := slices.Contains(axes, end-1)
		size := 1
		for begin > 0 && slices.Contains(axes, begin-1) == reduced {
			begin--
			size *= dims[begin]
		}
		if reduced {
			outer := 1
			for _, d := range dims[:begin] {
				outer *= d
			}
			groups = append(groups, reduceGroup{outer, size, inner})
		} else {
			inner *= size
		}
		end = begin
	}
	return groups
}

// evalReduce reduces in the element's type, half floats in float32, float32 by package reduce.
func evalReduce(c *call) {
	x, out := c.in[0], c.out[0]
	op := reductions[c.op]
	if x.shape.Size() == 0 { // sums and such of nothing
		fillParts(c, out.bytes, neutral(op, elems[x.shape.DType], x.shape.DType.Size()))
		return
	}
	groups := reduceGroups(x.shape.Dimensions, c.attr.(reduceAttr).axes)
	dtype := computeType(x.shape.DType)
	if dtype != x.shape.DType && len(groups) > 0 {
		x, groups[0] = reduceHalf(c.pool, op, x, groups[0])
	}
	for i, g := range groups {
		result := out
		if i < len(groups)-1 || dtype != out.shape.DType {
			result = newBuffer(shapes.Make(dtype, g.outer, g.inner))
		}
		if dtype != dtypes.Float32 || !reduceFloat32(c.pool, op, flat[float32](result), flat[float32](x), g, c.scratch) {
			foldRows(c.pool, op, result, x, g)
		}
		x = result
	}
	switch {
	case len(groups) == 0:
		copy(out.bytes, x.bytes)
	case dtype != out.shape.DType:
		convertInto(c.pool, out, x)
	}
}

// computeType is the type in which many half floats are accumulated.
func computeType(t dtypes.DType) dtypes.DType {
	if t == dtypes.Float16 || t == dtypes.BFloat16 {
		return dtypes.Float32
	}
	return t
}

// convertBuffer returns x in another type.
func convertBuffer(pool *par.Pool, x *Buffer, dtype dtypes.DType) *Buffer {
	out := newBuffer(shapes.Make(dtype, x.shape.Dimensions...))
	convertInto(pool, out, x)
	return out
}

// convertInto writes x to out, an array of as many elements of another type.
func convertInto(pool *par.Pool, out, x *Buffer) {
	f := convertSpan(x.shape.DType, out.shape.DType)
	n, inSize, outSize := out.shape.Size(), x.shape.DType.Size(), out.shape.DType.Size()
	pool.For(ceilDiv(n, partLen), func(part, _ int) {
		lo, hi := part*partLen, min((part+1)*partLen, n)
		f(out.bytes[lo*outSize:hi*outSize], [3][]byte{x.bytes[lo*inSize : hi*inSize]})
	})
}

// foldLen is the number of elements below which a stretch of rows is folded as a whole:
// they stay in the first-level cache.
const foldLen = 1 << 11

// shortSlab is the number of elements below which many small arrays are turned to be reduced side by side.
const shortSlab = 64

// foldRows reduces x, seen as [outer, rows, inner], to out [outer, inner]. The order of
// the combinations is a binary tree that depends on the shape alone.
func foldRows(pool *par.Pool, op backends.OpType, out, x *Buffer, g reduceGroup) {
	f := folder{f: elems[x.shape.DType].binary(op), size: x.shape.DType.Size(), inner: g.inner, rows: g.rows}
	if g.rows == 1 {
		copy(out.bytes, x.bytes)
		return
	}
	if g.outer > 1 && g.rows*g.inner < shortSlab {
		turned := newBuffer(shapes.Make(x.shape.DType, g.rows, g.outer, g.inner))
		src := region{x.bytes, 0, []int{g.inner, g.rows * g.inner, 1}}
		copyRegion(pool, f.size, turned.shape.Dimensions, whole(turned), src)
		foldRows(pool, op, out, turned, reduceGroup{1, g.rows, g.outer * g.inner})
		return
	}
	slab := g.rows * g.inner * f.size
	f.width = min(g.inner, foldLen) // columns that one part takes
	stripes := ceilDiv(g.inner, f.width)
	// A single tall array is cut into stretches of rows, whose results are folded again.
	stretches := 1
	if g.outer*stripes < 16 {
		stretches = max(1, min(64, g.rows*f.width/partLen))
	}
	stretchRows := ceilDiv(g.rows, stretches)
	stretches = ceilDiv(g.rows, stretchRows)
	if stretches > 1 {
		partial := newBuffer(shapes.Make(x.shape.DType, g.outer, stretches, g.inner))
		pool.For(g.outer*stretches*stripes, func(part, _ int) {
			stripe, s, o := part%stripes, part/stripes%stretches, part/stripes/stretches
			first := s * stretchRows
			src := x.bytes[o*slab+first*g.inner*f.size:]
			dst := partial.bytes[(o*stretches+s)*g.inner*f.size:]
			f.stripe(dst, src, min(stretchRows, g.rows-first), stripe, f.scratch())
		})
		foldRows(pool, op, out, partial, reduceGroup{g.outer, stretches, g.inner})
		return
	}
	perPart := max(1, partLen/(g.rows*f.width))
	items := g.outer * stripes
	pool.For(ceilDiv(items, perPart), func(part, _ int) {
		scratch := f.scratch()
		for item := part * perPart; item < min((part+1)*perPart, items); item++ {
			f.stripe(out.bytes[item/stripes*g.inner*f.size:], x.bytes[item/stripes*slab:], g.rows, item%stripes, scratch)
		}
	})
}

// folder reduces rows of inner elements, width of them at a time.
type folder struct {
	f                        span
	size, inner, width, rows int
}

// scratch returns the memory that halve needs.
func (f *folder) scratch() []byte { return make([]byte, foldLen*f.size/2) }

// stripe reduces one range of columns of the given rows.
func (f *folder) stripe(dst, src []byte, rows, stripe int, scratch []byte) {
	lo := stripe * f.width
	n := min(f.width, f.inner-lo) * f.size
	f.fold(dst[lo*f.size:][:n], src[lo*f.size:], rows, scratch)
}

// fold reduces rows of src, which lie inner elements apart, to the row dst.
func (f *folder) fold(dst, src []byte, rows int, scratch []byte) {
	step := f.inner * f.size
	switch {
	case rows == 1:
		copy(dst, src[:len(dst)])
	case len(dst) == step && rows*f.inner <= foldLen:
		f.halve(dst, src[:rows*step], rows, scratch)
	case len(dst) != step && rows <= 8, rows == 2:
		f.f(dst, [3][]byte{src[:len(dst)], src[step:][:len(dst)]})
		for r := 2; r < rows; r++ {
			f.f(dst, [3][]byte{dst, src[r*step:][:len(dst)]})
		}
	default:
		half := rows / 2
		f.fold(dst, src, half, scratch)
		rest := make([]byte, len(dst))
		f.fold(rest, src[half*step:], rows-half, scratch)
		f.f(dst, [3][]byte{dst, rest})
	}
}

// halve reduces dense rows by adding their second half to the first until one is left:
// long runs, even where rows are short.
func (f *folder) halve(dst, src []byte, rows int, scratch []byte) {
	step := f.inner * f.size
	for rows > 1 {
		half := rows / 2
		next := dst
		if rows > 3 {
			next = scratch[:half*step]
		}
		f.f(next[:half*step], [3][]byte{src[:half*step], src[half*step : 2*half*step]})
		if rows%2 == 1 { // the row left over joins the first
			f.f(next[:step], [3][]byte{next[:step], src[2*half*step : rows*step]})
		}
		src, rows = next[:half*step], half
	}
}
