package reduce

import "github.com/byol-go/byol/internal/kernel/vec"

// Element is the type of the arrays of feature maps: float32, or uint16 that holds the
// bits of a bfloat16. Either is computed in float32; means, sums and coefficients are
// float32 with both.
type Element interface{ float32 | uint16 }

func colSumOf[T Element](s []float32, x []T, rows, stride int) {
	switch x := any(x).(type) {
	case []float32:
		colSum(s, x, rows, stride)
	case []uint16:
		colSumBF16(s, x, rows, stride)
	}
}

func colStatsOf[T Element](s1, s2 []float32, x []T, k []float32, rows, stride int) {
	switch x := any(x).(type) {
	case []float32:
		colStats(s1, s2, x, k, rows, stride)
	case []uint16:
		colStatsBF16(s1, s2, x, k, rows, stride)
	}
}

func colGradOf[T Element](s1, s2 []float32, dy, x []T, mean []float32, rows, stride int) {
	switch dy := any(dy).(type) {
	case []float32:
		colGrad(s1, s2, dy, any(x).([]float32), mean, rows, stride)
	case []uint16:
		colGradBF16(s1, s2, dy, any(x).([]uint16), mean, rows, stride)
	}
}

func colGradReLUOf[T Element](s1, s2 []float32, dy, x, y []T, mean []float32, rows, stride int) {
	switch dy := any(dy).(type) {
	case []float32:
		colGradReLU(s1, s2, dy, any(x).([]float32), any(y).([]float32), mean, rows, stride)
	case []uint16:
		colGradReLUBF16(s1, s2, dy, any(x).([]uint16), any(y).([]uint16), mean, rows, stride)
	}
}

func colGradReLUKeepOf[T Element](s1, s2 []float32, kept, dy, x, y []T, mean []float32, rows, stride int) {
	switch kept := any(kept).(type) {
	case []float32:
		colGradReLUKeep(s1, s2, kept, any(dy).([]float32), any(x).([]float32), any(y).([]float32), mean, rows, stride)
	case []uint16:
		colGradReLUKeepBF16(s1, s2, kept, any(dy).([]uint16), any(x).([]uint16), any(y).([]uint16), mean, rows, stride)
	}
}

func affineRowsOf[T Element](stream bool, dst, x []T, a, b []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			affineRowsStream(dst, any(x).([]float32), a, b)
			return
		}
		vec.AffineRows(dst, any(x).([]float32), a, b)
	case []uint16:
		affineRowsBF16(dst, any(x).([]uint16), a, b)
	}
}

func affineReLURowsOf[T Element](stream bool, dst, x []T, a, b []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			affineReLURowsStream(dst, any(x).([]float32), a, b)
			return
		}
		vec.AffineReLURows(dst, any(x).([]float32), a, b)
	case []uint16:
		affineReLURowsBF16(dst, any(x).([]uint16), a, b)
	}
}

func affineAddRowsOf[T Element](stream bool, dst, x, res []T, a, b []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			affineAddRowsStream(dst, any(x).([]float32), any(res).([]float32), a, b)
			return
		}
		vec.AffineAddRows(dst, any(x).([]float32), any(res).([]float32), a, b)
	case []uint16:
		affineAddRowsBF16(dst, any(x).([]uint16), any(res).([]uint16), a, b)
	}
}

func affineAddReLURowsOf[T Element](stream bool, dst, x, res []T, a, b []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			affineAddReLURowsStream(dst, any(x).([]float32), any(res).([]float32), a, b)
			return
		}
		vec.AffineAddReLURows(dst, any(x).([]float32), any(res).([]float32), a, b)
	case []uint16:
		affineAddReLURowsBF16(dst, any(x).([]uint16), any(res).([]uint16), a, b)
	}
}

func gradRowsOf[T Element](stream bool, dst, dy, x []T, a, b, d []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			gradRowsStream(dst, any(dy).([]float32), any(x).([]float32), a, b, d)
			return
		}
		vec.GradRows(dst, any(dy).([]float32), any(x).([]float32), a, b, d)
	case []uint16:
		gradRowsBF16(dst, any(dy).([]uint16), any(x).([]uint16), a, b, d)
	}
}

func gradReLURowsOf[T Element](stream bool, dst, dy, x, y []T, a, b, d []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			gradReLURowsStream(dst, any(dy).([]float32), any(x).([]float32), any(y).([]float32), a, b, d)
			return
		}
		vec.GradReLURows(dst, any(dy).([]float32), any(x).([]float32), any(y).([]float32), a, b, d)
	case []uint16:
		gradReLURowsBF16(dst, any(dy).([]uint16), any(x).([]uint16), any(y).([]uint16), a, b, d)
	}
}

func colGradAddReLUKeepOf[T Element](s1, s2 []float32, kept, dy, dz, x, y []T, mean []float32, rows, stride int) {
	switch kept := any(kept).(type) {
	case []float32:
		colGradAddReLUKeep(s1, s2, kept, any(dy).([]float32), any(dz).([]float32), any(x).([]float32), any(y).([]float32), mean, rows, stride)
	case []uint16:
		colGradAddReLUKeepBF16(s1, s2, kept, any(dy).([]uint16), any(dz).([]uint16), any(x).([]uint16), any(y).([]uint16), mean, rows, stride)
	}
}

func colGradAffineReLUOf[T Element](s1, s2 []float32, dy, x []T, mean, a, b []float32, rows, stride int) {
	switch dy := any(dy).(type) {
	case []float32:
		colGradAffineReLU(s1, s2, dy, any(x).([]float32), mean, a, b, rows, stride)
	case []uint16:
		colGradAffineReLUBF16(s1, s2, dy, any(x).([]uint16), mean, a, b, rows, stride)
	}
}

func gradAffineReLURowsOf[T Element](stream bool, dst, dy, x []T, a, b, d, scale, shift []float32) {
	switch dst := any(dst).(type) {
	case []float32:
		if stream {
			gradAffineReLURowsStream(dst, any(dy).([]float32), any(x).([]float32), a, b, d, scale, shift)
			return
		}
		vec.GradAffineReLURows(dst, any(dy).([]float32), any(x).([]float32), a, b, d, scale, shift)
	case []uint16:
		gradAffineReLURowsBF16(dst, any(dy).([]uint16), any(x).([]uint16), a, b, d, scale, shift)
	}
}
