package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSaveAndLoadKeepEveryKey(t *testing.T) {
	for _, name := range append(Presets(), "") {
		c := Default()
		if name != "" {
			c, _ = Preset(name)
		}
		c.Train.Time = 90 * time.Minute
		c.Augment.Flip = PerView{.25, .75}
		c.Data.Train = "a folder: with, odd \"characters\""
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := c.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadConfig(path)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if d := Diff(c, got); len(d) != 0 {
			t.Errorf("%q: %v", name, d)
		}
	}
}

func TestSetReachesEveryKey(t *testing.T) {
	c := Default()
	for _, key := range Keys() {
		v, ok := c.Get(key)
		if !ok {
			t.Fatalf("Get(%q) fails", key)
		}
		if err := c.Set(key, v); err != nil {
			t.Errorf("Set(%q, %q): %v", key, v, err)
		}
	}
	if d := Diff(Default(), c); len(d) != 0 {
		t.Errorf("setting every key to its own value changed %v", d)
	}
}

func TestSetErrors(t *testing.T) {
	cases := []struct{ key, value, want string }{
		{"optim.rl", "1", "did you mean optim.lr"},
		{"train.bacth", "1", "did you mean train.batch"},
		{"train", "1", "unknown key"},
		{"train.batch", "many", "whole number"},
		{"augment.blur.p", "1,2,3", "one per view"},
		{"augment.crop.scale", "1", "two numbers"},
		{"train.time", "fast", "duration"},
		{"method.predictor", "maybe", "true or false"},
	}
	for _, x := range cases {
		c := Default()
		if err := c.Set(x.key, x.value); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("Set(%q, %q): error %v, want %q in it", x.key, x.value, err, x.want)
		}
	}
}

func TestRivalsClearEachOther(t *testing.T) {
	c := Default()
	c.Set("optim.base_lr", ".3")
	c.Set("optim.lr", ".1")
	c.Set("train.steps", "30")
	if c.Optim.BaseLR != 0 || c.Optim.LR != .1 || c.Train.Epochs != 0 || c.Train.Steps != 30 {
		t.Errorf("lr %v, base_lr %v, epochs %d, steps %d", c.Optim.LR, c.Optim.BaseLR, c.Train.Epochs, c.Train.Steps)
	}
}

