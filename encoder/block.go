package encoder

import (
	"fmt"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// expansion is the ratio of a bottleneck's output to its inner channels.
const expansion = 4

// block is a residual block: two 3x3 convolutions, or the bottleneck 1x1, 3x3,
// 1x1; each with a norm, ReLU between them and after the sum.
type block struct {
	convs []nn.Conv
	norms []nn.Norm
	out   int // channels

	// A 1x1 projection of the input where the shape changes.
	project     bool
	projectConv nn.Conv
	projectNorm nn.Norm
}

// newBlock lays out a block from in channels to inner, or four times as many
// for a bottleneck.
func newBlock(prefix string, in, inner, stride int, bottleneck bool, c Config) block {
	var b block
	add := func(kernel, in, out, stride int) {
		i := len(b.convs) + 1
		b.convs = append(b.convs, nn.Conv{Name: fmt.Sprintf("%sconv%d", prefix, i), In: in, Out: out,
			Kernel: kernel, Stride: stride, Padding: kernel / 2, Standardize: c.Standardize})
		b.norms = append(b.norms, nn.Norm{Name: fmt.Sprintf("%sbn%d", prefix, i), Kind: c.Norm, Channels: out})
	}
	if bottleneck {
		b.out = expansion * inner
		add(1, in, inner, 1)
		add(3, inner, inner, stride)
		add(1, inner, b.out, 1)
	} else {
		b.out = inner
		add(3, in, inner, stride)
		add(3, inner, inner, 1)
	}
	if stride != 1 || in != b.out {
		b.project = true
		b.projectConv = nn.Conv{Name: prefix + "downsample.0", In: in, Out: b.out, Kernel: 1, Stride: stride,
			Standardize: c.Standardize}
		b.projectNorm = nn.Norm{Name: prefix + "downsample.1", Kind: c.Norm, Channels: b.out}
	}
	return b
}

func (b block) specs() []nn.Spec {
	var specs []nn.Spec
	for i := range b.convs {
		specs = append(specs, b.convs[i].Specs()...)
		specs = append(specs, b.norms[i].Specs()...)
	}
	if b.project {
		specs = append(specs, b.projectConv.Specs()...)
		specs = append(specs, b.projectNorm.Specs()...)
	}
	return specs
}

// forward maps x [N,H,W,In] to [N,H/stride,W/stride,out].
func (b block) forward(s *nn.Scope, x *graph.Node) *graph.Node {
	shortcut := x
	if b.project {
		shortcut = b.projectNorm.Apply(s, b.projectConv.Apply(s, x))
	}
	last := len(b.convs) - 1
	for i := range b.convs {
		x = b.norms[i].Apply(s, b.convs[i].Apply(s, x))
		if i < last {
			x = nn.ReLU(x)
		}
	}
	return nn.ReLU(graph.Add(x, shortcut))
}
