package method

import (
	"fmt"
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

// baselineCase is a case of tools/golden/methods.py.
type baselineCase struct {
	Method        string  `json:"method"`
	Temperature   float64 `json:"temperature"`
	Queue         int     `json:"queue"`
	Groups        int     `json:"groups"`
	OutputNorm    bool    `json:"output_norm"`
	Predictor     int     `json:"predictor"`
	PredictorRate float64 `json:"predictor_rate"`
	StopGradient  *bool   `json:"stop_gradient"`
	Beta          float64 `json:"beta"`
	Target        string  `json:"target"`
	Classes       int     `json:"classes"`

	goldenCase
}

func (c baselineCase) String() string {
	return fmt.Sprintf("%s/groups=%d,beta=%v,stop=%v", c.Method, c.Groups, c.Beta, c.StopGradient == nil)
}

func (c baselineCase) build(t *testing.T) Method {
	config := Config{
		Encoder: encoder.Config{Arch: "resnet18", Stem: encoder.StemCIFAR, Width: 4. / 64},
		Heads:   HeadConfig{Hidden: 32, Dim: 16, PredictorHidden: c.Predictor, ProjectorNorm: nn.BatchNorm, PredictorNorm: nn.BatchNorm},
		Target:  TargetEMA, Tau: c.Tau, TauSchedule: TauCosine, Predictor: c.Predictor > 0, PredictorRate: c.PredictorRate,
		NoStopGradient: c.StopGradient != nil, Beta: c.Beta, Temperature: c.Temperature, Queue: c.Queue, Groups: c.Groups,
		Classes: c.Classes, Accumulate: max(1, c.goldenCase.Accumulate), Compute: dtypes.Float64,
		Optim: optim.Config{Name: optim.SGD, Momentum: c.Momentum, WeightDecay: c.WeightDecay},
	}
	if c.Target != "" {
		config.Target = c.Target
	}
	if c.OutputNorm {
		config.Heads.OutputNorm = nn.BatchNorm
	}
	m, err := New(c.Method, config)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAgainstOthers compares losses, metrics, first gradients and the state
// after two steps with lightly's and PyTorch's losses on the same network
// (tools/golden/methods.py), in float64.
func TestAgainstOthers(t *testing.T) {
	var cases []baselineCase
	nntest.Golden(t, "methods.json", &cases)
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			m := c.build(t)
			state := c.state(t, m, dtypes.Float64)
			c.compareGradients(t, m, state)
			step := graph.MustNewExec(nntest.Backend(t), StepGraph(m))
			defer step.Finalize()
			accumulate := graph.MustNewExec(nntest.Backend(t), AccumulateGraph(m))
			defer accumulate.Finalize()
			micro := m.AccumulateSteps()
			for i, want := range c.Losses {
				k := i / micro
				suffix := fmt.Sprint(k)
				if micro > 1 {
					suffix = fmt.Sprintf("%d.%d", k, i%micro)
				}
				inputs := append(donated(t, state), c.batch(m, suffix)...)
				run := accumulate
				if i%micro == micro-1 {
					run = step
					inputs = append(inputs, c.Rate, m.Tau(k, len(c.Losses)/micro))
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
				nntest.Close(t, "loss "+suffix, metrics.Loss, want, 1e-6)
				if i == 0 {
					compareMetrics(t, metrics, c.Metrics)
				}
			}
			for name, want := range c.State {
				i := slices.IndexFunc(m.Specs(), func(s nn.Spec) bool { return s.Name == name })
				if i < 0 {
					t.Errorf("no tensor %s", name)
					continue
				}
				compare(t, name, m.Specs()[i], state[i], want, 1e-8)
			}
		})
	}
}

// batch are the inputs of a step that the method takes.
func (c baselineCase) batch(m Method, suffix string) []any {
	in := []any{c.view(dtypes.Float64, "view1."+suffix), c.view(dtypes.Float64, "view2."+suffix)}
	if m.UsesLabels() {
		label := make([]int32, c.Batch)
		for i, u := range nntest.Uniform("label."+suffix, c.Batch) {
			label[i] = int32(u*float64(c.Classes+1)) - 1
		}
		in = append(in, label)
	}
	return in
}

