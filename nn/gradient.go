package nn

import (
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// GoMLX v0.26 writes the gradient of a matrix product as a broadcast product
// of all three axes and a sum, which for a head of 4096 units takes a thousand
// times the memory of its operands; and it has none for batch norm in
// evaluation mode, which fine-tuning on a frozen encoder needs. Both are
// registered here, in GoMLX's table.
func init() {
	slow := graph.VJPRegistration[graph.NodeTypeDot]
	graph.VJPRegistration[graph.NodeTypeDot] = func(node *graph.Node, v []*graph.Node, output shapes.Shape) []*graph.Node {
		in := node.Inputs()
		if in[0].Rank() != 2 || in[1].Rank() != 2 {
			return slow(node, v, output)
		}
		return dotGradient(in[0], in[1], v[0])
	}
	graph.VJPRegistration[graph.NodeTypeBatchNormForInference] = batchNormInferenceGradient
}

// dotGradient is that of y = x·w: dx = v·wᵀ [N,In] and dw = xᵀ·v [In,Out].
func dotGradient(x, w, v *graph.Node) []*graph.Node {
	return []*graph.Node{
		graph.DotGeneral(v, []int{1}, nil, w, []int{1}, nil),
		graph.DotGeneral(x, []int{0}, nil, v, []int{0}, nil),
	}
}

// batchNormInferenceGradient is that of y = scale·(x−mean)/√(var+ε) + offset
// over the last axis with this package's ε, with respect to x, scale and
// offset. Mean and variance are constants of the evaluation.
func batchNormInferenceGradient(node *graph.Node, vs []*graph.Node, _ shapes.Shape) []*graph.Node {
	in := node.Inputs()
	x, scale, mean, variance, v := in[0], in[1], in[3], in[4], vs[0]
	rank := x.Rank()
	axes := make([]int, rank-1)
	for i := range axes {
		axes[i] = i
	}
	inverse := graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, normEpsilon))) // [C]
	wide := func(c *graph.Node) *graph.Node { return graph.ExpandLeftToRank(c, rank) }
	normal := graph.Mul(graph.Sub(x, wide(mean)), wide(inverse))
	return []*graph.Node{
		graph.Mul(v, wide(graph.Mul(scale, inverse))),
		graph.ReduceSum(graph.Mul(v, normal), axes...),
		graph.ReduceSum(v, axes...),
		nil, nil,
	}
}
