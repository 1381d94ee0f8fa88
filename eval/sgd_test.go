package eval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/kernel/par"
)

// tinyModel is a random encoder that is quick.
func tinyModel(t *testing.T) *embed.Model {
	t.Helper()
	m, err := embed.Random(embed.Meta{Arch: "resnet18", Width: .0625, Stem: "imagenet", Norm: "batch", Size: 32, Channels: 3,
		Mean: []float64{.5, .5, .5}, Std: []float64{.25, .25, .25}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// threeGlyphs opens pictures of three classes.
func threeGlyphs(t *testing.T, split string, limit int) *dataset.Set {
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

// coloured opens n pictures of noise that has more red, green or blue in it.
func coloured(t *testing.T, n int, seed uint64) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		m := image.NewNRGBA(image.Rect(0, 0, 32, 32))
		for p := range m.Pix {
			m.Pix[p] = byte(r.IntN(128))
			if p%4 == 3 {
				m.Pix[p] = 255
			} else if p%4 == i%3 {
				m.Pix[p] += 64
			}
		}
		var b bytes.Buffer
		path := filepath.Join(dir, []string{"red", "green", "blue"}[i%3], fmt.Sprintf("%03d.png", i))
		if err := errors.Join(png.Encode(&b, m), os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := dataset.Open(dir, dataset.Options{Channels: 3, Size: 32, CacheDir: "off", MaxBad: -1})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// with runs f with an embedder of m.
func with(t *testing.T, m *embed.Model, threads int, f func(pool *par.Pool, e *embed.Embedder)) {
	t.Helper()
	backend, err := compute.New("cpu", threads)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	e, err := embed.NewEmbedder(backend, m, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pool := par.New(threads)
	defer pool.Close()
	f(pool, e)
}

// The SGD protocol learns to tell colours apart, chooses the rate
// with the best accuracy on the held-out part, and depends neither on threads nor on
// workers.
func TestSGD(t *testing.T) {
	pics := Pictures{Train: coloured(t, 150, 1), Test: coloured(t, 90, 2)}
	p := SGD{Rates: []float64{1e-9, .2, 1}, Epochs: 4, Seed: 1, Crop: [2]float64{.6, 1}, Flip: .5}
	var first Outcome
	for i, threads := range []int{1, 3} {
		epochs := 0
		p.Progress = func(epoch int, loss float64) {
			if epochs++; epoch != epochs || !(loss > 0) {
				t.Errorf("progress: epoch %d after %d, loss %v", epoch, epochs-1, loss)
			}
		}
		pics.Workers = threads
		with(t, tinyModel(t), threads, func(pool *par.Pool, e *embed.Embedder) {
			o, err := p.JudgeSets(context.Background(), pool, e, pics)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = o
			}
			if !reflect.DeepEqual(o.Confusion, first.Confusion) || !reflect.DeepEqual(o.Choice, first.Choice) {
				t.Errorf("%d threads change the outcome: %+v and %+v", threads, o.Choice, first.Choice)
			}
		})
		if epochs != p.Epochs {
			t.Errorf("progress of %d epochs, want %d", epochs, p.Epochs)
		}
	}
	if first.N != 90 || first.Train != 150 || first.JudgedOn != OnTest || first.Choice.HeldOut != 30 || first.Choice.Value == 1e-9 || first.Top1 < .6 {
		t.Errorf("%+v, choice %+v", first, first.Choice)
	}
	if best := Best(first.Choice.Tried); best.Value != first.Choice.Value {
		t.Errorf("chose %v, the best is %+v", first.Choice.Value, best)
	}
}

func TestSGDErrors(t *testing.T) {
	pics := Pictures{Train: threeGlyphs(t, dataset.Train, 30)}
	with(t, tinyModel(t), 1, func(pool *par.Pool, e *embed.Embedder) {
		for want, p := range map[string]SGD{
			"rates []":           {Epochs: 1},
			"0 epochs":           {Rates: []float64{1}},
			"learning rate -1":   {Rates: []float64{1, -1}, Epochs: 1},
			"augment.crop.scale": {Rates: []float64{1}, Epochs: 1},
		} {
			if _, err := p.JudgeSets(context.Background(), pool, e, pics); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
	})
}

// Features that are not numbers are an error that names the picture.
func TestFeaturesThatAreNotFinite(t *testing.T) {
	m := tinyModel(t)
	m.Values[0][0] = float32(math.NaN())
	set := threeGlyphs(t, dataset.Train, 6)
	with(t, m, 1, func(_ *par.Pool, e *embed.Embedder) {
		if _, err := Labelled(context.Background(), e, set, 1); err == nil || !strings.Contains(err.Error(), set.Name(0)) || !strings.Contains(err.Error(), "diverged") {
			t.Errorf("error %v", err)
		}
	})
}

// Without test pictures Divide sets a fifth aside, and what is held out to choose by is
// of the rest.
func TestDivide(t *testing.T) {
	set := threeGlyphs(t, dataset.Train, 150)
	d, err := Pictures{Train: set}.Divide(.5, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	if d.Test.Len() != 30 || d.Train.Len() != 60 || d.Select(true).Len() != 12 || d.Select(false).Len() != 48 || d.JudgedOn != OnHeldOut {
		t.Errorf("%d test, %d training pictures, %d of them to choose by", d.Test.Len(), d.Train.Len(), d.Select(true).Len())
	}
	seen := map[string]bool{}
	for _, part := range []*dataset.Set{d.Test, d.Select(true), d.Select(false)} {
		for i := range part.Len() {
			if seen[part.Name(i)] {
				t.Fatalf("%s is in two parts", part.Name(i))
			}
			seen[part.Name(i)] = true
		}
	}
}

// Several seeds give means, deviation and another random encoder each.
func TestCompare(t *testing.T) {
	m := tinyModel(t)
	drawn := map[float32]bool{}
	judge := func(other *embed.Model, seed uint64) (Outcome, error) {
		right := []float32{1, 0}
		if other != m {
			drawn[other.Values[0][0]] = true
			right = []float32{0, 1}
		} else if seed == 6 {
			right = []float32{0, 1}
		}
		return Outcome{Score: ScoreLogits(right, []int{0}, 2), Train: 3}, nil
	}
	r, err := Compare(m, nil, true, []uint64{5, 6}, judge)
	if err != nil || r.Top1 != .5 || *r.Top1Std != math.Sqrt(.5) || !reflect.DeepEqual(r.Seeds, []float64{1, 0}) || r.Train != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if len(drawn) != 2 || r.Random.Top1 != 0 || r.Supervised != nil {
		t.Errorf("%d random encoders, %+v", len(drawn), r.Random)
	}
	broken := errors.New("broken")
	if _, err := Compare(m, m, false, []uint64{1}, func(*embed.Model, uint64) (Outcome, error) { return Outcome{}, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
