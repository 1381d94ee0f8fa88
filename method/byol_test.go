package method

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// tiny is a method small enough to take a step in milliseconds.
func tiny(t *testing.T, change func(*Config)) *BYOL {
	t.Helper()
	sgd, err := optim.Default(optim.SGD)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Encoder: encoder.Config{Arch: "resnet18", Width: 4. / 64, Size: 8},
		Heads:   HeadConfig{Hidden: 16, Dim: 8, ProjectorNorm: nn.BatchNorm, PredictorNorm: nn.BatchNorm},
		Target:  TargetEMA, Tau: 0.9, TauSchedule: TauCosine, Predictor: true,
		Optim: sgd,
	}
	if change != nil {
		change(&c)
	}
	b, err := NewBYOL(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// batch are the inputs of a step that a method takes of two views of noise:
// three classes, and a row without label.
func batch(m Method, view1, view2 string) []any {
	in := []any{noise(view1), noise(view2)}
	if m.UsesLabels() {
		in = append(in, []int32{0, 1, 2, 0, -1, 2, 0, 1})
	}
	return in
}

func noise(name string) *tensors.Tensor {
	const batch, size = 8, 8
	pixels := nntest.Float32(nntest.Symmetric(name, batch*size*size*3))
	return tensors.FromFlatDataAndDimensions(pixels, batch, size, size, 3)
}

// step runs one step on host values and returns the new ones.
func step(t *testing.T, b Method, values [][]float32, view1, view2 string, rate, tau float32) ([][]float32, Values) {
	t.Helper()
	var inputs []any
	for _, s := range nn.Tensors(b.Specs(), values) {
		inputs = append(inputs, s)
	}
	outputs := nntest.Exec(t, StepGraph(b), append(append(inputs, batch(b, view1, view2)...), rate, tau)...)
	return read(t, b, outputs)
}

func read(t *testing.T, b Method, outputs []*tensors.Tensor) ([][]float32, Values) {
	t.Helper()
	n := len(b.Specs())
	var values [][]float32
	for _, o := range outputs[:n] {
		values = append(values, nntest.Float32(nntest.Floats(t, o)))
	}
	m, err := ReadMetrics(outputs[n:])
	if err != nil {
		t.Fatal(err)
	}
	return values, m
}

// trainable calls f with the index of every parameter of the target and that of
// the online network which it follows.
func trainable(b Method, f func(target, online int)) {
	specs := b.Specs()
	for i, s := range specs {
		name, ok := strings.CutPrefix(s.Name, "target.")
		if ok && s.Kind.Trainable() {
			f(i, slices.IndexFunc(specs, func(o nn.Spec) bool { return o.Name == "online."+name }))
		}
	}
}

func TestTauMovesTarget(t *testing.T) {
	b := tiny(t, nil)
	before := b.Init(1)
	frozen, _ := step(t, b, before, "a", "b", 0.1, 1)
	copied, _ := step(t, b, before, "a", "b", 0.1, 0)
	moved := 0
	trainable(b, func(target, online int) {
		name := b.Specs()[target].Name
		if !slices.Equal(frozen[target], before[target]) {
			t.Errorf("τ = 1 changed %s", name)
		}
		if !slices.Equal(copied[target], copied[online]) {
			t.Errorf("τ = 0 did not copy to %s", name)
		}
		if !slices.Equal(copied[online], before[online]) {
			moved++
		}
	})
	if moved == 0 {
		t.Error("the online network did not learn")
	}
	for i, s := range b.Specs() {
		if strings.HasPrefix(s.Name, "target.") && s.Kind == nn.RunningMean && slices.Equal(frozen[i], before[i]) {
			t.Errorf("%s did not follow the batches", s.Name)
		}
	}
}

func TestLossIsSymmetricAndInRange(t *testing.T) {
	b := tiny(t, nil)
	for seed := range uint64(4) {
		state := b.Init(seed)
		_, m1 := step(t, b, state, "a", "b", 0, 1)
		_, m2 := step(t, b, state, "b", "a", 0, 1)
		if m1.Loss != m2.Loss {
			t.Errorf("seed %d: loss %v, with the views swapped %v", seed, m1.Loss, m2.Loss)
		}
		if !(m1.Loss > 0 && m1.Loss < 8) {
			t.Errorf("seed %d: loss %v", seed, m1.Loss)
		}
	}
	// Without a predictor and before the target has moved, two equal views
	// agree in full.
	b = tiny(t, func(c *Config) { c.Predictor = false })
	_, m := step(t, b, b.Init(1), "a", "a", 0, 1)
	nntest.Close(t, "loss of equal views", m.Loss, 0, 1e-6)
	nntest.Close(t, "positive cosine of equal views", m.PositiveCosine, 1, 1e-6)
	// And a negated prediction is as far as can be.
	nntest.Close(t, "loss of opposite projections", opposite(t), 8, 1e-6)
}

// opposite is the loss when all predictions are the negated targets.
func opposite(t *testing.T) float64 {
	b := tiny(t, func(c *Config) { c.Predictor = false })
	state := b.Init(1)
	for i, s := range b.Specs() {
		if s.Name == "target.projector.3.weight" {
			for j := range state[i] {
				state[i][j] = -state[i][j]
			}
		}
	}
	_, m := step(t, b, state, "a", "a", 0, 1)
	return m.Loss
}

// TestNoGradientReachesTarget differentiates the loss with respect to all
// weights there are.
func TestNoGradientReachesTarget(t *testing.T) {
	for _, target := range []string{TargetEMA, TargetRandom} {
		b := tiny(t, func(c *Config) { c.Target = target })
		var inputs []any
		for _, s := range nn.Tensors(b.Specs(), b.Init(1)) {
			inputs = append(inputs, s)
		}
		norms := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
			n := len(b.Specs())
			s := b.scope(in[:n])
			all := append(s.Values(b.params), s.Values(b.target)...)
			_, m := b.gradients(s, Batch{View1: in[n], View2: in[n+1]})
			var out []*graph.Node
			for _, g := range graph.Gradient(m.Loss, all...) {
				out = append(out, graph.L2Norm(g))
			}
			return out
		}, append(inputs, noise("a"), noise("b"))...)
		for i, s := range append(slices.Clone(b.params), b.target...) {
			got := nntest.Floats(t, norms[i])[0]
			if reached := got > 0; reached == strings.HasPrefix(s.Name, "target.") {
				t.Errorf("%s: gradient of %s has norm %v", target, s.Name, got)
			}
		}
	}
}

