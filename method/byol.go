package method

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// BYOL is Bootstrap Your Own Latent (arXiv 2006.07733). The online network,
// weights θ, is an encoder f, a projector g and a predictor q; the target
// network, weights ξ, has f and g of its own.
//
// With Config.Beta it is the paper's bridge to contrastive learning (section 5,
// "Ablation to contrastive methods"): the loss of each order of the views gains
// β times what pushes a prediction away from the target projections of other
// pictures. β = 0 is BYOL.
type BYOL struct {
	network
	predictor head // q
}

var _ Method = (*BYOL)(nil)

// NewBYOL lays out the networks. It fails on values out of range.
func NewBYOL(c Config) (*BYOL, error) {
	if err := c.validateBYOL(); err != nil {
		return nil, err
	}
	n, err := newNetwork(c)
	if err != nil {
		return nil, err
	}
	b := &BYOL{network: n, predictor: newPredictor(c.Heads)}
	b.projector = newProjector(b.encoder.Features, c.Heads)
	var own []nn.Spec
	if c.Predictor {
		own = b.predictor.specs()
	}
	b.lay(b.projector.specs(), own, c.Target != TargetOnline)
	return b, nil
}

func (c Config) validateBYOL() error {
	switch {
	case !slices.Contains([]string{TargetEMA, TargetRandom, TargetOnline}, c.Target):
		return fmt.Errorf("method: unknown target %q: want ema, random or online", c.Target)
	case c.NoStopGradient && c.Target != TargetOnline:
		return fmt.Errorf("method: no stop-gradient with target %q, whose weights have no gradient: want target online", c.Target)
	case !(c.Beta >= 0 && c.Beta <= 1):
		return fmt.Errorf("method: beta %v: want 0 to 1", c.Beta)
	}
	if c.Beta > 0 {
		if err := c.validateTemperature(); err != nil {
			return err
		}
	}
	if err := c.validateTau(); err != nil {
		return err
	}
	return c.Heads.validate()
}

// Tau returns τ at step k of steps: 1 for a random target, 0 for the online
// network.
func (b *BYOL) Tau(k, steps int) float64 {
	switch b.config.Target {
	case TargetRandom:
		return 1
	case TargetOnline:
		return 0
	}
	return b.config.tau(k, steps)
}

// Step is one step of algorithm 1: gradients with respect to θ, the optimiser,
// and then ξ follows the updated θ.
func (b *BYOL) Step(state []*graph.Node, batch Batch, scalars Scalars) ([]*graph.Node, Metrics) {
	s := b.scope(state)
	grads, metrics := b.gradients(s, batch)
	b.learner.step(s, grads, scalars.Rate)
	if b.config.Target == TargetEMA {
		b.follow(s, scalars.Tau)
	}
	return s.Values(b.specs), metrics
}

// Accumulate takes in one of the earlier micro-batches of a step. θ and ξ wait
// for the last; only running statistics move.
func (b *BYOL) Accumulate(state []*graph.Node, batch Batch) ([]*graph.Node, Metrics) {
	s := b.scope(state)
	grads, metrics := b.gradients(s, batch)
	b.learner.gather(s, grads)
	return s.Values(b.specs), metrics
}

// gradients returns those of the loss with respect to θ, in the order of
// params.
//
// The loss is a sum over the two orders of the views, and so is its gradient.
// The target's projections come first, since nothing of their forward passes
// is kept; then each order is taken forward and backward, so that the
// activations of one view only need be alive at a time.
func (b *BYOL) gradients(s *nn.Scope, batch Batch) ([]*graph.Node, Metrics) {
	online, target := s.In("online."), s.In("target.")
	if b.config.Target == TargetOnline {
		target = online.Untracked()
	}
	target1 := nn.L2Normalize(b.config.stop(b.project(target, batch.View1))) // z̄′ξ, [B,d]
	target2 := nn.L2Normalize(b.config.stop(b.project(target, batch.View2))) // z̄ξ
	params := s.Values(b.params)                                             // θ

	loss1, feature1 := b.loss(online, batch.View1, target2, target1)
	grads1 := graph.Gradient(loss1, params...)
	loss2, feature2 := b.loss(online, batch.View2, target1, target2)
	grads2 := graph.Gradient(loss2, params...)

	grads := add(grads1, grads2)
	return grads, metricsOf(graph.Add(loss1, loss2), pair(target1, target2), pair(feature1, feature2), b.params, grads)
}

// loss is L of equation 2: the squared distance between the normalised
// prediction of a view and the normalised target projection of the other
// [B,d], at most 4; the mean over the batch. own is the target projection of the
// same view, which only negative pairs ask for. It also returns the features of the view.
func (b *BYOL) loss(online *nn.Scope, view, target, own *graph.Node) (loss, feature *graph.Node) {
	feature, prediction := b.embed(online, view) // yθ, zθ
	if b.config.Predictor {
		prediction = b.wide(b.predictor.forward(online, prediction)) // q(zθ)
	}
	prediction = nn.L2Normalize(prediction)
	distance := graph.ReduceSum(graph.Square(graph.Sub(prediction, target)), -1) // 2 − 2cos, [B]
	if beta, alpha := b.config.Beta, b.config.Temperature; beta > 0 {
		// The second sum of InfoNCE with β and α, for a loss and so without its minus.
		distance = graph.Add(distance, graph.MulScalar(others(prediction, own, target, alpha), 2*alpha*beta))
	}
	return graph.ReduceAllMean(distance), feature
}

// stop is the stop-gradient, unless the experiment leaves it out.
func (c Config) stop(x *graph.Node) *graph.Node {
	if c.NoStopGradient {
		return x
	}
	return graph.StopGradient(x)
}
