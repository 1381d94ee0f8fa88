package checkpoint

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/safetensors"
)

func at(step int) Checkpoint {
	return Checkpoint{
		Step:    step,
		Tensors: []safetensors.Tensor{safetensors.FromFloat32("w", []int{2}, []float32{float32(step), -1})},
		Extra:   json.RawMessage(`{"loss":1.5}`),
	}
}

func save(t *testing.T, dir string, steps ...int) {
	t.Helper()
	for _, s := range steps {
		if err := Save(dir, at(s)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSaveAndLatest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoints")
	if _, _, err := Latest(dir); !errors.Is(err, ErrNone) {
		t.Errorf("no folder: error %v, want ErrNone", err)
	}
	save(t, dir, 9, 10, 10)
	c, skipped, err := Latest(dir)
	if err != nil || len(skipped) != 0 || c.Step != 10 {
		t.Fatalf("step %d, skipped %v, error %v", c.Step, skipped, err)
	}
	v, _ := c.Tensors[0].Float32()
	var extra struct{ Loss float64 }
	json.Unmarshal(c.Extra, &extra)
	if !slices.Equal(v, []float32{10, -1}) || extra.Loss != 1.5 {
		t.Errorf("values %v, extra %s", v, c.Extra)
	}
}

// Every way a checkpoint can be damaged makes Latest fall back and say why.
func TestLatestFallsBack(t *testing.T) {
	damage := map[string]func(path string) error{
		"truncated": func(p string) error { return os.Truncate(filepath.Join(p, stateFile), 40) },
		"altered": func(p string) error {
			f := filepath.Join(p, stateFile)
			b, _ := os.ReadFile(f)
			b[len(b)-1] ^= 1
			return os.WriteFile(f, b, 0o644)
		},
		"no manifest":     func(p string) error { return os.Remove(filepath.Join(p, manifestFile)) },
		"no state":        func(p string) error { return os.Remove(filepath.Join(p, stateFile)) },
		"manifest halved": func(p string) error { return os.Truncate(filepath.Join(p, manifestFile), 20) },
	}
	for name, harm := range damage {
		dir := t.TempDir()
		save(t, dir, 1, 2, 3)
		if err := harm(Path(dir, 3)); err != nil {
			t.Fatal(err)
		}
		c, skipped, err := Latest(dir)
		if err != nil || c.Step != 2 || len(skipped) != 1 || !strings.Contains(skipped[0].Error(), Path(dir, 3)) {
			t.Errorf("%s: step %d, skipped %v, error %v", name, c.Step, skipped, err)
		}
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, 1, 2, 3, 4, 5)
	os.Mkdir(filepath.Join(dir, tempPrefix+"left"), 0o755)
	if err := Prune(dir, 2, 1); err != nil {
		t.Fatal(err)
	}
	steps, _ := Steps(dir)
	entries, _ := os.ReadDir(dir)
	if !slices.Equal(steps, []int{1, 4, 5}) || len(entries) != 3 {
		t.Errorf("steps %v, %d entries", steps, len(entries))
	}
}

func TestFailedSaveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, 1)
	bad := at(2)
	bad.Tensors[0].Shape = []int{3}
	if err := Save(dir, bad); err == nil || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("%d entries left, want the old checkpoint only", len(entries))
	}
}
