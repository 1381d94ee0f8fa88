package nn_test

import (
	"testing"

	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// layer is what the cases have in common: Conv, Linear and Norm.
type layer interface {
	Specs() []nn.Spec
	Apply(*nn.Scope, *graph.Node) *graph.Node
}

// plain is a layer without state.
type plain func(*graph.Node) *graph.Node

func (plain) Specs() []nn.Spec                               { return nil }
func (f plain) Apply(_ *nn.Scope, x *graph.Node) *graph.Node { return f(x) }
func conv(c nn.Conv) nn.Conv                                 { c.Name, c.In, c.Out, c.Kernel = "layer", 3, 5, 3; return c }
func norm(kind nn.NormKind, channels int) nn.Norm {
	return nn.Norm{Name: "layer", Kind: kind, Channels: channels}
}

// TestPyTorch compares outputs, gradients and running statistics with PyTorch's
// (tools/golden/nn.py).
func TestPyTorch(t *testing.T) {
	layers := map[string]layer{
		"conv/stride":       conv(nn.Conv{Stride: 2, Padding: 1}),
		"conv/dilation":     conv(nn.Conv{Dilation: 2, Padding: 2}),
		"conv/standardized": conv(nn.Conv{Padding: 1, Standardize: true}),
		"linear":            nn.Linear{Name: "layer", In: 3, Out: 5, Bias: true},
		"batch/train":       norm(nn.BatchNorm, 4),
		"batch/eval":        norm(nn.BatchNorm, 4),
		"batch/flat":        norm(nn.BatchNorm, 4),
		"group":             norm(nn.GroupNorm, 64),
		"group/flat":        norm(nn.GroupNorm, 48),
		"layer":             norm(nn.LayerNorm, 6),
		"layer/flat":        norm(nn.LayerNorm, 6),
		"relu":              plain(nn.ReLU),
		"maxpool":           plain(func(x *graph.Node) *graph.Node { return nn.MaxPool(nn.ReLU(x)) }),
		"average":           plain(nn.GlobalAveragePool),
		"normalize":         plain(nn.L2Normalize),
	}
	var cases map[string]goldenCase
	nntest.Golden(t, "layers.json", &cases)
	if len(cases) != len(layers) {
		t.Errorf("%d goldens for %d layers", len(cases), len(layers))
	}
	for name, c := range cases {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64} {
			t.Run(name+"/"+dtype.String(), func(t *testing.T) { testLayer(t, name, layers[name], c, dtype) })
		}
	}
}

type goldenCase struct {
	Shape      []int                `json:"shape"`
	Output     []float64            `json:"output"`
	Input      []float64            `json:"input"`
	Gradients  map[string][]float64 `json:"gradients"`
	Statistics map[string][]float64 `json:"statistics"`
}

func testLayer(t *testing.T, name string, l layer, c goldenCase, dtype dtypes.DType) {
	tolerance := 1e-5
	if dtype == dtypes.Float64 {
		tolerance = 1e-7 // ε is a float32 to the backends
	}
	specs := l.Specs()
	var inputs []any
	for _, s := range specs {
		inputs = append(inputs, nntest.Tensor(dtype, nntest.Fill(t, s, s.Name), s.Shape...))
	}
	size := 1
	for _, d := range c.Shape {
		size *= d
	}
	x := nntest.Float32(nntest.Symmetric("x."+name, size))
	if name == "normalize" {
		clear(x[c.Shape[1] : 2*c.Shape[1]])
	}
	inputs = append(inputs, nntest.Tensor(dtype, x, c.Shape...))

	trainable := nn.Trainable(specs)
	outputs := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		s := nn.NewScope(specs, in[:len(specs)], name != "batch/eval", dtype)
		params := append(s.Values(trainable), in[len(specs)])
		y := l.Apply(s, in[len(specs)])
		weights := tensors.FromFlatDataAndDimensions(nntest.Symmetric("w."+name, y.Shape().Size()), y.Shape().Dimensions...)
		loss := graph.ReduceAllSum(graph.Mul(y, graph.ConvertDType(graph.Const(y.Graph(), weights), dtype)))
		out := append([]*graph.Node{y}, graph.Gradient(loss, params...)...)
		return append(out, s.Values(specs)...)
	}, inputs...)

	nntest.CloseAll(t, "output", nntest.Floats(t, outputs[0]), c.Output, tolerance)
	nntest.CloseAll(t, "gradient of the input", nntest.Floats(t, outputs[1+len(trainable)]), c.Input, tolerance)
	const prefix = len("layer.")
	for i, s := range trainable {
		got, err := nn.ToTorch(s, nntest.Floats(t, outputs[1+i]))
		if err != nil {
			t.Fatal(err)
		}
		nntest.CloseAll(t, "gradient of "+s.Name, got, c.Gradients[s.Name[prefix:]], tolerance)
	}
	for i, s := range specs {
		if !s.Kind.Trainable() {
			got := nntest.Floats(t, outputs[2+len(trainable)+i])
			nntest.CloseAll(t, s.Name, got, c.Statistics[s.Name[prefix:]], tolerance)
		}
	}
}
