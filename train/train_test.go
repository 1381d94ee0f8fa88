package train

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/run"
)

// tiny is a configuration that trains in about a second.
func tiny(t *testing.T, set ...string) run.Config {
	t.Helper()
	c, err := run.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	keys := append([]string{
		"data.limit=48", "data.test_limit=16", "train.batch=8", "train.steps=8", "train.checkpoint_every=3", "train.log_every=1",
		"eval.knn_every=1", "encoder.width=0.0625", "heads.hidden=16", "heads.dim=8", "train.threads=2", "data.workers=2",
	}, set...)
	for _, kv := range keys {
		key, value, _ := strings.Cut(kv, "=")
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func mustRun(t *testing.T, ctx context.Context, o Options) {
	t.Helper()
	if err := Run(ctx, o); err != nil {
		t.Fatal(err)
	}
}

func encoderBytes(t *testing.T, f run.Folder) []byte {
	t.Helper()
	data, err := os.ReadFile(f.Encoder())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// stopAfter cancels a run when its metrics tell of a step.
func stopAfter(t *testing.T, c run.Config, f run.Folder, step int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := NewProgress(nil, false)
	p.onStep = func(s int) {
		if s == step {
			cancel()
		}
	}
	if err := Run(ctx, Options{Config: c, Folder: f, Resume: true, Progress: p}); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("error %v, want ErrInterrupted", err)
	}
}

// A run that was interrupted twice, once inside an epoch, ends with the same encoder and
// the same events as one that was not, whatever the threads and workers.
func TestResumeIsExact(t *testing.T) {
	dir := t.TempDir()
	whole, parts := run.Folder(filepath.Join(dir, "whole")), run.Folder(filepath.Join(dir, "parts"))
	for _, accumulate := range []string{"1", "2"} {
		c := tiny(t, "optim.accumulate="+accumulate, "train.steps=7")
		mustRun(t, context.Background(), Options{Config: c, Folder: whole, Overwrite: true})
		os.RemoveAll(string(parts))
		stopAfter(t, c, parts, 2)
		other := tiny(t, "optim.accumulate="+accumulate, "train.steps=7", "train.threads=1", "data.workers=3")
		stopAfter(t, other, parts, 6) // while it judges the first or second epoch
		mustRun(t, context.Background(), Options{Config: c, Folder: parts, Resume: true})
		if !bytes.Equal(encoderBytes(t, whole), encoderBytes(t, parts)) {
			t.Errorf("accumulate %s: the resumed run's encoder differs", accumulate)
		}
		a, err := run.ReadEpochs(whole.Metrics())
		if err != nil {
			t.Fatal(err)
		}
		b, err := run.ReadEpochs(parts.Metrics())
		if err != nil {
			t.Fatal(err)
		}
		if len(a) != len(b) {
			t.Fatalf("%d and %d epochs", len(a), len(b))
		}
		for i := range a {
			if a[i].Step != b[i].Step || i > 0 && (*a[i].Loss != *b[i].Loss || *a[i].TargetStd != *b[i].TargetStd || *a[i].KNN != *b[i].KNN) {
				t.Errorf("accumulate %s, epoch %d: %+v and %+v", accumulate, i, a[i], b[i])
			}
		}
		text, _ := os.ReadFile(parts.Metrics())
		if n := strings.Count(string(text), `"from_step"`); n != 2 {
			t.Errorf("%d resume events, want 2", n)
		}
	}
}

// A damaged newest checkpoint is passed over, and the result is still the same.
func TestResumeFallsBack(t *testing.T) {
	dir := t.TempDir()
	whole, hurt := run.Folder(filepath.Join(dir, "whole")), run.Folder(filepath.Join(dir, "hurt"))
	c := tiny(t)
	mustRun(t, context.Background(), Options{Config: c, Folder: whole})
	stopAfter(t, c, hurt, 7)
	if err := os.Truncate(filepath.Join(checkpoint.Path(hurt.Checkpoints(), 7), "state.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	mustRun(t, context.Background(), Options{Config: c, Folder: hurt, Resume: true, Progress: NewProgress(&said, false)})
	if !bytes.Equal(encoderBytes(t, whole), encoderBytes(t, hurt)) {
		t.Error("the encoder differs")
	}
	if !strings.Contains(said.String(), "skipping a damaged checkpoint") || !strings.Contains(said.String(), "resuming from step 6") {
		t.Errorf("said:\n%s", said.String())
	}
}

func TestDivergenceStopsAndPersistsNothingBad(t *testing.T) {
	f := run.Folder(filepath.Join(t.TempDir(), "r"))
	c := tiny(t, "optim.lr=1e30", "train.checkpoint_every=1", "train.steps=30", "eval.knn_every=0")
	err := Run(context.Background(), Options{Config: c, Folder: f})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "training has diverged") {
		t.Fatalf("error %v", err)
	}
	steps, err := checkpoint.Steps(f.Checkpoints())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		ck, err := checkpoint.Load(checkpoint.Path(f.Checkpoints(), s))
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range ck.Tensors {
			values, _ := tensor.Float32()
			for _, v := range values {
				if v-v != 0 {
					t.Fatalf("step %d: tensor %q holds %v", s, tensor.Name, v)
				}
			}
		}
	}
	if _, err := os.Stat(f.Encoder()); err == nil {
		t.Error("a diverged run has an encoder")
	}
}

func TestTimeBecomesSteps(t *testing.T) {
	f := run.Folder(filepath.Join(t.TempDir(), "r"))
	c := tiny(t, "train.time=300ms")
	mustRun(t, context.Background(), Options{Config: c, Folder: f})
	stored, err := run.ReadConfig(f.Config())
	if err != nil || stored.Train.Steps < 1 || stored.Train.Time != 0 {
		t.Fatalf("stored %+v, %v", stored.Train, err)
	}
	// The same command goes on with the stored number of steps, whatever the clock says.
	mustRun(t, context.Background(), Options{Config: c, Folder: f, Resume: true})
}

func TestSheetOfViews(t *testing.T) {
	f := run.Folder(filepath.Join(t.TempDir(), "r"))
	mustRun(t, context.Background(), Options{Config: tiny(t, "train.steps=1", "eval.knn_every=0"), Folder: f})
	file, err := os.Open(f.Views())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sheet, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 7*32+6*2, 8*32+7*2); sheet.Bounds() != want {
		t.Fatalf("a sheet of %v, want %v", sheet.Bounds(), want)
	}
	cell := func(col int) (c [32 * 32]color.Color) {
		for i := range c {
			c[i] = sheet.At(col*34+i%32, i/32)
		}
		return c
	}
	for a := range 7 {
		for b := range a {
			if cell(a) == cell(b) {
				t.Errorf("columns %d and %d are the same picture", a, b)
			}
		}
	}
}

func TestInitStartsFromAnEncoder(t *testing.T) {
	dir := t.TempDir()
	first, second := run.Folder(filepath.Join(dir, "first")), run.Folder(filepath.Join(dir, "second"))
	mustRun(t, context.Background(), Options{Config: tiny(t, "train.steps=3"), Folder: first})
	c := tiny(t, "train.steps=1", "optim.lr=0", "optim.base_lr=0", "optim.warmup_epochs=1", "train.seed=7")
	mustRun(t, context.Background(), Options{Config: c, Folder: second, Init: first.Encoder()})
	initial, err := os.ReadFile(second.Initial())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(initial, encoderBytes(t, first)) {
		t.Error("the run did not start from the given weights")
	}
	wide := tiny(t, "encoder.width=0.125")
	err = Run(context.Background(), Options{Config: wide, Folder: run.Folder(filepath.Join(dir, "third")), Init: first.Encoder()})
	if err == nil || !strings.Contains(err.Error(), "conv1.weight") || !strings.Contains(err.Error(), "width") {
		t.Errorf("another width: %v", err)
	}
}

// A step that cannot fit is refused before it starts, with a batch that would.
func TestMemoryIsCheckedBeforeTheFirstStep(t *testing.T) {
	c := tiny(t, "train.batch=16")
	if err := c.Resolve(run.Source{Images: 48, NativeSize: 32, Channels: 3}); err != nil {
		t.Fatal(err)
	}
	m, err := NewMethod(c)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := cpu.New("threads=1")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	backend.LimitMemory(1 << 20)
	_, err = NewStepper(backend, m, ViewShape(c))
	var h interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "batches of 16 needs about") || !errors.As(err, &h) || !strings.Contains(h.Hint(), "would fit") {
		t.Errorf("error %v", err)
	}
}
