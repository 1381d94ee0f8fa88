package main

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/safetensors"
)

func TestEmbedRefusesVectorsThatAreNotFinite(t *testing.T) {
	dir := t.TempDir()
	r := filepath.Join(dir, "run")
	if code, _, stderr := byol(t, tiny(r)...); code != 0 {
		t.Fatalf("train: exit %d\n%s", code, stderr)
	}
	tensors, meta, err := safetensors.ReadFile(run.Folder(r).Encoder())
	if err != nil {
		t.Fatal(err)
	}
	values, err := tensors[0].Float32()
	if err != nil {
		t.Fatal(err)
	}
	values[0] = float32(math.NaN())
	tensors[0] = safetensors.FromFloat32(tensors[0].Name, tensors[0].Shape, values)
	damaged, out := filepath.Join(dir, "damaged.safetensors"), filepath.Join(dir, "x.npy")
	if err := safetensors.WriteFile(damaged, tensors, meta); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := byol(t, "embed", "--model", damaged, "--data", "builtin:glyphs", "--set", "data.limit=5", "--out", out)
	if code != exitError || !strings.Contains(stderr, "not finite") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
}
