package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/run"
)

// tinyConfig is that of a run that never took place, on built-in pictures.
func tinyConfig() run.Config {
	c := run.Default()
	c.Data = run.Data{Train: "builtin:glyphs", TestLimit: 60, Size: 32, Channels: 3}
	c.Encoder = run.Encoder{Arch: "resnet18", Width: .0625, Stem: "imagenet", Norm: "batch"}
	c.Augment.Normalize = run.Normalize{Mean: []float64{.5, .5, .5}, Std: []float64{.25, .25, .25}}
	c.Method.Tau = .98
	c.Train.Epochs, c.Train.Steps, c.Train.Batch, c.Train.Threads = 2, 100, 16, 2
	return c
}

// tinyMetrics are its events.
func tinyMetrics() string {
	lines := []string{`{"event":"epoch","epoch":0,"step":0,"knn_top1":0.25,"seconds":0}`}
	for step := 1; step <= 50; step++ {
		text, _ := json.Marshal(map[string]any{"event": "step", "step": 2 * step, "epoch": 1 + step/26, "loss": 2 - .02*float64(step), "lr": .05, "tau": .98,
			"target_std": .9, "rank": 12.5, "cos_positive": .8, "cos_negative": nil, "grad_norm": .5, "images_per_s": 400})
		lines = append(lines, string(text))
		if step == 25 {
			lines = append(lines, `{"event":"epoch","epoch":1,"step":50,"loss":1.5,"target_std":0.9,"rank":12,"knn_top1":0.5,"seconds":3}`)
		}
	}
	lines = append(lines, `{"event":"epoch","epoch":2,"step":100,"loss":1.25,"target_std":0.9,"rank":12,"knn_top1":0.625,"seconds":3}`)
	return strings.Join(lines, "\n") + "\n"
}

// newRun writes a run's folder; encoders are written unless there are none to be.
func newRun(t *testing.T, name string, c run.Config, metrics string, encoders bool) run.Folder {
	t.Helper()
	f := run.Folder(filepath.Join(t.TempDir(), name))
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(f.Config()); err != nil {
		t.Fatal(err)
	}
	put(t, f.Metrics(), metrics)
	if encoders {
		for seed, path := range map[uint64]string{1: f.Initial(), 2: f.Encoder()} {
			m, err := embed.Random(embed.MetaOf(c), seed)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Save(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
