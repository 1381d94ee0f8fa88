package encoder

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// summary is the length of a tensor and some of its elements, evenly spaced in
// PyTorch's order.
type summary struct {
	Norm   float64   `json:"norm"`
	Sample []float64 `json:"sample"`
}

func summarise(values []float64, samples int) summary {
	sum := 0.0
	for _, v := range values {
		sum += v * v
	}
	s := summary{Norm: math.Sqrt(sum)}
	for i := range min(samples, len(values)) {
		s.Sample = append(s.Sample, values[i*len(values)/samples])
	}
	return s
}

type goldenCase struct {
	Arch       string             `json:"arch"`
	Stem       Stem               `json:"stem"`
	Size       int                `json:"size"`
	Batch      int                `json:"batch"`
	Training   bool               `json:"training"`
	Features   summary            `json:"features"`
	Input      summary            `json:"input"`
	Gradients  map[string]summary `json:"gradients"`
	Statistics map[string]summary `json:"statistics"`
}

// TestTorchvision compares features, gradients and running statistics with
// torchvision's (tools/golden/encoder.py).
func TestTorchvision(t *testing.T) {
	var cases []goldenCase
	nntest.Golden(t, "resnet.json", &cases)
	for _, c := range cases {
		// Batch norm over 4 values and the kinks of ReLU make the training
		// gradients too sensitive to rounding to be compared in float32.
		mode, dtype := "train", dtypes.Float64
		if !c.Training {
			mode, dtype = "eval", dtypes.Float32
		}
		t.Run(fmt.Sprintf("%s/%s/%s/%s", c.Arch, c.Stem, mode, dtype), func(t *testing.T) { testGolden(t, c, dtype) })
	}
}

func testGolden(t *testing.T, c goldenCase, dtype dtypes.DType) {
	e, err := New(Config{Arch: c.Arch, Stem: c.Stem})
	if err != nil {
		t.Fatal(err)
	}
	specs := e.Specs()
	inputs := []any{}
	for _, s := range specs {
		inputs = append(inputs, nntest.Tensor(dtype, nntest.Fill(t, s, s.Name), s.Shape...))
	}
	pixels := nntest.Float32(nntest.Symmetric("image", c.Batch*c.Size*c.Size*3))
	inputs = append(inputs, nntest.Tensor(dtype, pixels, c.Batch, c.Size, c.Size, 3))

	trainable := nn.Trainable(specs)
	outputs := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		s := nn.NewScope(specs, in[:len(specs)], c.Training, dtype)
		x := in[len(specs)]
		params := append(s.Values(trainable), x)
		features := e.Forward(s, x)
		weights := tensors.FromFlatDataAndDimensions(nntest.Symmetric("weights", c.Batch*e.Features), c.Batch, e.Features)
		loss := graph.ReduceAllSum(graph.Mul(features, graph.ConvertDType(graph.Const(x.Graph(), weights), dtype)))
		out := append([]*graph.Node{features}, graph.Gradient(loss, params...)...)
		return append(out, s.Values(specs)...)
	}, inputs...)

	tolerance := 1e-3
	if dtype == dtypes.Float64 {
		tolerance = 1e-6
	}
	compare := func(what string, got []float64, want summary) {
		s := summarise(got, len(want.Sample))
		nntest.CloseAll(t, what+": norm", []float64{s.Norm}, []float64{want.Norm}, tolerance)
		nntest.CloseAll(t, what+": sample", s.Sample, want.Sample, tolerance)
	}
	compare("features", nntest.Floats(t, outputs[0]), c.Features)
	compare("gradient of the input", nntest.Floats(t, outputs[1+len(trainable)]), c.Input)
	find := func(specs []nn.Spec, outputs []*tensors.Tensor, name string) []float64 {
		i := slices.IndexFunc(specs, func(s nn.Spec) bool { return s.Name == name })
		values, err := nn.ToTorch(specs[i], nntest.Floats(t, outputs[i]))
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	for name, want := range c.Gradients {
		compare("gradient of "+name, find(trainable, outputs[1:], name), want)
	}
	for name, want := range c.Statistics {
		compare(name, find(specs, outputs[2+len(trainable):], name), want)
	}
}
