package cpu

import (
	"math"
	"math/bits"
	"math/cmplx"
	"unsafe"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

func init() {
	for _, op := range []backends.OpType{
		backends.OpTypeAbs, backends.OpTypeNeg, backends.OpTypeSign,
		backends.OpTypeBitwiseNot, backends.OpTypeBitCount, backends.OpTypeClz, backends.OpTypeLogicalNot,
		backends.OpTypeCeil, backends.OpTypeFloor, backends.OpTypeRound,
		backends.OpTypeExp, backends.OpTypeExpm1, backends.OpTypeLog, backends.OpTypeLog1p,
		backends.OpTypeSqrt, backends.OpTypeRsqrt, backends.OpTypeSin, backends.OpTypeCos,
		backends.OpTypeTanh, backends.OpTypeLogistic, backends.OpTypeErf,
		backends.OpTypeReal, backends.OpTypeImag, backends.OpTypeConj,
		backends.OpTypeIsFinite, backends.OpTypeIsNaN,
	} {
		register(op, kernel{inPlace: true, eval: func(c *call) {
			elementwise(c, elems[c.in[0].shape.DType].unary(c.op))
		}})
	}
}

// unary records an operation of one operand. The result has the operand's shape; its
// type differs where tests return bool and parts of complex numbers their real type.
func (b *Builder) unary(op backends.OpType, x backends.Op) (backends.Op, error) {
	in, err := b.operands(op, x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape()
	if shapeinference.StandardUnaryOperations.Has(op) {
		if shape, err = shapeinference.UnaryOp(op, shape); err != nil {
			return nil, err
		}
	}
	e, err := elemOf(op, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.unary(op) == nil {
		return nil, unsupported(op, shape.DType)
	}
	if _, ok := complexPart(op); ok && shape.DType.IsComplex() {
		shape = shape.Clone()
		shape.DType = shape.DType.RealDType()
	}
	if op == backends.OpTypeIsFinite || op == backends.OpTypeIsNaN {
		shape = shape.Clone()
		shape.DType = dtypes.Bool
	}
	return b.add(op, nil, shape, in...), nil
}

// Abs records |x|; of complex numbers, their real magnitude.
func (b *Builder) Abs(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeAbs, x) }

// Neg records -x.
func (b *Builder) Neg(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeNeg, x) }

// Sign records -1, 0 or 1; a zero or NaN is itself; a complex number is divided by its magnitude.
func (b *Builder) Sign(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeSign, x) }

// BitwiseNot records the complement of integers.
func (b *Builder) BitwiseNot(x backends.Op) (backends.Op, error) {
	return b.unary(backends.OpTypeBitwiseNot, x)
}

// BitCount records the number of bits set.
func (b *Builder) BitCount(x backends.Op) (backends.Op, error) {
	return b.unary(backends.OpTypeBitCount, x)
}

// Clz records the number of leading zeros in the type's width.
func (b *Builder) Clz(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeClz, x) }

// LogicalNot records !x of bools.
func (b *Builder) LogicalNot(x backends.Op) (backends.Op, error) {
	return b.unary(backends.OpTypeLogicalNot, x)
}

// Ceil records the next integer not below x.
func (b *Builder) Ceil(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeCeil, x) }

// Floor records the next integer not above x.
func (b *Builder) Floor(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeFloor, x) }

// Round records the nearest integer, the even one of two equally near.
func (b *Builder) Round(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeRound, x) }

// Exp records e to the power of x.
func (b *Builder) Exp(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeExp, x) }

// Expm1 records exp(x)-1, precise near 0.
func (b *Builder) Expm1(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeExpm1, x) }

// Log records the natural logarithm.
func (b *Builder) Log(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeLog, x) }

// Log1p records log(1+x), precise near 0.
func (b *Builder) Log1p(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeLog1p, x) }

// Sqrt records the square root.
func (b *Builder) Sqrt(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeSqrt, x) }

// Rsqrt records 1/sqrt(x).
func (b *Builder) Rsqrt(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeRsqrt, x) }

// Sin records the sine of radians.
func (b *Builder) Sin(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeSin, x) }

// Cos records the cosine of radians.
func (b *Builder) Cos(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeCos, x) }

// Tanh records the hyperbolic tangent.
func (b *Builder) Tanh(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeTanh, x) }

// Logistic records 1/(1+exp(-x)).
func (b *Builder) Logistic(x backends.Op) (backends.Op, error) {
	return b.unary(backends.OpTypeLogistic, x)
}

// Erf records the error function.
func (b *Builder) Erf(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeErf, x) }

// Conj records the complex conjugate.
func (b *Builder) Conj(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeConj, x) }

// IsFinite records whether x is neither infinite nor NaN.
func (b *Builder) IsFinite(x backends.Op) (backends.Op, error) {
	return b.unary(backends.OpTypeIsFinite, x)
}

// IsNaN records whether x is not a number.
func (b *Builder) IsNaN(x backends.Op) (backends.Op, error) { return b.unary(backends.OpTypeIsNaN, x) }

func (boolElem) unary(op backends.OpType) span {
	if op == backends.OpTypeLogicalNot {
		return span1(func(dst, x []uint8) {
			for i := range dst {
				dst[i] = x[i] ^ 1
			}
		})
	}
	return nil
}

