//go:build amd64 && !purego

package reduce

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// canStream says that there are kernels that write past the caches.
func canStream() bool { return isa.Current() >= isa.AVX2 }

func affineRowsStream(dst, x, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineRowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		affineRowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		vec.AffineRows(dst, x, a, b)
	}
}

func affineReLURowsStream(dst, x, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineReLURowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		affineReLURowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		vec.AffineReLURows(dst, x, a, b)
	}
}

func affineAddRowsStream(dst, x, res, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineAddRowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		affineAddRowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		vec.AffineAddRows(dst, x, res, a, b)
	}
}

func affineAddReLURowsStream(dst, x, res, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineAddReLURowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		affineAddReLURowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		vec.AffineAddReLURows(dst, x, res, a, b)
	}
}

func gradRowsStream(dst, dy, x, a, b, d []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradRowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		gradRowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	default:
		vec.GradRows(dst, dy, x, a, b, d)
	}
}

func gradReLURowsStream(dst, dy, x, y, a, b, d []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradReLURowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		gradReLURowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	default:
		vec.GradReLURows(dst, dy, x, y, a, b, d)
	}
}

func gradAffineReLURowsStream(dst, dy, x, a, b, d, scale, shift []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradAffineReLURowsStreamAVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), unsafe.SliceData(scale), unsafe.SliceData(shift), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2:
		gradAffineReLURowsStreamAVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), unsafe.SliceData(scale), unsafe.SliceData(shift), len(dst)/len(a), len(a), len(a))
	default:
		vec.GradAffineReLURows(dst, dy, x, a, b, d, scale, shift)
	}
}
