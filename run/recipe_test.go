package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecipes(t *testing.T) {
	get := func(r Request, images Source) Config {
		t.Helper()
		c, err := Build(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Resolve(images); err != nil {
			t.Fatal(err)
		}
		return c
	}
	cifar := Source{Images: 50_000, NativeSize: 32, Channels: 3, Classes: 10}
	method := func(name string) [][2]string { return [][2]string{{"method.name", name}} }

	c := get(Request{Preset: "cifar10", Set: method("simclr")}, cifar)
	if c.Heads.Hidden != 512 || c.Heads.Dim != 128 || c.Method.Temperature != .5 || c.Optim.LR != .06 || c.Optim.WeightDecay != 5e-4 || c.Train.Epochs != 200 {
		t.Errorf("simclr: heads %+v, method %+v, optim %+v", c.Heads, c.Method, c.Optim)
	}
	c = get(Request{Preset: "cifar10", Set: method("moco")}, cifar)
	if c.Method.Groups != 8 || c.Method.Queue != 4096 || c.Method.Temperature != .1 || c.Heads.Hidden != 512 || c.Method.Tau != .99 {
		t.Errorf("moco: heads %+v, method %+v", c.Heads, c.Method)
	}
	c = get(Request{Set: append(method("moco"), [2]string{"train.batch", "50"})}, cifar)
	if c.Method.Groups != 2 || c.Method.Queue != 1600 {
		t.Errorf("moco with batches of 50: %d groups, queue of %d", c.Method.Groups, c.Method.Queue)
	}
	c = get(Request{Set: append(method("moco"), [2]string{"train.batch", "512"})}, cifar)
	if c.Method.Queue != 8192 {
		t.Errorf("moco with batches of 512: queue of %d", c.Method.Queue)
	}
	c = get(Request{Set: method("simsiam")}, cifar)
	if c.Heads.OutputNorm != "batch" || c.Heads.PredictorHidden != 512 || c.Optim.Name != "sgd" || c.Optim.LR != .03 {
		t.Errorf("simsiam: heads %+v, optim %+v", c.Heads, c.Optim)
	}
	c = get(Request{Preset: "cifar10-quick", Set: method("simsiam")}, cifar)
	if c.Heads.Hidden != 512 || c.Heads.PredictorHidden != 512 || c.Optim.LR != .24 {
		t.Errorf("narrow simsiam: heads %+v, optim %+v", c.Heads, c.Optim)
	}
	c = get(Request{Preset: "cifar10", Set: method("simsiam")}, cifar)
	if c.Heads.Hidden != 2048 || c.Heads.PredictorHidden != 512 || c.Optim.LR != .06 || c.Optim.WeightDecay != 5e-4 {
		t.Errorf("simsiam as published: heads %+v, optim %+v", c.Heads, c.Optim)
	}
	c = get(Request{Set: method("supervised")}, cifar)
	if c.Method.Classes != 10 {
		t.Errorf("supervised: %d classes", c.Method.Classes)
	}

	// What is set explicitly holds, wherever the method's name comes from and in any order.
	file := filepath.Join(t.TempDir(), "c.yaml")
	os.WriteFile(file, []byte("heads:\n  dim: 64\nmethod:\n  name: simclr\n"), 0o644)
	c = get(Request{Preset: "cifar10", File: file, Set: [][2]string{{"optim.lr", ".5"}}}, cifar)
	if c.Method.Name != "simclr" || c.Heads.Dim != 64 || c.Heads.Hidden != 512 || c.Optim.LR != .5 {
		t.Errorf("file: heads %+v, lr %v", c.Heads, c.Optim.LR)
	}
	c = get(Request{Set: [][2]string{{"optim.weight_decay", ".25"}, {"method.name", "moco"}, {"optim.name", "lars"}}}, cifar)
	if c.Optim.WeightDecay != .25 || c.Optim.Name != "lars" || c.Optim.LR <= .1 {
		t.Errorf("set: optim %+v", c.Optim)
	}

	// Going on from a stored run changes nothing.
	again := get(Request{Stored: &c, Set: method("moco")}, cifar)
	if d := ChangesResult(c, again); len(d) != 0 {
		t.Errorf("resumed: %v", d)
	}
	if d := Diff(get(Request{}, cifar), get(Request{Set: method("byol")}, cifar)); len(d) != 0 {
		t.Errorf("byol by name: %v", d)
	}
}

func TestMethodErrors(t *testing.T) {
	for set, want := range map[string]string{
		"method.name=simsam":                              "did you mean simsiam",
		"method.name=moco method.groups=3":                "divisor of train.batch=64",
		"method.name=moco method.groups=64":               "at least 2 pictures",
		"method.name=moco method.target=random":           "experiments of method.name=byol",
		"method.stop_gradient=false":                      "gradient to stop",
		"method.name=simclr method.beta=1":                "negatives by weight",
		"method.beta=2":                                   "method.beta=2: want 0 to 1",
		"method.predictor_lr=0":                           "multiplier above 0",
		"method.temperature=0":                            "above 0",
		"method.queue=-1":                                 "0 (chosen) or more",
		"heads.output_norm=batc":                          "did you mean batch",
		"heads.norm=group_ws":                             "heads.norm=group_ws",
		"method.name=supervised":                          "learns from labels",
		"method.name=supervised method.classes=-1":        "0 (those of",
		"method.name=simsiam heads.output_norm=none":      "",
		"method.target=online method.stop_gradient=false": "",
	} {
		var r Request
		for _, kv := range strings.Fields(set) {
			key, value, _ := strings.Cut(kv, "=")
			r.Set = append(r.Set, [2]string{key, value})
		}
		c, err := Build(r)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Resolve(Source{Images: 1000, NativeSize: 32, Channels: 3})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q in it", set, err, want)
		}
	}
	c := Default()
	c.Method.Name, c.Method.Classes = "supervised", 3
	if err := c.Resolve(Source{Images: 1000, Channels: 3, Classes: 10}); err == nil || !strings.Contains(err.Error(), "at least the 10") {
		t.Errorf("too few classes: %v", err)
	}
}
