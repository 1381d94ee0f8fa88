package augment

import "math"

// View holds the parameters of one view.
type View struct {
	X, Y, W, H int // the crop's box in the source, pixels
	Flip       bool

	Jitter                                bool
	Brightness, Contrast, Saturation, Hue float32  // as in Jitter, drawn
	Order                                 [4]uint8 // the jitter's steps in order, of the Step constants

	Gray     bool
	Sigma    float32 // of the blur, pixels; 0: none
	Solarize bool
}

// The steps of the jitter.
const (
	StepBrightness = iota
	StepContrast
	StepSaturation
	StepHue
)

// Draw draws a view of a picture of srcW x srcH pixels. It is a pure function of
// its arguments: every number it draws is a hash of (seed, epoch, sample, view)
// and of the number's own place, so that changing one setting leaves the draws of
// all others as they are. All arithmetic is rounded step by step, so the result is
// the same on every platform.
func Draw(c *Config, seed uint64, epoch, sample, view, srcW, srcH int) View {
	d := newDice(seed, epoch, sample, view)
	v := View{Flip: d.yes(slotFlip, c.Flip.At(view))}
	v.X, v.Y, v.W, v.H = d.crop(&c.Crop, srcW, srcH)
	if j := &c.Jitter; d.yes(slotJitter, j.P.At(view)) {
		v.Jitter = true
		factor := func(slot uint64, strength float64) float32 {
			return float32(d.between(slot, max(0, 1-strength), 1+strength))
		}
		v.Brightness = factor(slotBrightness, j.Brightness)
		if j.Style == Paper {
			v.Brightness = float32(d.between(slotBrightness, -j.Brightness, j.Brightness))
		}
		v.Contrast = factor(slotContrast, j.Contrast)
		v.Saturation = factor(slotSaturation, j.Saturation)
		v.Hue = float32(d.between(slotHue, -j.Hue, j.Hue))
		v.Order = d.permutation()
	}
	v.Gray = d.yes(slotGray, c.Gray.At(view))
	if d.yes(slotBlur, c.Blur.P.At(view)) {
		v.Sigma = float32(d.between(slotSigma, c.Blur.Sigma[0], c.Blur.Sigma[1]))
	}
	v.Solarize = d.yes(slotSolarize, c.Solarize.P.At(view))
	return v
}

// dice is a generator without state: number n of a view is a hash of the view's
// key and n. Key and hash are SplitMix64's output function (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", 2014), a bijection of 64 bits.
type dice uint64

const weyl = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// The places of the numbers; the crop takes four for each try from slotCrop on.
const (
	slotFlip = iota
	slotJitter
	slotBrightness
	slotContrast
	slotSaturation
	slotHue
	slotOrder // three
	_
	_
	slotGray
	slotBlur
	slotSigma
	slotSolarize
	slotCrop = 64
)

func mix(z uint64) uint64 {
	z += weyl
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func newDice(seed uint64, epoch, sample, view int) dice {
	return dice(mix(mix(mix(mix(seed)+uint64(epoch))+uint64(sample)) + uint64(view)))
}

// unit returns a number in [0,1) with 53 random bits.
func (d dice) unit(slot uint64) float64 {
	return float64(mix(uint64(d)+slot*weyl)>>11) * (1. / (1 << 53))
}

func (d dice) yes(slot uint64, p float64) bool { return d.unit(slot) < p }

// between returns a number in [lo,hi). The conversion keeps compilers from fusing
// product and sum, which would round differently.
func (d dice) between(slot uint64, lo, hi float64) float64 {
	return lo + float64(d.unit(slot)*(hi-lo))
}

// intn returns a number in [0,n).
func (d dice) intn(slot uint64, n int) int { return min(n-1, int(d.unit(slot)*float64(n))) }

// permutation returns the four steps in random order.
func (d dice) permutation() [4]uint8 {
	p := [4]uint8{0, 1, 2, 3}
	for i := 3; i > 0; i-- {
		j := d.intn(slotOrder+uint64(i)-1, i+1)
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// cropTries is how often a box that does not fit is drawn again.
const cropTries = 10

// crop draws a box as torchvision's RandomResizedCrop.get_params does: area
// uniform, aspect log-uniform, ten tries, then the largest centred box whose
// aspect is in range.
func (d dice) crop(c *Crop, srcW, srcH int) (x, y, w, h int) {
	area := float64(srcW) * float64(srcH)
	logLo, logHi := ln(c.Ratio[0]), ln(c.Ratio[1])
	for try := range uint64(cropTries) {
		slot := slotCrop + 4*try
		a := area * d.between(slot, c.Scale[0], c.Scale[1])
		aspect := exp(d.between(slot+1, logLo, logHi))
		w = int(math.RoundToEven(math.Sqrt(a * aspect)))
		h = int(math.RoundToEven(math.Sqrt(a / aspect)))
		if 0 < w && w <= srcW && 0 < h && h <= srcH {
			return d.intn(slot+2, srcW-w+1), d.intn(slot+3, srcH-h+1), w, h
		}
	}
	switch ratio := float64(srcW) / float64(srcH); {
	case ratio < c.Ratio[0]:
		w, h = srcW, int(math.RoundToEven(float64(srcW)/c.Ratio[0]))
	case ratio > c.Ratio[1]:
		w, h = int(math.RoundToEven(float64(srcH)*c.Ratio[1])), srcH
	default:
		w, h = srcW, srcH
	}
	w, h = max(1, min(w, srcW)), max(1, min(h, srcH))
	return (srcW - w) / 2, (srcH - h) / 2, w, h
}

// exp and ln are the exponential function and its inverse, accurate to 1e-14
// relative, and computed by the same roundings everywhere: the standard library's
// are assembly on some platforms.

func exp(x float64) float64 {
	halvings := 0
	for ; math.Abs(x) > 0.5; halvings++ {
		x /= 2
	}
	term, sum := 1.0, 1.0
	for n := 1.0; n < 20; n++ {
		term = float64(term*x) / n
		sum += term
	}
	for range halvings {
		sum *= sum
	}
	return sum
}

func ln(x float64) float64 {
	frac, e := math.Frexp(x) // frac in [.5, 1)
	z := (frac - 1) / (frac + 1)
	term, sum, square := z, 0.0, z*z
	for n := 1.0; n < 70; n += 2 { // 2 artanh(z), |z| at most 1/3
		sum += term / n
		term *= square
	}
	return 2*sum + float64(float64(e)*math.Ln2)
}
