package cpu

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// foldLimit is the size in bytes up to which the results of constants are computed at
// compile time.
const foldLimit = 256

// simplify computes small constants and removes operations that return an operand as it
// is: x+0, x·1, a conversion to the same type or to a wider one and back, two
// transpositions that undo each other, a broadcast to the same shape. (x·0 stays: x may
// be infinite or not a number. So does x+0 for x = −0, whose sum is +0, unless the 0 is
// negative; and x−0 goes.)
func simplify(p *program) {
	p.rewrite(func(r *rewriter, n *node) []value {
		if buf := folded(n); buf != nil {
			return []value{r.add(backends.OpTypeConstant, buf, buf.shape)}
		}
		if v, ok := unchanged(n); ok && v.shape().Equal(n.shapes[0]) {
			return []value{v}
		}
		return nil
	})
}

// unchanged returns the operand that a node gives back.
func unchanged(n *node) (value, bool) {
	switch n.op {
	case backends.OpTypeAdd:
		if isFilledWith(n.inputs[1], negativeZero) {
			return n.inputs[0], true
		}
		return n.inputs[1], isFilledWith(n.inputs[0], negativeZero)
	case backends.OpTypeSub:
		return n.inputs[0], isFilledWith(n.inputs[1], positiveZero)
	case backends.OpTypeMul:
		if isFilledWith(n.inputs[1], one) {
			return n.inputs[0], true
		}
		return n.inputs[1], isFilledWith(n.inputs[0], one)
	case backends.OpTypeDiv:
		return n.inputs[0], isFilledWith(n.inputs[1], one)
	case backends.OpTypeIdentity, backends.OpTypeReshape, backends.OpTypeBroadcastInDim:
		return n.inputs[0], true // if the shapes are the same
	case backends.OpTypeConvertDType:
		in := n.inputs[0]
		if in.op == backends.OpTypeConvertDType && isHalf(n.shapes[0].DType) && in.shape().DType == dtypes.Float32 {
			in = in.inputs[0]
		}
		return in, in.shape().DType == n.shapes[0].DType
	case backends.OpTypeTranspose:
		in, perm := n.inputs[0], n.attr.(transposeAttr).perm
		if isIdentity(perm) {
			return in, true
		}
		if in.op == backends.OpTypeTranspose {
			inner := in.attr.(transposeAttr).perm
			for i := range perm {
				if inner[perm[i]] != i {
					return value{}, false
				}
			}
			return in.inputs[0], true
		}
	}
	return value{}, false
}

// The constants that simplify knows, by their bits.
type knownConstant struct {
	float32 uint32
	float64 uint64
}

var (
	positiveZero = knownConstant{0, 0}
	negativeZero = knownConstant{1 << 31, 1 << 63}
	one          = knownConstant{0x3f800000, 0x3ff0000000000000}
)

// isFilledWith reports whether every element of a value is a certain constant.
func isFilledWith(v value, c knownConstant) bool {
	for v.op == backends.OpTypeBroadcastInDim || v.op == backends.OpTypeReshape {
		v = v.inputs[0]
	}
	if v.op != backends.OpTypeConstant || v.shape().Size() != 1 {
		return false
	}
	switch buf := v.attr.(*Buffer); v.shape().DType {
	case dtypes.Float32:
		return flat[uint32](buf)[0] == c.float32
	case dtypes.BFloat16:
		return c.float32&0xffff == 0 && flat[uint16](buf)[0] == uint16(c.float32>>16)
	case dtypes.Float64:
		return flat[uint64](buf)[0] == c.float64
	}
	return false
}

// folded computes a node whose operands are all small constants, or returns nil.
func folded(n *node) *Buffer {
	k, ok := kernels[n.op]
	if !ok || k.eval == nil || len(n.shapes) != 1 || len(n.inputs) == 0 || byteLen(n.shapes[0]) > foldLimit || n.op >= opInternal {
		return nil
	}
	c := &call{node: n, out: []*Buffer{newBuffer(n.shapes[0])}}
	for _, in := range n.inputs {
		if in.op != backends.OpTypeConstant || len(in.attr.(*Buffer).bytes) > foldLimit {
			return nil
		}
		c.in = append(c.in, in.attr.(*Buffer))
	}
	if k.scratch != nil {
		c.scratch = alignedBytes(k.scratch(n, 1))
	}
	k.eval(c)
	return c.out[0]
}
