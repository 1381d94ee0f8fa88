package eval

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/nn/nntest"
)

// goldens are tools/golden/linear.py's.
type goldens struct {
	Logistic []struct {
		L2     float64     `json:"l2"`
		Weight [][]float64 `json:"weight"`
		Bias   []float64   `json:"bias"`
		Top1   float64     `json:"top1"`
	} `json:"logistic"`
	SGD struct {
		Weight [][]float64 `json:"weight"`
		Bias   []float64   `json:"bias"`
		Losses []float64   `json:"losses"`
	} `json:"sgd"`
}

const goldenRows, goldenWidth, goldenClasses = 240, 6, 4

// goldenData repeats that of tools/golden/linear.py.
func goldenData(name string) Features {
	const n, d, k = goldenRows, goldenWidth, goldenClasses
	f := Features{X: nntest.Float32(nntest.Symmetric(name, n*d)), N: n, D: d, Labels: make([]int, n)}
	noise := nntest.Symmetric(name+".noise", n*k)
	for i := range n {
		top := math.Inf(-1)
		for c := range k {
			if v := float64(f.X[i*d+c]) + noise[i*k+c]; v > top {
				top, f.Labels[i] = v, c
			}
		}
		for j := range d {
			f.X[i*d+j] = float32(float64(f.X[i*d+j])*float64(1+j) + float64(j))
		}
	}
	return f
}

// The minimum is scikit-learn's: coefficients, intercepts up to a constant, accuracy.
func TestLogisticAgainstScikitLearn(t *testing.T) {
	var want goldens
	nntest.Golden(t, "linear.json", &want)
	train, test := goldenData("train"), goldenData("test")
	pool := par.New(2)
	defer pool.Close()
	for _, g := range want.Logistic {
		what := fmt.Sprintf("l2 %v: ", g.L2)
		c, choice, err := Logistic{L2: []float64{g.L2}}.Fit(pool, train, goldenClasses)
		if err != nil {
			t.Fatal(err)
		}
		if choice.HeldOut != 0 || choice.Value != g.L2 {
			t.Errorf("%schoice %+v", what, choice)
		}
		for k, row := range g.Weight {
			got := c.W[k*goldenWidth : (k+1)*goldenWidth]
			for j := range row {
				nntest.Close(t, fmt.Sprintf("%sweight %d,%d", what, k, j), float64(got[j]), row[j], 1e-3)
			}
			nntest.Close(t, fmt.Sprintf("%sbias %d", what, k), float64(c.B[k]-c.B[0]), g.Bias[k]-g.Bias[0], 1e-3)
		}
		score := ScoreLogits(c.Logits(pool, test), test.Labels, goldenClasses)
		if math.Abs(score.Top1-g.Top1) > 1.01/goldenRows {
			t.Errorf("%stop-1 %v, want %v", what, score.Top1, g.Top1)
		}
	}
}

// Five steps of the SGD probe are PyTorch's with Nesterov momentum.
func TestProbeAgainstPyTorch(t *testing.T) {
	var want goldens
	nntest.Golden(t, "linear.json", &want)
	f := goldenData("train")
	h := newProbe(f.D, goldenClasses, f.N, 1, .1, true)
	copy(h.params, nntest.Symmetric("weight", goldenClasses*f.D))
	copy(h.params[goldenClasses*f.D:], nntest.Symmetric("bias", goldenClasses))
	for _, loss := range want.SGD.Losses {
		h.step(f.X, f.Labels, make([]bool, f.N), h.lr)
		nntest.Close(t, "loss", h.lost, loss, 1e-5)
	}
	for k, row := range want.SGD.Weight {
		nntest.CloseAll(t, "weight", h.params[k*f.D:(k+1)*f.D], row, 1e-5)
	}
	nntest.CloseAll(t, "bias", h.params[goldenClasses*f.D:], want.SGD.Bias, 1e-5)
}

// Rows that are held out have no part in a step.
func TestProbeLeavesOutTheHeldOut(t *testing.T) {
	f := goldenData("train")
	held := make([]bool, f.N)
	var learn []int
	for i := range held {
		if held[i] = i%3 == 0; !held[i] {
			learn = append(learn, i)
		}
	}
	a, b := newProbe(f.D, goldenClasses, f.N, 1, .1, false), newProbe(f.D, goldenClasses, f.N, 1, .1, true)
	rest := f.Rows(learn)
	for range 3 {
		a.step(f.X, f.Labels, held, .1)
		b.step(rest.X, rest.Labels, make([]bool, rest.N), .1)
	}
	if !slices.Equal(a.params, b.params) {
		t.Error("held-out rows changed the probe")
	}
}

// The gradient is that of the loss, by differences, over several parts and blocks.
func TestCrossEntropyGradient(t *testing.T) {
	f := clusters(2*lossBlock+77, 5, 3, .8, 1)
	l := newCrossEntropy(nil, f.X, f.Labels, f.D, 3)
	params := nntest.Symmetric("params", 3*6)
	grad, none := make([]float64, len(params)), make([]float64, len(params))
	l.value(params, grad)
	const h = 1e-2 // products are float32
	for i := range params {
		moved := slices.Clone(params)
		moved[i] += h
		above := l.value(moved, none)
		moved[i] -= 2 * h
		nntest.Close(t, fmt.Sprintf("derivative %d", i), (above-l.value(moved, none))/(2*h), grad[i], 2e-2)
	}
}

