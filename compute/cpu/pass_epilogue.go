package cpu

import (
	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/reduce"
)

// absorbIntoConvs has a convolution apply the batch norm that alone reads its result, with
// residual sum and ReLU, to each part of the result that is in the caches. Only norms of
// known statistics, those of inference, come to be so: others read the result twice.
func absorbIntoConvs(p *program) {
	users := newUsersOf(p)
	p.rewrite(func(r *rewriter, n *node) []value {
		if n.op != opNormApply {
			return nil
		}
		x := n.inputs[0]
		if x.op != opConv || !users.only(x, n) {
			return nil
		}
		call := x.attr.(convCall)
		if call.form != conv.Forward {
			return nil
		}
		call.norm, call.relu = true, n.attr.(normApply).relu
		return []value{r.add(opConv, call, n.shapes[0], append(append([]value{}, x.inputs...), n.inputs[1:]...)...)}
	})
}

// convThen returns what a convolution does with the parts of its result: nil, or its norm.
func convThen[T reduce.Element](c *call) conv.Then {
	attr := c.attr.(convCall)
	if !attr.norm {
		return nil
	}
	y, scale, shift := flat[T](c.out[0]), flat[float32](c.in[2]), flat[float32](c.in[3])
	var residual []T
	if len(c.in) > 4 {
		residual = flat[T](c.in[4])
	}
	return func(first, pixels, c0, c1 int) {
		reduce.AffinePart(y, residual, scale, shift, attr.relu, first, pixels, c0, c1)
	}
}
