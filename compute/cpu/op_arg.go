package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// argMinMaxAttr: the axis that goes away, and whether the smallest or the largest element is meant.
type argMinMaxAttr struct {
	axis  int
	isMin bool
}

func init() {
	register(backends.OpTypeArgMinMax, kernel{eval: evalArgMinMax})
}

// ArgMinMax records the position along an axis of the smallest or largest element: the
// first of equal ones, the first NaN if there is one.
func (b *Builder) ArgMinMax(x backends.Op, axis int, outputDType dtypes.DType, isMin bool) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeArgMinMax, x)
	if err != nil {
		return nil, err
	}
	ordered := in[0].shape().Clone()
	if ordered.DType == dtypes.Bool { // which shape inference refuses; false < true
		ordered.DType = dtypes.Uint8
	}
	shape, err := shapeinference.ArgMinMaxOp(ordered, axis, outputDType)
	if err != nil {
		return nil, err
	}
	if e, err := elemOf(backends.OpTypeArgMinMax, in[0].shape().DType); err != nil {
		return nil, err
	} else if e.arg(isMin) == nil {
		return nil, unsupported(backends.OpTypeArgMinMax, in[0].shape().DType)
	}
	if in[0].shape().Dimensions[axis] == 0 {
		return nil, fmt.Errorf("ArgMinMax: axis %d of %s is empty", axis, in[0].shape())
	}
	return b.add(backends.OpTypeArgMinMax, argMinMaxAttr{axis, isMin}, shape, in...), nil
}

// argFunc finds for every column of x, seen as [rows, len(index)], the row of its extreme element.
type argFunc func(index []int64, x []byte)

func evalArgMinMax(c *call) {
	x, out := c.in[0], c.out[0]
	attr := c.attr.(argMinMaxAttr)
	g := reduceGroups(x.shape.Dimensions, []int{attr.axis})[0]
	if out.shape.Size() == 0 {
		return
	}
	find := elems[x.shape.DType].arg(attr.isMin)
	store := elems[out.shape.DType].fromWide
	inSize, outSize := g.rows*g.inner*x.shape.DType.Size(), g.inner*out.shape.DType.Size()
	perPart := max(1, partLen/(g.rows*g.inner))
	c.pool.For(ceilDiv(g.outer, perPart), func(part, _ int) {
		index := make([]int64, g.inner)
		for o := part * perPart; o < min((part+1)*perPart, g.outer); o++ {
			find(index, x.bytes[o*inSize:(o+1)*inSize])
			store(out.bytes[o*outSize:(o+1)*outSize], wide{kind: kindInt, i: index}, g.inner)
		}
	})
}

func (boolElem) arg(isMin bool) argFunc { return argOf[uint8](isMin) }
func (complexElem) arg(bool) argFunc    { return nil }

func (intElem[T]) arg(isMin bool) argFunc   { return argOf[T](isMin) }
func (floatElem[T]) arg(isMin bool) argFunc { return argOf[T](isMin) }

func (e narrowElem[N, W]) arg(isMin bool) argFunc {
	find := e.wideType.arg(isMin)
	if find == nil {
		return nil
	}
	return func(index []int64, x []byte) {
		narrow := view[N](x)
		block := make([]W, len(narrow))
		e.widen(block, narrow)
		find(index, bytesOf(block))
	}
}

func argOf[T ordered](isMin bool) argFunc {
	return func(index []int64, b []byte) {
		x, inner := view[T](b), len(index)
		for col := range inner {
			best, at := x[col], 0
			for i, row := col+inner, 1; i < len(x) && best == best; i, row = i+inner, row+1 {
				v := x[i]
				if v != v || isMin && v < best || !isMin && v > best {
					best, at = v, row
				}
			}
			index[col] = int64(at)
		}
	}
}
