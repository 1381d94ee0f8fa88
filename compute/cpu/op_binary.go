package cpu

import (
	"math"
	"math/cmplx"
	"unsafe"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

func init() {
	for _, op := range []backends.OpType{
		backends.OpTypeAdd, backends.OpTypeSub, backends.OpTypeMul, backends.OpTypeDiv, backends.OpTypeRem,
		backends.OpTypePow, backends.OpTypeMax, backends.OpTypeMin,
		backends.OpTypeBitwiseAnd, backends.OpTypeBitwiseOr, backends.OpTypeBitwiseXor,
		backends.OpTypeLogicalAnd, backends.OpTypeLogicalOr, backends.OpTypeLogicalXor,
		backends.OpTypeShiftLeft, backends.OpTypeShiftRightArithmetic, backends.OpTypeShiftRightLogical,
	} {
		register(op, kernel{inPlace: true, eval: func(c *call) {
			elementwise(c, elems[c.in[0].shape.DType].binary(c.op))
		}})
	}
}

// binary records an operation of two operands that are broadcast to one shape.
func (b *Builder) binary(op backends.OpType, lhs, rhs backends.Op) (backends.Op, error) {
	in, err := b.operands(op, lhs, rhs)
	if err != nil {
		return nil, err
	}
	if same, ok := boolBinary[op]; ok && in[0].shape().DType == dtypes.Bool {
		op = same
	}
	inferAs := op
	switch op { // the three that shape inference leaves out follow the rules of the bitwise ones
	case backends.OpTypeShiftLeft, backends.OpTypeShiftRightArithmetic, backends.OpTypeShiftRightLogical:
		inferAs = backends.OpTypeBitwiseAnd
	}
	shape, err := shapeinference.BinaryOp(inferAs, in[0].shape(), in[1].shape())
	if err != nil {
		return nil, err
	}
	shape = emptyAxes(shape, in[0].shape(), in[1].shape())
	e, err := elemOf(op, shape.DType)
	if err != nil {
		return nil, err
	}
	if e.binary(op) == nil {
		return nil, unsupported(op, shape.DType)
	}
	return b.add(op, nil, shape, in...), nil
}

// emptyAxes corrects shape inference where an axis of size 1 meets an empty one: the result is empty.
func emptyAxes(out, lhs, rhs shapes.Shape) shapes.Shape {
	if lhs.Rank() != rhs.Rank() || lhs.Size() != 0 && rhs.Size() != 0 {
		return out
	}
	out = out.Clone()
	for axis := range out.Dimensions {
		if lhs.Dimensions[axis] == 0 || rhs.Dimensions[axis] == 0 {
			out.Dimensions[axis] = 0
		}
	}
	return out
}

// boolBinary names the arithmetic of bools by its logic.
var boolBinary = map[backends.OpType]backends.OpType{
	backends.OpTypeMax: backends.OpTypeLogicalOr,
	backends.OpTypeMin: backends.OpTypeLogicalAnd,
}

// Add records lhs + rhs.
func (b *Builder) Add(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeAdd, lhs, rhs)
}

// Sub records lhs - rhs.
func (b *Builder) Sub(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeSub, lhs, rhs)
}

// Mul records lhs * rhs.
func (b *Builder) Mul(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeMul, lhs, rhs)
}

// Div records lhs / rhs. Integers are truncated; divided by zero they give all ones, as in XLA.
func (b *Builder) Div(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeDiv, lhs, rhs)
}

// Rem records the remainder of the truncated division, which has the sign of lhs; an integer modulo zero is itself.
func (b *Builder) Rem(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeRem, lhs, rhs)
}

// Pow records lhs to the power of rhs.
func (b *Builder) Pow(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypePow, lhs, rhs)
}

// Max records the larger value, NaN if either is.
func (b *Builder) Max(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeMax, lhs, rhs)
}

// Min records the smaller value, NaN if either is.
func (b *Builder) Min(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeMin, lhs, rhs)
}

// BitwiseAnd records lhs & rhs of integers.
func (b *Builder) BitwiseAnd(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeBitwiseAnd, lhs, rhs)
}

// BitwiseOr records lhs | rhs of integers.
func (b *Builder) BitwiseOr(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeBitwiseOr, lhs, rhs)
}

// BitwiseXor records lhs ^ rhs of integers.
func (b *Builder) BitwiseXor(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeBitwiseXor, lhs, rhs)
}

// LogicalAnd records lhs && rhs of bools.
func (b *Builder) LogicalAnd(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeLogicalAnd, lhs, rhs)
}

// LogicalOr records lhs || rhs of bools.
func (b *Builder) LogicalOr(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeLogicalOr, lhs, rhs)
}

// LogicalXor records lhs != rhs of bools.
func (b *Builder) LogicalXor(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeLogicalXor, lhs, rhs)
}

// ShiftLeft records lhs << rhs; by the width or more it gives 0.
func (b *Builder) ShiftLeft(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeShiftLeft, lhs, rhs)
}

// ShiftRightArithmetic records lhs >> rhs with copies of the highest bit coming in, also for unsigned types.
func (b *Builder) ShiftRightArithmetic(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeShiftRightArithmetic, lhs, rhs)
}

// ShiftRightLogical records lhs >> rhs with zeros coming in, also for signed types.
func (b *Builder) ShiftRightLogical(lhs, rhs backends.Op) (backends.Op, error) {
	return b.binary(backends.OpTypeShiftRightLogical, lhs, rhs)
}

