package cpu

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

func init() {
	register(backends.OpTypeWhere, kernel{eval: evalWhere, inPlace: true})
	register(backends.OpTypeClamp, kernel{eval: evalClamp})
}

// Where records onTrue where the condition holds and onFalse elsewhere; each of the three may be a scalar.
func (b *Builder) Where(condition, onTrue, onFalse backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeWhere, condition, onTrue, onFalse)
	if err != nil {
		return nil, err
	}
	if t, f := in[1].shape().DType, in[2].shape().DType; t != f {
		return nil, fmt.Errorf("Where: values of types %s and %s", t, f)
	}
	shape, err := shapeinference.WhereOp(in[0].shape(), in[1].shape(), in[2].shape())
	if err != nil {
		return nil, err
	}
	if shape.DType == dtypes.Bool {
		return b.whereBool(in[0], in[1], in[2])
	}
	return b.add(backends.OpTypeWhere, nil, shape, in...), nil
}

// whereBool records a choice between bools as logic: bools are conditions, never values, of Where nodes.
func (b *Builder) whereBool(condition, onTrue, onFalse value) (backends.Op, error) {
	chosen, err := b.LogicalAnd(condition, onTrue)
	if err != nil {
		return nil, err
	}
	not, err := b.LogicalNot(condition)
	if err != nil {
		return nil, err
	}
	other, err := b.LogicalAnd(not, onFalse)
	if err != nil {
		return nil, err
	}
	return b.LogicalOr(chosen, other)
}

func evalWhere(c *call) {
	if c.out[0].shape.DType == dtypes.Float32 {
		elementwise(c, selectFloat32)
		return
	}
	switch c.out[0].shape.DType.Size() {
	case 1:
		elementwise(c, selectSpan[uint8]())
	case 2:
		elementwise(c, selectSpan[uint16]())
	case 4:
		elementwise(c, selectSpan[uint32]())
	case 8:
		elementwise(c, selectSpan[uint64]())
	case 16:
		elementwise(c, selectSpan[complex128]())
	}
}

func selectFloat32(out []byte, in [3][]byte) {
	vec.Select(view[float32](out), view[bool](in[0]), view[float32](in[1]), view[float32](in[2]))
}

func selectSpan[E any]() span {
	return func(out []byte, in [3][]byte) {
		dst, cond, onTrue, onFalse := view[E](out), view[bool](in[0]), view[E](in[1]), view[E](in[2])
		for i := range dst {
			v := onFalse[i]
			if cond[i] {
				v = onTrue[i]
			}
			dst[i] = v
		}
	}
}

// Clamp records min(max(x, low), high); low and high are scalars or of x's shape.
func (b *Builder) Clamp(low, x, high backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeClamp, low, x, high)
	if err != nil {
		return nil, err
	}
	shape := in[1].shape()
	for _, v := range []value{in[0], in[2]} {
		bound := v.shape()
		if bound.DType != shape.DType || !bound.IsScalar() && !slices.Equal(bound.Dimensions, shape.Dimensions) {
			return nil, fmt.Errorf("Clamp: bound %s does not fit %s", bound, shape)
		}
	}
	e, err := elemOf(backends.OpTypeClamp, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.binary(backends.OpTypeMax) == nil {
		return nil, unsupported(backends.OpTypeClamp, shape.DType)
	}
	return b.add(backends.OpTypeClamp, nil, shape, in...), nil
}

func evalClamp(c *call) {
	e := elems[c.out[0].shape.DType]
	upper, lower := e.binary(backends.OpTypeMax), e.binary(backends.OpTypeMin)
	elementwise(c, func(out []byte, in [3][]byte) {
		upper(out, [3][]byte{in[1], in[0]})
		lower(out, [3][]byte{out, in[2]})
	})
}
