package lab

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/byol-go/byol/train"
)

func study(t *testing.T, dir string, e Experiment, change ...func(*Options)) *Study {
	t.Helper()
	s, err := Run(context.Background(), options(dir, e, change...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func options(dir string, e Experiment, change ...func(*Options)) Options {
	o := Options{Experiment: e, Dir: dir, Threads: 1}
	for _, c := range change {
		c(&o)
	}
	return o
}

// lines reads results.csv without the seconds, which no two runs have alike.
func lines(t *testing.T, dir string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i] = all[i][:len(all[i])-1]
	}
	return all
}

func joined(rows [][]string) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Join(r, ",") + "\n")
	}
	return b.String()
}

// A study that is stopped in the middle of a run, loses what a kill would lose, and is
// short of time, comes out as one that was left alone.
func TestStudyGoesOnWhereItWas(t *testing.T) {
	e := mustParse(t, small)
	whole := t.TempDir() + "/whole"
	s := study(t, whole, e)
	if len(s.Results) != 4 || s.Planned != 4 {
		t.Fatalf("%d of %d results", len(s.Results), s.Planned)
	}
	want := lines(t, whole)
	var order []string
	for _, r := range want[1:] {
		order = append(order, r[1]+" "+r[2])
	}
	if got := strings.Join(order, ", "); got != "Full 1, no predictor 1, Full 2, no predictor 2" {
		t.Errorf("order %s", got)
	}
	if got := want[1]; got[0] != "small" || got[13] != "" && got[13] == "diverged" || got[14] != "70.5" || got[4] == "" || got[7] == "" {
		t.Errorf("line %v", got)
	}
	if want[2][3] != "method.predictor=false optim.lr=0.01" {
		t.Errorf("keys %q", want[2][3])
	}

	dir := t.TempDir() + "/parts"
	first := filepath.Join(dir, "runs", "full-seed1")
	stopAfterStep(t, dir, e, first)
	if _, err := os.Stat(filepath.Join(first, "lab.json")); err == nil {
		t.Fatal("a half run counts as finished")
	}
	// As a kill leaves it: the run is at its end, but was not judged; half a line was written.
	study(t, dir, e, func(o *Options) { o.Budget = time.Nanosecond })
	if got := lines(t, dir); len(got) != 2 {
		t.Errorf("%d lines after a budget for one run", len(got)-1)
	}
	if err := os.Remove(filepath.Join(first, "lab.json")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	study(t, dir, e, func(o *Options) { o.Seeds, o.Log = 1, &log })
	if got := lines(t, dir); len(got) != 3 {
		t.Errorf("%d lines for one seed", len(got)-1)
	}
	if !strings.Contains(log.String(), "run 1 of 2: Full, seed 1") || !strings.Contains(log.String(), "run 2 of 2: no predictor, seed 1") {
		t.Errorf("log %s", log.String())
	}
	study(t, dir, e)
	if got := joined(lines(t, dir)); got != joined(want) {
		t.Errorf("in parts:\n%swhole:\n%s", got, joined(want))
	}
	log.Reset()
	again := study(t, dir, e, func(o *Options) { o.Log = &log })
	if log.Len() > 0 || len(again.Results) != 4 {
		t.Errorf("a finished study was run again: %s", log.String())
	}
}

// stopAfterStep cancels a study once a run has a checkpoint.
func stopAfterStep(t *testing.T, dir string, e Experiment, folder string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for {
			if kept, _ := filepath.Glob(filepath.Join(folder, "checkpoints", "step-*")); len(kept) > 0 {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := Run(ctx, options(dir, e)); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("error %v", err)
	}
}

func TestStudyRefuses(t *testing.T) {
	e := mustParse(t, small)
	dir := t.TempDir() + "/s"
	study(t, dir, e, func(o *Options) { o.Seeds = 1 })
	refuse := func(what string, e Experiment, dir, want string) {
		t.Helper()
		_, err := Run(context.Background(), options(dir, e))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", what, err, want)
		}
	}
	edited := func(old, new string) Experiment { return mustParse(t, strings.Replace(small, old, new, 1)) }
	refuse("another experiment", edited("name: small", "name: other"), dir, "holds the study small, not other")
	refuse("changed keys", edited("lr: 0.01", "lr: 0.02"), dir, "optim.lr: 0.01, now 0.02")
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	refuse("a folder with something else", e, foreign, "holds no study")
	refuse("no such pictures", edited("data: {", "data: {train: /nowhere, "), t.TempDir()+"/n", `cell "Full"`)
	refuse("too large a batch", edited("batch: 8", "batch: 800"), t.TempDir()+"/b", "136 training pictures")

	// A cell more, and what is there stays.
	more := edited("claims:", "  - {name: slow, set: {optim.lr: 0.001}}\nclaims:")
	if s := study(t, dir, more, func(o *Options) { o.Seeds = 1 }); len(s.Results) != 3 {
		t.Errorf("%d results", len(s.Results))
	}
}

func TestDivergedRunIsAResult(t *testing.T) {
	e := mustParse(t, strings.Replace(small, "lr: 0.01", "lr: 1e30", 1))
	dir := t.TempDir() + "/s"
	one := func(o *Options) { o.Seeds = 1 }
	study(t, dir, e, one)
	s := study(t, dir, e, one)
	if r := s.Results[1]; r.Verdict != "diverged" || !math.IsNaN(r.Linear) || math.IsNaN(r.KNNStart) {
		t.Errorf("%+v", r)
	}
	if f := s.Findings()[1]; f.Outcome == CameOut {
		t.Errorf("diverged counts as collapsed: %+v", f)
	}
}

func TestPageAndTable(t *testing.T) {
	e := mustParse(t, small)
	s := study(t, t.TempDir()+"/s", e, func(o *Options) { o.Seeds = 1 })
	table := s.Markdown()
	for _, want := range []string{"| cell | published | linear, %", "| Full | 70.5 | ", "| no predictor | 0.2 | ", "| *random weights* | 5 | ",
		"Every cell stands on one seed", "- The predictor helps. **", "on one seed"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	page, err := os.ReadFile(s.Page())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A small grid", "Two settings.", `id="chart-loss"`, `id="chart-knn"`, "The predictor helps.", "70.5",
		"method.<wbr>predictor=false", "Every cell stands on one seed"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestPicturesWithoutLabels(t *testing.T) {
	pictures := t.TempDir()
	for i := range 16 {
		m := image.NewGray(image.Rect(0, 0, 16, 16))
		for p := range m.Pix {
			m.Pix[p] = uint8((i*37 + p*(i+1)) % 251)
		}
		f, err := os.Create(filepath.Join(pictures, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Replace(small, "data: {limit: 136, test_limit: 68}", "data: {train: "+filepath.ToSlash(pictures)+", size: 16}", 1)
	s := study(t, t.TempDir()+"/s", mustParse(t, strings.Replace(text, "steps: 6", "steps: 2", 1)), func(o *Options) { o.Seeds = 1 })
	if r := s.Results[0]; !math.IsNaN(r.Linear) || !math.IsNaN(r.KNN) || math.IsNaN(r.Loss) {
		t.Errorf("%+v", r)
	}
	if f := s.Findings(); f[0].Outcome != Undecided || f[1].Outcome == NotYet {
		t.Errorf("%+v", f)
	}
}
