package method

import (
	"slices"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// HeadConfig describes projector and predictor, which are alike but for their norm.
type HeadConfig struct {
	Hidden int // units of the hidden layer, 4096 in the paper
	Dim    int // of the output, 256 in the paper

	// The norms of the hidden layers, batch in the paper; none for no norm.
	ProjectorNorm, PredictorNorm nn.NormKind
}

// head is Linear → norm → ReLU → Linear, the last without bias and without
// norm, as in the paper's code. Its tensors are numbered like those of a
// sequence of these four layers in PyTorch.
type head struct {
	hidden nn.Linear
	norm   nn.Norm
	out    nn.Linear
}

func newHead(name string, in int, c HeadConfig, norm nn.NormKind) head {
	return head{
		hidden: nn.Linear{Name: name + ".0", In: in, Out: c.Hidden, Bias: true},
		norm:   nn.Norm{Name: name + ".1", Kind: norm, Channels: c.Hidden},
		out:    nn.Linear{Name: name + ".3", In: c.Hidden, Out: c.Dim},
	}
}

func (h head) specs() []nn.Spec {
	return slices.Concat(h.hidden.Specs(), h.norm.Specs(), h.out.Specs())
}

// forward maps x [B,in] to [B,Dim].
func (h head) forward(s *nn.Scope, x *graph.Node) *graph.Node {
	return h.out.Apply(s, nn.ReLU(h.norm.Apply(s, h.hidden.Apply(s, x))))
}
