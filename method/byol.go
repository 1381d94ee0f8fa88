package method

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// The networks that can serve as BYOL's target.
const (
	TargetEMA    = "ema"    // an exponential moving average of the online network: the paper
	TargetRandom = "random" // the online network as it was drawn, for ever (table 5a, τ = 1)
	TargetOnline = "online" // the online network itself, without gradient (τ = 0)
)

// The schedules of τ.
const (
	TauCosine = "cosine" // from Tau to 1
	TauFixed  = "fixed"
)

// Config describes a run of BYOL. Start from [DefaultConfig].
type Config struct {
	Encoder encoder.Config
	Heads   HeadConfig

	Target      string  // TargetEMA, TargetRandom or TargetOnline
	Tau         float64 // τ, of the moving average, at the first step
	TauSchedule string  // TauCosine or TauFixed
	Predictor   bool    // without it, the projection itself has to match the target

	Optim      optim.Config
	Accumulate int // micro-batches of a step; 0 means 1

	// Compute is the type of convolutions and linear layers: Float32, or
	// BFloat16 with float32 weights, norms, loss and optimiser. Zero means
	// Float32. Tests use Float64, and then the state is float64 too.
	Compute dtypes.DType
}

// DefaultConfig is the paper's for 1000 epochs, with ResNet-50 on large
// pictures.
func DefaultConfig() Config {
	lars, err := optim.Default(optim.LARS)
	if err != nil {
		panic(err) // the name is our own
	}
	return Config{
		Encoder: encoder.Config{Arch: "resnet50", Stem: encoder.StemImageNet},
		Heads:   HeadConfig{Hidden: 4096, Dim: 256, ProjectorNorm: nn.BatchNorm, PredictorNorm: nn.BatchNorm},
		Target:  TargetEMA, Tau: 0.996, TauSchedule: TauCosine, Predictor: true,
		Optim: lars, Compute: dtypes.Float32,
	}
}

// BYOL is Bootstrap Your Own Latent (arXiv 2006.07733). The online network,
// weights θ, is an encoder f, a projector g and a predictor q; the target
// network, weights ξ, has f and g of its own.
type BYOL struct {
	config Config
	specs  []nn.Spec

	encoder              *encoder.Encoder // f
	projector, predictor head             // g, q

	online  []nn.Spec // θ, without the predictor: what the target follows
	target  []nn.Spec // ξ, in the same order; none if the target is online
	learner           // of θ
}

var _ Method = (*BYOL)(nil)

