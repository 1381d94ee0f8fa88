package nn

import (
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/graph"
)

// NormKind names a normalisation.
type NormKind string

// The normalisations.
const (
	BatchNorm NormKind = "batch" // over the batch and the pixels (arXiv 1502.03167)
	GroupNorm NormKind = "group" // over pixels and groups of channels, at most 32 (arXiv 1803.08494)
	LayerNorm NormKind = "layer" // over pixels and all channels: group norm with one group
	NoNorm    NormKind = "none"
)

// ParseNorm returns the normalisation of that name, or an error that lists
// them.
func ParseNorm(name string) (NormKind, error) {
	switch k := NormKind(name); k {
	case BatchNorm, GroupNorm, LayerNorm, NoNorm:
		return k, nil
	}
	return "", fmt.Errorf("nn: unknown norm %q: want batch, group, layer or none", name)
}

const (
	normEpsilon = 1e-5 // added to the variance
	normDecay   = 0.9  // of the running statistics (the paper's; PyTorch calls 0.1 the momentum)
	maxGroups   = 32

	minGroup     = 2  // channels of a group of [N,H,W,C]
	minFlatGroup = 16 // and of [N,C]
)

// Norm normalises the channels, the last axis, of [N,H,W,C] or [N,C].
type Norm struct {
	Name     string // its tensors are Name + ".weight", ".bias", ".running_mean", ".running_var"
	Kind     NormKind
	Channels int
}

// Specs returns scale and offset and, for batch norm, the running statistics.
func (n Norm) Specs() []Spec {
	if n.Kind == NoNorm {
		return nil
	}
	shape := []int{n.Channels}
	specs := []Spec{
		{Name: n.Name + ".weight", Shape: shape, Kind: NormScale},
		{Name: n.Name + ".bias", Shape: shape, Kind: NormOffset},
	}
	if n.Kind == BatchNorm {
		specs = append(specs,
			Spec{Name: n.Name + ".running_mean", Shape: shape, Kind: RunningMean},
			Spec{Name: n.Name + ".running_var", Shape: shape, Kind: RunningVar})
	}
	return specs
}

// Apply normalises x. Statistics are taken in the type of the parameters
// (float32); the result has x's type.
func (n Norm) Apply(s *Scope, x *graph.Node) *graph.Node {
	if n.Kind == NoNorm {
		return x
	}
	scale, offset := s.Value(n.Name+".weight"), s.Value(n.Name+".bias") // [C]
	wide := Cast(x, scale.DType())
	var y *graph.Node
	switch n.Kind {
	case BatchNorm:
		y = n.batch(s, wide, scale, offset)
	case LayerNorm:
		y = groupNorm(wide, scale, offset, 1)
	case GroupNorm:
		y = groupNorm(wide, scale, offset, groups(n.Channels, x.Rank() == 2))
	default:
		panic(fmt.Errorf("nn: norm %q has unknown kind %q", n.Name, n.Kind))
	}
	return Cast(y, x.DType())
}

// batch is batch norm. In training it moves the running statistics towards the
// batch's, the variance unbiased, as the paper and PyTorch do.
func (n Norm) batch(s *Scope, x, scale, offset *graph.Node) *graph.Node {
	mean, variance := s.Value(n.Name+".running_mean"), s.Value(n.Name+".running_var")
	if !s.Training() {
		return graph.InternalBatchNormForInference(x, scale, offset, mean, variance, normEpsilon, -1)
	}
	y, batchMean, batchVar := graph.InternalBatchNormForTraining(x, scale, offset, normEpsilon, -1)
	count := x.Shape().Size() / n.Channels // values behind one channel's statistics
	if count > 1 {
		batchVar = graph.MulScalar(batchVar, float64(count)/float64(count-1))
	}
	s.update(n.Name+".running_mean", mix(mean, batchMean, normDecay))
	s.update(n.Name+".running_var", mix(variance, batchVar, normDecay))
	return y
}

// mix returns decay·old + (1−decay)·new.
func mix(old, new *graph.Node, decay float64) *graph.Node {
	return graph.Add(graph.MulScalar(old, decay), graph.MulScalar(new, 1-decay))
}

// groups returns 32, or the largest divisor of channels below that leaves two
// channels to a group, or 16 where there are no pixels to take statistics over:
// of fewer values little is left but their sign.
func groups(channels int, flat bool) int {
	least := minGroup
	if flat {
		least = minFlatGroup
	}
	most := min(maxGroups, channels/least)
	for g := most; g > 1; g-- {
		if channels%g == 0 {
			return g
		}
	}
	return 1
}

// groupNorm gives every sample's groups of channels mean 0 and variance 1.
func groupNorm(x, scale, offset *graph.Node, groups int) *graph.Node {
	dims := x.Shape().Dimensions
	batch, channels := dims[0], dims[len(dims)-1]
	g := graph.Reshape(x, batch, -1, groups, channels/groups) // [N,P,G,C/G]
	centred := graph.Sub(g, graph.ReduceAndKeep(g, graph.ReduceMean, 1, 3))
	variance := graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, 1, 3) // [N,1,G,1]
	y := graph.Div(centred, graph.Sqrt(graph.AddScalar(variance, normEpsilon)))
	y = graph.Reshape(y, dims...)
	return graph.Add(graph.Mul(y, graph.ExpandLeftToRank(scale, len(dims))), graph.ExpandLeftToRank(offset, len(dims)))
}
