package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
)

// small is a grid whose runs take a fraction of a second.
const small = `
name: small
title: A small grid
about: Two settings.
source: nobody
measure: linear accuracy, %
published_random: 5
preset: demo
seeds: 2
set:
  data: {limit: 136, test_limit: 68}
  encoder: {width: 0.0625}
  heads: {hidden: 16, dim: 8}
  train: {batch: 8, steps: 6, checkpoint_every: 2, log_every: 1}
cells:
  - {name: Full, published: 70.5}
  - name: no predictor
    published: 0.2
    set: {method.predictor: false, optim: {lr: 0.01}}
claims:
  - {say: The predictor helps., above: [Full, no predictor], by: 1}
  - {say: Without it all is lost., collapses: no predictor}
`

func mustParse(t *testing.T, text string) Experiment {
	t.Helper()
	e, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNamedExperimentsAreWhole(t *testing.T) {
	for _, name := range Names() {
		e, err := Named(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if e.Name != name || e.Title == "" || e.About == "" || e.Source == "" || e.Measure == "" || e.Seeds < 3 || len(e.Claims) == 0 {
			t.Errorf("%s: %+v", name, e)
		}
		s := sources{}
		for seed := 1; seed <= e.Seeds; seed++ {
			for _, c := range e.Cells {
				config, err := e.config(c, seed)
				if err != nil {
					t.Fatalf("%s: %s: %v", name, c.Name, err)
				}
				j := job{cell: c, seed: seed, config: config, folder: run.Folder(filepath.Join(t.TempDir(), "none"))}
				if err := j.check(s); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if files, err := experiments.ReadDir("experiment"); err != nil || len(files) != len(Names()) {
		t.Errorf("%d files, %d names, %v", len(files), len(Names()), err)
	}
}

func TestParse(t *testing.T) {
	e := mustParse(t, small)
	if len(e.Cells) != 2 || *e.Cells[0].Published != 70.5 || e.Claims[0].By != 1 || e.Judge != byLinear {
		t.Errorf("%+v", e)
	}
	c, err := e.config(e.Cells[1], 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Seed != 2 || c.Method.Predictor || c.Optim.LR != .01 || c.Train.Steps != 6 || c.Train.Epochs != 0 || c.Data.Train != "builtin:glyphs" {
		t.Errorf("%+v", c)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, x := range []struct{ old, new, want string }{
		{"title:", "titel:", `unknown key "titel"; did you mean title?`},
		{"published: 70.5", "publishd: 70.5", `cells: entry 1: unknown key "publishd"; did you mean published?`},
		{"by: 1", "bye: 1", `claims: entry 1: unknown key "bye"; did you mean by?`},
		{"lr: 0.01", "rl: 0.01", `cells: "no predictor": set: unknown key "optim.rl"; did you mean optim.lr?`},
		{"batch: 8", "bacth: 8", `set: unknown key "train.bacth"; did you mean train.batch?`},
		{"steps: 6", "time: 6s", "train.time: a run of so many minutes"},
		{"steps: 6", "seed: 6", "train.seed: seeds belong to the laboratory"},
		{"lr: 0.01", "momentum: 2", "optim.momentum=2"},
		{"[Full, no predictor]", "[Ful, no predictor]", `there is no cell "Ful"; did you mean "Full"?`},
		{"[Full, no predictor]", "[Full]", "want two cells"},
		{"[Full, no predictor]", "[random weights, Full]", "can only come second"},
		{"collapses: no predictor", "by: 3", "want exactly one"},
		{"collapses: no predictor", "collapses: Full, stays: Full", "want exactly one"},
		{"name: Full", "name: No Predictor", "have the same folder"},
		{"name: Full", "name: '?'", "want letters or digits"},
		{"name: small", "name: Small Grid", "lower-case letters"},
		{"preset: demo", "preset: dmeo", "did you mean demo?"},
		{"preset: demo", "preset: cifar10", "data.train is missing"},
		{"seeds: 2", "seeds: -2", "seeds: -2"},
		{"seeds: 2", "judge: luck", `judge: "luck"`},
		{"seeds: 2", "seeds: [", "["},
		{"cells:", "cells: []\nclaims:", "claims"},
	} {
		text := strings.Replace(small, x.old, x.new, 1)
		if text == small {
			t.Fatalf("%q is not in the grid", x.old)
		}
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q: error %v, want %q in it", x.new, err, x.want)
		}
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.yaml")
	if err := os.WriteFile(path, []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	if e, err := Open(path); err != nil || e.Name != "small" {
		t.Errorf("%v, %v", e.Name, err)
	}
	if e, err := Open("batch"); err != nil || e.Name != "batch" {
		t.Errorf("%v, %v", e.Name, err)
	}
	_, err := Open("bacthnorm")
	if h, ok := err.(interface{ Hint() string }); !ok || h.Hint() != "did you mean batchnorm?" {
		t.Errorf("error %v", err)
	}
	if _, err := Open("missing.yaml"); !os.IsNotExist(unwrapped(err)) {
		t.Errorf("error %v", err)
	}
}

func unwrapped(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}
