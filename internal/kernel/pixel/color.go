package pixel

import "math"

// Weights of torchvision's rgb_to_grayscale: ITU-R 601-2 luma to four digits.
const (
	GrayR = 0.2989
	GrayG = 0.587
	GrayB = 0.114
)

// Blend mixes samples with a constant and clips, torchvision's _blend:
//
//	dst[i] = clip(factor·src[i] + (1-factor)·other, 0, 1)
//
// adjust_brightness is other = 0, adjust_contrast other = MeanGray(src). dst may
// be src; both have any number of channels.
func Blend(dst, src []float32, factor, other float32) {
	Affine(dst, src, factor, (1-factor)*other)
}

// Affine is dst[i] = clip(scale·src[i] + shift, 0, 1); dst may be src.
func Affine(dst, src []float32, scale, shift float32) {
	if len(dst) != len(src) {
		panic("pixel: Affine: dst and src of one length")
	}
	done := affine(dst, src, scale, shift)
	affineRef(dst[done:], src[done:], scale, shift)
}

func affineRef(dst, src []float32, scale, shift float32) {
	for i, v := range src {
		dst[i] = unit(scale*v + shift)
	}
}

// unit clips to [0,1]; NaN becomes 0, as the vector instructions have it.
func unit(v float32) float32 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

// MeanGray returns the mean over pixels of the gray level of src, [n,3]: the
// constant of adjust_contrast. Sums are taken over blocks of fixed size, so the
// result does not depend on how a caller splits work.
func MeanGray(src []float32) float32 {
	n := len(src) / 3
	if n == 0 {
		return 0
	}
	const block = 1024
	total := 0.0
	for i := 0; i < n; i += block {
		part := src[3*i : 3*min(i+block, n)]
		done, sum := sumGray(part)
		total += float64(sum) + float64(sumGrayRef(part[3*done:]))
	}
	return float32(total / float64(n))
}

func sumGrayRef(src []float32) float32 {
	var r, g, b float32
	for i := 0; i+3 <= len(src); i += 3 {
		r += src[i]
		g += src[i+1]
		b += src[i+2]
	}
	return GrayR*r + GrayG*g + GrayB*b
}

// BlendGray mixes each pixel with its own gray level and clips: torchvision's
// adjust_saturation. dst and src are [n,3]; dst may be src. Factor 0 is
// rgb_to_grayscale with three channels, 1 changes nothing.
func BlendGray(dst, src []float32, factor float32) {
	checkRGB("BlendGray", dst, src)
	done := blendGray(dst, src, factor)
	blendGrayRef(dst[3*done:], src[3*done:], factor)
}

func blendGrayRef(dst, src []float32, factor float32) {
	for i := 0; i+3 <= len(src); i += 3 {
		r, g, b := src[i], src[i+1], src[i+2]
		other := (1 - factor) * (GrayR*r + GrayG*g + GrayB*b)
		dst[i] = unit(factor*r + other)
		dst[i+1] = unit(factor*g + other)
		dst[i+2] = unit(factor*b + other)
	}
}

// Gray sets the three channels of each pixel to its gray level: torchvision's
// rgb_to_grayscale with num_output_channels = 3. dst and src are [n,3], in [0,1];
// dst may be src.
func Gray(dst, src []float32) { BlendGray(dst, src, 0) }

// Hue turns the hue of each pixel by shift of a full turn, in [-.5,.5]:
// torchvision's adjust_hue on floats, through its _rgb2hsv and _hsv2rgb. dst and
// src are [n,3] in [0,1]; dst may be src.
func Hue(dst, src []float32, shift float32) {
	checkRGB("Hue", dst, src)
	done := hue(dst, src, shift)
	hueRef(dst[3*done:], src[3*done:], shift)
}

func hueRef(dst, src []float32, shift float32) {
	for i := 0; i+3 <= len(src); i += 3 {
		dst[i], dst[i+1], dst[i+2] = hueOne(src[i], src[i+1], src[i+2], shift)
	}
}

// hueOne works without the six cases of _hsv2rgb: with value v, chroma c and hue
// h6 in sixths, each channel is v - c·clip(min(k, 4-k), 0, 1) where
// k = (n + h6) mod 6 and n = 5, 3, 1 for red, green, blue.
func hueOne(r, g, b, shift float32) (float32, float32, float32) {
	v := max(r, g, b)
	c := v - min(r, g, b)
	div := c
	if c == 0 {
		div = 1
	}
	var h6 float32 // sixths of a turn, in [-1,5]
	switch {
	case v == r:
		h6 = (g - b) / div
	case v == g:
		h6 = 2 + (b-r)/div
	default:
		h6 = 4 + (r-g)/div
	}
	h6 += 6 * shift
	channel := func(n float32) float32 {
		k := h6 + n
		k -= 6 * floor(k*(1.0/6))
		return unit(v - c*unit(min(k, 4-k)))
	}
	return channel(5), channel(3), channel(1)
}

func floor(v float32) float32 { return float32(math.Floor(float64(v))) }

// Solarize inverts samples at or above threshold: 1-v for v ≥ threshold, as
// torchvision's solarize on floats. dst may be src.
func Solarize(dst, src []float32, threshold float32) {
	if len(dst) != len(src) {
		panic("pixel: Solarize: dst and src of one length")
	}
	done := solarize(dst, src, threshold)
	solarizeRef(dst[done:], src[done:], threshold)
}

func solarizeRef(dst, src []float32, threshold float32) {
	for i, v := range src {
		if v >= threshold {
			v = 1 - v
		}
		dst[i] = v
	}
}

// Normalize is dst = src·scale[c] + shift[c] for every pixel of [n,3]; for
// torchvision's (x-mean)/std give scale = 1/std and shift = -mean/std. dst may be
// src.
func Normalize(dst, src []float32, scale, shift *[3]float32) {
	checkRGB("Normalize", dst, src)
	done := normalize(dst, src, scale, shift)
	normalizeRef(dst[done:], src[done:], scale, shift)
}

func normalizeRef(dst, src []float32, scale, shift *[3]float32) {
	for i := 0; i+3 <= len(src); i += 3 {
		dst[i] = src[i]*scale[0] + shift[0]
		dst[i+1] = src[i+1]*scale[1] + shift[1]
		dst[i+2] = src[i+2]*scale[2] + shift[2]
	}
}

// NormalizeGray is Normalize for one channel, [n].
func NormalizeGray(dst, src []float32, scale, shift float32) {
	for i, v := range src {
		dst[i] = v*scale + shift
	}
}

func checkRGB(name string, dst, src []float32) {
	if len(dst) != len(src) || len(src)%3 != 0 {
		panic("pixel: " + name + ": dst and src of one length, three samples a pixel")
	}
}
