//go:build amd64 && !purego

package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// RowsF32 computes a tile of float32.
func RowsF32(l isa.Level, g *RowsArgs) {
	b := (*byte)(g.B)
	switch {
	case l >= isa.AVX512 && g.Cols > 16:
		rowsF32AVX512x32(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add)
	case l >= isa.AVX512:
		rowsF32AVX512x16(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add)
	case l >= isa.AVX2 && g.Cols > 8:
		rowsF32AVX2x16(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add)
	case l >= isa.AVX2:
		rowsF32AVX2x8(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add)
	default:
		rowsRef(g)
	}
}

// RowsBF16 computes a tile of bfloat16 with float32 sums and rows of C.
func RowsBF16(g *RowsArgs) {
	if g.Cols > 16 {
		rowsBF16AVX512x32(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, g.Add)
	} else {
		rowsBF16AVX512x16(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, g.Add)
	}
}

// RowsBF16To16 is RowsBF16 with rows of C rounded to bfloat16. Subnormal values
// become zero, as everywhere in AVX512_BF16.
func RowsBF16To16(g *RowsArgs) {
	if g.Cols > 16 {
		rowsBF16AVX512x32To16(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, false)
	} else {
		rowsBF16AVX512x16To16(g.A, (*byte)(g.B), g.C, g.Taps, g.K, g.Cols, false)
	}
}

// ColsF32 computes a tile of float32 with A read transposed.
func ColsF32(l isa.Level, g *ColsArgs) {
	a, b := (*byte)(g.A), (*byte)(g.B)
	switch {
	case l >= isa.AVX512 && g.Cols > 16:
		colsF32AVX512x32(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	case l >= isa.AVX512:
		colsF32AVX512x16(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	case l >= isa.AVX2 && g.Cols > 8:
		colsF32AVX2x16(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	case l >= isa.AVX2:
		colsF32AVX2x8(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	default:
		colsRef(g)
	}
}

// ColsBF16 computes a tile of pairs of bfloat16 with A read transposed:
// elements of the sum are pairs, rows of C float32.
func ColsBF16(g *ColsArgs) {
	a, b := (*byte)(g.A), (*byte)(g.B)
	if g.Cols > 16 {
		colsBF16AVX512x32(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	} else {
		colsBF16AVX512x16(a, g.Off, g.Stride, b, g.C, g.Segs, g.Length, g.Cols, g.Add)
	}
}

// Peak does n rounds of 12 independent multiply-adds of a vector and returns
// how many operations those were; it measures what the processor can do.
func Peak(l isa.Level, bf16 bool, n int) (flop float64) {
	switch {
	case bf16 && HasBF16(l):
		peakBF16AVX512(n)
		return float64(n) * 12 * 64
	case l >= isa.AVX512:
		peakF32AVX512(n)
		return float64(n) * 12 * 32
	case l >= isa.AVX2:
		peakF32AVX2(n)
		return float64(n) * 12 * 16
	}
	return 0
}

func copyRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	d, s := (*byte)(dst), (*byte)(src)
	switch {
	case l >= isa.AVX512 && width == 32:
		copyRows16x2(d, dstStride, s, srcStride, rows, cols)
	case l >= isa.AVX512 && width == 16:
		copyRows16x1(d, dstStride, s, srcStride, rows, cols)
	case l >= isa.AVX2 && width == 16:
		copyRows8x2(d, dstStride, s, srcStride, rows, cols)
	case l >= isa.AVX2:
		copyRows8x1(d, dstStride, s, srcStride, rows, cols)
	default:
		copyRowsRef(dst, dstStride, width, src, srcStride, rows, cols)
	}
}

func pairRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, even, odd unsafe.Pointer, srcStride, rows, cols int) {
	switch width {
	case 32:
		pairRows16x2((*byte)(dst), dstStride, (*byte)(even), (*byte)(odd), srcStride, rows, cols)
	default:
		pairRows16x1((*byte)(dst), dstStride, (*byte)(even), (*byte)(odd), srcStride, rows, cols)
	}
}

func copyBlocks(l isa.Level, dst unsafe.Pointer, blockStride, dstStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	switch {
	case l >= isa.AVX512:
		copyBlocks8((*byte)(dst), blockStride, dstStride, (*byte)(src), srcStride, rows, cols/8, cols%8)
	case l >= isa.AVX2:
		copyBlocks6((*byte)(dst), blockStride, dstStride, (*byte)(src), srcStride, rows, cols/6, cols%6)
	default:
		copyBlocksRef(dst, blockStride, dstStride, src, srcStride, rows, cols)
	}
}

func pairBlocks(dst unsafe.Pointer, blockStride, dstStride int, even, odd unsafe.Pointer, srcStride, rows, cols int) {
	pairBlocks8((*byte)(dst), blockStride, dstStride, (*byte)(even), (*byte)(odd), srcStride, rows, cols/8, cols%8)
}

func transposeBlocks(dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride, blocks int) {
	transpose8((*byte)(dst), dstStride, (*byte)(src), srcStride, blocks)
}

func widenBlocks(dst, src unsafe.Pointer, blocks int) { widen8((*byte)(dst), (*byte)(src), blocks) }

func narrowBlocks(dst, src unsafe.Pointer, blocks int) { narrow8((*byte)(dst), (*byte)(src), blocks) }
