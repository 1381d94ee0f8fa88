//go:build (!amd64 && !arm64) || purego

package reduce

func colSumBF16(s []float32, x []uint16, rows, stride int) {
	colSumBF16Ref(s, x, rows, stride)
}

func colStatsBF16(s1, s2 []float32, x []uint16, k []float32, rows, stride int) {
	colStatsBF16Ref(s1, s2, x, k, rows, stride)
}

func colGradBF16(s1, s2 []float32, dy, x []uint16, mean []float32, rows, stride int) {
	colGradBF16Ref(s1, s2, dy, x, mean, rows, stride)
}

func colGradReLUBF16(s1, s2 []float32, dy, x, y []uint16, mean []float32, rows, stride int) {
	colGradReLUBF16Ref(s1, s2, dy, x, y, mean, rows, stride)
}

func colGradReLUKeepBF16(s1, s2 []float32, kept, dy, x, y []uint16, mean []float32, rows, stride int) {
	colGradReLUKeepBF16Ref(s1, s2, kept, dy, x, y, mean, rows, stride)
}

func affineRowsBF16(dst, x []uint16, a, b []float32) { affineRowsBF16Ref(dst, x, a, b) }

func affineReLURowsBF16(dst, x []uint16, a, b []float32) { affineReLURowsBF16Ref(dst, x, a, b) }

func affineAddRowsBF16(dst, x, res []uint16, a, b []float32) { affineAddRowsBF16Ref(dst, x, res, a, b) }

func affineAddReLURowsBF16(dst, x, res []uint16, a, b []float32) {
	affineAddReLURowsBF16Ref(dst, x, res, a, b)
}

func gradRowsBF16(dst, dy, x []uint16, a, b, d []float32) { gradRowsBF16Ref(dst, dy, x, a, b, d) }

func gradReLURowsBF16(dst, dy, x, y []uint16, a, b, d []float32) {
	gradReLURowsBF16Ref(dst, dy, x, y, a, b, d)
}

func colGradAddReLUKeepBF16(s1, s2 []float32, kept, dy, dz, x, y []uint16, mean []float32, rows, stride int) {
	colGradAddReLUKeepBF16Ref(s1, s2, kept, dy, dz, x, y, mean, rows, stride)
}

func colGradAffineReLUBF16(s1, s2 []float32, dy, x []uint16, mean, a, b []float32, rows, stride int) {
	colGradAffineReLUBF16Ref(s1, s2, dy, x, mean, a, b, rows, stride)
}

func gradAffineReLURowsBF16(dst, dy, x []uint16, a, b, d, scale, shift []float32) {
	gradAffineReLURowsBF16Ref(dst, dy, x, a, b, d, scale, shift)
}
