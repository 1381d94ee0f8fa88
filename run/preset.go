package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/nearest"
)

// presets by name, each a function of the default configuration.
var presets = map[string]func(*Config){
	"demo":          demo,
	"cifar10":       cifar10,
	"cifar10-quick": cifar10Quick,
	"stl":           stl,
	"imagenet-100":  func(c *Config) { imagenet(c, 100, .45, 1e-6, .99) },
	"imagenet-300":  func(c *Config) { imagenet(c, 300, .3, 1e-6, .99) },
	"imagenet-1000": func(c *Config) { imagenet(c, 1000, .2, 1.5e-6, .996) },
}

// Presets lists the presets' names.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset returns the named configuration.
func Preset(name string) (Config, error) {
	c := Default()
	apply, ok := presets[name]
	if !ok {
		hint := "there are " + strings.Join(Presets(), ", ")
		if n, ok := nearest.Of(name, Presets()); ok {
			hint = "did you mean " + n + "?"
		}
		return c, fmt.Errorf("unknown preset %q; %s", name, hint)
	}
	apply(&c)
	return c, nil
}

// cifarStats are the channels' mean and deviation over CIFAR-10's training pictures.
var cifarStats = Normalize{Mean: []float64{.4914, .4822, .4465}, Std: []float64{.2470, .2435, .2616}}

// small sets what every small-picture recipe shares: SGD from the first step, no blur.
func small(c *Config) {
	c.Encoder.Stem = "cifar"
	c.Augment.Blur.P = PerView{0, 0}
	c.Optim = Optim{Name: "sgd", Momentum: .9, Schedule: "cosine", Accumulate: 1}
	c.Method.TauSchedule = "fixed"
}

// cifar10 is lightly's CIFAR-10 benchmark (86.9 % kNN after 200 epochs). Its loss is a
// quarter of the published one, so that here the rate is a quarter and the decay four
// times as large.
func cifar10(c *Config) {
	small(c)
	c.Augment.Normalize = cifarStats
	c.Data.Size = 32
	c.Heads.Hidden, c.Heads.Dim = 1024, 256
	c.Optim.LR, c.Optim.WeightDecay = .015, 2e-3
	c.Method.Tau = .99
	c.Train.Epochs, c.Train.Batch = 200, 128
	c.Eval.KNNEvery = 5
}

// cifar10Quick learns something in minutes: a quarter of the width, ten epochs.
func cifar10Quick(c *Config) {
	small(c)
	c.Augment.Normalize = cifarStats
	c.Data.Size = 32
	c.Encoder.Width = .25
	c.Heads.Hidden, c.Heads.Dim = 512, 128
	c.Optim.LR, c.Optim.WeightDecay = .06, 5e-4
	c.Method.Tau = .98
	c.Train.Epochs, c.Train.Batch = 10, 64
}

// demo trains on the built-in glyphs in about two minutes on two cores. Letters must not
// be mirrored; their colours mean nothing, so that hues turn by any angle; and a crop
// must leave enough of a letter to tell it.
func demo(c *Config) {
	cifar10Quick(c)
	c.Data.Train = "builtin:glyphs"
	c.Encoder.Stem = "imagenet"
	c.Augment.Normalize = Normalize{}
	c.Augment.Flip = PerView{0, 0}
	c.Augment.Jitter.Hue = .5
	c.Augment.Crop.Scale = [2]float64{.5, 1}
	c.Train.Epochs = 16
	c.Eval.KNNEvery = 2
}

// stl is for the 96-pixel pictures of STL-10 and folders of photographs like it.
func stl(c *Config) {
	c.Data.Size = 96
	c.Encoder.Stem = "imagenet"
	c.Optim.BaseLR, c.Optim.Name, c.Optim.WeightDecay = 1, "lars-clip", 1e-5
	c.Method.Tau = .99
	c.Train.Epochs, c.Train.Batch = 200, 256
	c.Eval.KNNEvery = 5
}

// imagenet is the published recipe: a step sees 4096 pictures, here as sixteen batches.
func imagenet(c *Config, epochs int, baseLR, decay, tau float64) {
	c.Data.Size = 224
	c.Encoder = Encoder{Arch: "resnet50", Width: 1, Stem: "imagenet", Norm: "batch"}
	c.Optim.BaseLR, c.Optim.WeightDecay, c.Optim.Accumulate = baseLR, decay, 16
	c.Method.Tau = tau
	c.Train.Epochs, c.Train.Batch = epochs, 256
	c.Eval.KNNEvery = 10
}
