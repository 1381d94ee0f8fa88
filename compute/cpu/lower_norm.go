package cpu

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// batchNormAttr holds the arguments of the three batch-norm operations.
type batchNormAttr struct {
	epsilon float32
	axis    int // of the features
}

func init() {
	for _, op := range []backends.OpType{backends.OpTypeBatchNormForTraining, backends.OpTypeBatchNormForInference, backends.OpTypeBatchNormGradient} {
		register(op, kernel{}) // never run: lower replaces them
	}
}

// BatchNormForTraining records the normalisation of operand over all axes but that of the
// features. The other results are mean and biased variance, [C].
func (b *Builder) BatchNormForTraining(operand, scale, offset backends.Op, epsilon float32, featureAxis int) (normalized, mean, variance backends.Op, err error) {
	in, attr, err := b.batchNorm(backends.OpTypeBatchNormForTraining, operand, epsilon, featureAxis, scale, offset)
	if err != nil {
		return nil, nil, nil, err
	}
	x, c := in[0].shape(), in[1].shape()
	n := b.addMulti(backends.OpTypeBatchNormForTraining, attr, []shapes.Shape{x, c, c}, in...)
	return value{n, 0}, value{n, 1}, value{n, 2}, nil
}

// BatchNormForInference records the normalisation of operand by given statistics.
func (b *Builder) BatchNormForInference(operand, scale, offset, mean, variance backends.Op, epsilon float32, featureAxis int) (backends.Op, error) {
	in, attr, err := b.batchNorm(backends.OpTypeBatchNormForInference, operand, epsilon, featureAxis, scale, offset, mean, variance)
	if err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeBatchNormForInference, attr, in[0].shape(), in...), nil
}

// BatchNormGradient records the gradients of BatchNormForTraining with respect to
// operand, scale and offset.
func (b *Builder) BatchNormGradient(operand, scale, mean, variance, gradOutput backends.Op, epsilon float32, featureAxis int) (gradOperand, gradScale, gradOffset backends.Op, err error) {
	in, attr, err := b.batchNorm(backends.OpTypeBatchNormGradient, operand, epsilon, featureAxis, scale, mean, variance)
	if err != nil {
		return nil, nil, nil, err
	}
	dy, err := b.operands(backends.OpTypeBatchNormGradient, gradOutput)
	if err != nil {
		return nil, nil, nil, err
	}
	x, c := in[0].shape(), in[1].shape()
	if !dy[0].shape().Equal(x) {
		return nil, nil, nil, fmt.Errorf("BatchNormGradient: operand %s and gradient %s differ", x, dy[0].shape())
	}
	n := b.addMulti(backends.OpTypeBatchNormGradient, attr, []shapes.Shape{x, c, c}, append(in, dy[0])...)
	return value{n, 0}, value{n, 1}, value{n, 2}, nil
}

// batchNorm checks the operand and the vectors of one value per feature.
func (b *Builder) batchNorm(op backends.OpType, operand backends.Op, epsilon float32, axis int, vectors ...backends.Op) ([]value, batchNormAttr, error) {
	in, err := b.operands(op, append([]backends.Op{operand}, vectors...)...)
	if err != nil {
		return nil, batchNormAttr{}, err
	}
	x := in[0].shape()
	if axis < 0 {
		axis += x.Rank()
	}
	if !x.DType.IsFloat() || axis < 0 || axis >= x.Rank() {
		return nil, batchNormAttr{}, fmt.Errorf("%s of %s along axis %d: want floating-point values and an axis that exists", op, x, axis)
	}
	for _, v := range in[1:] {
		if s := v.shape(); s.DType != x.DType || s.Rank() != 1 || s.Dimensions[0] != x.Dimensions[axis] {
			return nil, batchNormAttr{}, fmt.Errorf("%s of %s along axis %d: a vector has shape %s", op, x, axis, s)
		}
	}
	return in, batchNormAttr{epsilon, axis}, nil
}

// normBuilder writes batch norm as simpler nodes. Half floats are computed in float32.
type normBuilder struct {
	*rewriter
	x     value // the operand, in the type of the computation
	axis  int
	dtype dtypes.DType // of the computation
}

