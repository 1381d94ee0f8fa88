//go:build (!amd64 && !arm64) || purego

package reduce

func sum(x []float32) float64     { return sumRef(x) }
func maximum(x []float32) float32 { return maximumRef(x) }
func minimum(x []float32) float32 { return minimumRef(x) }

func colSum(s, x []float32, rows, stride int)           { colSumRef(s, x, rows, stride) }
func colStats(s1, s2, x, k []float32, rows, stride int) { colStatsRef(s1, s2, x, k, rows, stride) }
func colGrad(s1, s2, dy, x, mean []float32, rows, stride int) {
	colGradRef(s1, s2, dy, x, mean, rows, stride)
}
func colGradReLU(s1, s2, dy, x, y, mean []float32, rows, stride int) {
	colGradReLURef(s1, s2, dy, x, y, mean, rows, stride)
}
func colGradReLUKeep(s1, s2, kept, dy, x, y, mean []float32, rows, stride int) {
	colGradReLUKeepRef(s1, s2, kept, dy, x, y, mean, rows, stride)
}
func colGradAddReLUKeep(s1, s2, kept, dy, dz, x, y, mean []float32, rows, stride int) {
	colGradAddReLUKeepRef(s1, s2, kept, dy, dz, x, y, mean, rows, stride)
}
func colGradAffineReLU(s1, s2, dy, x, mean, a, b []float32, rows, stride int) {
	colGradAffineReLURef(s1, s2, dy, x, mean, a, b, rows, stride)
}
