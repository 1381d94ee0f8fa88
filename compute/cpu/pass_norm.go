package cpu

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// Batch norms over the last axis of float32 or bfloat16 arrays get kernels of their own,
// which take every array through the processor once: the statistics, the normalisation with
// the residual sum and the ReLU that follow, the two sums of the gradient with the mask of
// that ReLU, and the gradient. What this pass leaves, other axes and types, lower writes as
// element-wise nodes.

// lowerNorms replaces the batch norms.
func lowerNorms(p *program) {
	users := newUsersOf(p)
	p.rewrite(func(r *rewriter, n *node) []value {
		switch n.op {
		case backends.OpTypeConvertDType: // of what is now bfloat16 throughout
			if in := n.inputs[0]; isWidening(in) && n.shapes[0].DType == dtypes.BFloat16 {
				return []value{in.inputs[0]}
			}
		case backends.OpTypeBatchNormForTraining:
			if x, ok := normOperand(n, users); ok {
				vector := n.shapes[1]
				stats := r.addMulti(opChannelStats, channelStats{x.shape().Rank() - 1}, []shapes.Shape{vector, vector}, x)
				return []value{normalised(r, n, x, n.inputs[1], n.inputs[2], stats[0], stats[1]), stats[0], stats[1]}
			}
		case backends.OpTypeBatchNormForInference:
			if x, ok := normOperand(n, users); ok {
				return []value{normalised(r, n, x, n.inputs[1], n.inputs[2], n.inputs[3], n.inputs[4])}
			}
		case backends.OpTypeBatchNormGradient:
			if x, ok := normOperand(n, users); ok {
				return normGradient(r, n, x)
			}
		}
		return nil
	})
}

// normOperand returns the array that a batch norm's kernels read, bfloat16 if the operand,
// and the gradient if there is one, were widened and the result is narrowed again.
func normOperand(n *node, users usersOf) (value, bool) {
	x := n.inputs[0]
	if n.attr.(batchNormAttr).axis != x.shape().Rank()-1 || x.shape().DType != dtypes.Float32 || x.shape().Size() == 0 {
		return value{}, false
	}
	if !isWidening(x) {
		return x, true
	}
	if n.op == backends.OpTypeBatchNormGradient && !isWidening(n.inputs[4]) || !users.narrowed(value{n, 0}) {
		return value{}, false
	}
	return x.inputs[0], true
}

// isWidening reports whether a value is a bfloat16 one as float32.
func isWidening(v value) bool {
	return v.op == backends.OpTypeConvertDType && v.shape().DType == dtypes.Float32 && v.inputs[0].shape().DType == dtypes.BFloat16
}

// normalised adds (x − mean)·scale/√(variance+ε) + offset, see normBuilder.normalized.
func normalised(r *rewriter, n *node, x, scale, offset, mean, variance value) value {
	b := newNormBuilder(r, n)
	a := b.op(backends.OpTypeMul, scale, b.deviation(variance, n.attr.(batchNormAttr).epsilon))
	shift := b.op(backends.OpTypeSub, offset, b.op(backends.OpTypeMul, mean, a))
	return r.converted(r.add(opNormApply, normApply{}, x.shape(), x, a, shift), dtypes.Float32)
}

// normGradient writes the gradient as lowerNormGradient says.
func normGradient(r *rewriter, n *node, x value) []value {
	b := newNormBuilder(r, n)
	mul := func(x, y value) value { return b.op(backends.OpTypeMul, x, y) }
	scale, mean, vector := n.inputs[1], n.inputs[2], n.shapes[1]
	dy := n.inputs[4]
	if x.shape().DType == dtypes.BFloat16 {
		dy = dy.inputs[0]
	}
	sums := r.addMulti(opNormSums, normSums{}, []shapes.Shape{vector, vector}, dy, x, mean)
	k := newNormSlopes(b, scale, mean, n.inputs[3], sums[0], sums[1], n.attr.(batchNormAttr).epsilon)
	dx := r.add(opNormGrad, normGrad{}, x.shape(), dy, x, k.a, b.op(backends.OpTypeNeg, mul(k.a, k.slope)), k.shift)
	return []value{r.converted(dx, dtypes.Float32), mul(sums[1], k.deviation), sums[0]}
}

// absorbIntoNorms makes residual sums and ReLUs part of the normalisation before them, and
// the masks of ReLUs part of the gradient's sums after them.
func absorbIntoNorms(p *program) {
	for _, pass := range []func(*program){absorbResiduals, absorbReLUs, absorbMasks} {
		pass(p)
		p.sweep()
	}
}

func absorbResiduals(p *program) {
	users := newUsersOf(p)
	p.rewrite(func(r *rewriter, n *node) []value {
		if n.op != backends.OpTypeAdd {
			return nil
		}
		// Of two, the later one: the other's result has to be there before.
		best := -1
		for k, in := range n.inputs {
			if !in.shape().Equal(n.shapes[0]) {
				return nil
			}
			if in.op == opNormApply && in.attr == any(normApply{}) && len(in.inputs) == 3 && users.only(in, n) &&
				(best < 0 || in.index > n.inputs[best].index) {
				best = k
			}
		}
		if best < 0 {
			return nil
		}
		in := n.inputs[best]
		return []value{r.add(opNormApply, normApply{}, n.shapes[0], in.inputs[0], in.inputs[1], in.inputs[2], n.inputs[1-best])}
	})
}

