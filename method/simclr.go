package method

import (
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// SimCLR is the simple framework for contrastive learning (arXiv 2002.05709):
// one network, encoder f and projector g. Of all other views in the batch, each
// has to pick the one of the same picture.
//
// Negatives are the views of the batch, or of the micro-batch where gradients
// are accumulated, which therefore does not replace a large batch.
type SimCLR struct{ single }

var _ Method = (*SimCLR)(nil)

// NewSimCLR lays out the network. It fails on values out of range.
func NewSimCLR(c Config) (*SimCLR, error) {
	if err := c.Heads.validate(); err != nil {
		return nil, err
	}
	if err := c.validateTemperature(); err != nil {
		return nil, err
	}
	n, err := newNetwork(c)
	if err != nil {
		return nil, err
	}
	m := &SimCLR{single{network: n}}
	m.projector = newProjector(m.encoder.Features, c.Heads)
	m.lay(m.projector.specs(), nil, false)
	m.single.gradients = m.gradients
	return m, nil
}

// gradients returns those of NT-Xent, the mean over the 2B views of
//
//	ℓᵢ = −cos(zᵢ,zⱼ)/α + ln Σₖ≠ᵢ exp(cos(zᵢ,zₖ)/α)
//
// where j is the other view of i's picture (equation 1). Both views' activations
// are alive at once, since every view is the other's negative.
func (m *SimCLR) gradients(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics) {
	online, alpha := s.In("online."), m.config.Temperature
	feature1, z1 := m.embed(online, batch.View1) // [B,Features], [B,d]
	feature2, z2 := m.embed(online, batch.View2)
	z1, z2 = nn.L2Normalize(z1), nn.L2Normalize(z2)
	positive := graph.DivScalar(cosine(z1, z2), alpha) // [B], the same in both orders
	loss1 := graph.Sub(others(z1, z1, z2, alpha), positive)
	loss2 := graph.Sub(others(z2, z2, z1, alpha), positive)
	loss := graph.ReduceAllMean(graph.MulScalar(graph.Add(loss1, loss2), 0.5))
	grads := graph.Gradient(loss, s.Values(m.params)...)
	return grads, metricsOf(loss, pair(z1, z2), pair(feature1, feature2), m.params, grads)
}
