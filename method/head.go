package method

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// HeadConfig describes projector and predictor.
type HeadConfig struct {
	Hidden int // units of the hidden layer, 4096 in the paper
	Dim    int // of the output, 256 in the paper

	// PredictorHidden are the units of the predictor's hidden layer; 0 means
	// as many as the projector's, as in the paper. SimSiam's is narrow.
	PredictorHidden int

	// The norms of the hidden layers, batch in the paper; none for no norm.
	ProjectorNorm, PredictorNorm nn.NormKind

	// OutputNorm is a norm on the projection. BYOL has none, SimSiam batch.
	// Empty means none.
	OutputNorm nn.NormKind
}

func (c HeadConfig) validate() error {
	if c.Hidden < 1 || c.Dim < 1 || c.PredictorHidden < 0 {
		return fmt.Errorf("method: heads of %d and %d units, predictor of %d: want at least 1", c.Hidden, c.Dim, c.PredictorHidden)
	}
	for _, norm := range []nn.NormKind{c.ProjectorNorm, c.PredictorNorm, c.outputNorm()} {
		if _, err := nn.ParseNorm(string(norm)); err != nil {
			return fmt.Errorf("method: heads: %w", err)
		}
	}
	return nil
}

func (c HeadConfig) outputNorm() nn.NormKind {
	if c.OutputNorm == "" {
		return nn.NoNorm
	}
	return c.OutputNorm
}

// head is Linear → norm → ReLU → Linear → norm, the last linear layer without
// bias, and in the paper the last norm is none. Its tensors are numbered like
// those of a sequence of these five layers in PyTorch.
type head struct {
	hidden     nn.Linear
	norm       nn.Norm
	out        nn.Linear
	outputNorm nn.Norm
}

// newProjector is g, of the features of an encoder.
func newProjector(features int, c HeadConfig) head {
	return newHead("projector", features, c.Hidden, c.Dim, c.ProjectorNorm, c.outputNorm())
}

// newPredictor is q, from projection to projection.
func newPredictor(c HeadConfig) head {
	hidden := c.PredictorHidden
	if hidden == 0 {
		hidden = c.Hidden
	}
	return newHead("predictor", c.Dim, hidden, c.Dim, c.PredictorNorm, nn.NoNorm)
}

func newHead(name string, in, hidden, out int, norm, outputNorm nn.NormKind) head {
	return head{
		hidden:     nn.Linear{Name: name + ".0", In: in, Out: hidden, Bias: true},
		norm:       nn.Norm{Name: name + ".1", Kind: norm, Channels: hidden},
		out:        nn.Linear{Name: name + ".3", In: hidden, Out: out},
		outputNorm: nn.Norm{Name: name + ".4", Kind: outputNorm, Channels: out},
	}
}

func (h head) specs() []nn.Spec {
	return slices.Concat(h.hidden.Specs(), h.norm.Specs(), h.out.Specs(), h.outputNorm.Specs())
}

// forward maps x [B,in] to [B,out].
func (h head) forward(s *nn.Scope, x *graph.Node) *graph.Node {
	x = nn.ReLU(h.norm.Apply(s, h.hidden.Apply(s, x)))
	return h.outputNorm.Apply(s, h.out.Apply(s, x))
}