func absorbReLUs(p *program) {
	users := newUsersOf(p)
	p.rewrite(func(r *rewriter, n *node) []value {
		cond, ok := reluCondition(n)
		if !ok || cond.inputs[0].op != opNormApply || cond.inputs[0].attr != any(normApply{}) {
			return nil
		}
		if in := cond.inputs[0]; users.only(cond, n) && users.only(in, cond.node, n) {
			return []value{r.add(opNormApply, normApply{relu: true}, n.shapes[0], in.inputs...)}
		}
		return nil
	})
}

// absorbMasks finds dy = Where(y ≤ 0, 0, g) that a batch norm's gradient reads. If nobody
// else does, it is not stored: the sums and the gradient mask g themselves. Otherwise the
// sums store it on their way.
func absorbMasks(p *program) {
	users := newUsersOf(p)
	kept := map[*node][]value{}    // by sums that have run already: their results
	inside := map[*node]struct{}{} // masks that are not stored
	p.rewrite(func(r *rewriter, n *node) []value {
		switch n.op {
		case backends.OpTypeWhere:
			y, ok := maskOf(n)
			if !ok || behindViews(n.inputs[2]).op == backends.OpTypeBroadcastInDim { // which the mask's own pass need not store
				return nil
			}
			sums, others := readersOfMask(users, n)
			if len(sums) == 1 && others == 0 {
				inside[n] = struct{}{}
				return nil
			}
			if len(sums) == 0 || !standsBefore(n, sums[0].inputs[1:]) {
				return nil
			}
			s, attr := sums[0], normSums{mask: maskOfOut, keep: true}
			in := []value{n.inputs[2], s.inputs[1], s.inputs[2], y}
			if g := n.inputs[2]; users.only(g, n) && isPlainSum(g) {
				attr.added, in[0] = true, g.inputs[0]
				in = append(in, g.inputs[1])
			}
			kept[s] = r.addMulti(opNormSums, attr, append(append([]shapes.Shape{}, s.shapes...), n.shapes[0]), in...)
			return kept[s][2:]
		case opNormSums:
			if results, ok := kept[n]; ok {
				return results[:2]
			}
			if mask := n.inputs[0].node; isIn(inside, mask) {
				kind, by := maskFor(n.inputs[1], mask)
				return r.addMulti(opNormSums, normSums{mask: kind}, n.shapes, append([]value{mask.inputs[2], n.inputs[1], n.inputs[2]}, by...)...)
			}
		case opNormGrad:
			if mask := n.inputs[0].node; isIn(inside, mask) {
				kind, by := maskFor(n.inputs[1], mask)
				in := append([]value{mask.inputs[2]}, n.inputs[1:]...)
				return []value{r.add(opNormGrad, normGrad{kind}, n.shapes[0], append(in, by...)...)}
			}
		}
		return nil
	})
}

// maskFor returns the mask of dy = Where(y ≤ 0, 0, g) and what it is taken from: if y is the
// ReLU of the norm of x, from x, which the gradient reads anyway.
func maskFor(x value, mask *node) (normMask, []value) {
	y, _ := maskOf(mask)
	if y.op == opNormApply && y.attr == any(normApply{relu: true}) && len(y.inputs) == 3 && y.inputs[0] == x {
		return maskOfIn, y.inputs[1:]
	}
	return maskOfOut, []value{y}
}

// isPlainSum reports whether a value is the sum of two arrays that are in memory.
func isPlainSum(v value) bool {
	if v.op != backends.OpTypeAdd {
		return false
	}
	for _, in := range v.inputs {
		if !in.shape().Equal(v.shape()) || behindViews(in).op == backends.OpTypeBroadcastInDim {
			return false
		}
	}
	return true
}

func isIn(set map[*node]struct{}, n *node) bool {
	_, ok := set[n]
	return ok
}

// maskOf returns y of a node Where(y ≤ 0, 0, g) on arrays of one shape.
func maskOf(n *node) (value, bool) {
	cond := n.inputs[0]
	if n.op != backends.OpTypeWhere || cond.op != backends.OpTypeLessOrEqual || !isZero(cond.inputs[1]) || !isZero(n.inputs[1]) ||
		!cond.inputs[0].shape().Equal(n.shapes[0]) || !n.inputs[2].shape().Equal(n.shapes[0]) {
		return value{}, false
	}
	return cond.inputs[0], true
}

// readersOfMask returns the sums of batch norms' gradients that read a masked dy, and how
// many readers are neither they nor those gradients.
func readersOfMask(users usersOf, mask *node) (sums []*node, others int) {
	dy := value{mask, 0}
	if users.isOutput(dy) {
		others++
	}
	for _, n := range users.users[dy] {
		switch {
		case n.op == opNormSums && n.inputs[0] == dy && n.attr.(normSums).mask == noMask:
			sums = append(sums, n)
		case n.op == opNormGrad && n.inputs[0] == dy && n.inputs[1] != dy:
		default:
			others++
		}
	}
	return sums, others
}

// standsBefore reports whether values are computed before a node, by nodes that absorbMasks
// does not replace.
func standsBefore(n *node, values []value) bool {
	for _, v := range values {
		if v.index >= n.index || v.op == backends.OpTypeWhere || v.op == opNormSums || v.op == opNormGrad {
			return false
		}
	}
	return true
}