// TestOnlineTarget checks that target online, τ = 0, is one network: the same
// gradients as a target that has just been copied.
func TestOnlineTarget(t *testing.T) {
	online := tiny(t, func(c *Config) { c.Target = TargetOnline })
	ema := tiny(t, nil)
	for _, s := range online.Specs() {
		if strings.HasPrefix(s.Name, "target.") {
			t.Errorf("unexpected tensor %s", s.Name)
		}
	}
	got, m1 := step(t, online, online.Init(1), "a", "b", 0.1, 0)
	want, m2 := step(t, ema, ema.Init(1), "a", "b", 0.1, 0)
	nntest.Close(t, "loss", m1.Loss, m2.Loss, 1e-6)
	for i, s := range ema.Specs() {
		j := slices.IndexFunc(online.Specs(), func(o nn.Spec) bool { return o.Name == s.Name })
		if j < 0 {
			continue
		}
		for k := range want[i] {
			if math.Abs(float64(got[j][k]-want[i][k])) > 1e-5 {
				t.Errorf("%s: element %d: %v, want %v", s.Name, k, got[j][k], want[i][k])
				break
			}
		}
	}
}

// TestBFloat16 learns in bfloat16: the masters stay float32, the first loss and
// gradient are float32's within bfloat16's rounding (later steps of so small a
// net part, as they do on other backends), and the loss falls.
func TestBFloat16(t *testing.T) {
	full := train(t, tiny(t, nil), 1, 0.002)
	half := train(t, tiny(t, func(c *Config) { c.Compute = dtypes.BFloat16 }), 12, 0.002)
	nntest.Close(t, "first loss", half[0].Loss, full[0].Loss, 0.02)
	nntest.Close(t, "first gradient's norm", half[0].GradientNorm, full[0].GradientNorm, 0.25)
	if last := half[len(half)-1].Loss; !(last < half[0].Loss-0.5) {
		t.Errorf("the loss went from %v to %v", half[0].Loss, last)
	}
}

// train runs a loop as a trainer would: one executor, and every step's state
// takes the memory of the one before.
func train(t *testing.T, b Method, steps int, rate float32) []Values {
	t.Helper()
	e, err := graph.NewExec(nntest.Backend(t), StepGraph(b))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Finalize()
	state := nn.Tensors(b.Specs(), b.Init(1))
	var metrics []Values
	for k := range steps {
		inputs := append(append(donated(t, state), batch(b, "a", "b")...), rate, float32(b.Tau(k, steps)))
		outputs, err := e.Exec(inputs...)
		if err != nil {
			t.Fatal(err)
		}
		state = outputs[:len(state)]
		for i, s := range state {
			if s.DType() != dtypes.Float32 {
				t.Errorf("%s became %s", b.Specs()[i].Name, s.DType())
			}
		}
		m, err := ReadMetrics(outputs[len(state):])
		if err != nil {
			t.Fatal(err)
		}
		metrics = append(metrics, m)
	}
	return metrics
}

