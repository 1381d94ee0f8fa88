package cpu

import (
	"cmp"
	"math"
	"unsafe"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// comparisons: what the three possible orders give, and whether floats are compared by total order.
var comparisons = map[backends.OpType]struct {
	less, equal, greater, total bool
}{
	backends.OpTypeEqual:                    {equal: true},
	backends.OpTypeNotEqual:                 {less: true, greater: true},
	backends.OpTypeLessThan:                 {less: true},
	backends.OpTypeLessOrEqual:              {less: true, equal: true},
	backends.OpTypeGreaterThan:              {greater: true},
	backends.OpTypeGreaterOrEqual:           {greater: true, equal: true},
	backends.OpTypeEqualTotalOrder:          {equal: true, total: true},
	backends.OpTypeNotEqualTotalOrder:       {less: true, greater: true, total: true},
	backends.OpTypeLessThanTotalOrder:       {less: true, total: true},
	backends.OpTypeLessOrEqualTotalOrder:    {less: true, equal: true, total: true},
	backends.OpTypeGreaterThanTotalOrder:    {greater: true, total: true},
	backends.OpTypeGreaterOrEqualTotalOrder: {greater: true, equal: true, total: true},
}

func init() {
	for op := range comparisons {
		// Not in place: bools may take as many bytes as an operand that is broadcast.
		register(op, kernel{eval: func(c *call) {
			elementwise(c, elems[c.in[0].shape.DType].compare(c.op))
		}})
	}
}

// comparison records a comparison of two operands that are broadcast to one shape.
func (b *Builder) comparison(op backends.OpType, lhs, rhs backends.Op) (backends.Op, error) {
	in, err := b.operands(op, lhs, rhs)
	if err != nil {
		return nil, err
	}
	if in[0].shape().DType == dtypes.Bool && in[1].shape().DType == dtypes.Bool {
		return b.boolComparison(op, in[0], in[1])
	}
	// The shape does not depend on the comparison, and shape inference lacks one of them.
	shape, err := shapeinference.ComparisonOp(backends.OpTypeEqual, in[0].shape(), in[1].shape())
	if err != nil {
		return nil, err
	}
	shape = emptyAxes(shape, in[0].shape(), in[1].shape())
	e, err := elemOf(op, in[0].shape().DType)
	if err != nil {
		return nil, err
	}
	if e.compare(op) == nil {
		return nil, unsupported(op, in[0].shape().DType)
	}
	return b.add(op, nil, shape, in...), nil
}

// boolComparison records a comparison of bools, of which false is less than true, as logic.
func (b *Builder) boolComparison(op backends.OpType, lhs, rhs backends.Op) (backends.Op, error) {
	c := comparisons[op]
	if c.greater && !c.less { // lhs > rhs is rhs < lhs
		lhs, rhs, c.less = rhs, lhs, true
	} else if c.less == c.greater { // equal or not
		different, err := b.LogicalXor(lhs, rhs)
		if err != nil || !c.equal {
			return different, err
		}
		return b.LogicalNot(different)
	}
	not, err := b.LogicalNot(lhs)
	switch {
	case err != nil:
		return nil, err
	case c.equal:
		return b.LogicalOr(not, rhs)
	}
	return b.LogicalAnd(not, rhs)
}

// Equal records lhs == rhs.
func (b *Builder) Equal(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeEqual, lhs, rhs)
}

// NotEqual records lhs != rhs.
func (b *Builder) NotEqual(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeNotEqual, lhs, rhs)
}

// LessThan records lhs < rhs.
func (b *Builder) LessThan(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeLessThan, lhs, rhs)
}

// LessOrEqual records lhs <= rhs.
func (b *Builder) LessOrEqual(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeLessOrEqual, lhs, rhs)
}

// GreaterThan records lhs > rhs.
func (b *Builder) GreaterThan(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeGreaterThan, lhs, rhs)
}

// GreaterOrEqual records lhs >= rhs.
func (b *Builder) GreaterOrEqual(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeGreaterOrEqual, lhs, rhs)
}

// EqualTotalOrder records lhs == rhs in the order -NaN < -Inf < ... < -0 < +0 < ... < +Inf < +NaN.
func (b *Builder) EqualTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeEqualTotalOrder, lhs, rhs)
}