// NewBYOL lays out the networks. It fails on values out of range.
func NewBYOL(c Config) (*BYOL, error) {
	if c.Compute == dtypes.InvalidDType {
		c.Compute = dtypes.Float32
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	f, err := encoder.New(c.Encoder)
	if err != nil {
		return nil, err
	}
	b := &BYOL{config: c, encoder: f}
	b.projector = newHead("projector", f.Features, c.Heads, c.Heads.ProjectorNorm)
	b.predictor = newHead("predictor", c.Heads.Dim, c.Heads, c.Heads.PredictorNorm)

	shared := slices.Concat(nn.Prefixed("encoder.", f.Specs()), b.projector.specs())
	networks := nn.Prefixed("online.", shared)
	b.online = nn.Trainable(networks)
	if c.Predictor {
		networks = append(networks, nn.Prefixed("online.", b.predictor.specs())...)
	}
	b.learner = newLearner(c.Optim, nn.Trainable(networks), c.Accumulate)
	if c.Target != TargetOnline {
		target := nn.Prefixed("target.", shared)
		b.target = nn.Trainable(target)
		networks = append(networks, target...)
	}
	b.specs = append(networks, b.learner.specs()...)
	return b, nil
}

func (c Config) validate() error {
	switch {
	case !slices.Contains([]string{TargetEMA, TargetRandom, TargetOnline}, c.Target):
		return fmt.Errorf("method: unknown target %q: want ema, random or online", c.Target)
	case c.TauSchedule != TauCosine && c.TauSchedule != TauFixed:
		return fmt.Errorf("method: unknown schedule of tau %q: want cosine or fixed", c.TauSchedule)
	case !(c.Tau >= 0 && c.Tau <= 1):
		return fmt.Errorf("method: tau %v: want 0 to 1", c.Tau)
	case c.Heads.Hidden < 1 || c.Heads.Dim < 1:
		return fmt.Errorf("method: heads of %d and %d units: want at least 1", c.Heads.Hidden, c.Heads.Dim)
	case c.Accumulate < 0:
		return fmt.Errorf("method: %d micro-batches: want at least 1", c.Accumulate)
	case !slices.Contains([]dtypes.DType{dtypes.Float32, dtypes.BFloat16, dtypes.Float64}, c.Compute):
		return fmt.Errorf("method: cannot compute in %s: want float32 or bfloat16", c.Compute)
	}
	for _, norm := range []nn.NormKind{c.Heads.ProjectorNorm, c.Heads.PredictorNorm} {
		if _, err := nn.ParseNorm(string(norm)); err != nil {
			return fmt.Errorf("method: heads: %w", err)
		}
	}
	return c.Optim.Validate()
}

// Encoder returns the network f, whose tensors have the prefix EncoderPrefix.
func (b *BYOL) Encoder() *encoder.Encoder { return b.encoder }

// Specs lists online and target network, the optimiser's state and the gathered
// gradients.
func (b *BYOL) Specs() []nn.Spec { return b.specs }

// AccumulateSteps is the number of micro-batches of one step.
func (b *BYOL) AccumulateSteps() int { return b.accumulate }

// Tau returns τ at step k of steps: 1 for a random target, 0 for the online
// network.
func (b *BYOL) Tau(k, steps int) float64 {
	switch {
	case b.config.Target == TargetRandom:
		return 1
	case b.config.Target == TargetOnline:
		return 0
	case b.config.TauSchedule == TauFixed:
		return b.config.Tau
	}
	return optim.Tau(b.config.Tau, k, steps)
}

// Init draws the online network; the target begins as its copy.
func (b *BYOL) Init(seed uint64) [][]float32 {
	values := make([][]float32, len(b.specs))
	drawn := map[string][]float32{}
	for i, s := range b.specs {
		if name, ok := strings.CutPrefix(s.Name, "target."); ok {
			values[i] = slices.Clone(drawn["online."+name])
			continue
		}
		values[i] = nn.Init(s, seed)
		drawn[s.Name] = values[i]
	}
	return values
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

func (b *BYOL) scope(state []*graph.Node) *nn.Scope {
	return nn.NewScope(b.specs, state, true, b.config.Compute)
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
	target1 := nn.L2Normalize(graph.StopGradient(b.project(target, batch.View1))) // z̄′ξ, [B,d]
	target2 := nn.L2Normalize(graph.StopGradient(b.project(target, batch.View2))) // z̄ξ
	params := s.Values(b.params)                                                  // θ

	loss1 := b.loss(online, batch.View1, target2)
	grads1 := graph.Gradient(loss1, params...)
	loss2 := b.loss(online, batch.View2, target1)
	grads2 := graph.Gradient(loss2, params...)

	grads := add(grads1, grads2)
	return grads, metrics(graph.Add(loss1, loss2), target1, target2, grads)
}

// loss is L of equation 2: the squared distance between the normalised
// prediction of a view and the normalised target projection of the other
// [B,d], at most 4; the mean over the batch.
func (b *BYOL) loss(online *nn.Scope, view, target *graph.Node) *graph.Node {
	prediction := b.project(online, view) // zθ
	if b.config.Predictor {
		prediction = b.wide(online, b.predictor.forward(online, prediction)) // q(zθ)
	}
	difference := graph.Sub(nn.L2Normalize(prediction), target)
	return graph.ReduceAllMean(graph.ReduceSum(graph.Square(difference), -1))
}

// project is g(f(view)): [B,H,W,C] to [B,d].
func (b *BYOL) project(s *nn.Scope, view *graph.Node) *graph.Node {
	y := b.encoder.Forward(s.In("encoder."), view)
	return b.wide(s, b.projector.forward(s, y))
}

// wide converts x to the type of the weights, in which the loss is computed.
func (b *BYOL) wide(s *nn.Scope, x *graph.Node) *graph.Node {
	return nn.Cast(x, s.Value("projector.3.weight").DType())
}

// follow is ξ ← τξ + (1−τ)θ, over weights and not over running statistics.
func (b *BYOL) follow(s *nn.Scope, tau *graph.Node) {
	theta, xi := s.Values(b.online), s.Values(b.target)
	for i := range xi {
		xi[i] = graph.Add(graph.Mul(tau, xi[i]), graph.Mul(graph.OneMinus(tau), theta[i]))
	}
	s.Set(b.target, xi)
}

// metrics looks at the two views' normalised target projections [B,d].
func metrics(loss, target1, target2 *graph.Node, grads []*graph.Node) Metrics {
	batch, d := target1.Shape().Dim(0), target1.Shape().Dim(1)
	centred := graph.Sub(target1, graph.ReduceAndKeep(target1, graph.ReduceMean, 0))
	variance := graph.DivScalar(graph.ReduceSum(graph.Square(centred), 0), float64(max(1, batch-1))) // [d]

	// All pairs' cosines add up to the product of the sums of the vectors.
	positive := graph.ReduceAllSum(graph.Mul(target1, target2))
	all := graph.ReduceAllSum(graph.Mul(graph.ReduceSum(target1, 0), graph.ReduceSum(target2, 0)))
	pairs := float64(max(1, batch*(batch-1)))
	return Metrics{
		Loss:           loss,
		TargetStd:      graph.MulScalar(graph.ReduceAllMean(graph.Sqrt(variance)), math.Sqrt(float64(d))),
		PositiveCosine: graph.DivScalar(positive, float64(batch)),
		NegativeCosine: graph.DivScalar(graph.Sub(all, positive), pairs),
		GradientNorm:   norm(grads),
		Projection:     target1,
	}
}
