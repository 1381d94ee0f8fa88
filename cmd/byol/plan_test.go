package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/plan"
	"github.com/byol-go/byol/run"
)

// quick is a task that is planned and trained in seconds.
var quick = []string{"--data", "builtin:glyphs", "--size", "16", "--steps", "3", "--threads", "1",
	"--set", "data.limit=100", "--set", "data.test_limit=50", "--set", "encoder.width=0.125", "--set", "train.precision=fp32"}

func TestTrainAutoTrainsAsPlanned(t *testing.T) {
	code, stdout, stderr := byol(t, append([]string{"plan", "--json"}, quick...)...)
	var p plan.Plan
	if err := json.Unmarshal([]byte(stdout), &p); code != 0 || err != nil {
		t.Fatalf("plan: exit %d, %v\n%s", code, err, stderr)
	}
	if len(p.Choices) == 0 || p.Expected.Steps != 3 || len(p.Machine.Trials) == 0 {
		t.Errorf("plan %+v", p)
	}
	for _, c := range p.Choices {
		if c.Reason == "" {
			t.Errorf("%s=%s without a reason", c.Key, c.Value)
		}
	}
	typed, auto := filepath.Join(t.TempDir(), "typed"), filepath.Join(t.TempDir(), "auto")
	args := strings.Fields(p.Command)
	if args[0] != "byol" {
		t.Fatalf("command %q", p.Command)
	}
	if code, _, stderr := byol(t, append(args[1:], "--out", typed)...); code != 0 {
		t.Fatalf("%s: exit %d\n%s", p.Command, code, stderr)
	}
	if code, _, stderr := byol(t, append([]string{"train", "--auto", "--out", auto}, quick...)...); code != 0 {
		t.Fatalf("train --auto: exit %d\n%s", code, stderr)
	}
	a, errA := run.ReadConfig(run.Folder(typed).Config())
	b, errB := run.ReadConfig(run.Folder(auto).Config())
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	// How often to judge follows from what was measured, twice.
	a.Eval.KNNEvery = b.Eval.KNNEvery
	if d := run.Diff(a, b); len(d) > 0 {
		t.Errorf("the command and --auto differ: %v", d)
	}
	if b.Encoder.Width != .125 || b.Optim.Name != "sgd" || b.Augment.Flip != (run.PerView{}) {
		t.Errorf("width %g, optimiser %s, flip %v", b.Encoder.Width, b.Optim.Name, b.Augment.Flip)
	}
	// A run that goes on needs no plan.
	if code, _, stderr := byol(t, "train", "--auto", "--resume", "--out", auto); code != 0 || strings.Contains(stderr, "measured") {
		t.Errorf("resume: exit %d\n%s", code, stderr)
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plan"}, exitUsage, "--data is missing"},
		{[]string{"plan", "--data", "builtin:glyphs", "--preset", "demo"}, exitUsage, "exclude each other"},
		{[]string{"plan", "--data", "/no/such/folder"}, exitError, "does not exist"},
		{[]string{"plan", "--data", "builtin:glyphs", "--set", "data.limit=3"}, exitError, "too few"},
		{[]string{"plan", "--data", "builtin:glyphs", "--set", "encoder.width=x"}, exitError, "not a number"},
		{[]string{"plan", "--data", "builtin:glyphs", "--size", "16", "--set", "encoder.width=0.125", "--time", "1s"}, exitError, "smallest budget that makes sense"},
		{[]string{"train", "--auto", "--data", "builtin:glyphs"}, exitUsage, "--out RUN is missing"},
	} {
		if code, _, stderr := byol(t, c.args...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit %d, want %d and %q\n%s", c.args, code, c.code, c.want, stderr)
		}
	}
}