// NotEqualTotalOrder records lhs != rhs in the total order.
func (b *Builder) NotEqualTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeNotEqualTotalOrder, lhs, rhs)
}

// LessThanTotalOrder records lhs < rhs in the total order.
func (b *Builder) LessThanTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeLessThanTotalOrder, lhs, rhs)
}

// LessOrEqualTotalOrder records lhs <= rhs in the total order.
func (b *Builder) LessOrEqualTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeLessOrEqualTotalOrder, lhs, rhs)
}

// GreaterThanTotalOrder records lhs > rhs in the total order.
func (b *Builder) GreaterThanTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeGreaterThanTotalOrder, lhs, rhs)
}

// GreaterOrEqualTotalOrder records lhs >= rhs in the total order.
func (b *Builder) GreaterOrEqualTotalOrder(lhs, rhs backends.Op) (backends.Op, error) {
	return b.comparison(backends.OpTypeGreaterOrEqualTotalOrder, lhs, rhs)
}

// compare is not needed: the comparisons of bools are recorded as logic.
func (boolElem) compare(backends.OpType) span { return nil }

func (intElem[T]) compare(op backends.OpType) span { return orderSpan[T](op) }

func (floatElem[T]) compare(op backends.OpType) span {
	if comparisons[op].total {
		return totalOrderSpan[T](op)
	}
	return orderSpan[T](op)
}

func (complexElem) compare(op backends.OpType) span {
	switch op {
	case backends.OpTypeEqual, backends.OpTypeEqualTotalOrder:
		return span2(equalLoop[complex128])
	case backends.OpTypeNotEqual, backends.OpTypeNotEqualTotalOrder:
		return span2(notEqualLoop[complex128])
	}
	return nil
}

func orderSpan[T cmp.Ordered](op backends.OpType) span {
	switch op {
	case backends.OpTypeEqual, backends.OpTypeEqualTotalOrder:
		return span2(equalLoop[T])
	case backends.OpTypeNotEqual, backends.OpTypeNotEqualTotalOrder:
		return span2(notEqualLoop[T])
	case backends.OpTypeLessThan, backends.OpTypeLessThanTotalOrder:
		return span2(lessLoop[T])
	case backends.OpTypeLessOrEqual, backends.OpTypeLessOrEqualTotalOrder:
		return span2(lessEqualLoop[T])
	case backends.OpTypeGreaterThan, backends.OpTypeGreaterThanTotalOrder:
		return span2(func(dst []bool, x, y []T) { lessLoop(dst, y, x) })
	case backends.OpTypeGreaterOrEqual, backends.OpTypeGreaterOrEqualTotalOrder:
		return span2(func(dst []bool, x, y []T) { lessEqualLoop(dst, y, x) })
	}
	return nil
}

func equalLoop[T comparable](dst []bool, x, y []T) {
	for i := range dst {
		dst[i] = x[i] == y[i]
	}
}

func notEqualLoop[T comparable](dst []bool, x, y []T) {
	for i := range dst {
		dst[i] = x[i] != y[i]
	}
}

func lessLoop[T cmp.Ordered](dst []bool, x, y []T) {
	for i := range dst {
		dst[i] = x[i] < y[i]
	}
}

func lessEqualLoop[T cmp.Ordered](dst []bool, x, y []T) {
	for i := range dst {
		dst[i] = x[i] <= y[i]
	}
}

// totalOrderSpan compares floats by the integers that their bits make.
func totalOrderSpan[T float](op backends.OpType) span {
	want := comparisons[op]
	return span2(func(dst []bool, x, y []T) {
		for i := range dst {
			switch a, b := orderKey(x[i]), orderKey(y[i]); {
			case a < b:
				dst[i] = want.less
			case a > b:
				dst[i] = want.greater
			default:
				dst[i] = want.equal
			}
		}
	})
}

// orderKey maps a float to an integer so that integers compare as the floats do in total order.
func orderKey[T float](x T) int64 {
	var bits int64
	if unsafe.Sizeof(x) == 4 {
		bits = int64(int32(math.Float32bits(float32(x))))
	} else {
		bits = int64(math.Float64bits(float64(x)))
	}
	if bits < 0 {
		bits = ^bits | math.MinInt64
	}
	return bits
}