// The choice falls on a strength that a search by hand finds, the grid is the published
// one, and neither fit nor choice depends on the threads.
func TestLogisticChooses(t *testing.T) {
	grid := L2Grid()
	if len(grid) != 45 || math.Abs(grid[44]/1e-6-1) > 1e-9 || math.Abs(grid[0]/1e5-1) > 1e-9 {
		t.Fatalf("grid %v", grid)
	}
	train, test := clusters(120, 20, 4, 1.2, 7), clusters(400, 20, 4, 1.2, 8)
	p := Logistic{L2: grid, Seed: 3}
	o, err := p.JudgeFeatures(nil, train, &test, 4)
	if err != nil {
		t.Fatal(err)
	}
	if o.JudgedOn != OnTest || o.Train != 120 || o.Choice.HeldOut != 24 || len(o.Choice.Tried) != 45 {
		t.Errorf("outcome %+v", o)
	}
	highest := slices.MaxFunc(o.Choice.Tried, func(a, b Trial) int { return compare(a.Top1, b.Top1) }).Top1
	if got := o.Choice.Tried[slices.Index(grid, o.Choice.Value)].Top1; got != highest {
		t.Errorf("l2 %v with %v on the held-out part, the best has %v", o.Choice.Value, got, highest)
	}
	// With noise this strong, no regularisation at all is worse than the chosen.
	weak, err := Logistic{L2: []float64{1e-6}}.JudgeFeatures(nil, train, &test, 4)
	if err != nil || weak.Top1 >= o.Top1 {
		t.Errorf("top-1 %v with l2 1e-6, %v with %v, error %v", weak.Top1, o.Top1, o.Choice.Value, err)
	}
	for _, threads := range []int{3} {
		pool := par.New(threads)
		again, err := p.JudgeFeatures(pool, train, &test, 4)
		pool.Close()
		if err != nil || !reflect.DeepEqual(o, again) {
			t.Errorf("%d threads change the outcome (%v)", threads, err)
		}
	}
}

// Without test features a fifth of each class is set aside, and learnt from by nobody.
func TestLogisticWithoutTest(t *testing.T) {
	f := clusters(100, 6, 4, .1, 9)
	o, err := Logistic{L2: []float64{1}, Seed: 1}.JudgeFeatures(nil, f, nil, 4)
	if err != nil || o.JudgedOn != OnHeldOut || o.N != 20 || o.Train != 80 || o.Top1 != 1 {
		t.Errorf("%+v, %v", o, err)
	}
}

// Features without deviation have no weight, and much larger ones no more than others.
func TestStandardize(t *testing.T) {
	f := clusters(50, 4, 2, .3, 2)
	for i := range f.N {
		f.X[i*4+2], f.X[i*4+3] = 7, 1e6*f.X[i*4+3]+1e6
	}
	s, err := Standardize(f)
	if err != nil {
		t.Fatal(err)
	}
	g := s.Apply(nil, f)
	for j := range 4 {
		sum, square := 0.0, 0.0
		for i := range g.N {
			v := float64(g.X[i*4+j])
			sum, square = sum+v, square+v*v
		}
		want := float64(g.N)
		if j == 2 || j < 2 && s.Scale[j] == 0 { // constant, or nearly so beside the large feature
			want = 0
		}
		nntest.Close(t, fmt.Sprintf("sum of %d", j), sum, 0, 1e-3)
		nntest.Close(t, fmt.Sprintf("squares of %d", j), square, want, 1e-2)
	}
}

func TestLogisticErrors(t *testing.T) {
	good := clusters(10, 3, 2, .1, 6)
	unlabelled, nan, single := good, clusters(10, 3, 2, .1, 6), good
	unlabelled.Labels = slices.Repeat([]int{-1}, 10)
	nan.X[3*3] = float32(math.NaN())
	single = single.Rows([]int{0, 1})
	for _, c := range []struct {
		name        string
		p           Logistic
		train, test Features
		want        string
	}{
		{"no labels", Logistic{L2: []float64{1}}, unlabelled, good, ErrNoLabels.Error()},
		{"no test labels", Logistic{L2: []float64{1}}, good, unlabelled, "test data"},
		{"NaN", Logistic{L2: []float64{1}}, nan, good, "row 3"},
		{"NaN in test", Logistic{L2: []float64{1}}, good, nan, "test data: features: row 3"},
		{"none to hold out", Logistic{L2: []float64{1, 2}}, single, good, "--l2"},
		{"l2", Logistic{L2: []float64{0}}, good, good, "positive"},
	} {
		_, err := c.p.JudgeFeatures(nil, c.train, &c.test, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := (Logistic{L2: []float64{1}}).JudgeFeatures(nil, single, nil, 2); !errors.Is(err, errNoneToSetAside) {
		t.Errorf("none to set aside: %v", err)
	}
}
