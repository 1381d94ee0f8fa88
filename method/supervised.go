package method

import (
	"fmt"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// Supervised learns from labels: a linear classifier on the encoder's features,
// and the cross entropy of both views. It is the yardstick for what the others
// reach without labels, on the same encoder, views and loop.
type Supervised struct {
	single
	classifier nn.Linear
}

var _ Method = (*Supervised)(nil)

// NewSupervised lays out the network. It fails on values out of range.
func NewSupervised(c Config) (*Supervised, error) {
	if c.Classes < 2 {
		return nil, fmt.Errorf("method: supervised: %d classes: want at least 2", c.Classes)
	}
	n, err := newNetwork(c)
	if err != nil {
		return nil, err
	}
	m := &Supervised{single: single{network: n}}
	m.classifier = nn.Linear{Name: "classifier", In: m.encoder.Features, Out: c.Classes, Bias: true}
	m.lay(nil, m.classifier.Specs(), false)
	m.single.gradients = m.gradients
	return m, nil
}

// UsesLabels is true.
func (m *Supervised) UsesLabels() bool { return true }

// gradients returns those of the mean cross entropy of the views that have a
// label, each view taken forward and backward on its own; zeros and loss 0 if
// none has. The accuracy of a batch without label is NaN.
func (m *Supervised) gradients(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics) {
	online, params := s.In("online."), s.Values(m.params)
	y1, loss1, right1 := m.classify(online, batch.View1, batch.Label)
	grads1 := graph.Gradient(loss1, params...)
	y2, loss2, right2 := m.classify(online, batch.View2, batch.Label)
	grads2 := graph.Gradient(loss2, params...)

	grads := add(grads1, grads2)
	metrics := metricsOf(graph.Add(loss1, loss2), pair(nn.L2Normalize(y1), nn.L2Normalize(y2)), pair(y1, y2), m.params, grads)
	labelled := graph.ReduceAllSum(m.known(batch.Label))
	metrics.Accuracy = graph.Div(graph.Add(right1, right2), graph.MulScalar(labelled, 2))
	return grads, metrics
}

// classify returns the features of a view [B,Features], half the mean cross
// entropy of the rows with label, and the number of those classified right.
func (m *Supervised) classify(online *nn.Scope, view, label *graph.Node) (features, loss, right *graph.Node) {
	features = m.wide(m.encoder.Forward(online.In("encoder."), view))
	logits := m.wide(m.classifier.Apply(online, features)) // [B,Classes]
	known := m.known(label)
	loss = graph.ReduceAllSum(graph.Mul(known, crossEntropy(logits, label)))
	loss = graph.Div(loss, graph.MulScalar(graph.MaxScalar(graph.ReduceAllSum(known), 1), 2))
	hit := nn.Cast(graph.Equal(graph.ArgMax(logits, -1, label.DType()), label), logits.DType())
	return features, loss, graph.ReduceAllSum(graph.Mul(known, hit))
}

// known is 1 for rows with a label and 0 for others, [B].
func (m *Supervised) known(label *graph.Node) *graph.Node {
	return nn.Cast(graph.GreaterOrEqual(label, graph.ScalarZero(label.Graph(), label.DType())), m.config.master())
}

// crossEntropy is −ln softmax(logits)[label] of every row of logits
// [B,Classes], [B]; of a row without label it is the logarithm of the sum alone.
func crossEntropy(logits, label *graph.Node) *graph.Node {
	g, dims := logits.Graph(), logits.Shape().Dimensions
	class := graph.Iota(g, shapes.Make(dtypes.Int32, dims...), 1)
	hot := graph.Equal(class, graph.BroadcastToDims(graph.InsertAxes(label, -1), dims...))
	zero := graph.ScalarZero(g, logits.DType())
	return graph.Sub(logSumExp(logits), graph.ReduceSum(graph.Where(hot, logits, zero), -1))
}
