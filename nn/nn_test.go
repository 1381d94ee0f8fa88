package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

func TestInit(t *testing.T) {
	moments := func(v []float32) (mean, std, largest float64) {
		for _, x := range v {
			mean += float64(x) / float64(len(v))
			largest = max(largest, math.Abs(float64(x)))
		}
		for _, x := range v {
			std += (float64(x) - mean) * (float64(x) - mean) / float64(len(v))
		}
		return mean, math.Sqrt(std), largest
	}
	kernel := nn.Spec{Name: "conv1.weight", Shape: []int{3, 3, 16, 64}, Kind: nn.ConvKernel}
	mean, std, _ := moments(nn.Init(kernel, 1))
	nntest.Close(t, "kernel: mean", mean, 0, 2e-3)
	nntest.Close(t, "kernel: deviation over √(2/fan out)", std/math.Sqrt(2./(9*64)), 1, 0.03)

	linear := nn.Linear{Name: "fc", In: 100, Out: 200, Bias: true}.Specs()
	for _, s := range linear {
		_, std, largest := moments(nn.Init(s, 1))
		if largest > 0.1 {
			t.Errorf("%s: %v is beyond 1/√fan in", s.Name, largest)
		}
		nntest.Close(t, s.Name+": deviation over that of ±1/√fan in", std/(0.1/math.Sqrt(3)), 1, 0.1)
	}
	for _, s := range (nn.Norm{Name: "bn", Kind: nn.BatchNorm, Channels: 3}).Specs() {
		want := map[nn.Kind]float32{nn.NormScale: 1, nn.RunningVar: 1}[s.Kind]
		if got := nn.Init(s, 1); !slices.Equal(got, []float32{want, want, want}) {
			t.Errorf("%s begins at %v, want %v", s.Name, got, want)
		}
	}
	directions := nn.Spec{Name: "queue", Shape: []int{50, 8}, Kind: nn.Directions}
	mean, std, _ = moments(nn.Init(directions, 1))
	nntest.Close(t, "directions: mean", mean, 0, 0.05)
	nntest.Close(t, "directions: deviation over 1/√d", std*math.Sqrt(8), 1, 0.01)
	// Seed and name decide, nothing else.
	other := kernel
	other.Name = "conv2.weight"
	if !slices.Equal(nn.Init(kernel, 1), nn.InitAll([]nn.Spec{other, kernel}, 1)[1]) {
		t.Error("the order of drawing changes a tensor")
	}
	if slices.Equal(nn.Init(kernel, 1), nn.Init(other, 1)) || slices.Equal(nn.Init(kernel, 1), nn.Init(kernel, 2)) {
		t.Error("another name or seed draws the same tensor")
	}
}

func TestLayouts(t *testing.T) {
	s := nn.Spec{Name: "w", Shape: []int{2, 1, 3, 2}, Kind: nn.ConvKernel} // H 2, W 1, I 3, O 2
	ours := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	torch := []float32{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}
	if got, err := nn.ToTorch(s, ours); err != nil || !slices.Equal(got, torch) {
		t.Errorf("kernel in torch's layout: %v, %v; want %v", got, err, torch)
	}
	if got, err := nn.FromTorch(s, torch); err != nil || !slices.Equal(got, ours) {
		t.Errorf("kernel back: %v, %v; want %v", got, err, ours)
	}
	if got, want := nn.TorchShape(s), []int{2, 3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("kernel's shape %v, want %v", got, want)
	}
	s = nn.Spec{Name: "w", Shape: []int{3, 2}, Kind: nn.LinearWeight}
	if got, err := nn.ToTorch(s, []float32{0, 1, 2, 3, 4, 5}); err != nil || !slices.Equal(got, []float32{0, 2, 4, 1, 3, 5}) {
		t.Errorf("linear weight in torch's layout: %v, %v", got, err)
	}
	if _, err := nn.FromTorch(s, make([]float32, 5)); err == nil {
		t.Error("5 values fill a tensor of 6")
	}
}