// compareGradients reads the first gradients from a step of plain descent: at
// rate 1 and without decay the parameters move by them.
func (c baselineCase) compareGradients(t *testing.T, m Method, state []*tensors.Tensor) {
	plain := c
	plain.Momentum, plain.WeightDecay, plain.PredictorRate, plain.goldenCase.Accumulate = 0, 0, 0, 1
	p := plain.build(t)
	var inputs []any
	for _, s := range p.Specs() {
		i := slices.IndexFunc(m.Specs(), func(o nn.Spec) bool { return o.Name == s.Name })
		inputs = append(inputs, state[i])
	}
	suffix := "0"
	if m.AccumulateSteps() > 1 {
		suffix = "0.0"
	}
	inputs = append(append(inputs, c.batch(p, suffix)...), 1., 1.)
	moved := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		out := StepGraph(p)(in)
		for i := range p.Specs() {
			out[i] = graph.Sub(in[i], out[i])
		}
		return out
	}, inputs...)
	found := 0
	for i, s := range p.Specs() {
		if want, ok := c.First[s.Name]; ok {
			compare(t, "gradient of "+s.Name, s, moved[i], want, 1e-8)
			found++
		}
	}
	if found != len(c.First) {
		t.Errorf("%d of %d gradients found", found, len(c.First))
	}
}

// baselines are all methods at the size of tiny.
func baselines(t *testing.T, change func(*Config)) map[string]Method {
	out := map[string]Method{}
	for _, name := range Names() {
		c := tiny(t, nil).config
		c.Temperature, c.Queue, c.Groups, c.Classes = 0.2, 20, 2, 3
		if change != nil {
			change(&c)
		}
		m, err := New(name, c)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = m
	}
	return out
}

// TestEveryMethodLearns trains each on one batch: the loss falls, in float32 and
// in bfloat16, and with two micro-batches too.
func TestEveryMethodLearns(t *testing.T) {
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		for name, m := range baselines(t, func(c *Config) { c.Compute = dtype }) {
			metrics := train(t, m, 12, 0.05)
			first, last := metrics[0].Loss, metrics[len(metrics)-1].Loss
			if name == NameMoCo { // its first negatives are random
				first = metrics[2].Loss
			}
			if !(last < first-0.02) {
				t.Errorf("%s in %s: the loss went from %v to %v", name, dtype, first, last)
			}
			if classifies := metrics[0].Accuracy == metrics[0].Accuracy; classifies != (name == NameSupervised) {
				t.Errorf("%s: accuracy %v", name, metrics[0].Accuracy)
			}
		}
	}
}

// TestQueue checks that keys enter in front and the oldest leave, and that the
// target follows.
func TestQueue(t *testing.T) {
	m := baselines(t, nil)[NameMoCo]
	queue := slices.IndexFunc(m.Specs(), func(s nn.Spec) bool { return s.Name == "queue" })
	before := m.Init(1)
	after, _ := step(t, m, before, "a", "b", 0.1, 0.5)
	const entered, dim = 16, 8 // two views of a batch of 8
	if !slices.Equal(after[queue][entered*dim:], before[queue][:4*dim]) {
		t.Error("the queue did not move on by a batch")
	}
	for row := range slices.Chunk(after[queue], dim) {
		square := 0.
		for _, v := range row {
			square += float64(v) * float64(v)
		}
		nntest.Close(t, "length of a key", square, 1, 1e-5)
	}
	trainable(m, func(target, online int) {
		if slices.Equal(after[target], before[target]) || slices.Equal(after[target], after[online]) {
			t.Errorf("%s does not follow", m.Specs()[target].Name)
		}
	})
}

// TestGroupsHaveTheirOwnStatistics checks that a picture's key depends on every
// groups-th row only, and its query on its neighbours only.
func TestGroupsHaveTheirOwnStatistics(t *testing.T) {
	m := baselines(t, nil)[NameMoCo].(*MoCo)
	var inputs []any
	for _, s := range nn.Tensors(m.Specs(), m.Init(1)) {
		inputs = append(inputs, s)
	}
	n := len(m.Specs())
	keys := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		target := m.scope(in[:n]).In("target.").Untracked()
		view, other := in[n], in[n+1]
		// Odd rows of another view.
		odd := graph.Equal(graph.ModScalar(graph.Iota(view.Graph(), view.Shape(), 0), 2), graph.ScalarOne(view.Graph(), view.DType()))
		return []*graph.Node{m.keys(target, view), m.keys(target, graph.Where(odd, other, view))}
	}, append(inputs, noise("a"), noise("b"))...)
	a, b := nntest.Floats(t, keys[0]), nntest.Floats(t, keys[1])
	for row := range 8 {
		same := slices.Equal(a[row*8:row*8+8], b[row*8:row*8+8])
		if even := row%2 == 0; same != even {
			t.Errorf("row %d: same key %v", row, same)
		}
	}
}

