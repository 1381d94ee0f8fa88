// Package augment makes the random views of a picture that BYOL learns from
// (Grill et al. 2020, section 3.3 and appendix B).
//
// It keeps two things apart: drawing the parameters of a view ([Draw]: a small
// struct, a pure function of seed, epoch, sample and view) and doing the pixels
// from them ([Augmenter.Apply]). So a view can be logged, shown, tested or made
// elsewhere from its struct, and nothing depends on who computes it.
//
// The steps, in this order: crop and resize, flip, jitter, gray, blur, solarize,
// clip to [0,1], normalise. Semantics are torchvision's for float tensors, except
// that resizing is antialiased, rounds and clips as Pillow does.
//
// Pictures of one channel pass through the same steps; those that only make sense
// in colour (saturation, hue, gray) leave them as they are.
package augment

import (
	"fmt"
	"math"
)

// PerView is a setting for each view: one value for all, or one value a view,
// the last one serving any further views.
type PerView []float64

// At returns the value for a view, 0 when there is none at all.
func (p PerView) At(view int) float64 {
	if len(p) == 0 {
		return 0
	}
	return p[min(view, len(p)-1)]
}

// Config is the distribution of views. Probabilities are in [0,1].
type Config struct {
	Crop      Crop
	Flip      PerView // probability of a horizontal flip
	Jitter    Jitter
	Gray      PerView // probability of dropping the colour
	Blur      Blur
	Solarize  Solarize
	Normalize Normalize
}

// Crop cuts a random box and resizes it to the input size.
type Crop struct {
	Scale         []float64 // least and greatest share of the picture's area
	Ratio         []float64 // least and greatest width/height, log-uniform
	Interpolation string    // bicubic or bilinear, antialiased
}

// Jitter changes colours, its four steps in random order.
type Jitter struct {
	P          PerView
	Brightness float64 // factor in 1 ± this (torchvision), or addend in ± this (paper)
	Contrast   float64 // factor in 1 ± this
	Saturation float64 // factor in 1 ± this
	Hue        float64 // turn in ± this of the full circle, at most .5
	// Style is "torchvision" (multiplicative brightness, contrast about the mean
	// gray, saturation about the pixel's gray, each step clipped to [0,1]) or
	// "paper" (additive brightness, contrast about each channel's mean, saturation
	// in HSV, clipped once at the end), as in the authors' code.
	Style string
}

// Blur is Gaussian; its kernel spans a tenth of the size (see KernelSize).
type Blur struct {
	P     PerView
	Sigma []float64 // least and greatest standard deviation in pixels, uniform
}

// Solarize inverts the samples that are at or above the threshold.
type Solarize struct {
	P         PerView
	Threshold float64 // in [0,1]
}

// Normalize gives x the value (x - Mean)/Std, per channel; pictures of one channel
// take the average where three values are given.
type Normalize struct {
	Mean []float64
	Std  []float64
}

// Names that Crop.Interpolation and Jitter.Style take.
const (
	Bicubic     = "bicubic"
	Bilinear    = "bilinear"
	Torchvision = "torchvision"
	Paper       = "paper"
)

// Published returns the paper's distribution (appendix B, table 6) with
// torchvision's jitter, and ImageNet's means and deviations.
func Published() Config {
	return Config{
		Crop:      Crop{Scale: []float64{0.08, 1}, Ratio: []float64{3. / 4, 4. / 3}, Interpolation: Bicubic},
		Flip:      PerView{0.5},
		Jitter:    Jitter{P: PerView{0.8}, Brightness: 0.4, Contrast: 0.4, Saturation: 0.2, Hue: 0.1, Style: Torchvision},
		Gray:      PerView{0.2},
		Blur:      Blur{P: PerView{1, 0.1}, Sigma: []float64{0.1, 2}},
		Solarize:  Solarize{P: PerView{0, 0.2}, Threshold: 0.5},
		Normalize: Normalize{Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}},
	}
}

// Validate says which setting makes no sense; the names are those of the
// configuration file below "augment.".
func (c Config) Validate() error {
	for _, p := range []struct {
		name string
		p    PerView
	}{{"flip", c.Flip}, {"jitter.p", c.Jitter.P}, {"gray", c.Gray}, {"blur.p", c.Blur.P}, {"solarize.p", c.Solarize.P}} {
		for _, v := range p.p {
			if !(v >= 0 && v <= 1) {
				return fmt.Errorf("augment.%s: %v is no probability", p.name, v)
			}
		}
	}
	for _, r := range []struct {
		name   string
		v      []float64
		lo, hi float64
	}{{"crop.scale", c.Crop.Scale, 0, 1}, {"crop.ratio", c.Crop.Ratio, 0, math.MaxFloat64}, {"blur.sigma", c.Blur.Sigma, 0, math.MaxFloat64}} {
		if len(r.v) != 2 || !(r.v[0] > r.lo && r.v[0] <= r.v[1] && r.v[1] <= r.hi) {
			return fmt.Errorf("augment.%s: %v: want the least and the greatest value, above %v", r.name, r.v, r.lo)
		}
	}
	j := c.Jitter
	for _, s := range []struct {
		name   string
		v, max float64
	}{{"jitter.brightness", j.Brightness, math.MaxFloat64}, {"jitter.contrast", j.Contrast, math.MaxFloat64},
		{"jitter.saturation", j.Saturation, math.MaxFloat64}, {"jitter.hue", j.Hue, 0.5}, {"solarize.threshold", c.Solarize.Threshold, 1}} {
		if !(s.v >= 0 && s.v <= s.max) {
			return fmt.Errorf("augment.%s: %v: want 0 to %v", s.name, s.v, s.max)
		}
	}
	if j.Style != Torchvision && j.Style != Paper {
		return fmt.Errorf("augment.jitter.style: %q: want %s or %s", j.Style, Torchvision, Paper)
	}
	if c.Crop.Interpolation != Bicubic && c.Crop.Interpolation != Bilinear {
		return fmt.Errorf("augment.crop.interpolation: %q: want %s or %s", c.Crop.Interpolation, Bicubic, Bilinear)
	}
	n := c.Normalize
	if len(n.Mean) != len(n.Std) || len(n.Mean) != 1 && len(n.Mean) != 3 {
		return fmt.Errorf("augment.normalize: %d means and %d deviations: want one for each channel", len(n.Mean), len(n.Std))
	}
	for _, s := range n.Std {
		if !(s > 0) {
			return fmt.Errorf("augment.normalize.std: %v: want positive numbers", n.Std)
		}
	}
	return nil
}

// KernelSize returns the width of the blur's kernel for a view of the given
// size: a tenth of it, made odd, at least 3 (23 at 224).
func KernelSize(size int) int { return max(3, size/10|1) }
