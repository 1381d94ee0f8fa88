package method

import (
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// learner is what every method does with gradients: gather them over the
// micro-batches of a step, then hand them to the optimiser. Its state follows
// the networks' in a method's specs.
type learner struct {
	optim      optim.Config
	params     []nn.Spec // what is optimised
	slots      []nn.Spec // the optimiser's state, "optim."
	gathered   []nn.Spec // sums of gradients, "accumulated."; none without accumulation
	accumulate int       // micro-batches of a step, at least 1
}

func newLearner(c optim.Config, params []nn.Spec, accumulate int) learner {
	l := learner{optim: c, params: params, accumulate: max(1, accumulate)}
	l.slots = nn.Prefixed("optim.", c.Specs(params))
	if l.accumulate > 1 {
		l.gathered = nn.Slots("accumulated.", params)
	}
	return l
}

func (l learner) specs() []nn.Spec { return append(append([]nn.Spec(nil), l.slots...), l.gathered...) }

// gather adds the gradients of a micro-batch to the sums.
func (l learner) gather(s *nn.Scope, grads []*graph.Node) {
	s.Set(l.gathered, add(s.Values(l.gathered), grads))
}

// step updates the parameters by the mean of the gathered gradients and grads,
// at that rate, and clears the sums.
func (l learner) step(s *nn.Scope, grads []*graph.Node, rate *graph.Node) {
	if l.accumulate > 1 {
		grads = add(s.Values(l.gathered), grads)
		zeros := make([]*graph.Node, len(grads))
		for i, g := range grads {
			zeros[i] = graph.ZerosLike(g)
			grads[i] = graph.DivScalar(g, float64(l.accumulate))
		}
		s.Set(l.gathered, zeros)
	}
	values, slots := l.optim.Update(l.params, s.Values(l.params), grads, s.Values(l.slots), rate)
	s.Set(l.params, values)
	s.Set(l.slots, slots)
}

// add returns the sums of two lists.
func add(a, b []*graph.Node) []*graph.Node {
	sum := make([]*graph.Node, len(a))
	for i := range a {
		sum[i] = graph.Add(a[i], b[i])
	}
	return sum
}

// pair is what belongs to view 1 and to view 2.
func pair(view1, view2 *graph.Node) [2]*graph.Node { return [2]*graph.Node{view1, view2} }

// norm returns the length of all tensors taken as one vector, a scalar.
func norm(nodes []*graph.Node) *graph.Node {
	squares := make([]*graph.Node, len(nodes))
	for i, n := range nodes {
		squares[i] = graph.ReduceAllSum(graph.Square(n))
	}
	return graph.Sqrt(graph.ReduceAllSum(graph.Stack(squares, 0)))
}
