//go:build amd64 && !purego

package vec

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

func affinePart(y, res, a, b []float32, relu bool, rows, stride int) {
	py, pr, pa, pb, c := unsafe.SliceData(y), unsafe.SliceData(res), unsafe.SliceData(a), unsafe.SliceData(b), len(a)
	level := isa.Current()
	wide := level >= isa.AVX512
	switch {
	case level < isa.AVX2:
		affinePartRef(y, res, a, b, relu, rows, stride)
	case res == nil && relu && wide:
		affineReLURowsAVX512(py, py, pa, pb, rows, c, stride)
	case res == nil && relu:
		affineReLURowsAVX2(py, py, pa, pb, rows, c, stride)
	case res == nil && wide:
		affineRowsAVX512(py, py, pa, pb, rows, c, stride)
	case res == nil:
		affineRowsAVX2(py, py, pa, pb, rows, c, stride)
	case relu && wide:
		affineAddReLURowsAVX512(py, py, pr, pa, pb, rows, c, stride)
	case relu:
		affineAddReLURowsAVX2(py, py, pr, pa, pb, rows, c, stride)
	case wide:
		affineAddRowsAVX512(py, py, pr, pa, pb, rows, c, stride)
	default:
		affineAddRowsAVX2(py, py, pr, pa, pb, rows, c, stride)
	}
}
