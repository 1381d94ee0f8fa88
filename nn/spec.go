// Package nn holds the state of a model by name and the layers that the
// encoder and the heads are made of: convolution, linear, normalisation,
// pooling.
//
// State is explicit: a model lists its tensors as [Spec] values in a fixed
// order, [Init] draws them on the host, and a graph function reads them
// through a [Scope]. Nothing is hidden in a context, so that a training step
// is a pure function from state to state, and a checkpoint is the list of its
// inputs.
//
// Images and features are NHWC; convolution kernels are HWIO and linear
// weights [in,out]. [ToTorch] and [FromTorch] translate to the layout of
// torchvision's files, whose names the specs carry.
//
// Layers use standard GoMLX operations only, so that every backend can run
// them. As in all GoMLX code, misuse while a graph is being built panics.
package nn

import "fmt"

// Kind says what a state tensor is: how it is initialised, laid out on disk,
// and treated by the optimiser and the moving average.
type Kind uint8

// The kinds of state tensors.
const (
	ConvKernel   Kind = iota // [KH,KW,In,Out]; in torch [Out,In,KH,KW]
	LinearWeight             // [In,Out]; in torch [Out,In]
	Bias                     // [Out], of a linear layer
	NormScale                // [C], γ
	NormOffset               // [C], β
	RunningMean              // [C], of batch norm
	RunningVar               // [C], of batch norm, unbiased
	Slot                     // an optimiser's or accumulator's tensor, begins at zero
	Directions               // [N,D], remembered vectors of length 1
)

var kindNames = [...]string{"conv kernel", "linear weight", "bias", "norm scale", "norm offset",
	"running mean", "running variance", "slot", "directions"}

// String names the kind in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("nn.Kind(%d)", uint8(k))
}

// Trainable reports whether the optimiser changes tensors of this kind, and
// whether the target network follows them.
func (k Kind) Trainable() bool { return k <= NormOffset }

// Weight reports whether the kind is a convolution kernel or a linear weight:
// those that LARS adapts and that weight decay shrinks. Biases and the
// parameters of a normalisation are trainable but no weights.
func (k Kind) Weight() bool { return k == ConvKernel || k == LinearWeight }

// Spec describes one tensor of the state.
type Spec struct {
	Name  string // torchvision's, with a prefix: "online.encoder.layer1.0.conv1.weight"
	Shape []int  // in this program's layout
	Kind  Kind
	FanIn int // inputs of one output; for Bias, whose shape does not tell
}

// Size returns the number of elements.
func (s Spec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Prefixed returns the specs with prefix put before every name.
func Prefixed(prefix string, specs []Spec) []Spec {
	out := make([]Spec, len(specs))
	for i, s := range specs {
		s.Name = prefix + s.Name
		out[i] = s
	}
	return out
}

// Trainable returns the specs whose kind is trainable, in order.
func Trainable(specs []Spec) []Spec {
	var out []Spec
	for _, s := range specs {
		if s.Kind.Trainable() {
			out = append(out, s)
		}
	}
	return out
}

// Slots returns one zero-initialised tensor for every spec, of its shape, named
// prefix + name.
func Slots(prefix string, specs []Spec) []Spec {
	out := make([]Spec, len(specs))
	for i, s := range specs {
		out[i] = Spec{Name: prefix + s.Name, Shape: s.Shape, Kind: Slot}
	}
	return out
}
