package method

import (
	"fmt"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// MoCo is momentum contrast, version 2 (arXiv 1911.05722, 2003.04297), with the
// symmetric loss: each view's query, from the online network, has to pick the
// other view's key, from a target network that follows as BYOL's does, out of a
// queue of the keys of earlier batches.
//
// The keys of a batch share the batch's statistics, and those in the queue do
// not. Batch norm thus gives away which key belongs, and the loss falls without
// anything being learnt (section 3.3). So a batch is split into Config.Groups,
// each with statistics of its own: queries in runs of neighbours, keys by every
// Groups-th row, so that the key of a picture shares its group with few of the
// pictures that its query does. The paper shuffles at random between devices;
// that the order of the pictures is new in every epoch comes to the same, and
// the step stays a function of its inputs.
type MoCo struct {
	network
	groups int
	queue  nn.Spec // [K,d], keys, the newest first; at first random directions
}

var _ Method = (*MoCo)(nil)

// NewMoCo lays out the networks. It fails on values out of range. A step panics
// if Config.Groups does not divide the batch.
func NewMoCo(c Config) (*MoCo, error) {
	switch {
	case c.Queue < 1:
		return nil, fmt.Errorf("method: a queue of %d keys: want at least 1", c.Queue)
	case c.Groups < 0:
		return nil, fmt.Errorf("method: %d groups: want at least 1", c.Groups)
	}
	for _, err := range []error{c.validateTau(), c.validateTemperature(), c.Heads.validate()} {
		if err != nil {
			return nil, err
		}
	}
	n, err := newNetwork(c)
	if err != nil {
		return nil, err
	}
	m := &MoCo{network: n, groups: max(1, c.Groups)}
	m.projector = newProjector(m.encoder.Features, c.Heads)
	m.queue = nn.Spec{Name: "queue", Shape: []int{c.Queue, c.Heads.Dim}, Kind: nn.Directions}
	m.lay(m.projector.specs(), nil, true, m.queue)
	return m, nil
}

// Tau returns τ at step k of steps.
func (m *MoCo) Tau(k, steps int) float64 { return m.config.tau(k, steps) }

// Step learns from a batch; then ξ follows θ, and the batch's keys replace the
// oldest of the queue.
func (m *MoCo) Step(state []*graph.Node, batch Batch, scalars Scalars) ([]*graph.Node, Metrics) {
	s := m.scope(state)
	grads, metrics := m.gradients(s, batch)
	m.learner.step(s, grads, scalars.Rate)
	m.follow(s, scalars.Tau)
	return s.Values(m.specs), metrics
}

// Accumulate takes in one of the earlier micro-batches of a step. θ and ξ wait
// for the last; the queue takes in the keys of each.
func (m *MoCo) Accumulate(state []*graph.Node, batch Batch) ([]*graph.Node, Metrics) {
	s := m.scope(state)
	grads, metrics := m.gradients(s, batch)
	m.learner.gather(s, grads)
	return s.Values(m.specs), metrics
}

// gradients returns those of the mean over both orders of the views and the
// batch of InfoNCE, and puts the keys into the queue. As no query meets another,
// the groups go forward and backward one after the other, and the activations
// of one only need be alive at a time.
func (m *MoCo) gradients(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics) {
	if size := batch.View1.Shape().Dim(0); size%m.groups != 0 {
		panic(fmt.Errorf("method: moco: %d groups do not divide a batch of %d", m.groups, size))
	}
	online, target, queue := s.In("online."), s.In("target."), s.Value(m.queue.Name)
	key1, key2 := m.keys(target, batch.View1), m.keys(target, batch.View2) // [B,d]
	params := s.Values(m.params)

	var loss *graph.Node
	var grads []*graph.Node
	var features [2][]*graph.Node // of each group, [B/groups,Features]
	for view, order := range [][2]*graph.Node{{batch.View1, key2}, {batch.View2, key1}} {
		for g := range m.groups {
			feature, query := m.embed(online, m.run(order[0], g))
			features[view] = append(features[view], feature)
			part := m.loss(nn.L2Normalize(query), m.run(order[1], g), queue)
			part = graph.DivScalar(part, float64(2*m.groups))
			partial := graph.Gradient(part, params...)
			if loss == nil {
				loss, grads = part, partial
				continue
			}
			loss, grads = graph.Add(loss, part), add(grads, partial)
		}
	}
	newest := graph.Concatenate([]*graph.Node{key1, key2, queue}, 0)
	s.Set([]nn.Spec{m.queue}, []*graph.Node{graph.Slice(newest, graph.AxisRange(0, m.config.Queue))})
	feature1, feature2 := graph.Concatenate(features[0], 0), graph.Concatenate(features[1], 0)
	return grads, metricsOf(loss, pair(key1, key2), pair(feature1, feature2), m.params, grads)
}

// loss is InfoNCE: queries and their keys [N,d], and the queue [K,d] of other
// pictures' keys; the mean over the queries of
//
//	−ln exp(q·k/α) / (exp(q·k/α) + Σⱼ exp(q·queueⱼ/α))
func (m *MoCo) loss(query, key, queue *graph.Node) *graph.Node {
	positive := cosine(query, key)                                                                         // [N]
	all := graph.Concatenate([]*graph.Node{graph.InsertAxes(positive, -1), similarities(query, queue)}, 1) // [N,1+K]
	alpha := m.config.Temperature
	return graph.ReduceAllMean(graph.Sub(logSumExp(graph.DivScalar(all, alpha)), graph.DivScalar(positive, alpha)))
}

// keys are the target's projections of a view, of length 1: [B,H,W,C] to [B,d].
func (m *MoCo) keys(target *nn.Scope, view *graph.Node) *graph.Node {
	if m.groups == 1 {
		return nn.L2Normalize(graph.StopGradient(m.project(target, view)))
	}
	parts := make([]*graph.Node, m.groups)
	for g := range parts {
		every := graph.Slice(view, graph.AxisRange(g).Stride(m.groups)) // rows g, g+groups, ...
		parts[g] = m.project(target, every)
	}
	z := graph.Stack(parts, 1) // [B/groups,groups,d]
	return nn.L2Normalize(graph.StopGradient(graph.Reshape(z, -1, m.config.Heads.Dim)))
}

// run returns the g-th of the groups of neighbouring rows of x.
func (m *MoCo) run(x *graph.Node, g int) *graph.Node {
	if m.groups == 1 {
		return x
	}
	rows := x.Shape().Dim(0) / m.groups
	return graph.Slice(x, graph.AxisRange(g*rows, (g+1)*rows))
}
