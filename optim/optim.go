// Package optim has the optimisers, as pure graph functions over named
// parameters, and the schedules of their rate and of the target's decay rate τ,
// as functions of the step on the host.
//
// The optimisers are LARS as BYOL's paper uses it, LARS as solo-learn and
// lightly do ("lars-clip"), SGD with momentum, and AdamW.
package optim

import (
	"fmt"
	"math"
	"strings"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// The names of the optimisers.
const (
	LARS     = "lars"      // arXiv 1708.03888, as in BYOL's paper, appendix
	LARSClip = "lars-clip" // the trust ratio bounded by the rate, as in solo-learn
	SGD      = "sgd"
	AdamW    = "adamw" // arXiv 1711.05101
)

// Names returns the names of the optimisers.
func Names() []string { return []string{LARS, LARSClip, SGD, AdamW} }

// Config chooses an optimiser. Start from [Default]: zero values are taken as
// they are.
type Config struct {
	Name        string
	Momentum    float64 // of LARS and SGD
	Nesterov    bool    // SGD and lars-clip
	WeightDecay float64
	Trust       float64 // η of LARS

	// DecayAll extends weight decay to biases and norm parameters, as lightly
	// does. LARS leaves them alone.
	DecayAll bool

	Beta1, Beta2, Epsilon float64 // AdamW

	Parts []Part // parameters with a rate of their own
}

// Part are the parameters whose names begin with Prefix: they learn at Rate
// times the rate.
type Part struct {
	Prefix string
	Rate   float64
}

// Default returns the published values of the optimiser of that name; those of
// LARS are the paper's for 1000 epochs.
func Default(name string) (Config, error) {
	c := Config{Name: name}
	switch name {
	case LARS:
		c.Momentum, c.WeightDecay, c.Trust = 0.9, 1.5e-6, 1e-3
	case LARSClip:
		c.Momentum, c.WeightDecay, c.Trust = 0.9, 1e-5, 0.02
	case SGD:
		c.Momentum, c.WeightDecay = 0.9, 5e-4
	case AdamW:
		c.WeightDecay, c.Beta1, c.Beta2, c.Epsilon = 0.01, 0.9, 0.999, 1e-8
	}
	return c, c.Validate()
}

// Validate checks names and ranges.
func (c Config) Validate() error {
	switch c.Name {
	case LARS, LARSClip, SGD, AdamW:
	default:
		return fmt.Errorf("optim: unknown optimiser %q: want one of %s", c.Name, strings.Join(Names(), ", "))
	}
	for _, f := range []struct {
		name  string
		value float64
		below float64
		used  bool
	}{
		{"momentum", c.Momentum, 1, c.Name != AdamW},
		{"weight decay", c.WeightDecay, 1, true},
		{"beta1", c.Beta1, 1, c.Name == AdamW},
		{"beta2", c.Beta2, 1, c.Name == AdamW},
	} {
		if f.used && !(f.value >= 0 && f.value < f.below) {
			return fmt.Errorf("optim: %s: %s %v: want at least 0 and less than %v", c.Name, f.name, f.value, f.below)
		}
	}
	if (c.Name == LARS || c.Name == LARSClip) && !(c.Trust > 0) {
		return fmt.Errorf("optim: %s: trust %v: want more than 0", c.Name, c.Trust)
	}
	if c.Name == AdamW && !(c.Epsilon > 0) {
		return fmt.Errorf("optim: adamw: epsilon %v: want more than 0", c.Epsilon)
	}
	for _, part := range c.Parts {
		if !(part.Rate >= 0) || math.IsInf(part.Rate, 1) {
			return fmt.Errorf("optim: %v times the rate for %s: want at least 0", part.Rate, part.Prefix)
		}
	}
	if c.Nesterov && (c.Name == LARS || c.Name == AdamW || c.Momentum == 0) {
		return fmt.Errorf("optim: nesterov needs sgd or lars-clip with a momentum, got %s with %v", c.Name, c.Momentum)
	}
	return nil
}

// Specs returns the optimiser's own state for params, in the order in which
// [Config.Update] takes and returns it.
func (c Config) Specs(params []nn.Spec) []nn.Spec {
	switch {
	case c.Name == AdamW:
		specs := []nn.Spec{{Name: "step", Kind: nn.Slot}}
		specs = append(specs, nn.Slots("mean.", params)...)
		return append(specs, nn.Slots("square.", params)...)
	case c.Momentum == 0:
		return nil
	}
	return nn.Slots("momentum.", params)
}

// Update takes one step: from the values of params, their gradients, the state
// of [Config.Specs] and the rate lr (a scalar of the same type) to new values
// and state. An invalid Config panics.
func (c Config) Update(params []nn.Spec, values, grads, state []*graph.Node, lr *graph.Node) (newValues, newState []*graph.Node) {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	n := len(params)
	if want := len(c.Specs(params)); len(values) != n || len(grads) != n || len(state) != want {
		panic(fmt.Errorf("optim: %d values, %d gradients, %d state tensors: want %d, %d, %d",
			len(values), len(grads), len(state), n, n, want))
	}
	if c.Name == AdamW {
		return c.adamW(params, values, grads, state, lr)
	}
	newValues = make([]*graph.Node, n)
	newState = make([]*graph.Node, len(state))
	for i, spec := range params {
		p, g, lr := values[i], grads[i], c.rate(spec, lr)
		switch c.Name {
		case LARS:
			g = c.lars(spec, p, g)
		case LARSClip:
			g = c.larsClip(spec, p, g, lr)
		default:
			g = c.decay(spec, p, g)
		}
		if c.Momentum > 0 {
			m := graph.Add(graph.MulScalar(state[i], c.Momentum), g)
			newState[i] = m
			if c.Nesterov {
				g = graph.Add(g, graph.MulScalar(m, c.Momentum))
			} else {
				g = m
			}
		}
		newValues[i] = graph.Sub(p, graph.Mul(lr, g))
	}
	return newValues, newState
}

// rate returns the rate of a parameter, given that of most.
func (c Config) rate(spec nn.Spec, lr *graph.Node) *graph.Node {
	for _, part := range c.Parts {
		if strings.HasPrefix(spec.Name, part.Prefix) {
			return graph.MulScalar(lr, part.Rate)
		}
	}
	return lr
}

// decays reports whether weight decay applies to the parameter.
func (c Config) decays(spec nn.Spec) bool {
	return c.WeightDecay > 0 && (c.DecayAll || spec.Kind.Weight())
}

// decay returns g + wd·p.
func (c Config) decay(spec nn.Spec, p, g *graph.Node) *graph.Node {
	if !c.decays(spec) {
		return g
	}
	return graph.Add(g, graph.MulScalar(p, c.WeightDecay))
}

// lars is the paper's: g += wd·p, then g *= η‖p‖/‖g‖. Biases and norm
// parameters are neither decayed nor adapted, and nothing is adapted whose
// norm is 0.
func (c Config) lars(spec nn.Spec, p, g *graph.Node) *graph.Node {
	if !spec.Kind.Weight() {
		return g
	}
	if c.WeightDecay > 0 {
		g = graph.Add(g, graph.MulScalar(p, c.WeightDecay))
	}
	pn, gn := graph.L2Norm(p), graph.L2Norm(g)
	ratio := graph.Div(graph.MulScalar(pn, c.Trust), gn)
	one := graph.ScalarOne(p.Graph(), p.DType())
	return graph.Mul(g, graph.Where(bothPositive(pn, gn), ratio, one))
}

// larsClip is solo-learn's: the trust ratio η‖p‖/(‖g‖ + wd‖p‖ + ε), with the
// norm of the undecayed gradient, makes the local rate, which is not to exceed
// lr: the ratio is divided by lr and clipped to 1, and applied to g + wd·p.
func (c Config) larsClip(spec nn.Spec, p, g, lr *graph.Node) *graph.Node {
	if !spec.Kind.Weight() {
		return g
	}
	const epsilon = 1e-8
	pn, gn := graph.L2Norm(p), graph.L2Norm(g)
	below := graph.AddScalar(graph.Add(gn, graph.MulScalar(pn, c.WeightDecay)), epsilon)
	ratio := graph.Div(graph.Div(graph.MulScalar(pn, c.Trust), below), lr)
	one := graph.ScalarOne(p.Graph(), p.DType())
	adapted := graph.Mul(graph.Add(g, graph.MulScalar(p, c.WeightDecay)), graph.Min(ratio, one))
	return graph.Where(broadcast(bothPositive(pn, gn), p), adapted, g)
}

// broadcast repeats a scalar condition over p's shape.
func broadcast(condition, p *graph.Node) *graph.Node {
	return graph.BroadcastToDims(condition, p.Shape().Dimensions...)
}

func bothPositive(a, b *graph.Node) *graph.Node {
	zero := graph.ScalarZero(a.Graph(), a.DType())
	return graph.LogicalAnd(graph.GreaterThan(a, zero), graph.GreaterThan(b, zero))
}

// adamW decays the weights by lr·wd, apart from the gradient, and divides the
// corrected mean of the gradients by the root of that of their squares.
func (c Config) adamW(params []nn.Spec, values, grads, state []*graph.Node, lr *graph.Node) (newValues, newState []*graph.Node) {
	n := len(params)
	newValues = make([]*graph.Node, n)
	newState = make([]*graph.Node, 1+2*n)
	step := graph.AddScalar(state[0], 1)
	newState[0] = step
	meanLeft, squareLeft := oneMinusPower(c.Beta1, step), oneMinusPower(c.Beta2, step)
	for i, spec := range params {
		p, g := values[i], grads[i]
		mean := blend(state[1+i], g, c.Beta1)
		square := blend(state[1+n+i], graph.Square(g), c.Beta2)
		newState[1+i], newState[1+n+i] = mean, square
		root := graph.AddScalar(graph.Sqrt(graph.Div(square, squareLeft)), c.Epsilon)
		update := graph.Div(graph.Div(mean, meanLeft), root)
		if c.decays(spec) {
			update = graph.Add(update, graph.MulScalar(p, c.WeightDecay))
		}
		newValues[i] = graph.Sub(p, graph.Mul(c.rate(spec, lr), update))
	}
	return newValues, newState
}

// oneMinusPower returns 1 − βᵗ without the cancellation that float32 would
// suffer for β near 1.
func oneMinusPower(beta float64, t *graph.Node) *graph.Node {
	return graph.Neg(graph.Expm1(graph.MulScalar(t, math.Log(beta))))
}

// blend returns β·old + (1−β)·new.
func blend(old, new *graph.Node, beta float64) *graph.Node {
	return graph.Add(graph.MulScalar(old, beta), graph.MulScalar(new, 1-beta))
}
