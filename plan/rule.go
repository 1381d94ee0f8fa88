package plan

import (
	"math"

	"github.com/byol-go/byol/run"
)

// The rules that do not depend on the machine. Steps are the optimiser's.

// tauOf returns τ at the start of a cosine schedule. The target must average over many
// steps, yet move many times within the run: 1 - τ falls with the square root of the number
// of steps. That goes through the published pairs within a factor of two: .97 for 12,500
// steps, .99 for 31,000 and 94,000, .996 for 313,000.
func tauOf(steps int) float64 {
	return round(1-min(.1, 3/math.Sqrt(float64(steps))), 4)
}

// rateOf returns the rate of SGD, in proportion to the pictures of a step. Lightly's
// CIFAR-10 recipe (78,000 steps) has .03 per 256 pictures here; shorter runs
// need higher rates, by the square root of what is missing, up to .24.
func rateOf(steps, pictures int) float64 {
	base := .03 * min(8, max(1, math.Sqrt(78e3/float64(steps))))
	return round(base*float64(pictures)/256, 3)
}

// decayOf returns the weight decay for a rate: their product, by which weights shrink a
// step, is that of lightly's recipe.
func decayOf(rate float64) float64 { return round(3e-5/rate, 2) }

// batchOf returns the pictures of a batch: more make better statistics and gradients, but
// fewer steps in the same time.
func batchOf(seen float64) int {
	switch {
	case seen/256 >= 20000:
		return 256
	case seen/128 >= 10000:
		return 128
	case seen/64 < 500:
		return 32
	}
	return 64
}

// smallestForBatchNorm is the smallest batch whose statistics are worth having: with batches
// of 8 batch norm still learnt, where group norm in encoder and heads collapsed.
const smallestForBatchNorm = 4

// headsOf returns the widths of the heads for an encoder.
func headsOf(arch string, width float64) (hidden, dim int) {
	switch {
	case width < .5:
		return 512, 128
	case arch == "resnet18" || arch == "resnet34":
		return 1024, 256
	}
	return 4096, 256
}

// augmentOf adapts the published augmentation to the pictures: keys, values, reasons.
func augmentOf(d Data, size, channels int) []Choice {
	var list []Choice
	add := func(key, value, reason string) { list = append(list, Choice{key, value, reason}) }
	if size < smallSide {
		add("augment.blur.p", "0", "below 64 pixels blur takes away what little there is; published recipes for small pictures leave it out")
	}
	if channels == 1 {
		const why = "gray pictures have no colour to change"
		add("augment.jitter.saturation", "0", why)
		add("augment.jitter.hue", "0", why)
		add("augment.gray", "0", why)
	}
	if d.Symbols {
		add("augment.flip", "0", "a mirrored letter or digit is another, or none")
		add("augment.crop.scale", "0.5,1", "less than half of a letter or digit does not tell which it is")
		if channels == 3 {
			add("augment.jitter.hue", "0.5", "a letter's or digit's colour means nothing")
		}
	}
	if len(d.Mean) == channels && d.Sampled > 0 {
		add("augment.normalize.mean", join(d.Mean), "measured")
		add("augment.normalize.std", join(d.Std), "measured")
	}
	return list
}

// judgements is how often a run is judged while it trains, at most: enough for a curve.
const judgements = 21

// judgingTime returns what judging may take of a run, of the seconds there are for it: a
// sixteenth, or less if a judgement is quick; 0 if even two, before and after, take longer.
func judgingTime(seconds, judging float64) float64 {
	allowed := min(seconds/16, judgements*judging)
	if allowed < 2*judging {
		return 0
	}
	return allowed
}

// knnEvery returns how many epochs lie between two judgements of which so many fit in.
func knnEvery(epochs, allowed, judging float64) int {
	n := math.Floor(allowed/judging + 1e-9)
	if n < 2 {
		return 0
	}
	return max(1, int(math.Ceil(epochs/(n-1))))
}

// round rounds to that many significant digits.
func round(v float64, digits int) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	scale := math.Pow(10, float64(digits)-math.Ceil(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// stepsPerEpoch returns what a pass over the pictures comes to.
func stepsPerEpoch(images, pictures int) int { return max(1, images/pictures) }

// usesRecipe reports whether the plan chooses optimiser and heads; other methods, and
// optimisers that the user names, bring their own.
func usesRecipe(c run.Config, named map[string]bool) bool {
	return c.Method.Name == "byol" && !named["optim.name"]
}
