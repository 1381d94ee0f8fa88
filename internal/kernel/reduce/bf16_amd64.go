//go:build amd64 && !purego

package reduce

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// The AVX2 kernels on bfloat16 take whole vectors of eight columns.

func colSumBF16(s []float32, x []uint16, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colSumBF16AVX512(unsafe.SliceData(s), unsafe.SliceData(x), rows, len(s), stride, groupRows(len(s)))
	case level >= isa.AVX2 && len(s)%8 == 0:
		colSumBF16AVX2(unsafe.SliceData(s), unsafe.SliceData(x), rows, len(s), stride, groupRows(len(s)))
	default:
		colSumBF16Ref(s, x, rows, stride)
	}
}

func colStatsBF16(s1, s2 []float32, x []uint16, k []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colStatsBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(x), unsafe.SliceData(k), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colStatsBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(x), unsafe.SliceData(k), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colStatsBF16Ref(s1, s2, x, k, rows, stride)
	}
}

func colGradBF16(s1, s2 []float32, dy, x []uint16, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colGradBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradBF16Ref(s1, s2, dy, x, mean, rows, stride)
	}
}

func colGradReLUBF16(s1, s2 []float32, dy, x, y []uint16, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradReLUBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colGradReLUBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradReLUBF16Ref(s1, s2, dy, x, y, mean, rows, stride)
	}
}

func colGradReLUKeepBF16(s1, s2 []float32, kept, dy, x, y []uint16, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradReLUKeepBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colGradReLUKeepBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradReLUKeepBF16Ref(s1, s2, kept, dy, x, y, mean, rows, stride)
	}
}

func affineRowsBF16(dst, x []uint16, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineRowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		affineRowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		affineRowsBF16Ref(dst, x, a, b)
	}
}

func affineReLURowsBF16(dst, x []uint16, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineReLURowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		affineReLURowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		affineReLURowsBF16Ref(dst, x, a, b)
	}
}

func affineAddRowsBF16(dst, x, res []uint16, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineAddRowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		affineAddRowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		affineAddRowsBF16Ref(dst, x, res, a, b)
	}
}

func affineAddReLURowsBF16(dst, x, res []uint16, a, b []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		affineAddReLURowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		affineAddReLURowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(dst)/len(a), len(a), len(a))
	default:
		affineAddReLURowsBF16Ref(dst, x, res, a, b)
	}
}

func gradRowsBF16(dst, dy, x []uint16, a, b, d []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradRowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		gradRowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	default:
		gradRowsBF16Ref(dst, dy, x, a, b, d)
	}
}

func gradReLURowsBF16(dst, dy, x, y []uint16, a, b, d []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradReLURowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		gradReLURowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), len(dst)/len(a), len(a), len(a))
	default:
		gradReLURowsBF16Ref(dst, dy, x, y, a, b, d)
	}
}

func colGradAddReLUKeepBF16(s1, s2 []float32, kept, dy, dz, x, y []uint16, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradAddReLUKeepBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(dz), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colGradAddReLUKeepBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(dz), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradAddReLUKeepBF16Ref(s1, s2, kept, dy, dz, x, y, mean, rows, stride)
	}
}

func colGradAffineReLUBF16(s1, s2 []float32, dy, x []uint16, mean, a, b []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradAffineReLUBF16AVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(a), unsafe.SliceData(b), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2 && len(s1)%8 == 0:
		colGradAffineReLUBF16AVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(a), unsafe.SliceData(b), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradAffineReLUBF16Ref(s1, s2, dy, x, mean, a, b, rows, stride)
	}
}

func gradAffineReLURowsBF16(dst, dy, x []uint16, a, b, d, scale, shift []float32) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		gradAffineReLURowsBF16AVX512(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), unsafe.SliceData(scale), unsafe.SliceData(shift), len(dst)/len(a), len(a), len(a))
	case level >= isa.AVX2 && len(a)%8 == 0:
		gradAffineReLURowsBF16AVX2(unsafe.SliceData(dst), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(d), unsafe.SliceData(scale), unsafe.SliceData(shift), len(dst)/len(a), len(a), len(a))
	default:
		gradAffineReLURowsBF16Ref(dst, dy, x, a, b, d, scale, shift)
	}
}
