package method

import "github.com/gomlx/gomlx/pkg/core/graph"

// cosine returns the products of the rows of a and b [B,d], [B]: their cosines
// if they have length 1.
func cosine(a, b *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(a, b), -1) }

// similarities returns all products of rows of a [M,d] and b [N,d], [M,N].
func similarities(a, b *graph.Node) *graph.Node { return graph.Dot(a, graph.Transpose(b, 0, 1)) }

// others is, for each row i of u [B,d], the logarithm of how much it resembles
// what else is in the batch at temperature α:
//
//	ln( Σⱼ≠ᵢ exp(⟨uᵢ,ownⱼ⟩/α) + Σⱼ exp(⟨uᵢ,otherⱼ⟩/α) ),  [B]
//
// own and other [B,d] are the vectors of u's view and of the other view, so that
// the picture's own vector is left out and its other view's is not.
func others(u, own, other *graph.Node, alpha float64) *graph.Node {
	g, batch := u.Graph(), u.Shape().Dim(0)
	same := graph.Where(graph.Diagonal(g, batch), graph.Infinity(g, u.DType(), -1), similarities(u, own))
	all := graph.Concatenate([]*graph.Node{same, similarities(u, other)}, 1) // [B,2B]
	return logSumExp(graph.DivScalar(all, alpha))
}

// logSumExp returns ln Σ exp of the rows of x [M,N], [M], without overflow.
func logSumExp(x *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.ReduceAndKeep(x, graph.ReduceMax, -1)) // [M,1]
	sum := graph.ReduceSum(graph.Exp(graph.Sub(x, largest)), -1)
	return graph.Add(graph.Log(sum), graph.Squeeze(largest, -1))
}
