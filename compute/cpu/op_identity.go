package cpu

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
)

func init() {
	copyBytes := kernel{eval: func(c *call) { copy(c.out[0].bytes, c.in[0].bytes) }, inPlace: true}
	register(backends.OpTypeIdentity, copyBytes)
	register(backends.OpTypeReshape, copyBytes)
}

// Identity records a copy, which compilation removes.
func (b *Builder) Identity(x backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeIdentity, x)
	if err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeIdentity, nil, in[0].shape(), in...), nil
}

// Reshape records another view of the same elements.
func (b *Builder) Reshape(x backends.Op, dims ...int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeReshape, x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.ReshapeOp(in[0].shape(), dims)
	if err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeReshape, nil, shape, in...), nil
}
