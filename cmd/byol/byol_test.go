package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
)

// byol runs a command line as main does.
func byol(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

// tiny is a run that ends in a few seconds.
func tiny(out string, more ...string) []string {
	return append([]string{
		"train", "--preset", "demo", "--out", out, "--batch", "16", "--steps", "6", "--threads", "2", "--set", "data.limit=64",
		"--set", "data.test_limit=32", "--set", "encoder.width=0.0625", "--set", "heads.hidden=16", "--set", "heads.dim=8", "--set", "train.checkpoint_every=2",
	}, more...)
}

func TestTrainEvalEmbedReport(t *testing.T) {
	dir := t.TempDir()
	r := filepath.Join(dir, "run")
	if code, _, stderr := byol(t, tiny(r)...); code != 0 {
		t.Fatalf("train: exit %d\n%s", code, stderr)
	}
	epochs, err := run.ReadEpochs(run.Folder(r).Metrics())
	if err != nil || len(epochs) < 2 || epochs[0].Epoch != 0 || epochs[0].KNN == nil {
		t.Fatalf("epochs %+v, %v", epochs, err)
	}

	t.Run("exists", func(t *testing.T) {
		code, _, stderr := byol(t, tiny(r)...)
		if code != exitError || !strings.Contains(stderr, "not empty") || !strings.Contains(stderr, "hint: use --resume") {
			t.Errorf("exit %d\n%s", code, stderr)
		}
	})
	t.Run("finished", func(t *testing.T) {
		before, _ := os.ReadFile(run.Folder(r).Encoder())
		if code, _, stderr := byol(t, tiny(r, "--resume")...); code != 0 || !strings.Contains(stderr, "is finished") {
			t.Errorf("exit %d\n%s", code, stderr)
		}
		if after, _ := os.ReadFile(run.Folder(r).Encoder()); !bytes.Equal(before, after) {
			t.Error("a finished run changed")
		}
	})
	t.Run("changed options", func(t *testing.T) {
		code, _, stderr := byol(t, tiny(r, "--resume", "--seed", "9", "--set", "optim.momentum=0.5")...)
		if code != exitError || !strings.Contains(stderr, "train.seed: 1, now 9") || !strings.Contains(stderr, "optim.momentum: 0.9, now 0.5") {
			t.Errorf("exit %d\n%s", code, stderr)
		}
	})
	t.Run("eval", func(t *testing.T) {
		code, stdout, stderr := byol(t, "eval", "knn", "--model", r, "--data", "builtin:glyphs", "--set", "data.limit=64", "--set", "data.test_limit=32", "--json")
		var report struct {
			Top1   *float64
			N      int
			Random *struct{ Top1 *float64 }
		}
		if err := json.Unmarshal([]byte(stdout), &report); code != 0 || err != nil || report.Top1 == nil || report.Random == nil || report.N != 32 {
			t.Errorf("exit %d, %v\n%s%s", code, err, stdout, stderr)
		}
		// The run's own last epoch and a judgement of its encoder are the same measurement.
		if last := epochs[len(epochs)-1]; float64(*last.KNN) != *report.Top1 {
			t.Errorf("eval says %v, the run said %v", *report.Top1, *last.KNN)
		}
	})
	t.Run("embed", func(t *testing.T) {
		x := filepath.Join(dir, "x.csv")
		if code, _, stderr := byol(t, "embed", "--model", filepath.Join(r, "checkpoints", "step-00000006"), "--data", "builtin:glyphs", "--set", "data.limit=5", "--out", x); code != 0 {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		text, _ := os.ReadFile(x)
		if lines := strings.Count(string(text), "\n"); lines != 6 {
			t.Errorf("%d lines, want a header and five pictures", lines)
		}
	})
	t.Run("inspect", func(t *testing.T) {
		if code, stdout, _ := byol(t, "inspect", r); code != 0 || !strings.Contains(stdout, "finished    true") {
			t.Errorf("exit %d\n%s", code, stdout)
		}
		if code, stdout, _ := byol(t, "inspect", run.Folder(r).Encoder()); code != 0 || !strings.Contains(stdout, "layer4.1.conv2.weight") {
			t.Errorf("exit %d\n%s", code, stdout)
		}
	})
	t.Run("report", func(t *testing.T) {
		if code, _, stderr := byol(t, "report", r); code != 0 {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		for _, name := range []string{"report.html", "curves.png", "neighbours-before.png", "neighbours-after.png"} {
			if info, err := os.Stat(filepath.Join(r, name)); err != nil || info.Size() < 1000 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	os.Mkdir(empty, 0o755)
	full := filepath.Join(dir, "full")
	os.Mkdir(full, 0o755)
	os.WriteFile(filepath.Join(full, "notes.txt"), []byte("mine"), 0o644)
	out := filepath.Join(dir, "out")
	cases := []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no command", []string{"trian"}, exitUsage, []string{"trian"}},
		{"unknown flag", []string{"train", "--epoch", "3"}, exitUsage, []string{"--epoch", "--help"}},
		{"no out", []string{"train", "--data", "x"}, exitUsage, []string{"--out"}},
		{"no data", []string{"train", "--out", out}, exitUsage, []string{"--data"}},
		{"missing folder", []string{"train", "--data", filepath.Join(dir, "nowhere"), "--out", out}, exitError, []string{"nowhere", "does not exist"}},
		{"empty folder", []string{"train", "--data", empty, "--out", out}, exitError, []string{"empty"}},
		{"preset", []string{"train", "--preset", "cifar", "--data", "builtin:glyphs", "--out", out}, exitError, []string{"cifar10"}},
		{"arch", []string{"train", "--arch", "resnet19", "--data", "builtin:glyphs", "--out", out}, exitError, []string{"resnet19", "resnet18"}},
		{"key", []string{"train", "--data", "builtin:glyphs", "--out", out, "--set", "optim.rl=1"}, exitError, []string{"optim.lr"}},
		{"value", []string{"train", "--data", "builtin:glyphs", "--out", out, "--batch", "many"}, exitError, []string{"train.batch", "many"}},
		{"batch of 1", []string{"train", "--data", "builtin:glyphs", "--out", out, "--batch", "1"}, exitError, []string{"batch norm"}},
		{"batch too large", []string{"train", "--data", "builtin:glyphs", "--out", out, "--set", "data.limit=10"}, exitError, []string{"10 training pictures", "64"}},
		{"not a run", []string{"train", "--data", "builtin:glyphs", "--out", full, "--overwrite"}, exitError, []string{"holds no run"}},
		{"backend", []string{"train", "--data", "builtin:glyphs", "--out", out, "--backend", "tpu"}, exitError, []string{"tpu", "cpu"}},
		{"model", []string{"eval", "knn", "--model", empty, "--data", "builtin:glyphs"}, exitError, []string{"neither a run"}},
		{"format", []string{"embed", "--model", "x", "--data", "y", "--out", "z.pdf"}, exitUsage, []string{".npy or .csv"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := byol(t, c.args...)
			if code != c.code || stdout != "" {
				t.Errorf("exit %d, want %d; stdout %q", code, c.code, stdout)
			}
			for _, w := range append(c.want, "byol: error: ") {
				if !strings.Contains(stderr, w) {
					t.Errorf("stderr lacks %q:\n%s", w, stderr)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a failed start left a run behind")
			}
		})
	}
	if _, err := os.Stat(filepath.Join(full, "notes.txt")); err != nil {
		t.Error("--overwrite removed somebody's file")
	}
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "broken.png"), []byte("\x89PNG\r\n\x1a\nnot really"), 0o644)
	code, stdout, stderr := byol(t, "doctor", "--data", dir, "--json")
	var d struct {
		Good *int
		Bad  []struct{ Path, Reason string }
	}
	if err := json.Unmarshal([]byte(stdout), &d); code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if d.Good == nil || *d.Good != 0 || len(d.Bad) != 1 || d.Bad[0].Reason == "" {
		t.Errorf("%s", stdout)
	}
}