// TestReLU checks what a comparison with PyTorch on random numbers does not
// reach: NaN stays, and the gradient at 0 is 0.
func TestReLU(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	x := []float32{-1, 0, float32(math.Copysign(0, -1)), 2, nan, inf, -inf}
	out := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		y := nn.ReLU(in[0])
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), in[0])[0]}
	}, x)
	for i, want := range []float64{0, 0, 0, 2, math.NaN(), math.Inf(1), 0} {
		if got := nntest.Floats(t, out[0])[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("ReLU(%v) = %v, want %v", x[i], got, want)
		}
	}
	if got, want := nntest.Floats(t, out[1]), []float64{0, 0, 0, 1, 1, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("gradients %v, want %v", got, want)
	}
}

// TestRunningStatistics checks that a second pass goes on from the first, and
// that an untracked pass leaves no trace.
func TestRunningStatistics(t *testing.T) {
	n := nn.Norm{Name: "bn", Kind: nn.BatchNorm, Channels: 1}
	specs := n.Specs()
	var inputs []any
	for _, v := range nn.Tensors(specs, nn.InitAll(specs, 0)) {
		inputs = append(inputs, v)
	}
	inputs = append(inputs, [][]float32{{1}, {3}}, [][]float32{{5}, {5}}) // means 2, 5; unbiased variances 2, 0
	out := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		s := nn.NewScope(specs, in[:4], true, dtypes.Float32)
		n.Apply(s, in[4])
		n.Apply(s, in[5])
		n.Apply(s.Untracked(), in[4])
		return s.Values(specs[2:])
	}, inputs...)
	nntest.Close(t, "running mean", nntest.Floats(t, out[0])[0], .9*(.9*0+.1*2)+.1*5, 1e-6)
	nntest.Close(t, "running variance", nntest.Floats(t, out[1])[0], .9*(.9*1+.1*2)+.1*0, 1e-6)
}

// TestBFloat16 checks the types along the way: layers compute and answer in
// bfloat16, norms keep it outside, parameters and pooled features are float32.
func TestBFloat16(t *testing.T) {
	c := nn.Conv{Name: "c", In: 3, Out: 4, Kernel: 3, Padding: 1}
	n := nn.Norm{Name: "n", Kind: nn.BatchNorm, Channels: 4}
	specs := append(c.Specs(), n.Specs()...)
	var inputs []any
	for _, v := range nn.Tensors(specs, nn.InitAll(specs, 1)) {
		inputs = append(inputs, v)
	}
	inputs = append(inputs, tensors.FromFlatDataAndDimensions(nntest.Float32(nntest.Symmetric("x", 2*4*4*3)), 2, 4, 4, 3))
	nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		s := nn.NewScope(specs, in[:len(specs)], true, dtypes.BFloat16)
		kernel := s.Value("c.weight")
		x := c.Apply(s, in[len(specs)])
		check := func(what string, node *graph.Node, want dtypes.DType) {
			if node.DType() != want {
				t.Errorf("%s is %s, want %s", what, node.DType(), want)
			}
		}
		check("convolution", x, dtypes.BFloat16)
		x = nn.MaxPool(nn.ReLU(n.Apply(s, x)))
		check("norm, ReLU and max-pool", x, dtypes.BFloat16)
		check("running mean", s.Value("n.running_mean"), dtypes.Float32)
		y := nn.GlobalAveragePool(x)
		check("average", y, dtypes.Float32)
		grad := graph.Gradient(graph.ReduceAllSum(graph.Square(y)), kernel)[0]
		check("gradient", grad, dtypes.Float32)
		return []*graph.Node{grad}
	}, inputs...)
}

func TestScopePanics(t *testing.T) {
	specs := nn.Linear{Name: "fc", In: 2, Out: 3}.Specs()
	for name, f := range map[string]func([]*graph.Node){
		"unknown name": func(in []*graph.Node) { nn.NewScope(specs, in, true, dtypes.Float32).Value("fc.bias") },
		"other shape": func(in []*graph.Node) {
			nn.NewScope(specs, []*graph.Node{graph.Transpose(in[0], 0, 1)}, true, dtypes.Float32)
		},
		"other number": func(in []*graph.Node) { nn.NewScope(specs, nil, true, dtypes.Float32) },
		"same name": func(in []*graph.Node) {
			nn.NewScope(append(specs, specs...), append(in, in...), true, dtypes.Float32)
		},
	} {
		e, err := graph.NewExec(nntest.Backend(t), func(in []*graph.Node) []*graph.Node { f(in); return in })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Exec(tensors.FromFlatDataAndDimensions(make([]float32, 6), 2, 3)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
