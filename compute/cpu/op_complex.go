package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

func init() {
	register(backends.OpTypeComplex, kernel{eval: func(c *call) {
		if c.in[0].shape.DType == dtypes.Float32 {
			elementwise(c, span2(func(dst []complex64, re, im []float32) {
				for i := range dst {
					dst[i] = complex(re[i], im[i])
				}
			}))
			return
		}
		elementwise(c, span2(func(dst []complex128, re, im []float64) {
			for i := range dst {
				dst[i] = complex(re[i], im[i])
			}
		}))
	}})
}

// Complex records the numbers with the given real and imaginary parts.
func (b *Builder) Complex(lhs, rhs backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeComplex, lhs, rhs)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.BinaryOp(backends.OpTypeAdd, in[0].shape(), in[1].shape())
	if err != nil {
		return nil, fmt.Errorf("Complex: %w", err)
	}
	shape = shape.Clone()
	switch shape.DType {
	case dtypes.Float32:
		shape.DType = dtypes.Complex64
	case dtypes.Float64:
		shape.DType = dtypes.Complex128
	default:
		return nil, unsupported(backends.OpTypeComplex, shape.DType)
	}
	return b.add(backends.OpTypeComplex, nil, shape, in...), nil
}

// Real records the real part; a real number is its own.
func (b *Builder) Real(x backends.Op) (backends.Op, error) { return b.part(backends.OpTypeReal, x) }

// Imag records the imaginary part; that of a real number is 0.
func (b *Builder) Imag(x backends.Op) (backends.Op, error) { return b.part(backends.OpTypeImag, x) }

// part records Real or Imag, which shape inference refuses for real numbers.
func (b *Builder) part(op backends.OpType, x backends.Op) (backends.Op, error) {
	in, err := b.operands(op, x)
	if err != nil {
		return nil, err
	}
	if shape := in[0].shape(); shape.DType.IsFloat() {
		return b.add(op, nil, shape, in...), nil
	}
	return b.unary(op, x)
}
