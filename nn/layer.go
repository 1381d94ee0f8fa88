package nn

import (
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// Conv is a two-dimensional convolution without bias.
type Conv struct {
	Name     string // of the layer: its kernel is Name + ".weight"
	In, Out  int    // channels
	Kernel   int    // height and width
	Stride   int    // 0 means 1
	Padding  int    // zeros on every side
	Dilation int    // of the kernel, 0 means 1; not together with a stride

	// Standardize gives every output channel's kernel mean 0 and variance 1
	// before it is used (weight standardisation, arXiv 1903.10520). With group
	// norm it replaces batch statistics in arXiv 2010.10241.
	Standardize bool
}

// Specs returns the kernel.
func (c Conv) Specs() []Spec {
	return []Spec{{Name: c.Name + ".weight", Shape: []int{c.Kernel, c.Kernel, c.In, c.Out}, Kind: ConvKernel}}
}

// Apply convolves x [N,H,W,In] to [N,H',W',Out] in the scope's type.
func (c Conv) Apply(s *Scope, x *graph.Node) *graph.Node {
	var kernel *graph.Node // [KH,KW,In,Out]
	if c.Standardize {
		kernel = Cast(standardize(s.Value(c.Name+".weight")), s.Compute())
	} else {
		kernel = s.computed(c.Name + ".weight")
	}
	conv := graph.Convolve(Cast(x, s.Compute()), kernel).
		PaddingPerDim([][2]int{{c.Padding, c.Padding}, {c.Padding, c.Padding}})
	if c.Stride > 1 {
		conv = conv.Strides(c.Stride)
	}
	if c.Dilation > 1 {
		conv = conv.Dilations(c.Dilation)
	}
	return conv.Done()
}

// standardize returns the kernel [KH,KW,In,Out] with mean 0 and variance 1 over
// all axes but the last.
func standardize(kernel *graph.Node) *graph.Node {
	centred := graph.Sub(kernel, graph.ReduceAndKeep(kernel, graph.ReduceMean, 0, 1, 2))
	variance := graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, 0, 1, 2) // [1,1,1,Out]
	return graph.Div(centred, graph.Sqrt(graph.AddScalar(variance, 1e-10)))
}

// Linear is an affine map of the last axis.
type Linear struct {
	Name    string // its tensors are Name + ".weight" and ".bias"
	In, Out int
	Bias    bool
}

// Specs returns the weight, and the bias if there is one.
func (l Linear) Specs() []Spec {
	specs := []Spec{{Name: l.Name + ".weight", Shape: []int{l.In, l.Out}, Kind: LinearWeight, FanIn: l.In}}
	if l.Bias {
		specs = append(specs, Spec{Name: l.Name + ".bias", Shape: []int{l.Out}, Kind: Bias, FanIn: l.In})
	}
	return specs
}

// Apply maps x [N,In] to [N,Out] in the scope's type.
func (l Linear) Apply(s *Scope, x *graph.Node) *graph.Node {
	y := graph.Dot(Cast(x, s.Compute()), s.computed(l.Name+".weight"))
	if l.Bias {
		y = graph.Add(y, graph.InsertAxes(s.computed(l.Name+".bias"), 0))
	}
	return y
}

// ReLU returns max(x, 0) with gradient 0 at 0; it keeps NaN, so that a
// diverged network shows.
func ReLU(x *graph.Node) *graph.Node {
	zero := graph.ScalarZero(x.Graph(), x.DType())
	return graph.Where(graph.LessOrEqual(x, zero), zero, x)
}

// MaxPool takes the maximum over 3x3 windows at stride 2 with padding 1:
// [N,H,W,C] to [N,⌈H/2⌉,⌈W/2⌉,C].
func MaxPool(x *graph.Node) *graph.Node {
	// XLA has no gradient of max-pool in bfloat16.
	y := graph.MaxPool(Cast(x, pooled(x.DType()))).
		Window(3).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
	return Cast(y, x.DType())
}

// pooled is the type in which pooling is done: at least float32.
func pooled(t dtypes.DType) dtypes.DType {
	if t == dtypes.BFloat16 || t == dtypes.Float16 {
		return dtypes.Float32
	}
	return t
}

// GlobalAveragePool averages [N,H,W,C] over the pixels to [N,C], in float32 if
// x has a smaller type.
func GlobalAveragePool(x *graph.Node) *graph.Node {
	return graph.ReduceMean(Cast(x, pooled(x.DType())), 1, 2)
}

// L2Normalize divides the rows of x [N,D] by their length, but never by less
// than 1e-12, as PyTorch's normalize does: the zero row stays zero.
func L2Normalize(x *graph.Node) *graph.Node {
	square := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1) // [N,1]
	return graph.Div(x, graph.Sqrt(graph.MaxScalar(square, 1e-24)))
}
