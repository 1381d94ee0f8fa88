package method

import (
	"slices"
	"strings"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// network is what all methods are built of: the online network, weights θ,
// whose encoder f is what training is for; for some a target network, weights
// ξ, that follows it; and the optimiser.
type network struct {
	config Config
	specs  []nn.Spec

	encoder   *encoder.Encoder // f
	projector head             // g, where the method has one

	online  []nn.Spec // the part of θ that the target follows
	target  []nn.Spec // ξ, in the same order; none if there is no target network
	learner           // of θ
}

// newNetwork makes the encoder. The constructor of a method goes on with lay.
func newNetwork(c Config) (network, error) {
	if c.Compute == dtypes.InvalidDType {
		c.Compute = dtypes.Float32
	}
	if err := c.validate(); err != nil {
		return network{}, err
	}
	f, err := encoder.New(c.Encoder)
	return network{config: c, encoder: f}, err
}

// lay lists the state: encoder and shared are what online and target network
// (if there is one) both have, own what only the online network has, other
// what is neither learnt nor followed.
func (n *network) lay(shared, own []nn.Spec, withTarget bool, other ...nn.Spec) {
	shared = append(nn.Prefixed("encoder.", n.encoder.Specs()), shared...)
	n.specs = nn.Prefixed("online.", shared)
	n.online = nn.Trainable(n.specs)
	n.specs = append(n.specs, nn.Prefixed("online.", own)...)
	rule := n.config.Optim
	if rate := n.config.PredictorRate; rate != 0 && rate != 1 {
		rule.Parts = append(slices.Clone(rule.Parts), optim.Part{Prefix: "online.predictor.", Rate: rate})
	}
	n.learner = newLearner(rule, nn.Trainable(n.specs), n.config.Accumulate)
	if withTarget {
		target := nn.Prefixed("target.", shared)
		n.target = nn.Trainable(target)
		n.specs = append(n.specs, target...)
	}
	n.specs = append(n.specs, other...)
	n.specs = append(n.specs, n.learner.specs()...)
}

// Encoder returns the network f, whose tensors have the prefix EncoderPrefix.
func (n *network) Encoder() *encoder.Encoder { return n.encoder }

// Specs lists the networks, the optimiser's state and the gathered gradients.
func (n *network) Specs() []nn.Spec { return n.specs }

// AccumulateSteps is the number of micro-batches of one step.
func (n *network) AccumulateSteps() int { return n.accumulate }

// UsesLabels is false: labels are what these methods do without.
func (n *network) UsesLabels() bool { return false }

// Init draws the online network; a target network begins as its copy.
func (n *network) Init(seed uint64) [][]float32 {
	values := make([][]float32, len(n.specs))
	drawn := map[string][]float32{}
	for i, s := range n.specs {
		if name, ok := strings.CutPrefix(s.Name, "target."); ok {
			values[i] = slices.Clone(drawn["online."+name])
			continue
		}
		values[i] = nn.Init(s, seed)
		drawn[s.Name] = values[i]
	}
	return values
}

func (n *network) scope(state []*graph.Node) *nn.Scope {
	return nn.NewScope(n.specs, state, true, n.config.Compute)
}

// project is g(f(view)): [B,H,W,C] to [B,d].
func (n *network) project(s *nn.Scope, view *graph.Node) *graph.Node {
	_, z := n.embed(s, view)
	return z
}

// embed returns the features f(view) [B,Features] and the projection g(f(view)) [B,d].
func (n *network) embed(s *nn.Scope, view *graph.Node) (feature, projection *graph.Node) {
	feature = n.encoder.Forward(s.In("encoder."), view)
	return feature, n.wide(n.projector.forward(s, feature))
}

// wide converts x to the type of the weights, in which the loss is computed.
func (n *network) wide(x *graph.Node) *graph.Node { return nn.Cast(x, n.config.master()) }

// follow is ξ ← τξ + (1−τ)θ, over weights and not over running statistics.
func (n *network) follow(s *nn.Scope, tau *graph.Node) {
	theta, xi := s.Values(n.online), s.Values(n.target)
	for i := range xi {
		xi[i] = graph.Add(graph.Mul(tau, xi[i]), graph.Mul(graph.OneMinus(tau), theta[i]))
	}
	s.Set(n.target, xi)
}

// single is a method without a target network: a step is gradients and the
// optimiser.
type single struct {
	network

	// gradients returns those of the loss with respect to θ.
	gradients func(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics)
}

// Step learns from a batch.
func (m *single) Step(state []*graph.Node, batch Batch, scalars Scalars) ([]*graph.Node, Metrics) {
	s := m.scope(state)
	grads, metrics := m.gradients(s, batch)
	m.learner.step(s, grads, scalars.Rate)
	return s.Values(m.specs), metrics
}

// Accumulate takes in one of the earlier micro-batches of a step. Negatives, in
// a method that has them, are those of the micro-batch.
func (m *single) Accumulate(state []*graph.Node, batch Batch) ([]*graph.Node, Metrics) {
	s := m.scope(state)
	grads, metrics := m.gradients(s, batch)
	m.learner.gather(s, grads)
	return s.Values(m.specs), metrics
}

// Tau is 0: what stands for the target is the online network.
func (m *single) Tau(k, steps int) float64 { return 0 }
