package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLab(t *testing.T) {
	dir := t.TempDir()
	grid := filepath.Join(dir, "grid.yaml")
	text := `
name: one
title: One cell
preset: demo
set: {data: {limit: 136, test_limit: 68}, encoder.width: 0.0625, heads: {hidden: 16, dim: 8}, train: {batch: 8, steps: 2}}
cells:
  - name: only
`
	for path, content := range map[string]string{grid: text, filepath.Join(dir, "bad.yaml"): strings.Replace(text, "batch", "bacth", 1)} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code, stdout, _ := byol(t, "lab"); code != 0 || strings.Count(stdout, "\n") != 6 || !strings.Contains(stdout, "predictor-target") {
		t.Errorf("list: exit %d\n%s", code, stdout)
	}
	for _, x := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"target"}, exitUsage, "--out DIR is missing"},
		{[]string{"target", "--out", dir, "--seeds", "-1"}, exitUsage, "want no number below 0"},
		{[]string{"tarjet", "--out", filepath.Join(dir, "x")}, exitError, "hint: did you mean target?"},
		{[]string{filepath.Join(dir, "bad.yaml"), "--out", filepath.Join(dir, "x")}, exitError, "did you mean train.batch?"},
		{[]string{grid, "--out", dir}, exitError, "hint: choose another --out"},
	} {
		code, _, stderr := byol(t, append([]string{"lab"}, x.args...)...)
		if code != x.code || !strings.Contains(stderr, x.want) {
			t.Errorf("%v: exit %d\n%s", x.args, code, stderr)
		}
	}
	code, stdout, stderr := byol(t, "lab", grid, "--out", filepath.Join(dir, "study"), "--seeds", "1", "--threads", "1")
	if code != 0 || !strings.Contains(stdout, "| only | – | ") || !strings.Contains(stderr, "run 1 of 1: only, seed 1") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
}
