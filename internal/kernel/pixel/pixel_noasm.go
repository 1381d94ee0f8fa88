//go:build (!amd64 && !arm64) || purego

package pixel

// Without vector code every function reports that it has done nothing and the
// reference does the rest.

func ycbcrToRGB(dst, y, cb, cr []uint8) (done int) { return 0 }

func upsampleH2V2(dst, near, far []uint8) (from, to int) { return 0, 0 }

func idct(dst []uint8, stride int, coef *[64]int16, quant *[64]int32) bool { return false }

func resampleRow(dst, src []uint8, t *Columns) (done int) { return 0 }

func resampleRowFloat(dst []float32, src []uint8, t *Columns) (done int) { return 0 }

func weightedBytes(dst, src []uint8, offsets, weights []int32) (done int) { return 0 }

func weightedBytesFloat(dst []float32, src []uint8, offsets, weights []int32) (done int) { return 0 }

func weightedRows(dst, src []float32, offsets []int32, weights []float32, lo, hi float32) (done int) {
	return 0
}

func affine(dst, src []float32, scale, shift float32) (done int) { return 0 }

func sumGray(src []float32) (done int, sum float32) { return 0, 0 }

func blendGray(dst, src []float32, factor float32) (done int) { return 0 }

func hue(dst, src []float32, shift float32) (done int) { return 0 }

func solarize(dst, src []float32, threshold float32) (done int) { return 0 }

func normalize(dst, src []float32, scale, shift *[3]float32) (done int) { return 0 }
