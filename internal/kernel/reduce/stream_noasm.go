//go:build (!amd64 && !arm64) || purego

package reduce

import "github.com/byol-go/byol/internal/kernel/vec"

// canStream says that there are kernels that write past the caches.
func canStream() bool { return false }

func affineRowsStream(dst, x, a, b []float32) { vec.AffineRows(dst, x, a, b) }

func affineReLURowsStream(dst, x, a, b []float32) { vec.AffineReLURows(dst, x, a, b) }

func affineAddRowsStream(dst, x, res, a, b []float32) { vec.AffineAddRows(dst, x, res, a, b) }

func affineAddReLURowsStream(dst, x, res, a, b []float32) { vec.AffineAddReLURows(dst, x, res, a, b) }

func gradRowsStream(dst, dy, x, a, b, d []float32) { vec.GradRows(dst, dy, x, a, b, d) }

func gradReLURowsStream(dst, dy, x, y, a, b, d []float32) { vec.GradReLURows(dst, dy, x, y, a, b, d) }

func gradAffineReLURowsStream(dst, dy, x, a, b, d, scale, shift []float32) {
	vec.GradAffineReLURows(dst, dy, x, a, b, d, scale, shift)
}
