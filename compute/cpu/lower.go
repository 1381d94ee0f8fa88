package cpu

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// Operations that passes make. Their numbers follow those of the standard ones.
const (
	opView         = opInternal + iota // the input's memory under another shape
	opConv                             // a convolution or one of its gradients on NHWC and HWIO (convCall)
	opConvGiven                        // a convolution by a constant kernel (*givenConv)
	opConvGeneric                      // any other convolution (convGeneralAttr)
	opMatMul                           // matrix products (matMulCall)
	opMatMulPlain                      // matrix products of types that have no fast kernel (matMulCall)
	opChannelStats                     // mean and variance per channel (channelStats)
	opNormApply                        // a batch norm's result from its statistics (normApply)
	opNormSums                         // the sums of a batch norm's gradient (normSums)
	opNormGrad                         // a batch norm's gradient from those (normGrad)
	opMaxPool                          // (poolCall)
	opMaxPoolGrad                      // (poolCall)
	opFused                            // element-wise operations block by block (*fusedAttr)
)

var internalNames = map[backends.OpType]string{
	opView: "View", opConv: "Conv", opConvGiven: "ConvGiven", opConvGeneric: "ConvGeneric", opMatMul: "MatMul",
	opMatMulPlain: "MatMulPlain", opMaxPool: "MaxPool", opMaxPoolGrad: "MaxPoolGrad", opChannelStats: "ChannelStats",
	opNormApply: "NormApply", opNormSums: "NormSums", opNormGrad: "NormGrad", opFused: "Fused",
}

func init() { register(opView, kernel{}) }

// lower replaces the operations that have several kernels, or that are sums of simpler
// ones, by nodes that say which kernel runs on which layout.
func lower(p *program) {
	pools := poolLowering{}
	p.rewrite(func(r *rewriter, n *node) []value {
		switch n.op {
		case backends.OpTypeReduceWindow:
			return pools.window(r, n)
		case backends.OpTypeSelectAndScatterMax:
			return pools.scatter(r, n)
		case backends.OpTypeConvGeneral:
			return []value{lowerConv(r, n)}
		case backends.OpTypeDot, backends.OpTypeDotGeneral:
			return []value{lowerDot(r, n)}
		case backends.OpTypeBatchNormForTraining:
			return lowerNormTraining(r, n)
		case backends.OpTypeBatchNormForInference:
			return lowerNormInference(r, n)
		case backends.OpTypeBatchNormGradient:
			return lowerNormGradient(r, n)
		}
		return nil
	})
}

// transposed adds a transposition: axis i of the result is axis perm[i] of v.
func (r *rewriter) transposed(v value, perm []int) value {
	if isIdentity(perm) {
		return v
	}
	dims := make([]int, len(perm))
	for i, axis := range perm {
		dims[i] = v.shape().Dimensions[axis]
	}
	return r.add(backends.OpTypeTranspose, transposeAttr{perm}, shapes.Make(v.shape().DType, dims...), v)
}

// reshaped adds a reshape.
func (r *rewriter) reshaped(v value, dims ...int) value {
	if slices.Equal(dims, v.shape().Dimensions) {
		return v
	}
	return r.add(backends.OpTypeReshape, nil, shapes.Make(v.shape().DType, dims...), v)
}

// converted adds a conversion of type.
func (r *rewriter) converted(v value, dtype dtypes.DType) value {
	if v.shape().DType == dtype {
		return v
	}
	return r.add(backends.OpTypeConvertDType, nil, shapes.Make(dtype, v.shape().Dimensions...), v)
}

func isIdentity(perm []int) bool {
	for i, p := range perm {
		if p != i {
			return false
		}
	}
	return true
}

// inverse returns the permutation that undoes perm.
func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, p := range perm {
		inv[p] = i
	}
	return inv
}

// product of all values; 1 of none.
func product(values []int) int {
	p := 1
	for _, v := range values {
		p *= v
	}
	return p
}

// isHalf reports whether a type is computed in float32 where it has no kernel of its own.
func isHalf(d dtypes.DType) bool { return d == dtypes.BFloat16 || d == dtypes.Float16 }
