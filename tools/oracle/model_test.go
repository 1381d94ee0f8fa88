//go:build xla_oracle && cgo

package oracle

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// models are configurations whose whole step, forward, gradients, optimiser and moving
// average, runs on both backends.
var models = map[string][]string{
	"resnet18, SGD":               {"optim.name=sgd"},
	"resnet18, LARS, full width":  {"encoder.width=1", "train.batch=4"},
	"resnet18, AdamW, gray":       {"optim.name=adamw", "data.channels=1"},
	"resnet18, odd size":          {"data.size=27"},
	"resnet50, large pictures":    {"encoder.arch=resnet50", "data.size=96"},
	"resnet18, group norm":        {"encoder.norm=group_ws", "heads.norm=layer,layer"},
	"resnet18, SimCLR":            {"method.name=simclr"},
	"resnet18, MoCo":              {"method.name=moco"},
	"resnet18, SimSiam":           {"method.name=simsiam"},
	"resnet18, no stop-gradient":  {"method.target=online", "method.stop_gradient=false"},
	"resnet18, no moving average": {"method.target=online"},
	"resnet18, supervised":        {"method.name=supervised"},
}

// flips is the share of a tensor's change in which the backends may differ: a rounding
// error that turns the sign of a value near zero changes which gradients a ReLU passes.
// One of them among a layer's values changes its gradients by some thousandths; PyTorch's
// float32 differs as much from its float64.
const flips = 0.1

func TestModels(t *testing.T) {
	plugin := "xla:" + strings.TrimPrefix(os.Getenv("BYOL_XLA_PLUGIN"), "xla:")
	for name, keys := range models {
		t.Run(name, func(t *testing.T) {
			c := configuration(t, keys)
			want, wantValues, initial := oneStep(t, plugin, c)
			got, values, _ := oneStep(t, "cpu", c)
			if d := math.Abs(values.Loss - wantValues.Loss); d > 1e-4*math.Abs(wantValues.Loss) {
				t.Errorf("loss %v, XLA has %v", values.Loss, wantValues.Loss)
			}
			m, err := train.NewMethod(c)
			if err != nil {
				t.Fatal(err)
			}
			worst, where := 0.0, ""
			for i, spec := range m.Specs() {
				if isShift(spec.Name) && slices.Contains(c.Heads.Norm, "batch") {
					continue
				}
				change, size := euclidean(want[i], initial[i]), euclidean(want[i], make([]float32, len(want[i])))
				d := euclidean(got[i], want[i])
				if d > flips*change+1e-5*size+1e-6 {
					t.Errorf("%s: differs by %.3g where XLA's changes by %.3g", spec.Name, d, change)
				}
				if share := d / (change + 1e-12); share > worst && d > 1e-5*size+1e-6 {
					worst, where = share, spec.Name
				}
			}
			t.Logf("loss %.6f and %.6f; differs most, by %.2g of the change, in %s", values.Loss, wantValues.Loss, worst, where)
		})
	}
}

// isShift reports whether a tensor of the state belongs to a bias that the batch norm
// behind it takes away again: its gradient is a rounding error around zero, which AdamW
// then divides by its own size.
func isShift(name string) bool {
	return strings.HasSuffix(name, "projector.0.bias") || strings.HasSuffix(name, "predictor.0.bias")
}

// configuration is a small one with the keys set.
func configuration(t *testing.T, keys []string) run.Config {
	t.Helper()
	c := run.Default()
	small := []string{"encoder.arch=resnet18", "encoder.width=0.25", "data.size=32", "data.channels=3", "train.batch=8", "train.steps=10",
		"heads.hidden=64", "heads.dim=32", "optim.warmup_epochs=0"}
	for _, kv := range append(small, keys...) {
		key, value, _ := strings.Cut(kv, "=")
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Resolve(run.Source{Images: 64, NativeSize: c.Data.Size, Channels: c.Data.Channels, Classes: 10}); err != nil {
		t.Fatal(err)
	}
	return c
}

// oneStep takes the first step on a backend and returns the state after and before it.
func oneStep(t *testing.T, backend string, c run.Config) (state [][]float32, v method.Values, initial [][]float32) {
	t.Helper()
	m, err := train.NewMethod(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compute.New(backend, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	shape := train.ViewShape(c)
	s, err := train.NewStepper(b, m, shape)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	initial = m.Init(1)
	s.SetState(m.Init(1))
	random := rand.New(rand.NewPCG(1, 2))
	batch := train.Batch{Label: make([]int32, shape[0])}
	for i := range batch.Views {
		batch.Views[i] = make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
		for j := range batch.Views[i] {
			batch.Views[i][j] = float32(random.NormFloat64())
		}
	}
	if v, err = s.Step([]train.Batch{batch}, 0.05, 0.9); err != nil {
		t.Fatal(err)
	}
	if state, err = s.State(); err != nil {
		t.Fatal(err)
	}
	return state, v, initial
}

// euclidean is the distance of two tensors.
func euclidean(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}