func newNormBuilder(r *rewriter, n *node) normBuilder {
	b := normBuilder{rewriter: r, axis: n.attr.(batchNormAttr).axis, dtype: n.inputs[0].shape().DType}
	if isHalf(b.dtype) {
		b.dtype = dtypes.Float32
	}
	b.x = r.converted(n.inputs[0], b.dtype)
	return b
}

// channels broadcasts a vector over the operand's shape; a view, nothing is copied.
func (b normBuilder) channels(v value) value {
	dims := make([]int, b.x.shape().Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[b.axis] = v.shape().Size()
	return b.reshaped(v, dims...)
}

// op adds an element-wise node whose shape is that of its largest operand.
func (b normBuilder) op(op backends.OpType, in ...value) value {
	shape := in[0].shape()
	for _, v := range in[1:] {
		if v.shape().Size() > shape.Size() || v.shape().Rank() > shape.Rank() {
			shape = v.shape()
		}
	}
	return b.add(op, nil, shape, in...)
}

// scalar adds a constant of the computation's type.
func (b normBuilder) scalar(x float64) value {
	return b.constant(b.dtype, x)
}

// constant adds a scalar constant of a floating-point type.
func (r *rewriter) constant(dtype dtypes.DType, x float64) value {
	buf := newBuffer(shapes.Make(dtype))
	switch dtype {
	case dtypes.Float32:
		flat[float32](buf)[0] = float32(x)
	case dtypes.Float64:
		flat[float64](buf)[0] = x
	default:
		panic(fmt.Sprintf("no constant of type %s", dtype))
	}
	return r.add(backends.OpTypeConstant, buf, buf.shape)
}

// deviation returns 1/√(variance+ε), [C].
func (b normBuilder) deviation(variance value, epsilon float32) value {
	return b.op(backends.OpTypeRsqrt, b.op(backends.OpTypeAdd, variance, b.scalar(float64(epsilon))))
}

// normalized returns (x − mean)·scale/√(variance+ε) + offset, as one product and one sum
// per value: x·a + b. Rounding then costs |mean|·2⁻²⁴ of a standard deviation, as in other
// frameworks.
func (b normBuilder) normalized(scale, offset, mean, variance value, epsilon float32) value {
	a := b.op(backends.OpTypeMul, scale, b.deviation(variance, epsilon))
	shift := b.op(backends.OpTypeSub, offset, b.op(backends.OpTypeMul, mean, a))
	return b.op(backends.OpTypeAdd, b.op(backends.OpTypeMul, b.x, b.channels(a)), b.channels(shift))
}

func lowerNormTraining(r *rewriter, n *node) []value {
	b, attr := newNormBuilder(r, n), n.attr.(batchNormAttr)
	mean, variance := b.statistics(shapes.Make(b.dtype, n.shapes[1].Dimensions...))
	y := b.normalized(r.converted(n.inputs[1], b.dtype), r.converted(n.inputs[2], b.dtype), mean, variance, attr.epsilon)
	dtype := n.shapes[0].DType
	return []value{r.converted(y, dtype), r.converted(mean, dtype), r.converted(variance, dtype)}
}

// statistics returns mean and biased variance per channel. If the operand is a bfloat16
// array widened, they are written as sums of d = x − x₀ and d² over the values, with x₀
// the first of each channel, so that the operand is widened block by block and never
// stored; x₀ keeps a large mean from cancelling the variance.
func (b normBuilder) statistics(vector shapes.Shape) (mean, variance value) {
	last := b.x.shape().Rank() - 1
	half := b.x
	if b.x.op == backends.OpTypeConvertDType {
		half = b.x.inputs[0]
	}
	if half.shape().DType != dtypes.BFloat16 || b.axis != last || half.shape().Size() == 0 {
		stats := b.addMulti(opChannelStats, channelStats{b.axis}, []shapes.Shape{vector, vector}, b.x)
		return stats[0], stats[1]
	}
	zeros, ones, limits := make([]int, last+1), make([]int, last+1), make([]int, last+1)
	for i := range limits {
		ones[i], limits[i] = 1, 1
	}
	limits[last] = vector.Size()
	first := b.converted(b.add(backends.OpTypeSlice, sliceAttr{zeros, limits, ones}, shapes.Make(dtypes.BFloat16, limits...), half), b.dtype)
	perValue := b.scalar(float64(vector.Size()) / float64(half.shape().Size()))
	d := b.op(backends.OpTypeSub, b.x, first)
	sum, squares := b.channelSum(d), b.channelSum(b.op(backends.OpTypeMul, d, d))
	shift := b.op(backends.OpTypeMul, sum, perValue)
	variance = b.op(backends.OpTypeSub, b.op(backends.OpTypeMul, squares, perValue), b.op(backends.OpTypeMul, shift, shift))
	variance = b.op(backends.OpTypeMax, variance, b.scalar(0))
	return b.op(backends.OpTypeAdd, b.reshaped(first, vector.Dimensions...), shift), variance
}

func lowerNormInference(r *rewriter, n *node) []value {
	b, attr := newNormBuilder(r, n), n.attr.(batchNormAttr)
	v := make([]value, 4)
	for i := range v {
		v[i] = r.converted(n.inputs[i+1], b.dtype)
	}
	y := b.normalized(v[0], v[1], v[2], v[3], attr.epsilon)
	return []value{r.converted(y, n.shapes[0].DType)}
}

// lowerNormGradient writes, with m values per channel, r = 1/√(variance+ε), a = γ·r and
// c = x − mean: dβ = Σdy; dγ = r·Σ(dy·c); dx = a·(dy − Σdy/m − c·s) with s = r²·Σ(dy·c)/m,
// which is dy·a + x·(−a·s) + a·(mean·s − Σdy/m).
func lowerNormGradient(r *rewriter, n *node) []value {
	b, attr := newNormBuilder(r, n), n.attr.(batchNormAttr)
	mul := func(x, y value) value { return b.op(backends.OpTypeMul, x, y) }
	scale, mean := r.converted(n.inputs[1], b.dtype), r.converted(n.inputs[2], b.dtype)
	dy := r.converted(n.inputs[4], b.dtype)
	sumDY := b.channelSum(dy)
	sumDYC := b.channelSum(mul(dy, b.op(backends.OpTypeSub, b.x, b.channels(mean))))
	k := newNormSlopes(b, scale, mean, r.converted(n.inputs[3], b.dtype), sumDY, sumDYC, attr.epsilon)
	a, slope, shift, dev := k.a, k.slope, k.shift, k.deviation
	fromX := b.op(backends.OpTypeAdd, mul(b.x, b.channels(b.op(backends.OpTypeNeg, mul(a, slope)))), b.channels(shift))
	dx := b.op(backends.OpTypeAdd, mul(dy, b.channels(a)), fromX)
	dtype := n.shapes[0].DType
	return []value{r.converted(dx, dtype), r.converted(mul(sumDYC, dev), dtype), r.converted(sumDY, dtype)}
}

// normSlopes are what a batch norm's gradient is made of, see lowerNormGradient: a, s, and
// the constant term; and r.
type normSlopes struct{ a, slope, shift, deviation value }

func newNormSlopes(b normBuilder, scale, mean, variance, sumDY, sumDYC value, epsilon float32) normSlopes {
	mul := func(x, y value) value { return b.op(backends.OpTypeMul, x, y) }
	perValue := b.scalar(float64(scale.shape().Size()) / math.Max(1, float64(b.x.shape().Size())))
	k := normSlopes{deviation: b.deviation(variance, epsilon)}
	k.a = mul(scale, k.deviation)
	k.slope = mul(mul(k.deviation, k.deviation), mul(sumDYC, perValue))
	k.shift = mul(k.a, b.op(backends.OpTypeSub, mul(mean, k.slope), mul(sumDY, perValue)))
	return k
}

// channelSum sums over all axes but the features'.
func (b normBuilder) channelSum(v value) value {
	axes := otherAxes(v.shape().Rank(), []int{b.axis})
	return b.sum(v, axes)
}

// sum adds a reduction over the given axes, ascending.
func (r *rewriter) sum(v value, axes []int) value {
	dims := dimsOf(v.shape(), otherAxes(v.shape().Rank(), axes))
	return r.add(backends.OpTypeReduceSum, reduceAttr{axes}, shapes.Make(v.shape().DType, dims...), v)
}
