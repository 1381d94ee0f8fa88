package cpu

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// contract turns sums of products of two arrays that are broadcast against each other
// into matrix products. GoMLX writes the gradient of DotGeneral in that way, which takes
// memory and time in proportion to the product of all axes.
func contract(p *program) {
	p.rewrite(func(r *rewriter, n *node) []value {
		if n.op != backends.OpTypeReduceSum || n.inputs[0].op != backends.OpTypeMul {
			return nil
		}
		product := n.inputs[0]
		c := newContraction(product.shape(), n.attr.(reduceAttr).axes, product.inputs[0], product.inputs[1])
		if !c.isMatrixProduct() {
			return nil
		}
		return []value{c.write(r, n.shapes[0])}
	})
}

// contraction sorts the axes of a product by which operand has them and whether they are
// summed. Axes of size 1 count as absent.
type contraction struct {
	shape                      shapes.Shape // of the product
	lhs, rhs                   value        // before broadcasting
	summed, batch              []int        // axes of the product that both have
	lhsFree, rhsFree           []int        // kept axes that one has
	lhsAxes, rhsAxes, leftOver []int        // all axes of each, in order; those that do not fit
}

func newContraction(shape shapes.Shape, summed []int, lhs, rhs value) contraction {
	c := contraction{shape: shape}
	var lhsHas, rhsHas []bool
	c.lhs, lhsHas = unbroadcast(lhs, shape)
	c.rhs, rhsHas = unbroadcast(rhs, shape)
	for axis, dim := range shape.Dimensions {
		l, r, isSummed := lhsHas[axis], rhsHas[axis], slices.Contains(summed, axis)
		if l {
			c.lhsAxes = append(c.lhsAxes, axis)
		}
		if r {
			c.rhsAxes = append(c.rhsAxes, axis)
		}
		switch {
		case dim == 1:
		case isSummed && l && r:
			c.summed = append(c.summed, axis)
		case l && r:
			c.batch = append(c.batch, axis)
		case isSummed || !l && !r:
			c.leftOver = append(c.leftOver, axis)
		case l:
			c.lhsFree = append(c.lhsFree, axis)
		default:
			c.rhsFree = append(c.rhsFree, axis)
		}
	}
	return c
}

// unbroadcast returns the value before it was broadcast to the shape, and which axes of
// the shape of size above 1 it has.
func unbroadcast(v value, shape shapes.Shape) (value, []bool) {
	has := make([]bool, shape.Rank())
	if v.op == backends.OpTypeBroadcastInDim && slices.Equal(v.shape().Dimensions, shape.Dimensions) {
		in := v.inputs[0]
		for i, axis := range v.attr.(broadcastInDimAttr).axes {
			has[axis] = in.shape().Dimensions[i] > 1
		}
		return in, has
	}
	if v.shape().Rank() == shape.Rank() {
		for axis, dim := range v.shape().Dimensions {
			has[axis] = dim > 1
		}
	}
	return v, has
}

// isMatrixProduct reports whether both operands have axes of their own, so that the
// product is larger than either.
func (c contraction) isMatrixProduct() bool {
	return len(c.leftOver) == 0 && len(c.summed) > 0 && len(c.lhsFree) > 0 && len(c.rhsFree) > 0 && c.shape.DType.IsFloat()
}

// write adds the product and brings its axes into the order of the sum's result.
func (c contraction) write(r *rewriter, result shapes.Shape) value {
	places := func(own, axes []int) []int { // of the product's axes among an operand's own
		at := make([]int, len(axes))
		for i, axis := range axes {
			at[i] = slices.Index(own, axis)
		}
		return at
	}
	lhs := r.reshaped(c.lhs, dimsOf(c.shape, c.lhsAxes)...)
	rhs := r.reshaped(c.rhs, dimsOf(c.shape, c.rhsAxes)...)
	attr := dotGeneralAttr{places(c.lhsAxes, c.summed), places(c.lhsAxes, c.batch), places(c.rhsAxes, c.summed), places(c.rhsAxes, c.batch)}
	outAxes := slices.Concat(c.batch, c.lhsFree, c.rhsFree)
	y := r.add(backends.OpTypeDotGeneral, attr, shapes.Make(c.shape.DType, dimsOf(c.shape, outAxes)...), lhs, rhs)
	perm := make([]int, len(outAxes)) // ascending axes of the product
	for i := range perm {
		perm[i] = i
	}
	slices.SortFunc(perm, func(i, j int) int { return outAxes[i] - outAxes[j] })
	return r.reshaped(r.transposed(y, perm), result.Dimensions...)
}
