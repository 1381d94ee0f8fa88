package run

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/nearest"
	"github.com/dustin/go-humanize"
)

// Source is what Resolve must know of the training pictures.
type Source struct {
	Images     int // number of pictures
	NativeSize int // side of the pictures in pixels if all are square and alike, else 0
	Channels   int // 3 or 1
	Classes    int // number of classes, 0 without labels
}

// Resolve checks the configuration and fills in what was left to choose, so that the
// result written to config.yaml says everything. train.time must have been turned into
// train.steps before.
func (c *Config) Resolve(s Source) error {
	if c.Data.Size == 0 {
		c.Data.Size = 128
		if s.NativeSize > 0 && s.NativeSize <= 64 {
			c.Data.Size = s.NativeSize
		}
	}
	if c.Data.Channels == 0 {
		c.Data.Channels = s.Channels
	}
	if c.Encoder.Stem == "auto" {
		c.Encoder.Stem = "imagenet"
		if c.Data.Size <= 64 {
			c.Encoder.Stem = "cifar"
		}
	}
	c.Augment.Normalize.resolve(c.Data.Channels)
	if len(c.Heads.Norm) == 1 {
		c.Heads.Norm = []string{c.Heads.Norm[0], c.Heads.Norm[0]}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if err := c.resolveMethod(s); err != nil {
		return err
	}
	perEpoch := c.StepsPerEpoch(s.Images)
	if perEpoch == 0 {
		return fmt.Errorf("%d training pictures are fewer than the %d of one step: lower train.batch (--batch) or optim.accumulate", s.Images, c.Train.Batch*c.Optim.Accumulate)
	}
	if c.Train.Steps == 0 {
		c.Train.Steps = c.Train.Epochs * perEpoch
	} else {
		c.Train.Epochs = (c.Train.Steps + perEpoch - 1) / perEpoch
	}
	c.resolveSchedule(perEpoch)
	if c.Train.CheckpointEvery == 0 {
		c.Train.CheckpointEvery = min(perEpoch, 500)
	}
	return nil
}

// StepsPerEpoch returns the optimiser steps of a pass over that many pictures; what does
// not fill a step is dropped.
func (c Config) StepsPerEpoch(images int) int {
	return images / c.Train.Batch / c.Optim.Accumulate
}

// imagenetSteps are the steps of the published recipe's 100 epochs, if they were taken
// with one picture each: 1.28 million times 100.
const imagenetSteps = 128.1e6

// resolveSchedule scales the published recipe to the run's batch and length.
func (c *Config) resolveSchedule(perEpoch int) {
	steps := float64(c.Train.Steps)
	pictures := float64(c.Train.Batch * c.Optim.Accumulate)
	// The warm-up takes at most a tenth of the run.
	c.Optim.WarmupEpochs = min(c.Optim.WarmupEpochs, steps/float64(perEpoch)/10)
	if c.Optim.LR == 0 && c.Optim.BaseLR == 0 {
		c.Optim.BaseLR = defaultBaseLR(c.Method.Name, c.Optim.Name, steps*pictures)
	}
	if c.Optim.LR == 0 {
		c.Optim.LR = c.Optim.BaseLR * pictures / 256
		c.Optim.BaseLR = 0
	}
	if c.Optim.Trust == 0 && strings.HasPrefix(c.Optim.Name, "lars") {
		c.Optim.Trust = 1e-3
		if c.Optim.Name == "lars-clip" {
			c.Optim.Trust = .02
		}
	}
	if c.Method.Tau < 0 {
		// The target must move many times within the run, and average over many steps:
		// the square root lies between; .98 for 1,600 steps, .996 from 40,000 on.
		c.Method.Tau = 1 - min(.04, max(.004, .8/math.Sqrt(steps)))
	}
}

// defaultBaseLR is the published rate of the optimiser for long runs. LARS moves the
// weights by a share of their norm a step, whatever the gradient: a run that sees fewer
// pictures than ImageNet's 100 epochs would not get far, so the rate grows, by the square
// root of the missing share and at most sixteen-fold.
func defaultBaseLR(method, optim string, pictures float64) float64 {
	switch optim {
	case "sgd":
		if method != "byol" {
			return recipeBaseLR
		}
		return .06
	case "adamw":
		return 1e-3
	case "lars-clip":
		return 1
	}
	return .45 * min(16, max(1, math.Sqrt(imagenetSteps/pictures)))
}

func (n *Normalize) resolve(channels int) {
	if len(n.Mean) == 0 && len(n.Std) == 0 {
		n.Mean, n.Std = []float64{.485, .456, .406}, []float64{.229, .224, .225}
		if channels == 1 {
			n.Mean, n.Std = []float64{.449}, []float64{.226}
		}
	}
}

// Validate checks every value that can be checked without reading the pictures.
func (c Config) Validate() error {
	var errs []error
	bad := func(ok bool, key, want string) {
		if !ok {
			v, _ := c.Get(key)
			errs = append(errs, fmt.Errorf("%s=%s: want %s", key, v, want))
		}
	}
	oneOf := func(key string, names ...string) {
		v, _ := c.Get(key)
		if slices.Contains(names, v) {
			return
		}
		err := fmt.Errorf("%s=%s: want one of %s", key, v, strings.Join(names, ", "))
		if n, ok := nearest.Of(v, names); ok {
			err = fmt.Errorf("%w; did you mean %s?", err, n)
		}
		errs = append(errs, err)
	}
	perView := func(p PerView, key string) {
		bad(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1, key, "probabilities from 0 to 1")
	}
	d, a := c.Data, c.Augment
	bad(d.Size == 0 || d.Size >= 8 && d.Size <= 4096, "data.size", "8 to 4096 pixels")
	bad(d.Channels == 0 || d.Channels == 1 || d.Channels == 3, "data.channels", "1 or 3")
	bad(d.Limit >= 0, "data.limit", "0 (all) or more")
	bad(d.TestLimit >= 0, "data.test_limit", "0 (all) or more")
	bad(d.Workers >= 0, "data.workers", "0 (automatic) or more")
	bad(d.MaxBad >= 0 && d.MaxBad <= 1, "data.max_bad", "a share from 0 to 1")
	bad(a.Crop.Scale[0] > 0 && a.Crop.Scale[0] <= a.Crop.Scale[1] && a.Crop.Scale[1] <= 1, "augment.crop.scale", "0 < low <= high <= 1")
	bad(a.Crop.Ratio[0] > 0 && a.Crop.Ratio[0] <= a.Crop.Ratio[1], "augment.crop.ratio", "0 < low <= high")
	oneOf("augment.crop.interpolation", "bicubic", "bilinear")
	oneOf("augment.jitter.style", "torchvision", "paper")
	for _, key := range []string{"augment.jitter.brightness", "augment.jitter.contrast", "augment.jitter.saturation"} {
		v, _ := c.Get(key)
		bad(!strings.HasPrefix(v, "-") && v != "NaN", key, "0 or more")
	}
	bad(a.Jitter.Hue >= 0 && a.Jitter.Hue <= .5, "augment.jitter.hue", "0 to 0.5")
	perView(a.Flip, "augment.flip")
	perView(a.Jitter.P, "augment.jitter.p")
	perView(a.Gray, "augment.gray")
	perView(a.Blur.P, "augment.blur.p")
	perView(a.Solarize.P, "augment.solarize.p")
	bad(a.Blur.Sigma[0] > 0 && a.Blur.Sigma[0] <= a.Blur.Sigma[1], "augment.blur.sigma", "0 < low <= high")
	bad(d.Channels == 0 || len(a.Normalize.Mean) == d.Channels, "augment.normalize.mean", "one number a channel")
	bad(d.Channels == 0 || len(a.Normalize.Std) == d.Channels, "augment.normalize.std", "one number a channel")
	bad(!slices.ContainsFunc(a.Normalize.Std, func(v float64) bool { return !(v > 0) }), "augment.normalize.std", "numbers above 0")
	model := c.validateModel(bad, oneOf)
	return errors.Join(append(errs, model...)...)
}

// validateModel checks the network, the method, the optimiser and the run's length.
// bad and oneOf report into the caller's list.
func (c Config) validateModel(bad func(bool, string, string), oneOf func(string, ...string)) []error {
	o, t := c.Optim, c.Train
	bad(c.Encoder.Width > 0 && c.Encoder.Width <= 16, "encoder.width", "a multiplier above 0, at most 16")
	oneOf("encoder.stem", "auto", "cifar", "imagenet")
	oneOf("encoder.norm", norms...)
	bad(c.Heads.Hidden > 0, "heads.hidden", "at least 1")
	bad(c.Heads.Dim > 1, "heads.dim", "at least 2")
	var errs []error
	if len(c.Heads.Norm) < 1 || len(c.Heads.Norm) > 2 || slices.ContainsFunc(c.Heads.Norm, func(n string) bool { return !slices.Contains(headNorms, n) }) {
		v, _ := c.Get("heads.norm")
		errs = append(errs, fmt.Errorf("heads.norm=%s: want one of %s, or two of them as projector,predictor", v, strings.Join(headNorms, ", ")))
	}
	oneOf("heads.output_norm", headNorms...)
	bad(c.Heads.PredictorHidden >= 0, "heads.predictor_hidden", "0 (as heads.hidden) or more")
	c.validateMethod(bad, oneOf)
	oneOf("optim.name", "lars", "lars-clip", "sgd", "adamw")
	oneOf("optim.schedule", "cosine", "constant")
	bad(o.LR >= 0, "optim.lr", "a rate above 0")
	bad(o.BaseLR >= 0, "optim.base_lr", "a rate above 0")
	bad(o.Momentum >= 0 && o.Momentum < 1, "optim.momentum", "0 to below 1")
	bad(o.WeightDecay >= 0, "optim.weight_decay", "0 or more")
	bad(o.Trust >= 0, "optim.trust", "0 (the optimiser's own) or more")
	bad(o.WarmupEpochs >= 0, "optim.warmup_epochs", "0 or more")
	bad(o.Accumulate >= 1, "optim.accumulate", "at least 1")
	bad(t.Batch >= 1, "train.batch", "at least 1")
	if t.Batch == 1 && c.usesBatchNorm() {
		errs = append(errs, errors.New("train.batch=1: batch norm needs at least 2 pictures a batch; use a larger batch or encoder.norm=group and heads.norm=layer"))
	}
	bad(t.Epochs > 0 || t.Steps > 0 || t.Time > 0, "train.epochs", "at least 1 (or set train.steps or train.time)")
	bad(t.Epochs >= 0, "train.epochs", "at least 1")
	bad(t.Steps >= 0, "train.steps", "at least 1")
	bad(t.Time >= 0, "train.time", "a duration above 0")
	oneOf("train.precision", "fp32", "bf16")
	bad(t.Threads >= 0 && t.Threads <= 4096, "train.threads", "0 (all) to 4096")
	if _, err := t.MemoryBytes(); err != nil {
		errs = append(errs, fmt.Errorf("train.memory=%q: want a size such as 2GB or 800MiB", t.Memory))
	}
	bad(t.CheckpointEvery >= 0, "train.checkpoint_every", "0 (automatic) or more steps")
	bad(t.Keep >= 1, "train.keep", "at least 1")
	bad(t.LogEvery >= 1, "train.log_every", "at least 1")
	oneOf("train.on_collapse", "warn", "stop")
	bad(c.Eval.KNNEvery >= 0, "eval.knn_every", "0 (never) or more epochs")
	bad(c.Eval.K >= 1, "eval.k", "at least 1")
	bad(c.Eval.Temperature > 0, "eval.temperature", "above 0")
	return errs
}

// MemoryBytes is Memory in bytes; 0 if there is no bound.
func (t Train) MemoryBytes() (int64, error) {
	if t.Memory == "" {
		return 0, nil
	}
	n, err := humanize.ParseBytes(t.Memory)
	if err == nil && (n == 0 || n > math.MaxInt64) {
		err = fmt.Errorf("%q is no amount of memory", t.Memory)
	}
	return int64(n), err
}

var (
	norms     = []string{"batch", "group", "group_ws", "layer", "none"}
	headNorms = []string{"batch", "group", "layer", "none"}
)

func (c Config) usesBatchNorm() bool {
	return c.Encoder.Norm == "batch" || slices.Contains(c.Heads.Norm, "batch") || c.Heads.OutputNorm == "batch"
}

// mayChange are the keys that --resume may change: they do not change the result.
var mayChange = []string{
	"data.workers", "train.threads", "train.memory", "train.checkpoint_every", "train.keep", "train.log_every", "train.on_collapse",
}

// ChangesResult lists the differences between two resolved configurations that would
// make a resumed run another run.
func ChangesResult(old, now Config) []string {
	for _, key := range mayChange {
		v, _ := old.Get(key)
		if err := now.Set(key, v); err != nil {
			panic(err) // a value that was formatted by Get
		}
	}
	return Diff(old, now)
}