func (intElem[T]) unary(op backends.OpType) span {
	var zero T
	width := int(unsafe.Sizeof(zero)) * 8
	mask := ^uint64(0) >> (64 - width)
	var each func(x T) T
	switch op {
	case backends.OpTypeAbs:
		each = func(x T) T {
			if x < 0 {
				return -x
			}
			return x
		}
	case backends.OpTypeNeg:
		each = func(x T) T { return -x }
	case backends.OpTypeSign:
		each = func(x T) T {
			switch {
			case x < 0:
				return zero - 1
			case x > 0:
				return 1
			}
			return 0
		}
	case backends.OpTypeBitwiseNot:
		each = func(x T) T { return ^x }
	case backends.OpTypeBitCount:
		each = func(x T) T { return T(bits.OnesCount64(uint64(x) & mask)) }
	case backends.OpTypeClz:
		each = func(x T) T { return T(bits.LeadingZeros64(uint64(x)&mask) - (64 - width)) }
	case backends.OpTypeIsFinite, backends.OpTypeIsNaN:
		finite := op == backends.OpTypeIsFinite
		return span1(func(dst []bool, x []T) {
			for i := range dst {
				dst[i] = finite
			}
		})
	default:
		return nil
	}
	return span1(func(dst, x []T) {
		for i := range dst {
			dst[i] = each(x[i])
		}
	})
}

// floatFuncs are computed in float64 and rounded once.
var floatFuncs = map[backends.OpType]func(float64) float64{
	backends.OpTypeCeil:  math.Ceil,
	backends.OpTypeFloor: math.Floor,
	backends.OpTypeRound: math.RoundToEven,
	backends.OpTypeExp:   math.Exp,
	backends.OpTypeExpm1: math.Expm1,
	backends.OpTypeLog:   math.Log,
	backends.OpTypeLog1p: math.Log1p,
	backends.OpTypeSqrt:  math.Sqrt,
	backends.OpTypeRsqrt: func(x float64) float64 { return 1 / math.Sqrt(x) },
	backends.OpTypeSin:   math.Sin,
	backends.OpTypeCos:   math.Cos,
	backends.OpTypeTanh:  math.Tanh,
	backends.OpTypeErf:   math.Erf,
	backends.OpTypeLogistic: func(x float64) float64 {
		return 1 / (1 + math.Exp(-x))
	},
	backends.OpTypeSign: func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	},
}

func (floatElem[T]) unary(op backends.OpType) span {
	switch op {
	case backends.OpTypeAbs:
		return span1(func(dst, x []T) {
			for i := range dst {
				dst[i] = T(math.Abs(float64(x[i])))
			}
		})
	case backends.OpTypeNeg:
		return span1(func(dst, x []T) {
			for i := range dst {
				dst[i] = -x[i]
			}
		})
	case backends.OpTypeReal:
		return func(out []byte, in [3][]byte) { copy(out, in[0]) }
	case backends.OpTypeImag:
		return func(out []byte, _ [3][]byte) { clear(out) }
	case backends.OpTypeIsFinite:
		return span1(func(dst []bool, x []T) {
			for i := range dst {
				dst[i] = x[i]-x[i] == 0
			}
		})
	case backends.OpTypeIsNaN:
		return span1(func(dst []bool, x []T) { notEqualLoop(dst, x, x) })
	}
	f := floatFuncs[op]
	if f == nil {
		return nil
	}
	return span1(func(dst, x []T) {
		for i := range dst {
			dst[i] = T(f(float64(x[i])))
		}
	})
}

var complexFuncs = map[backends.OpType]func(complex128) complex128{
	backends.OpTypeNeg:   func(x complex128) complex128 { return -x },
	backends.OpTypeConj:  cmplx.Conj,
	backends.OpTypeExp:   cmplx.Exp,
	backends.OpTypeExpm1: func(x complex128) complex128 { return cmplx.Exp(x) - 1 },
	backends.OpTypeLog:   cmplx.Log,
	backends.OpTypeLog1p: func(x complex128) complex128 { return cmplx.Log(x + 1) },
	backends.OpTypeSqrt:  cmplx.Sqrt,
	backends.OpTypeRsqrt: func(x complex128) complex128 { return 1 / cmplx.Sqrt(x) },
	backends.OpTypeSign: func(x complex128) complex128 {
		if x == 0 || cmplx.IsNaN(x) {
			return x
		}
		return x / complex(cmplx.Abs(x), 0)
	},
}

// complexPart returns the function behind an operation that makes complex numbers real.
func complexPart(op backends.OpType) (func(complex128) float64, bool) {
	switch op {
	case backends.OpTypeAbs:
		return cmplx.Abs, true
	case backends.OpTypeReal:
		return func(x complex128) float64 { return real(x) }, true
	case backends.OpTypeImag:
		return func(x complex128) float64 { return imag(x) }, true
	}
	return nil, false
}

func (complexElem) unary(op backends.OpType) span {
	if f, ok := complexPart(op); ok {
		return span1(func(dst []float64, x []complex128) {
			for i := range dst {
				dst[i] = f(x[i])
			}
		})
	}
	switch op {
	case backends.OpTypeIsFinite:
		return span1(func(dst []bool, x []complex128) {
			for i := range dst {
				dst[i] = x[i]-x[i] == 0
			}
		})
	case backends.OpTypeIsNaN:
		return span1(func(dst []bool, x []complex128) { notEqualLoop(dst, x, x) })
	}
	f := complexFuncs[op]
	if f == nil {
		return nil
	}
	return span1(func(dst, x []complex128) {
		for i := range dst {
			dst[i] = f(x[i])
		}
	})
}
