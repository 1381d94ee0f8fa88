package optim

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// params are a weight, a weight of zeros, a bias and a norm's scale.
var params = []nn.Spec{
	{Name: "weight", Shape: []int{3, 4}, Kind: nn.LinearWeight, FanIn: 3},
	{Name: "zero", Shape: []int{2, 2}, Kind: nn.LinearWeight, FanIn: 2},
	{Name: "bias", Shape: []int{4}, Kind: nn.Bias, FanIn: 3},
	{Name: "norm.weight", Shape: []int{4}, Kind: nn.NormScale},
}

const steps = 5

// start is the value before the first step, gradient that of step k. Those of
// the tensor "zero" are 0 until step 2. tools/golden/optim.py has them too.
func start(s nn.Spec) []float64 {
	if s.Name == "zero" {
		return make([]float64, s.Size())
	}
	return nntest.Symmetric(s.Name, s.Size())
}

func gradient(s nn.Spec, k int) []float64 {
	if s.Name == "zero" && k < 2 {
		return make([]float64, s.Size())
	}
	return nntest.Symmetric(fmt.Sprintf("%s.%d", s.Name, k), s.Size())
}

func rate(k int) float64 { return 0.1 * float64(k) / steps } // begins at 0

// run takes the steps in float64 on the backend and returns the parameters.
func run(t *testing.T, c Config) [][]float64 {
	t.Helper()
	return runAt(t, c, 1)
}

