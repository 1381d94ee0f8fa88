//go:build arm64 && !purego

package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// noBF16 is raised by calls that HasBF16 forbids.
const noBF16 = "tile: bfloat16 tiles on a processor without them"

// RowsF32 computes a tile of float32.
func RowsF32(l isa.Level, g *RowsArgs) {
	switch {
	case l < isa.NEON:
		rowsRef(g)
	case g.Cols > 8:
		rowsF32NEONx16(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, g.Add)
	default:
		rowsF32NEONx8(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, g.Add)
	}
}

// RowsBF16 does not exist here: see HasBF16.
func RowsBF16(*RowsArgs) { panic(noBF16) }

// RowsBF16To16 does not exist here: see HasBF16.
func RowsBF16To16(*RowsArgs) { panic(noBF16) }

// ColsF32 computes a tile of float32 with A read transposed.
func ColsF32(l isa.Level, g *ColsArgs) {
	a, b := (*byte)(g.A), (*byte)(g.B)
	switch {
	case l < isa.NEON:
		colsRef(g)
	case g.Cols > 8:
		colsF32NEONx16(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	default:
		colsF32NEONx8(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	}
}

// ColsBF16 does not exist here: see HasBF16.
func ColsBF16(*ColsArgs) { panic(noBF16) }

// Peak does n rounds of 24 independent multiply-adds of a vector and returns
// how many operations those were; it measures what the processor can do.
func Peak(l isa.Level, _ bool, n int) (flop float64) {
	if l < isa.NEON {
		return 0
	}
	peakF32NEON(n)
	return float64(n) * 24 * 8
}

func copyRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	if l < isa.NEON || cols < width { // assembly would fill up lane by lane
		copyRowsRef(dst, dstStride, width, src, srcStride, rows, cols)
		return
	}
	if width == 16 {
		copyRows8x2((*byte)(dst), dstStride, (*byte)(src), srcStride, rows, cols)
	} else {
		copyRows8x1((*byte)(dst), dstStride, (*byte)(src), srcStride, rows, cols)
	}
}

func copyBlocks(l isa.Level, dst unsafe.Pointer, blockStride, dstStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	if l < isa.NEON {
		copyBlocksRef(dst, blockStride, dstStride, src, srcStride, rows, cols)
		return
	}
	copyBlocks6((*byte)(dst), blockStride, dstStride, (*byte)(src), srcStride, rows, cols/6, cols%6)
}

func pairBlocks(unsafe.Pointer, int, int, unsafe.Pointer, unsafe.Pointer, int, int, int) {
	panic(noBF16)
}

func pairRows(isa.Level, unsafe.Pointer, int, int, unsafe.Pointer, unsafe.Pointer, int, int, int) {
	panic(noBF16)
}

func transposeBlocks(dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride, blocks int) {
	transpose8((*byte)(dst), dstStride, (*byte)(src), srcStride, blocks)
}

func widenBlocks(dst, src unsafe.Pointer, blocks int) { widen8((*byte)(dst), (*byte)(src), blocks) }

func narrowBlocks(dst, src unsafe.Pointer, blocks int) { narrow8((*byte)(dst), (*byte)(src), blocks) }
