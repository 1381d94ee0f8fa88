package pixel

import "math"

// GaussianKernel fills kernel, whose length is odd, with the weights of
// torchvision's gaussian_blur: exp(-x²/2σ²) at whole x about the middle, divided
// by their sum. σ is in pixels and positive.
func GaussianKernel(kernel []float32, sigma float64) {
	half := len(kernel) / 2
	sum := 0.0
	for i := range kernel {
		x := float64(i-half) / sigma
		w := math.Exp(-x * x / 2)
		kernel[i] = float32(w)
		sum += w
	}
	for i := range kernel {
		kernel[i] = float32(float64(kernel[i]) / sum)
	}
}

// negligible is a weight whose term stays below half an ulp of a result near 1.
const negligible = 1.0 / (1 << 25)

func abs(v float32) float32 { return max(v, -v) }

// BlurScratch is the length of the scratch that Blur needs.
func BlurScratch(h, w, c, taps int) int { return h*w*c + (w+taps)*c + taps }

// Blur convolves src with kernel along x and then y, with reflected borders (the
// edge pixel not repeated), as torchvision's gaussian_blur does: src and dst are
// [h,w,c], and dst may be src. The length of kernel is odd and at most
// 2·min(h,w)-1. scratch has at least BlurScratch samples, offsets len(kernel).
// Taps at the ends that are too small to change a float32 in [0,1] are left out:
// with small σ most of a kernel is.
func Blur(dst, src, scratch []float32, offsets []int32, h, w, c int, kernel []float32) {
	taps := len(kernel)
	half := taps / 2
	if taps%2 == 0 || half >= w || half >= h || len(scratch) < BlurScratch(h, w, c, taps) || len(offsets) < taps {
		panic("pixel: Blur: an odd kernel of at most 2·min(h,w)-1 taps, and scratch")
	}
	for half > 0 && kernel[0] == kernel[taps-1] && abs(kernel[0]) < negligible {
		kernel, taps, half = kernel[1:taps-1], taps-2, half-1
	}
	inf := float32(math.Inf(1))
	offsets = offsets[:taps]
	n := w * c
	line, rows := scratch[:(w+2*half)*c], scratch[(w+2*half)*c:][:h*n]
	for j := range offsets {
		offsets[j] = int32(j * c)
	}
	for y := range h {
		row := src[y*n:][:n]
		copy(line[half*c:], row)
		for i := range half { // mirror pixel i+1 and its counterpart
			copy(line[(half-1-i)*c:(half-i)*c], row[(i+1)*c:])
			copy(line[(half+w+i)*c:(half+w+i+1)*c], row[(w-2-i)*c:])
		}
		WeightedRows(rows[y*n:][:n], line, offsets, kernel, -inf, inf)
	}
	for y := range h {
		for j := range offsets {
			i := y + j - half
			if i < 0 {
				i = -i
			} else if i >= h {
				i = 2*h - 2 - i
			}
			offsets[j] = int32(i * n)
		}
		WeightedRows(dst[y*n:][:n], rows, offsets, kernel, -inf, inf)
	}
}