func (boolElem) binary(op backends.OpType) span {
	switch op {
	case backends.OpTypeLogicalAnd, backends.OpTypeMin, backends.OpTypeMul:
		return span2(andLoop[uint8])
	case backends.OpTypeLogicalOr, backends.OpTypeMax, backends.OpTypeAdd:
		return span2(orLoop[uint8])
	case backends.OpTypeLogicalXor:
		return span2(xorLoop[uint8])
	}
	return nil
}

func (intElem[T]) binary(op backends.OpType) span {
	switch op {
	case backends.OpTypeAdd:
		return span2(addLoop[T])
	case backends.OpTypeSub:
		return span2(subLoop[T])
	case backends.OpTypeMul:
		return span2(mulLoop[T])
	case backends.OpTypeMax:
		return span2(maxLoop[T])
	case backends.OpTypeMin:
		return span2(minLoop[T])
	case backends.OpTypeDiv:
		return span2(intDivLoop[T])
	case backends.OpTypeRem:
		return span2(intRemLoop[T])
	case backends.OpTypePow:
		return span2(intPowLoop[T])
	case backends.OpTypeBitwiseAnd:
		return span2(andLoop[T])
	case backends.OpTypeBitwiseOr:
		return span2(orLoop[T])
	case backends.OpTypeBitwiseXor:
		return span2(xorLoop[T])
	case backends.OpTypeShiftLeft, backends.OpTypeShiftRightLogical, backends.OpTypeShiftRightArithmetic:
		return shiftSpan[T](op)
	}
	return nil
}

func (floatElem[T]) binary(op backends.OpType) span {
	switch op {
	case backends.OpTypeAdd:
		return span2(addLoop[T])
	case backends.OpTypeSub:
		return span2(subLoop[T])
	case backends.OpTypeMul:
		return span2(mulLoop[T])
	case backends.OpTypeDiv:
		return span2(func(dst, x, y []T) {
			for i := range dst {
				dst[i] = x[i] / y[i]
			}
		})
	case backends.OpTypeMax:
		return span2(maxLoop[T])
	case backends.OpTypeMin:
		return span2(minLoop[T])
	case backends.OpTypeRem:
		return span2(eachPair[T](math.Mod))
	case backends.OpTypePow:
		return span2(eachPair[T](math.Pow))
	}
	return nil
}

func (complexElem) binary(op backends.OpType) span {
	switch op {
	case backends.OpTypeAdd:
		return span2(addLoop[complex128])
	case backends.OpTypeSub:
		return span2(subLoop[complex128])
	case backends.OpTypeMul:
		return span2(mulLoop[complex128])
	case backends.OpTypeDiv:
		return span2(func(dst, x, y []complex128) {
			for i := range dst {
				dst[i] = x[i] / y[i]
			}
		})
	case backends.OpTypePow:
		return span2(func(dst, x, y []complex128) {
			for i := range dst {
				dst[i] = cmplx.Pow(x[i], y[i])
			}
		})
	}
	return nil
}

func addLoop[T ordered | complex128](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

func subLoop[T ordered | complex128](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] - y[i]
	}
}

func mulLoop[T ordered | complex128](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] * y[i]
	}
}

func maxLoop[T ordered](dst, x, y []T) {
	for i := range dst {
		dst[i] = max(x[i], y[i])
	}
}

func minLoop[T ordered](dst, x, y []T) {
	for i := range dst {
		dst[i] = min(x[i], y[i])
	}
}

func andLoop[T integer](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] & y[i]
	}
}

func orLoop[T integer](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] | y[i]
	}
}

func xorLoop[T integer](dst, x, y []T) {
	for i := range dst {
		dst[i] = x[i] ^ y[i]
	}
}

func intDivLoop[T integer](dst, x, y []T) {
	var zero T
	for i := range dst {
		if y[i] == 0 {
			dst[i] = zero - 1
		} else {
			dst[i] = x[i] / y[i]
		}
	}
}

func intRemLoop[T integer](dst, x, y []T) {
	for i := range dst {
		if y[i] == 0 {
			dst[i] = x[i]
		} else {
			dst[i] = x[i] % y[i]
		}
	}
}

// intPowLoop raises by squaring. A negative exponent gives the truncated quotient 1/x^|y|: 0 unless x is 1 or -1.
func intPowLoop[T integer](dst, x, y []T) {
	for i := range dst {
		base, exponent, power := x[i], y[i], T(1)
		if exponent < 0 {
			switch {
			case base == 1 || base+1 == 0 && exponent&1 == 0:
				dst[i] = 1
			case base+1 == 0:
				dst[i] = base
			default:
				dst[i] = 0
			}
			continue
		}
		for ; exponent != 0; exponent >>= 1 {
			if exponent&1 == 1 {
				power *= base
			}
			base *= base
		}
		dst[i] = power
	}
}

// shiftSpan returns a shift. The count is taken as unsigned, so that a negative one is beyond the width.
func shiftSpan[T integer](op backends.OpType) span {
	var zero T
	width := uint64(unsafe.Sizeof(zero)) * 8
	mask := ^uint64(0) >> (64 - width)
	return span2(func(dst, x, y []T) {
		for i := range dst {
			bits, count := uint64(x[i])&mask, uint64(y[i])&mask
			switch op {
			case backends.OpTypeShiftLeft:
				dst[i] = T(bits << count)
			case backends.OpTypeShiftRightLogical:
				dst[i] = T(bits >> count)
			default:
				extended := int64(bits<<(64-width)) >> (64 - width)
				dst[i] = T(extended >> count)
			}
		}
	})
}

// eachPair makes a loop of a function on float64.
func eachPair[T float](f func(x, y float64) float64) func(dst, x, y []T) {
	return func(dst, x, y []T) {
		for i := range dst {
			dst[i] = T(f(float64(x[i]), float64(y[i])))
		}
	}
}
