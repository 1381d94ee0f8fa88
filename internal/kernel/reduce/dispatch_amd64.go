//go:build amd64 && !purego

package reduce

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

//go:generate go -C ../vec/_asm run . -group reduce -out ../../reduce/reduce_amd64.s -stubs ../../reduce/reduce_amd64.go -pkg reduce
//go:generate go -C ../_neon run . ../reduce/reduce_amd64.s ../reduce/reduce_amd64.go ../reduce/dispatch_amd64.go ../reduce/bf16_amd64.go ../reduce/stream_amd64.go

func sum(x []float32) float64 {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		return sumAVX512(unsafe.SliceData(x), len(x))
	case level >= isa.AVX2:
		return sumAVX2(unsafe.SliceData(x), len(x))
	}
	return sumRef(x)
}

func maximum(x []float32) float32 {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		return maximumAVX512(unsafe.SliceData(x), len(x))
	case level >= isa.AVX2:
		return maximumAVX2(unsafe.SliceData(x), len(x))
	}
	return maximumRef(x)
}

func minimum(x []float32) float32 {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		return minimumAVX512(unsafe.SliceData(x), len(x))
	case level >= isa.AVX2:
		return minimumAVX2(unsafe.SliceData(x), len(x))
	}
	return minimumRef(x)
}

func colSum(s, x []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colSumAVX512(unsafe.SliceData(s), unsafe.SliceData(x), rows, len(s), stride, groupRows(len(s)))
	case level >= isa.AVX2:
		colSumAVX2(unsafe.SliceData(s), unsafe.SliceData(x), rows, len(s), stride, groupRows(len(s)))
	default:
		colSumRef(s, x, rows, stride)
	}
}

func colStats(s1, s2, x, k []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colStatsAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(x), unsafe.SliceData(k), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colStatsAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(x), unsafe.SliceData(k), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colStatsRef(s1, s2, x, k, rows, stride)
	}
}

func colGrad(s1, s2, dy, x, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colGradAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradRef(s1, s2, dy, x, mean, rows, stride)
	}
}

func colGradReLU(s1, s2, dy, x, y, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradReLUAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colGradReLUAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradReLURef(s1, s2, dy, x, y, mean, rows, stride)
	}
}

func colGradReLUKeep(s1, s2, kept, dy, x, y, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradReLUKeepAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colGradReLUKeepAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradReLUKeepRef(s1, s2, kept, dy, x, y, mean, rows, stride)
	}
}

func colGradAddReLUKeep(s1, s2, kept, dy, dz, x, y, mean []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradAddReLUKeepAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(dz), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colGradAddReLUKeepAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(kept), unsafe.SliceData(dy), unsafe.SliceData(dz), unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(mean), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradAddReLUKeepRef(s1, s2, kept, dy, dz, x, y, mean, rows, stride)
	}
}

func colGradAffineReLU(s1, s2, dy, x, mean, a, b []float32, rows, stride int) {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		colGradAffineReLUAVX512(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(a), unsafe.SliceData(b), rows, len(s1), stride, groupRows(len(s1)))
	case level >= isa.AVX2:
		colGradAffineReLUAVX2(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(a), unsafe.SliceData(b), rows, len(s1), stride, groupRows(len(s1)))
	default:
		colGradAffineReLURef(s1, s2, dy, x, mean, a, b, rows, stride)
	}
}
