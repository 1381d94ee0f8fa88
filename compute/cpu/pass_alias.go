package cpu

import "github.com/gomlx/gomlx/backends"

// dropCopies turns reshapes, identities and transpositions that only move axes of size 1
// into views: the result is the operand's memory.
func dropCopies(p *program) {
	for _, n := range p.nodes {
		switch n.op {
		case backends.OpTypeIdentity, backends.OpTypeReshape:
			n.op = opView
		case backends.OpTypeTranspose:
			if keepsOrder(n.attr.(transposeAttr).perm, n.inputs[0].shape().Dimensions) {
				n.op, n.attr = opView, nil
			}
		case backends.OpTypeBroadcastInDim:
			if n.shapes[0].Size() == n.inputs[0].shape().Size() {
				n.op, n.attr = opView, nil
			}
		}
	}
}

// keepsOrder reports whether the axes of size above 1 stay in their order.
func keepsOrder(perm, dims []int) bool {
	last := -1
	for _, axis := range perm {
		if dims[axis] == 1 {
			continue
		}
		if axis < last {
			return false
		}
		last = axis
	}
	return true
}
