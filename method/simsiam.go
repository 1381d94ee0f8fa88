package method

import (
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// SimSiam is the simple Siamese network (arXiv 2011.10566): encoder f, projector
// g and predictor q, whose target is the network itself, held still by the
// stop-gradient. It is nearly BYOL at τ = 0, with a norm on the projection and
// a narrow predictor.
type SimSiam struct {
	single
	predictor head // q
}

var _ Method = (*SimSiam)(nil)

// NewSimSiam lays out the network. It fails on values out of range.
func NewSimSiam(c Config) (*SimSiam, error) {
	if err := c.Heads.validate(); err != nil {
		return nil, err
	}
	n, err := newNetwork(c)
	if err != nil {
		return nil, err
	}
	m := &SimSiam{single: single{network: n}, predictor: newPredictor(c.Heads)}
	m.projector = newProjector(m.encoder.Features, c.Heads)
	var own []nn.Spec
	if c.Predictor {
		own = m.predictor.specs()
	}
	m.lay(m.projector.specs(), own, false)
	m.single.gradients = m.gradients
	return m, nil
}

// gradients returns those of ½D(p₁,z₂) + ½D(p₂,z₁), between −1 and 1, where D is
// the negative cosine and z has no gradient (equations 1 to 4).
func (m *SimSiam) gradients(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics) {
	online := s.In("online.")
	feature1, z1 := m.embed(online, batch.View1) // [B,Features], [B,d]
	feature2, z2 := m.embed(online, batch.View2)
	p1, p2 := m.predict(online, z1), m.predict(online, z2)
	target1, target2 := nn.L2Normalize(m.config.stop(z1)), nn.L2Normalize(m.config.stop(z2))

	cosines := graph.Add(cosine(p1, target2), cosine(p2, target1)) // [B]
	loss := graph.MulScalar(graph.ReduceAllMean(cosines), -0.5)
	grads := graph.Gradient(loss, s.Values(m.params)...)
	return grads, metricsOf(loss, pair(target1, target2), pair(feature1, feature2), m.params, grads)
}

// predict is q(z), of length 1: [B,d] to [B,d].
func (m *SimSiam) predict(online *nn.Scope, z *graph.Node) *graph.Node {
	if m.config.Predictor {
		z = m.wide(m.predictor.forward(online, z))
	}
	return nn.L2Normalize(z)
}
