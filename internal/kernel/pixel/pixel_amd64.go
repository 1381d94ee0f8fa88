//go:build amd64 && !purego

package pixel

import "github.com/byol-go/byol/internal/kernel/isa"

//go:generate sh -c "cd _asm && go run . -out ../pixel_amd64.s -stubs ../pixel_stubs_amd64.go -pkg pixel"
//go:generate go -C ../_neon run . ../pixel/pixel_amd64.s ../pixel/pixel_stubs_amd64.go ../pixel/pixel_amd64.go

// The vector code works on whole blocks and reports how far it came; the callers
// finish with the reference. These loops are bound by memory or by shuffles, so
// AVX2 serves the AVX-512 levels too.
func avx2() bool { return isa.Current() >= isa.AVX2 }

func ycbcrToRGB(dst, y, cb, cr []uint8) (done int) {
	if done = len(y) &^ 15; done == 0 || !avx2() {
		return 0
	}
	ycbcrToRGBAVX2(&dst[0], &y[0], &cb[0], &cr[0], done)
	return done
}

func upsampleH2V2(dst, near, far []uint8) (from, to int) {
	// The first and last columns lack a neighbour.
	if to = 1 + (len(near)-2)&^15; to <= 1 || !avx2() {
		return 0, 0
	}
	upsampleH2V2AVX2(&dst[2], &near[1], &far[1], to-1)
	return 1, to
}

func idct(dst []uint8, stride int, coef *[64]int16, quant *[64]int32) bool {
	if !avx2() {
		return false
	}
	idctAVX2(&dst[0], stride, &coef[0], &quant[0])
	return true
}

func resampleRow(dst, src []uint8, t *Columns) (done int) {
	// Each pixel is stored with a byte too many, so the last is left.
	if done = len(t.Offsets) - 1; done <= 0 || t.C != 3 || !avx2() {
		return 0
	}
	resampleRowAVX2(&dst[0], &src[0], &t.Offsets[0], &t.Expanded[0], t.Taps/GroupTaps, done)
	return done
}

func resampleRowFloat(dst []float32, src []uint8, t *Columns) (done int) {
	if done = len(t.Offsets) - 1; done <= 0 || t.C != 3 || !avx2() {
		return 0
	}
	resampleRowFloatAVX2(&dst[0], &src[0], &t.Offsets[0], &t.Expanded[0], t.Taps/GroupTaps, done)
	return done
}

func weightedBytes(dst, src []uint8, offsets, weights []int32) (done int) {
	if done = len(dst) &^ 7; done == 0 || len(weights) == 0 || !avx2() {
		return 0
	}
	weightedBytesAVX2(&dst[0], &src[0], &offsets[0], &weights[0], len(weights), done)
	return done
}

func weightedBytesFloat(dst []float32, src []uint8, offsets, weights []int32) (done int) {
	if done = len(dst) &^ 7; done == 0 || len(weights) == 0 || !avx2() {
		return 0
	}
	weightedBytesFloatAVX2(&dst[0], &src[0], &offsets[0], &weights[0], len(weights), done)
	return done
}

func weightedRows(dst, src []float32, offsets []int32, weights []float32, lo, hi float32) (done int) {
	if done = len(dst) &^ 7; done == 0 || len(weights) == 0 || !avx2() {
		return 0
	}
	weightedRowsAVX2(&dst[0], &src[0], &offsets[0], &weights[0], len(weights), done, lo, hi)
	return done
}

func affine(dst, src []float32, scale, shift float32) (done int) {
	if done = len(src) &^ 7; done == 0 || !avx2() {
		return 0
	}
	affineAVX2(&dst[0], &src[0], done, scale, shift)
	return done
}

func solarize(dst, src []float32, threshold float32) (done int) {
	if done = len(src) &^ 7; done == 0 || !avx2() {
		return 0
	}
	solarizeAVX2(&dst[0], &src[0], done, threshold)
	return done
}

func normalize(dst, src []float32, scale, shift *[3]float32) (done int) {
	if done = len(src) / 24 * 24; done == 0 || !avx2() {
		return 0
	}
	var a, b [24]float32
	for i := range a {
		a[i], b[i] = scale[i%3], shift[i%3]
	}
	normalizeAVX2(&dst[0], &src[0], &a[0], &b[0], done)
	return done
}

func sumGray(src []float32) (done int, sum float32) {
	n := len(src) / 24 * 24
	if n == 0 || !avx2() {
		return 0, 0
	}
	var sums [24]float32
	sumGrayAVX2(&src[0], n, &sums[0])
	var rgb [3]float32
	for i, v := range sums {
		rgb[i%3] += v
	}
	return n / 3, GrayR*rgb[0] + GrayG*rgb[1] + GrayB*rgb[2]
}

func blendGray(dst, src []float32, factor float32) (done int) {
	if done = len(src) / 24 * 8; done == 0 || !avx2() {
		return 0
	}
	blendGrayAVX2(&dst[0], &src[0], done, factor)
	return done
}

func hue(dst, src []float32, shift float32) (done int) {
	if done = len(src) / 24 * 8; done == 0 || !avx2() {
		return 0
	}
	hueAVX2(&dst[0], &src[0], done, 6*shift)
	return done
}