// TestUnlabelledRows checks that a row without label has no part in what
// Supervised learns, but for the batch's statistics, and that a batch without
// any changes nothing.
func TestUnlabelledRows(t *testing.T) {
	c := tiny(t, nil).config
	c.Classes, c.Encoder.Norm, c.Optim.WeightDecay = 3, nn.LayerNorm, 0
	m, err := NewSupervised(c)
	if err != nil {
		t.Fatal(err)
	}
	run := func(label []int32, view2 string) ([][]float32, Values) {
		var inputs []any
		for _, s := range nn.Tensors(m.Specs(), m.Init(1)) {
			inputs = append(inputs, s)
		}
		return read(t, m, nntest.Exec(t, StepGraph(m), append(inputs, noise("a"), noise(view2), label, float32(.1), float32(0))...))
	}
	state, v := run([]int32{-1, -1, -1, -1, -1, -1, -1, -1}, "b")
	if v.Loss != 0 || v.GradientNorm != 0 || v.Accuracy == v.Accuracy {
		t.Errorf("no labels: %+v", v)
	}
	for i, want := range m.Init(1) {
		if !slices.Equal(state[i], want) {
			t.Errorf("no labels: %s changed", m.Specs()[i].Name)
		}
	}
	_, one := run([]int32{0, -1, -1, -1, -1, -1, -1, -1}, "b")
	_, two := run([]int32{0, 2, -1, -1, -1, -1, -1, -1}, "b")
	_, second := run([]int32{-1, 2, -1, -1, -1, -1, -1, -1}, "b")
	nntest.Close(t, "loss of two labelled rows", two.Loss, (one.Loss+second.Loss)/2, 1e-5)
}

// TestStopGradientMatters: without it the network runs for the trivial solution,
// with it the spread of the projections stays.
func TestStopGradientMatters(t *testing.T) {
	spread := func(leak bool) float64 {
		c := tiny(t, nil).config
		c.NoStopGradient = leak
		m, err := NewSimSiam(c)
		if err != nil {
			t.Fatal(err)
		}
		metrics := train(t, m, 40, 0.3)
		return metrics[len(metrics)-1].TargetStd
	}
	if with, without := spread(false), spread(true); !(without < with/2) {
		t.Errorf("spread %v with stop-gradient, %v without", with, without)
	}
}

func TestBaselineErrors(t *testing.T) {
	for _, c := range []struct {
		method string
		change func(*Config)
		want   string
	}{
		{"simclr", func(c *Config) { c.Temperature = 0 }, "temperature 0"},
		{"moco", func(c *Config) { c.Queue = 0 }, "queue of 0"},
		{"moco", func(c *Config) { c.Groups = -1 }, "-1 groups"},
		{"moco", func(c *Config) { c.Tau = 2 }, "tau 2"},
		{"simsiam", func(c *Config) { c.Heads.OutputNorm = "foo" }, "heads: "},
		{"supervised", func(c *Config) { c.Classes = 1 }, "1 classes"},
		{"supervised", func(c *Config) { c.Accumulate = -1 }, "-1 micro-batches"},
		{"byol", func(c *Config) { c.NoStopGradient = true }, "no stop-gradient with target"},
		{"byol", func(c *Config) { c.Beta = 2 }, "beta 2"},
		{"byol", func(c *Config) { c.PredictorRate = -1 }, "-1 times the rate"},
		{"simsam", func(c *Config) {}, `did you mean "simsiam"`},
	} {
		config := tiny(t, nil).config
		config.Temperature, config.Queue, config.Classes = 0.1, 10, 3
		c.change(&config)
		if _, err := New(c.method, config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that contains %q", c.method, err, c.want)
		}
	}
	c := tiny(t, nil).config
	c.Temperature, c.Queue, c.Groups = 0.1, 10, 3
	m, err := NewMoCo(c)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []any
	for _, s := range nn.Tensors(m.Specs(), m.Init(1)) {
		inputs = append(inputs, s)
	}
	e, err := graph.NewExec(nntest.Backend(t), StepGraph(m))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Exec(append(inputs, noise("a"), noise("b"), float32(0), float32(1))...); err == nil || !strings.Contains(err.Error(), "do not divide a batch of 8") {
		t.Errorf("3 groups of a batch of 8: %v", err)
	}
}