func TestLoadIsStrict(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	for text, want := range map[string]string{
		"optim:\n  learning: 3\n":          "optim.learning",
		"optim: [1]\n":                     "unknown key \"optim\"",
		"augment:\n  crop:\n   scale: 1\n": "two numbers",
		"a: b: c":                          path,
	} {
		os.WriteFile(path, []byte(text), 0o644)
		c := Default()
		if err := c.Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
	os.WriteFile(path, []byte("augment:\n  flip: [0.1, 0.2]\n  blur:\n    p: 0.5\ntrain:\n  steps: 7\n"), 0o644)
	c := Default()
	if err := c.Load(path); err != nil {
		t.Fatal(err)
	}
	if c.Augment.Flip != (PerView{.1, .2}) || c.Augment.Blur.P != (PerView{.5, .5}) || c.Train.Steps != 7 || c.Train.Epochs != 0 {
		t.Errorf("loaded %+v", c)
	}
}

func TestPairs(t *testing.T) {
	got := Pairs(map[string]any{"train": map[string]any{"steps": uint64(7)}, "optim.lr": .5, "heads": map[string]any{"norm": []any{"batch", "none"}}})
	want := [][2]string{{"heads.norm", "batch,none"}, {"optim.lr", "0.5"}, {"train.steps", "7"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestResolve(t *testing.T) {
	c := Default()
	if err := c.Resolve(Source{Images: 1000, NativeSize: 32, Channels: 1}); err != nil {
		t.Fatal(err)
	}
	if c.Data.Size != 32 || c.Encoder.Stem != "cifar" || c.Data.Channels != 1 || len(c.Augment.Normalize.Mean) != 1 {
		t.Errorf("data %+v, stem %s", c.Data, c.Encoder.Stem)
	}
	if c.Train.Steps != 100*15 || c.Method.Tau <= .9 || c.Optim.LR <= 0 || c.Optim.WarmupEpochs != 10 {
		t.Errorf("steps %d, tau %v, lr %v, warm-up %v", c.Train.Steps, c.Method.Tau, c.Optim.LR, c.Optim.WarmupEpochs)
	}
	again := c
	if err := again.Resolve(Source{Images: 1000, NativeSize: 32, Channels: 1}); err != nil || len(Diff(c, again)) != 0 {
		t.Errorf("resolving twice: %v, %v", err, Diff(c, again))
	}

	c, _ = Preset("imagenet-100")
	if err := c.Resolve(Source{Images: 1_281_167, Channels: 3}); err != nil {
		t.Fatal(err)
	}
	if c.Optim.LR != .45*16 || c.Method.Tau != .99 || c.Train.Steps != 100*312 {
		t.Errorf("imagenet-100: lr %v, tau %v, steps %d", c.Optim.LR, c.Method.Tau, c.Train.Steps)
	}

	c = Default()
	if err := c.Resolve(Source{Images: 40, Channels: 3}); err == nil || !strings.Contains(err.Error(), "40 training pictures") {
		t.Errorf("too few pictures: %v", err)
	}
}

func TestValidateNamesKeyAndValue(t *testing.T) {
	cases := map[string]string{
		"encoder.norm=bach":        "did you mean batch",
		"train.batch=1":            "batch norm needs",
		"method.target=emma":       "did you mean ema",
		"heads.norm=batch,foo":     "heads.norm",
		"augment.flip=2":           "probabilities",
		"augment.jitter.hue=.7":    "0 to 0.5",
		"optim.momentum=1":         "optim.momentum=1",
		"augment.normalize.std=0":  "above 0",
		"train.precision=fp16":     "train.precision=fp16",
		"data.size=4":              "8 to 4096",
		"eval.temperature=0":       "above 0",
		"augment.crop.scale=.5,.2": "low <= high",
	}
	for set, want := range cases {
		c := Default()
		key, value, _ := strings.Cut(set, "=")
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", set, err, want)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
}

func TestPresetsResolve(t *testing.T) {
	for _, name := range Presets() {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Resolve(Source{Images: 50_000, Channels: 3}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("cifar"); err == nil || !strings.Contains(err.Error(), "cifar10") {
		t.Errorf("unknown preset: %v", err)
	}
}

func TestChangesResult(t *testing.T) {
	a := Default()
	b := a
	b.Train.Threads, b.Data.Workers, b.Train.Keep, b.Train.LogEvery = 7, 3, 5, 1
	if d := ChangesResult(a, b); len(d) != 0 {
		t.Errorf("threads and the like: %v", d)
	}
	b.Optim.LR, b.Train.Seed = .5, 9
	if d := ChangesResult(a, b); !slices.Equal(d, []string{"optim.lr: 0, now 0.5", "train.seed: 1, now 9"}) {
		t.Errorf("differences %v", d)
	}
}

func TestChosenYields(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("train:\n  batch: 32\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Request{File: file, Set: [][2]string{{"optim.lr", ".5"}},
		Chosen: [][2]string{{"train.batch", "128"}, {"optim.lr", ".1"}, {"encoder.width", ".25"}, {"train.steps", "70"}}}
	c, err := Build(r)
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Batch != 32 || c.Optim.LR != .5 || c.Encoder.Width != .25 || c.Train.Steps != 70 || c.Train.Epochs != 0 {
		t.Errorf("batch %d, rate %g, width %g, steps %d, epochs %d", c.Train.Batch, c.Optim.LR, c.Encoder.Width, c.Train.Steps, c.Train.Epochs)
	}
	named, err := r.Named()
	if err != nil || len(named) != 2 || !named["train.batch"] || !named["optim.lr"] {
		t.Errorf("named %v, %v", named, err)
	}
}
