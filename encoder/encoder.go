// Package encoder builds the networks f that BYOL trains: ResNets as in
// torchvision ("v1.5": a bottleneck's stride sits in its 3x3 convolution),
// from ResNet-18 to ResNet-200, of any width, for large pictures and for small
// ones, up to the average pool: there is no classifier.
//
// The state tensors carry torchvision's names, so that weights can be
// exchanged with it.
package encoder

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/nearest"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// Stem names the layers before the first stage.
type Stem string

// The stems.
const (
	StemAuto     Stem = "auto"     // cifar up to 64 pixels, else imagenet
	StemImageNet Stem = "imagenet" // 7x7 convolution at stride 2, max-pool at stride 2
	StemCIFAR    Stem = "cifar"    // 3x3 convolution at stride 1, no max-pool
)

// autoCIFAR is the largest picture, in pixels, for which the automatic stem
// keeps the resolution.
const autoCIFAR = 64

// Config describes an encoder. Its zero values mean: width 1, automatic stem
// (which needs Size), batch norm, 3 channels.
type Config struct {
	Arch     string  // one of Archs
	Width    float64 // multiplies the channels of every layer; 0 means 1
	Stem     Stem
	Size     int // pixels of a picture's side; only the automatic stem asks
	Channels int // of the input, 1 or 3; 0 means 3
	Norm     nn.NormKind

	// Standardize turns on weight standardisation of every convolution.
	Standardize bool
}

// arch is the number of blocks of the four stages, and their type.
type arch struct {
	name       string
	blocks     [4]int
	bottleneck bool
}

// He et al. 2016, table 1; ResNet-200 from arXiv 1603.05027.
var archs = []arch{
	{"resnet18", [4]int{2, 2, 2, 2}, false},
	{"resnet34", [4]int{3, 4, 6, 3}, false},
	{"resnet50", [4]int{3, 4, 6, 3}, true},
	{"resnet101", [4]int{3, 4, 23, 3}, true},
	{"resnet152", [4]int{3, 8, 36, 3}, true},
	{"resnet200", [4]int{3, 24, 36, 3}, true},
}

// Archs returns the names of the architectures.
func Archs() []string {
	names := make([]string, len(archs))
	for i, a := range archs {
		names[i] = a.name
	}
	return names
}

// OnlinePrefix begins the names of the tensors of the encoder that a training's state
// holds; what follows is torchvision's name.
const OnlinePrefix = "online.encoder."

// Encoder is a ResNet without its classifier.
type Encoder struct {
	Config   // resolved: no zero values, no automatic stem
	Features int

	conv1  nn.Conv
	bn1    nn.Norm
	blocks []block
}

// New lays out the encoder that c describes. It fails on an unknown
// architecture, naming the nearest, and on values out of range.
func New(c Config) (*Encoder, error) {
	a, err := findArch(c.Arch)
	if err != nil {
		return nil, err
	}
	if c, err = c.resolve(); err != nil {
		return nil, err
	}
	e := &Encoder{Config: c}
	base := max(1, int(math.Round(64*c.Width)))
	e.conv1 = nn.Conv{Name: "conv1", In: c.Channels, Out: base, Kernel: 7, Stride: 2, Padding: 3, Standardize: c.Standardize}
	if c.Stem == StemCIFAR {
		e.conv1.Kernel, e.conv1.Stride, e.conv1.Padding = 3, 1, 1
	}
	e.bn1 = nn.Norm{Name: "bn1", Kind: c.Norm, Channels: base}
	in := base
	for stage, blocks := range a.blocks {
		for i := range blocks {
			stride := 1
			if stage > 0 && i == 0 {
				stride = 2
			}
			b := newBlock(fmt.Sprintf("layer%d.%d.", stage+1, i), in, base<<stage, stride, a.bottleneck, c)
			e.blocks = append(e.blocks, b)
			in = b.out
		}
	}
	e.Features = in
	return e, nil
}

func findArch(name string) (arch, error) {
	for _, a := range archs {
		if a.name == name {
			return a, nil
		}
	}
	hint := ""
	if n, ok := nearest.Of(strings.ToLower(name), Archs()); ok {
		hint = fmt.Sprintf(": did you mean %q?", n)
	}
	return arch{}, fmt.Errorf("encoder: unknown architecture %q%s (have %s)", name, hint, strings.Join(Archs(), ", "))
}

// resolve fills the defaults and checks the rest.
func (c Config) resolve() (Config, error) {
	if c.Width == 0 {
		c.Width = 1
	}
	if !(c.Width > 0 && c.Width <= 16) {
		return c, fmt.Errorf("encoder: width %v: want more than 0 and at most 16", c.Width)
	}
	if c.Channels == 0 {
		c.Channels = 3
	}
	if c.Channels != 1 && c.Channels != 3 {
		return c, fmt.Errorf("encoder: %d input channels: want 1 or 3", c.Channels)
	}
	if c.Stem == "" || c.Stem == StemAuto {
		if c.Size <= 0 {
			return c, fmt.Errorf("encoder: the automatic stem needs the size of the pictures, got %d", c.Size)
		}
		c.Stem = StemImageNet
		if c.Size <= autoCIFAR {
			c.Stem = StemCIFAR
		}
	}
	if !slices.Contains([]Stem{StemImageNet, StemCIFAR}, c.Stem) {
		return c, fmt.Errorf("encoder: unknown stem %q: want auto, imagenet or cifar", c.Stem)
	}
	if c.Norm == "" {
		c.Norm = nn.BatchNorm
	}
	norm, err := nn.ParseNorm(string(c.Norm))
	c.Norm = norm
	return c, err
}

// Specs returns the state tensors, in torchvision's order.
func (e *Encoder) Specs() []nn.Spec {
	specs := slices.Concat(e.conv1.Specs(), e.bn1.Specs())
	for _, b := range e.blocks {
		specs = append(specs, b.specs()...)
	}
	return specs
}

// Forward encodes x [N,H,W,Channels] as features [N,Features], of type float32
// or wider: the average over the pixels of the last stage.
func (e *Encoder) Forward(s *nn.Scope, x *graph.Node) *graph.Node {
	x = nn.ReLU(e.bn1.Apply(s, e.conv1.Apply(s, x)))
	if e.Stem == StemImageNet {
		x = nn.MaxPool(x)
	}
	for _, b := range e.blocks {
		x = b.forward(s, x)
	}
	return nn.GlobalAveragePool(x)
}

// LargestActivation returns how many values the largest activation of a picture of so many
// pixels a side has: what decides over the memory of an encoder at work.
func (e *Encoder) LargestActivation(size int) int {
	side := (size + e.conv1.Stride - 1) / e.conv1.Stride
	most := side * side * e.conv1.Out
	if e.Stem == StemImageNet {
		side = (side + 1) / 2
	}
	for _, b := range e.blocks {
		for _, c := range b.convs {
			side = (side + c.Stride - 1) / c.Stride
			most = max(most, side*side*c.Out)
		}
	}
	return most
}
