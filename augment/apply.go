package augment

import (
	"fmt"

	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Augmenter makes views of one size from a Config. It holds no state that changes
// and may be shared by goroutines, each with its own Workspace.
type Augmenter struct {
	config         Config
	size, channels int
	kernel         int // width of the blur's kernel
	scale, offset  [3]float32
	filter         imaging.Filter
}

// New returns an augmenter for views [size,size,channels], channels being 1 or 3.
func New(c Config, size, channels int) (*Augmenter, error) {
	pixel.Trust()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if size < 4 || size > 1<<14 {
		return nil, fmt.Errorf("augment: views of %d pixels: want 4 to 16384", size)
	}
	if channels != 1 && channels != 3 {
		return nil, fmt.Errorf("augment: %d channels: want 1 or 3", channels)
	}
	a := &Augmenter{config: c, size: size, channels: channels, kernel: KernelSize(size), filter: imaging.Bicubic}
	if c.Crop.Interpolation == Bilinear {
		a.filter = imaging.Bilinear
	}
	mean, std := c.Normalize.Mean, c.Normalize.Std
	switch {
	case channels == 1 && len(mean) == 3:
		mean, std = []float64{(mean[0] + mean[1] + mean[2]) / 3}, []float64{(std[0] + std[1] + std[2]) / 3}
	case len(mean) != channels:
		return nil, fmt.Errorf("augment.normalize: %d means for %d channels", len(mean), channels)
	}
	for ch := range mean {
		a.scale[ch], a.offset[ch] = float32(1/std[ch]), float32(-mean[ch]/std[ch])
	}
	return a, nil
}

// Size returns the side of the views in pixels.
func (a *Augmenter) Size() int { return a.size }

// Channels returns the channels of the views.
func (a *Augmenter) Channels() int { return a.channels }

// Config returns the distribution that the views are drawn from.
func (a *Augmenter) Config() Config { return a.config }

// Draw draws a view of a picture of srcW x srcH pixels; see the function Draw.
func (a *Augmenter) Draw(seed uint64, epoch, sample, view, srcW, srcH int) View {
	return Draw(&a.config, seed, epoch, sample, view, srcW, srcH)
}

// Workspace is the memory that Apply works in; one goroutine at a time may use it.
// The zero value is ready, and after the first calls nothing is allocated.
type Workspace struct {
	resizer imaging.Resizer
	scratch []float32
	kernel  []float32
	offsets []int32
}

// Apply writes the view v of img to dst, [size,size,channels]. It panics when dst
// has another length, img other channels, or v a box that is not inside img.
func (a *Augmenter) Apply(dst []float32, img *imaging.Image, v *View, ws *Workspace) {
	a.ApplyPixels(dst, img, v, ws)
	if a.channels == 1 {
		pixel.NormalizeGray(dst, dst, a.scale[0], a.offset[0])
	} else {
		pixel.Normalize(dst, dst, &a.scale, &a.offset)
	}
}

// ApplyPixels does as Apply without the last step: samples in [0,1], to be shown.
func (a *Augmenter) ApplyPixels(dst []float32, img *imaging.Image, v *View, ws *Workspace) {
	if img.C != a.channels {
		panic(fmt.Sprintf("augment: a picture of %d channels for views of %d", img.C, a.channels))
	}
	if err := ws.resizer.View(dst, img, v.X, v.Y, v.W, v.H, a.size, a.size, a.filter, v.Flip); err != nil {
		panic("augment: " + err.Error())
	}
	clip := false // only the paper's jitter leaves [0,1]
	if v.Jitter {
		if clip = a.config.Jitter.Style == Paper; clip {
			a.paperJitter(dst, v)
		} else {
			a.jitter(dst, v)
		}
	}
	if v.Gray && a.channels == 3 {
		pixel.Gray(dst, dst)
	}
	if v.Sigma > 0 {
		a.blur(dst, v.Sigma, ws)
	}
	if v.Solarize {
		pixel.Solarize(dst, dst, float32(a.config.Solarize.Threshold))
	}
	if clip {
		pixel.Affine(dst, dst, 1, 0)
	}
}

// jitter does torchvision's four steps in the view's order; those of strength 0
// are left out, as there.
func (a *Augmenter) jitter(x []float32, v *View) {
	j := &a.config.Jitter
	color := a.channels == 3
	for _, step := range v.Order {
		switch {
		case step == StepBrightness && j.Brightness > 0:
			pixel.Affine(x, x, v.Brightness, 0)
		case step == StepContrast && j.Contrast > 0 && color:
			pixel.Blend(x, x, v.Contrast, pixel.MeanGray(x))
		case step == StepContrast && j.Contrast > 0:
			pixel.Blend(x, x, v.Contrast, mean(x))
		case step == StepSaturation && j.Saturation > 0 && color:
			pixel.BlendGray(x, x, v.Saturation)
		case step == StepHue && j.Hue > 0 && color:
			pixel.Hue(x, x, v.Hue)
		}
	}
}

// paperJitter does the four steps as the paper's authors do.
func (a *Augmenter) paperJitter(x []float32, v *View) {
	j := &a.config.Jitter
	color := a.channels == 3
	for _, step := range v.Order {
		switch {
		case step == StepBrightness && j.Brightness > 0:
			addBrightness(x, v.Brightness)
		case step == StepContrast && j.Contrast > 0:
			stretchContrast(x, v.Contrast, a.channels)
		case step == StepSaturation && j.Saturation > 0 && color:
			turnHSV(x, v.Saturation, 0)
		case step == StepHue && j.Hue > 0 && color:
			turnHSV(x, 1, v.Hue)
		}
	}
}

func mean(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return float32(sum / float64(len(x)))
}

// negligible is the weight below which a tap cannot change a sample of [0,1] by
// more than float32 rounds.
const negligible = 1e-8

// blur is torchvision's gaussian_blur with a kernel of KernelSize taps, less the
// outer ones that are negligible: with a small sigma nearly all.
func (a *Augmenter) blur(x []float32, sigma float32, ws *Workspace) {
	ws.kernel, ws.offsets = grow(ws.kernel, a.kernel), grow(ws.offsets, a.kernel)
	ws.scratch = grow(ws.scratch, pixel.BlurScratch(a.size, a.size, a.channels, a.kernel))
	pixel.GaussianKernel(ws.kernel, float64(sigma))
	kernel := ws.kernel
	for len(kernel) > 1 && kernel[0] < negligible {
		kernel = kernel[1 : len(kernel)-1]
	}
	if len(kernel) > 1 {
		pixel.Blur(x, x, ws.scratch, ws.offsets, a.size, a.size, a.channels, kernel)
	}
}

// grow returns buf with length n, new if it is too small.
func grow[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// Worker returns a function that writes view number view of picture sample in
// epoch to dst, for the use of one goroutine; dataset's loader takes it.
func (a *Augmenter) Worker(seed uint64) func(dst []float32, img *imaging.Image, epoch, sample, view int) {
	ws := new(Workspace)
	return func(dst []float32, img *imaging.Image, epoch, sample, view int) {
		v := a.Draw(seed, epoch, sample, view, img.W, img.H)
		a.Apply(dst, img, &v, ws)
	}
}
