package cpu

import (
	"github.com/gomlx/gomlx/backends"
)

// reuseReLUOutput lets masks x ≤ 0 of a ReLU be taken from its output y instead, which
// has the same mask (y is 0 where x ≤ 0, else x). The backward pass then needs neither x
// before the ReLU nor a stored mask: y is kept anyway, as the input of the next layer.
// Each use gets a comparison of its own, so that it is computed where it is used.
func reuseReLUOutput(p *program) {
	relus := map[value]value{} // by comparison: the ReLU's output
	for _, n := range p.nodes {
		if cond, ok := reluCondition(n); ok {
			if _, known := relus[cond]; !known {
				relus[cond] = value{n, 0}
			}
		}
	}
	emitted := map[*node]bool{}
	p.rewrite(func(r *rewriter, n *node) []value {
		emitted[n] = true
		if _, relu := reluCondition(n); relu {
			return nil
		}
		for k, in := range n.inputs {
			if y, ok := relus[in]; ok && emitted[y.node] && in.inputs[1].shape().Size() == 1 {
				n.inputs[k] = r.add(in.op, in.attr, in.shape(), y, in.inputs[1])
			}
		}
		return nil
	})
}

// reluCondition returns the comparison x ≤ 0 of a node Where(x ≤ 0, 0, x).
func reluCondition(n *node) (value, bool) {
	if n.op != backends.OpTypeWhere {
		return value{}, false
	}
	cond := n.inputs[0]
	if cond.op != backends.OpTypeLessOrEqual || !isZero(cond.inputs[1]) || !isZero(n.inputs[1]) || cond.inputs[0] != n.inputs[2] {
		return value{}, false
	}
	return cond, true
}
