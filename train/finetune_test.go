package train

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/byol-go/byol/run"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// tinyMeta is an encoder that learns in seconds.
var tinyMeta = embed.Meta{Arch: "resnet18", Width: .0625, Stem: "imagenet", Norm: "batch", Size: 32, Channels: 3,
	Mean: []float64{.5, .5, .5}, Std: []float64{.25, .25, .25}}

// shapesOf opens glyphs of few classes.
func shapesOf(t *testing.T, split string, limit int) *dataset.Set {
	t.Helper()
	set, err := dataset.Open("builtin:glyphs", dataset.Options{Split: split, Size: 32, Channels: 3, MaxBad: -1})
	if err != nil {
		t.Fatal(err)
	}
	var rows []int
	for i := range set.Len() {
		if set.Label(i) < 3 && len(rows) < limit {
			rows = append(rows, i)
		}
	}
	return set.Subset(rows)
}

func finetune(t *testing.T, p Finetune, threads, workers int) (eval.Outcome, error) {
	t.Helper()
	backend, err := cpu.New(fmt.Sprintf("threads=%d", threads))
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	pool := par.New(threads)
	defer pool.Close()
	m, err := embed.Random(tinyMeta, 1)
	if err != nil {
		t.Fatal(err)
	}
	e, err := embed.NewEmbedder(backend, m, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pics := eval.Pictures{Train: shapesOf(t, dataset.Train, 120), Test: shapesOf(t, dataset.Test, 60), Workers: workers}
	return p.Judge(context.Background(), backend, pool, e, m, pics)
}

// Fine-tuning learns, chooses a rate that does and never one that diverges, and its
// outcome does not depend on threads and workers.
func TestFinetune(t *testing.T) {
	p := Finetune{Share: .5, Rates: []float64{1e30, 1}, Epochs: 10, Seed: 1, Precision: "fp32", Crop: [2]float64{.6, 1}, Flip: .5}
	a, err := finetune(t, p, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if a.Train != 60 || a.JudgedOn != eval.OnTest || a.Choice.Value != 1 || a.Choice.HeldOut != 12 || a.Top1 < .5 {
		t.Errorf("outcome %+v", a)
	}
	if loss := float64(a.Choice.Tried[0].Loss); !math.IsNaN(loss) {
		t.Errorf("a rate of 1e30 ends with loss %v", loss)
	}
	b, err := finetune(t, p, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a.Confusion, b.Confusion) || a.Choice.Tried[1] != b.Choice.Tried[1] {
		t.Errorf("threads and workers change the outcome: %v and %v", a.Choice.Tried, b.Choice.Tried)
	}
	p.Rates = p.Rates[:1]
	if _, err := finetune(t, p, 2, 2); err == nil || !strings.Contains(err.Error(), "diverged at learning rate 1e+30") {
		t.Errorf("diverged: %v", err)
	}
}

func TestFinetuneErrors(t *testing.T) {
	good := Finetune{Share: 1, Rates: []float64{.1}, Epochs: 1, Crop: [2]float64{.6, 1}}
	for _, c := range []struct {
		change func(*Finetune)
		want   string
	}{
		{func(p *Finetune) { p.Share = .01 }, "fewer than one for each of the"},
		{func(p *Finetune) { p.Share, p.Rates = .03, []float64{.1, .2} }, "--lr"},
		{func(p *Finetune) { p.Rates = nil }, "rates"},
		{func(p *Finetune) { p.Rates = []float64{-1} }, "learning rate -1"},
		{func(p *Finetune) { p.Batch = 1 }, "batch norm"},
	} {
		p := good
		c.change(&p)
		if _, err := finetune(t, p, 1, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// The loss of the step is the cross entropy, stable for large logits.
func TestCrossEntropy(t *testing.T) {
	logits := []float64{1, 2, 3, 1000, 0, -1000}
	want := (math.Log(1+math.Exp(1)+math.Exp(2)) - 1 + 1000) / 2
	out := nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
		loss := crossEntropy(in[0], in[1])
		return []*graph.Node{loss, graph.Gradient(loss, in[0])[0]}
	}, nntest.Tensor(dtypes.Float32, nntest.Float32(logits), 2, 3), tensors.FromFlatDataAndDimensions([]int32{1, 1}, 2))
	nntest.Close(t, "loss", nntest.Floats(t, out[0])[0], want, 1e-4)
	z := 1 + math.Exp(1) + math.Exp(2)
	nntest.CloseAll(t, "gradient", nntest.Floats(t, out[1]), []float64{.5 / z, .5 * (math.E/z - 1), .5 * math.Exp(2) / z, .5, -.5, 0}, 1e-5)
}

// The supervised encoder is trained once and has the run's form.
func TestSupervised(t *testing.T) {
	f := run.Folder(filepath.Join(t.TempDir(), "r"))
	mustRun(t, context.Background(), Options{Config: tiny(t, "train.steps=2"), Folder: f})
	m, err := Supervised(context.Background(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := embed.Load(string(f))
	if err != nil || !reflect.DeepEqual(m.Meta, own.Meta) || reflect.DeepEqual(m.Values, own.Values) {
		t.Errorf("supervised %+v beside %+v, error %v", m.Meta, own.Meta, err)
	}
	folder := run.Folder(filepath.Join(string(f), supervisedFolder))
	c, err := run.ReadConfig(folder.Config())
	if err != nil || c.Method.Name != "supervised" || c.Train.Steps != 2 || c.Optim.Name != "sgd" {
		t.Errorf("%+v %+v, %v", c.Method, c.Train, err)
	}
	before := encoderBytes(t, folder)
	info, _ := os.Stat(folder.Encoder())
	if _, err := Supervised(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(folder.Encoder())
	if !bytes.Equal(before, encoderBytes(t, folder)) || !info.ModTime().Equal(after.ModTime()) {
		t.Error("a finished one was trained again")
	}
	if _, err := Supervised(context.Background(), run.Folder(t.TempDir()), nil); err == nil {
		t.Error("a folder without a run is accepted")
	}
}
