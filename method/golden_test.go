package method

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/byol-go/byol/optim"
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

type goldenCase struct {
	Optimiser   string             `json:"optimiser"`
	Accumulate  int                `json:"accumulate"`
	Batch       int                `json:"batch"`
	Size        int                `json:"size"`
	Rate        float64            `json:"rate"`
	WeightDecay float64            `json:"weight_decay"`
	Trust       float64            `json:"trust"`
	Momentum    float64            `json:"momentum"`
	Tau         float64            `json:"tau"`
	Steps       int                `json:"steps"`
	Losses      []float64          `json:"losses"`
	Metrics     map[string]float64 `json:"metrics"`
	First       map[string]summary `json:"first"`
	State       map[string]summary `json:"state"`
}

// method is the network of tools/golden/byol_step.py.
func (c goldenCase) method(t *testing.T, dtype dtypes.DType) *BYOL {
	b, err := NewBYOL(Config{
		Encoder: encoder.Config{Arch: "resnet18", Stem: encoder.StemCIFAR, Width: 4. / 64},
		Heads:   HeadConfig{Hidden: 32, Dim: 16, ProjectorNorm: nn.BatchNorm, PredictorNorm: nn.BatchNorm},
		Target:  TargetEMA, Tau: c.Tau, TauSchedule: TauCosine, Predictor: true,
		Optim:      optim.Config{Name: c.Optimiser, Momentum: c.Momentum, WeightDecay: c.WeightDecay, Trust: c.Trust},
		Accumulate: c.Accumulate,
		Compute:    dtype,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c goldenCase) state(t *testing.T, b Method, dtype dtypes.DType) []*tensors.Tensor {
	var state []*tensors.Tensor
	for _, s := range b.Specs() {
		name := s.Name
		if len(name) > 7 && name[:7] == "target." {
			name = "online." + name[7:]
		}
		values := nntest.Fill(t, s, name)
		if s.Kind == nn.NormOffset {
			for i := range values {
				values[i] += 2.5 // the script says why
			}
		}
		state = append(state, nntest.Tensor(dtype, values, s.Shape...))
	}
	return state
}

func (c goldenCase) view(dtype dtypes.DType, name string) *tensors.Tensor {
	pixels := nntest.Float32(nntest.Symmetric(name, c.Batch*c.Size*c.Size*3))
	return nntest.Tensor(dtype, pixels, c.Batch, c.Size, c.Size, 3)
}

func (c goldenCase) scalar(dtype dtypes.DType, v float64) any {
	if dtype == dtypes.Float64 {
		return v
	}
	return float32(v)
}

// TestTwentySteps compares losses, metrics and the state after twenty steps
// with an independent implementation (tools/golden/byol_step.py).
func TestTwentySteps(t *testing.T) {
	var cases []goldenCase
	nntest.Golden(t, "byol.json", &cases)
	for _, c := range cases {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64} {
			tolerance := 1e-4
			if dtype == dtypes.Float64 {
				if tolerance = 1e-8; c.Accumulate == 1 || c.Optimiser != optim.LARS {
					continue // float64 is slow, and one case shows all
				}
			}
			t.Run(fmt.Sprintf("%s/accumulate=%d/%s", c.Optimiser, c.Accumulate, dtype), func(t *testing.T) {
				testTwentySteps(t, c, dtype, tolerance)
			})
		}
	}
}

// donated hands the memory of tensors to the next run.
func donated(t *testing.T, state []*tensors.Tensor) []any {
	var inputs []any
	for _, s := range state {
		d, err := graph.DonateTensorBuffer(s, nntest.Backend(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, d)
	}
	return inputs
}

func testTwentySteps(t *testing.T, c goldenCase, dtype dtypes.DType, tolerance float64) {
	b := c.method(t, dtype)
	state := c.state(t, b, dtype)
	step := graph.MustNewExec(nntest.Backend(t), StepGraph(b))
	defer step.Finalize()
	accumulate := graph.MustNewExec(nntest.Backend(t), AccumulateGraph(b))
	defer accumulate.Finalize()

	losses := c.Losses
	for k := range c.Steps {
		for m := range c.Accumulate {
			suffix := fmt.Sprint(k)
			if c.Accumulate > 1 {
				suffix = fmt.Sprintf("%d.%d", k, m)
			}
			inputs := append(donated(t, state), c.view(dtype, "view1."+suffix), c.view(dtype, "view2."+suffix))
			run := accumulate
			if m == c.Accumulate-1 {
				run = step
				inputs = append(inputs, c.scalar(dtype, c.Rate), c.scalar(dtype, b.Tau(k, c.Steps)))
			}
			outputs, err := run.Exec(inputs...)
			if err != nil {
				t.Fatal(err)
			}
			state = outputs[:len(state)]
			metrics, err := ReadMetrics(outputs[len(state):])
			if err != nil {
				t.Fatal(err)
			}
			nntest.Close(t, fmt.Sprintf("step %d.%d: loss", k, m), metrics.Loss, losses[0], max(tolerance, 1e-6))
			losses = losses[1:]
			if k == 0 && m == 0 {
				compareMetrics(t, metrics, c.Metrics)
			}
		}
	}
	for name, want := range c.State {
		i := slices.IndexFunc(b.Specs(), func(s nn.Spec) bool { return s.Name == name })
		compare(t, name, b.Specs()[i], state[i], want, tolerance)
	}
}

func compareMetrics(t *testing.T, got Values, want map[string]float64) {
	t.Helper()
	nntest.Close(t, "target_std", got.TargetStd, want["target_std"], 1e-5)
	nntest.Close(t, "positive cosine", got.PositiveCosine, want["positive_cosine"], 1e-5)
	nntest.Close(t, "negative cosine", got.NegativeCosine, want["negative_cosine"], 1e-5)
	nntest.Close(t, "gradient norm", got.GradientNorm, want["gradient_norm"], 1e-4)
	if accuracy, ok := want["accuracy"]; ok {
		nntest.Close(t, "accuracy", got.Accuracy, accuracy, 1e-6)
	}
}

func compare(t *testing.T, what string, s nn.Spec, got *tensors.Tensor, want summary, tolerance float64) {
	t.Helper()
	values, err := nn.ToTorch(s, nntest.Floats(t, got))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range values {
		sum += v * v
	}
	nntest.Close(t, what+": norm", math.Sqrt(sum), want.Norm, tolerance)
	for i, w := range want.Sample {
		nntest.Close(t, fmt.Sprintf("%s: sample %d", what, i), values[i*len(values)/len(want.Sample)], w, tolerance)
	}
}

// TestFirstGradients compares the gradients of the first step in float64.
func TestFirstGradients(t *testing.T) {
	var cases []goldenCase
	nntest.Golden(t, "byol.json", &cases)
	c := cases[0]
	b := c.method(t, dtypes.Float64)
	var inputs []any
	for _, s := range c.state(t, b, dtypes.Float64) {
		inputs = append(inputs, s)
	}
	inputs = append(inputs, c.view(dtypes.Float64, "view1.0"), c.view(dtypes.Float64, "view2.0"))
	grads := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		n := len(b.Specs())
		grads, _ := b.gradients(b.scope(in[:n]), Batch{View1: in[n], View2: in[n+1]})
		return grads
	}, inputs...)
	if len(c.First) != len(b.params) {
		t.Errorf("%d parameters, want %d", len(b.params), len(c.First))
	}
	for i, s := range b.params {
		want, ok := c.First[s.Name]
		if !ok {
			t.Errorf("unexpected parameter %s", s.Name)
			continue
		}
		compare(t, "gradient of "+s.Name, s, grads[i], want, 1e-8)
	}
}