// TestAccumulate checks that two equal micro-batches make the step of one, but
// for the second update of the running statistics.
func TestAccumulate(t *testing.T) {
	once := tiny(t, nil)
	twice := tiny(t, func(c *Config) { c.Accumulate = 2 })
	want, _ := step(t, once, once.Init(1), "a", "b", 0.1, 0.5)

	var inputs []any
	for _, s := range nn.Tensors(twice.Specs(), twice.Init(1)) {
		inputs = append(inputs, s)
	}
	outputs := nntest.Exec(t, AccumulateGraph(twice), append(inputs, batch(twice, "a", "b")...)...)
	half, _ := read(t, twice, outputs)
	for i, s := range twice.Specs() {
		if s.Kind.Trainable() && !slices.Equal(half[i], twice.Init(1)[i]) {
			t.Errorf("%s changed before the last micro-batch", s.Name)
		}
	}
	got, _ := step(t, twice, half, "a", "b", 0.1, 0.5)
	for i, s := range twice.Specs() {
		j := slices.IndexFunc(once.Specs(), func(o nn.Spec) bool { return o.Name == s.Name })
		switch {
		case strings.HasPrefix(s.Name, "accumulated."):
			if slices.ContainsFunc(got[i], func(v float32) bool { return v != 0 }) {
				t.Errorf("%s was not cleared", s.Name)
			}
		case s.Kind.Trainable() || s.Kind == nn.Slot:
			for k := range got[i] {
				if math.Abs(float64(got[i][k]-want[j][k])) > 1e-5*math.Max(1, math.Abs(float64(want[j][k]))) {
					t.Errorf("%s: element %d: %v, want %v", s.Name, k, got[i][k], want[j][k])
					break
				}
			}
		}
	}
}

func TestInit(t *testing.T) {
	b := tiny(t, nil)
	one, same, other := b.Init(1), b.Init(1), b.Init(2)
	for i, s := range b.Specs() {
		if !slices.Equal(one[i], same[i]) {
			t.Errorf("%s: two values from one seed", s.Name)
		}
		if s.Kind.Weight() && slices.Equal(one[i], other[i]) {
			t.Errorf("%s: one value from two seeds", s.Name)
		}
	}
	trainable(b, func(target, online int) {
		if !slices.Equal(one[target], one[online]) {
			t.Errorf("%s is no copy", b.Specs()[target].Name)
		}
	})
}

func TestTau(t *testing.T) {
	for _, c := range []struct {
		target, schedule string
		k                int
		want             float64
	}{
		{TargetEMA, TauCosine, 0, 0.9}, {TargetEMA, TauCosine, 50, 0.95}, {TargetEMA, TauCosine, 100, 1},
		{TargetEMA, TauFixed, 50, 0.9}, {TargetRandom, TauCosine, 0, 1}, {TargetOnline, TauCosine, 0, 0},
	} {
		b := tiny(t, func(config *Config) { config.Target, config.TauSchedule = c.target, c.schedule })
		nntest.Close(t, fmt.Sprintf("%+v", c), b.Tau(c.k, 100), c.want, 1e-12)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Target = "mean" }, `unknown target "mean"`},
		{func(c *Config) { c.TauSchedule = "linear" }, `"linear"`},
		{func(c *Config) { c.Tau = 1.1 }, "tau 1.1"},
		{func(c *Config) { c.Heads.Dim = 0 }, "heads of"},
		{func(c *Config) { c.Heads.ProjectorNorm = "" }, "heads: "},
		{func(c *Config) { c.Accumulate = -1 }, "-1 micro-batches"},
		{func(c *Config) { c.Compute = dtypes.Int32 }, "cannot compute in"},
		{func(c *Config) { c.Encoder.Arch = "resnet" }, "did you mean"},
		{func(c *Config) { c.Optim.Name = "adam" }, "unknown optimiser"},
	} {
		config := DefaultConfig()
		c.change(&config)
		if _, err := NewBYOL(config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that contains %q", err, c.want)
		}
	}
	if _, err := NewBYOL(DefaultConfig()); err != nil {
		t.Error(err)
	}
}