// runAt is run at a multiple of the rate.
func runAt(t *testing.T, c Config, multiple float64) [][]float64 {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	slots := c.Specs(params)
	n := len(params)
	e, err := graph.NewExec(nntest.Backend(t), func(in []*graph.Node) []*graph.Node {
		lr := in[2*n+len(slots)]
		values, state := c.Update(params, in[:n], in[n:2*n], in[2*n:2*n+len(slots)], lr)
		return append(values, state...)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Finalize()
	var state []*tensors.Tensor // parameters, then slots
	for _, s := range params {
		state = append(state, tensors.FromFlatDataAndDimensions(start(s), s.Shape...))
	}
	for _, s := range slots {
		state = append(state, tensors.FromFlatDataAndDimensions(make([]float64, s.Size()), s.Shape...))
	}
	for k := range steps {
		var in []any
		for _, v := range state[:n] {
			in = append(in, v)
		}
		for _, s := range params {
			in = append(in, tensors.FromFlatDataAndDimensions(gradient(s, k), s.Shape...))
		}
		for _, v := range state[n:] {
			in = append(in, v)
		}
		if state, err = e.Exec(append(in, multiple*rate(k))...); err != nil {
			t.Fatal(err)
		}
	}
	var out [][]float64
	for _, v := range state[:n] {
		if v.DType() != dtypes.Float64 {
			t.Fatalf("result is %s", v.DType())
		}
		out = append(out, nntest.Floats(t, v))
	}
	return out
}

func length(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

// TestLARS follows the formulas of the paper and of solo-learn, element by
// element.
func TestLARS(t *testing.T) {
	for _, c := range []Config{
		{Name: LARS, Momentum: 0.9, WeightDecay: 0.01, Trust: 0.1},
		{Name: LARS, Momentum: 0.9, Trust: 0.1},
		{Name: LARSClip, Momentum: 0.9, WeightDecay: 0.01, Trust: 0.02},
		{Name: LARSClip, Momentum: 0.9, WeightDecay: 0.01, Trust: 0.02, Nesterov: true},
	} {
		got := run(t, c)
		for i, s := range params {
			want := larsByFormula(c, s)
			nntest.CloseAll(t, fmt.Sprintf("%+v: %s", c, s.Name), got[i], want, 1e-12)
		}
	}
}

func larsByFormula(c Config, s nn.Spec) []float64 {
	p := start(s)
	m := make([]float64, len(p))
	for k := range steps {
		g := gradient(s, k)
		if s.Kind == nn.LinearWeight {
			pn, gn := length(p), length(g)
			switch c.Name {
			case LARS:
				for i := range g {
					g[i] += c.WeightDecay * p[i]
				}
				if gn = length(g); pn > 0 && gn > 0 {
					for i := range g {
						g[i] *= c.Trust * pn / gn
					}
				}
			case LARSClip:
				if pn > 0 && gn > 0 {
					ratio := c.Trust * pn / (gn + c.WeightDecay*pn + 1e-8)
					clipped := math.Min(ratio/rate(k), 1)
					for i := range g {
						g[i] = (g[i] + c.WeightDecay*p[i]) * clipped
					}
				}
			}
		}
		for i := range p {
			m[i] = c.Momentum*m[i] + g[i]
			if c.Nesterov {
				p[i] -= rate(k) * (g[i] + c.Momentum*m[i])
			} else {
				p[i] -= rate(k) * m[i]
			}
		}
	}
	return p
}

// TestPyTorch compares SGD and AdamW with PyTorch's (tools/golden/optim.py).
func TestPyTorch(t *testing.T) {
	var cases []struct {
		Config Config               `json:"config"`
		Values map[string][]float64 `json:"values"`
	}
	nntest.Golden(t, "optim.json", &cases)
	for _, c := range cases {
		got := run(t, c.Config)
		for i, s := range params {
			nntest.CloseAll(t, fmt.Sprintf("%+v: %s", c.Config, s.Name), got[i], c.Values[s.Name], 1e-12)
		}
	}
}

func TestDefaultsAndErrors(t *testing.T) {
	for _, name := range Names() {
		if _, err := Default(name); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Name: "adam"}, `unknown optimiser "adam"`},
		{Config{Name: SGD, Momentum: 1}, "momentum 1"},
		{Config{Name: SGD, WeightDecay: -1}, "weight decay -1"},
		{Config{Name: SGD, Nesterov: true}, "nesterov"},
		{Config{Name: LARS, Momentum: 0.9, Trust: 0.1, Nesterov: true}, "nesterov"},
		{Config{Name: LARS}, "trust 0"},
		{Config{Name: AdamW, Beta1: 0.9, Beta2: 1}, "beta2 1"},
		{Config{Name: AdamW, Beta1: 0.9, Beta2: 0.9}, "epsilon 0"},
	} {
		if err := c.config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one that contains %q", c.config, err, c.want)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := Schedule{Peak: 2, Warmup: 10, Steps: 110, Shape: Cosine}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int]float64{0: 0, 5: 1, 10: 2, 60: 1, 109: 1 + math.Cos(math.Pi*.99)} {
		nntest.Close(t, fmt.Sprintf("rate of step %d", k), s.Rate(k), want, 1e-12)
	}
	s.Shape = Constant
	nntest.Close(t, "constant rate", s.Rate(109), 2, 0)
	nntest.Close(t, "rate without warm-up", Schedule{Peak: 2, Steps: 10, Shape: Cosine}.Rate(0), 2, 0)
	for k, want := range map[int]float64{0: 0.996, 50: 0.998, 100: 1} {
		nntest.Close(t, fmt.Sprintf("tau of step %d", k), Tau(0.996, k, 100), want, 1e-12)
	}
	nntest.Close(t, "scaled rate", ScaleRate(0.2, 4096), 3.2, 1e-12)
	for _, bad := range []Schedule{{Peak: 1, Steps: 0, Shape: Cosine}, {Peak: -1, Steps: 1, Shape: Cosine},
		{Peak: 1, Steps: 1, Warmup: 2, Shape: Cosine}, {Peak: 1, Steps: 1, Shape: "linear"}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

// TestParts checks that a part learns as if all learnt at its rate, and the rest as
// if there were no parts.
func TestParts(t *testing.T) {
	for _, name := range Names() {
		c, err := Default(name)
		if err != nil {
			t.Fatal(err)
		}
		slow, fast := runAt(t, c, 1), runAt(t, c, 3)
		c.Parts = []Part{{Prefix: "norm.", Rate: 3}, {Prefix: "norm", Rate: 7}}
		got := run(t, c)
		for i, s := range params {
			want := slow[i]
			if strings.HasPrefix(s.Name, "norm.") {
				want = fast[i]
			}
			nntest.CloseAll(t, name+": "+s.Name, got[i], want, 1e-12)
		}
	}
	if err := (Config{Name: SGD, Parts: []Part{{Prefix: "x", Rate: math.NaN()}}}).Validate(); err == nil {
		t.Error("NaN times the rate is accepted")
	}
}
