package train

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
)

// Every method ends with the same encoder and the same checkpoint whether it was
// interrupted or not, for any number of threads and workers, and with micro-batches.
func TestEveryMethodResumesExactly(t *testing.T) {
	for _, name := range run.Methods()[1:] {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			whole, parts := run.Folder(filepath.Join(dir, "whole")), run.Folder(filepath.Join(dir, "parts"))
			set := []string{"method.name=" + name, "train.steps=4", "optim.accumulate=2", "eval.knn_every=0",
				"method.queue=40", "method.groups=2", "heads.predictor_hidden=4", "data.limit=32"}
			mustRun(t, context.Background(), Options{Config: tiny(t, set...), Folder: whole})
			stopAfter(t, tiny(t, append(set, "train.threads=1", "data.workers=3")...), parts, 3)
			mustRun(t, context.Background(), Options{Config: tiny(t, set...), Folder: parts, Resume: true})
			if !bytes.Equal(encoderBytes(t, whole), encoderBytes(t, parts)) {
				t.Error("the resumed run's encoder differs")
			}
			a, b := lastState(t, whole), lastState(t, parts)
			if !bytes.Equal(a, b) {
				t.Error("the resumed run's state differs")
			}
			if name == method.NameMoCo && !bytes.Contains(a, []byte(`"queue"`)) {
				t.Error("the queue is not in the checkpoint")
			}
			epochs, err := run.ReadEpochs(whole.Metrics())
			if err != nil {
				t.Fatal(err)
			}
			if classified := epochs[len(epochs)-1].Accuracy != nil; classified != (name == method.NameSupervised) {
				t.Errorf("an accuracy is told: %v", classified)
			}
		})
	}
}

// lastState returns the file of the newest checkpoint.
func lastState(t *testing.T, f run.Folder) []byte {
	t.Helper()
	steps, err := checkpoint.Steps(f.Checkpoints())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(checkpoint.Path(f.Checkpoints(), slices.Max(steps)), "state.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The names that a configuration may choose are those that there are.
func TestMethodNames(t *testing.T) {
	if !slices.Equal(run.Methods(), method.Names()) {
		t.Errorf("run has %v, method %v", run.Methods(), method.Names())
	}
}

func TestSupervisedNeedsLabels(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.png", "b.png"} {
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), picture.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := tiny(t, "method.name=supervised", "data.train="+dir)
	err := Run(context.Background(), Options{Config: c, Folder: run.Folder(filepath.Join(t.TempDir(), "r"))})
	if err == nil || !strings.Contains(err.Error(), "learns from labels") {
		t.Errorf("error %v", err)
	}
}
