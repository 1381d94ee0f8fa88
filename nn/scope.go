package nn

import (
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// Scope is what layers see of the state while a graph is being built: nodes by
// name, the mode, and the type to compute in. Scopes made by [Scope.In] share
// all of it and differ in the prefix of their names.
//
// A forward pass in training mode replaces the running statistics by their
// updated values, so that a second pass through the same scope continues from
// there; [Scope.Values] reads them back at the end of the step.
type Scope struct {
	*shared
	prefix string
}

type shared struct {
	values   map[string]*graph.Node
	casts    map[string]*graph.Node // values converted to compute
	training bool
	track    bool
	compute  dtypes.DType
}

// NewScope returns a scope over nodes, which are the values of specs in the
// same order. With training, batch norm normalises by the batch's statistics
// and updates the running ones. Convolutions and linear layers compute in
// compute, norms in the type of their parameters.
func NewScope(specs []Spec, nodes []*graph.Node, training bool, compute dtypes.DType) *Scope {
	if len(specs) != len(nodes) {
		panic(fmt.Errorf("nn.NewScope: %d specs but %d nodes", len(specs), len(nodes)))
	}
	values := make(map[string]*graph.Node, len(specs))
	for i, s := range specs {
		if _, twice := values[s.Name]; twice {
			panic(fmt.Errorf("nn.NewScope: two tensors named %q", s.Name))
		}
		if got := nodes[i].Shape().Dimensions; !equalDims(got, s.Shape) {
			panic(fmt.Errorf("nn.NewScope: tensor %q has shape %v, want %v", s.Name, got, s.Shape))
		}
		values[s.Name] = nodes[i]
	}
	return &Scope{shared: &shared{values: values, casts: map[string]*graph.Node{},
		training: training, track: true, compute: compute}}
}

func equalDims(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// In returns the scope of the tensors whose names begin with prefix.
func (s *Scope) In(prefix string) *Scope {
	return &Scope{shared: s.shared, prefix: s.prefix + prefix}
}

// Untracked returns a scope with the same values whose forward passes leave
// the running statistics as they are.
func (s *Scope) Untracked() *Scope {
	c := *s.shared
	c.track = false
	return &Scope{shared: &c, prefix: s.prefix}
}

// Training reports whether batch statistics are used.
func (s *Scope) Training() bool { return s.training }

// Compute returns the type that convolutions and linear layers compute in.
func (s *Scope) Compute() dtypes.DType { return s.compute }

// Value returns the tensor of that name, as it is stored.
func (s *Scope) Value(name string) *graph.Node {
	v, ok := s.values[s.prefix+name]
	if !ok {
		panic(fmt.Errorf("nn: no tensor named %q in the state", s.prefix+name))
	}
	return v
}

// Values returns the current nodes of specs, in order; their names are taken
// relative to the scope's prefix.
func (s *Scope) Values(specs []Spec) []*graph.Node {
	out := make([]*graph.Node, len(specs))
	for i, spec := range specs {
		out[i] = s.Value(spec.Name)
	}
	return out
}

// Set replaces the values of specs, in order, by nodes: what [Scope.Values]
// then returns is the state after the step. Forward passes must be built before.
func (s *Scope) Set(specs []Spec, nodes []*graph.Node) {
	for i, spec := range specs {
		old := s.Value(spec.Name)
		if !old.Shape().Equal(nodes[i].Shape()) {
			panic(fmt.Errorf("nn: tensor %q would change from %s to %s", s.prefix+spec.Name, old.Shape(), nodes[i].Shape()))
		}
		s.values[s.prefix+spec.Name] = nodes[i]
		delete(s.casts, s.prefix+spec.Name)
	}
}

// computed returns the tensor in the type to compute in. The conversion is
// made once a graph, whatever the number of forward passes.
func (s *Scope) computed(name string) *graph.Node {
	if c, ok := s.casts[s.prefix+name]; ok {
		return c
	}
	c := Cast(s.Value(name), s.compute)
	s.casts[s.prefix+name] = c
	return c
}

// update replaces a running statistic.
func (s *Scope) update(name string, value *graph.Node) {
	if s.track {
		s.values[s.prefix+name] = graph.StopGradient(value)
	}
}

// Cast converts x to t, if it has another type.
func Cast(x *graph.Node, t dtypes.DType) *graph.Node {
	if x.DType() == t {
		return x
	}
	return graph.ConvertDType(x, t)
}
