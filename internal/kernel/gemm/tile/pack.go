package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// Words counts the 32-bit words that k elements take in a panel: pairs in
// bfloat16.
func Words(k int, bf16 bool) int {
	if bf16 {
		return (k + 1) / 2
	}
	return k
}

// CopyRows copies rows of cols words, filled up with zeros to width, which is
// Rows(l) or a panel's width. Strides are in bytes. With 6 rows to a tile the
// routine writes two words past the last row, to be allowed for in dst.
func CopyRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	copyRows(l, dst, dstStride, width, src, srcStride, rows, cols)
}

// PairRows packs k rows of bfloat16, cols long, as ⌈k/2⌉ rows of pairs, filled
// up with zeros to width; an odd last row is paired with zeros.
func PairRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, k, cols int) {
	pairRows(l, dst, dstStride, width, src, unsafe.Add(src, srcStride), 2*srcStride, k/2, cols)
	if k%2 == 1 {
		src, dst := unsafe.Add(src, (k-1)*srcStride), unsafe.Add(dst, k/2*dstStride)
		pairRows(l, dst, dstStride, width, src, unsafe.Pointer(&zeroRow), 0, 1, cols)
	}
}

// ZeroRow is memory of zeros as long as the widest tile.
var zeroRow [MaxCols]uint32

// Transpose packs src [cols][k] as a panel dst [k][width] of 32-bit words,
// filled up with zeros. srcStride is in bytes.
func Transpose(l isa.Level, dst unsafe.Pointer, width int, src unsafe.Pointer, srcStride, k, cols int) {
	if cols < width {
		clear(unsafe.Slice((*uint32)(dst), k*width))
	}
	j, blocks := 0, 0
	if l >= isa.AVX2 {
		blocks = k / 8
		for ; j+8 <= cols; j += 8 {
			transposeBlocks(unsafe.Add(dst, 4*j), 4*width, unsafe.Add(src, j*srcStride), srcStride, blocks)
		}
	}
	if done := 8 * blocks; done < k && j > 0 {
		transposeRef(unsafe.Add(dst, 4*width*done), 4*width, unsafe.Add(src, 4*done), srcStride, j, k-done)
	}
	transposeRef(unsafe.Add(dst, 4*j), 4*width, unsafe.Add(src, j*srcStride), srcStride, cols-j, k)
}

// TransposePairs packs bfloat16 src [cols][k] as a panel of pairs
// dst [⌈k/2⌉][width], filled up with zeros. srcStride is in bytes.
func TransposePairs(l isa.Level, dst unsafe.Pointer, width int, src unsafe.Pointer, srcStride, k, cols int) {
	if k >= 2 {
		Transpose(l, dst, width, src, srcStride, k/2, cols)
	}
	if k%2 == 0 {
		return
	}
	last := unsafe.Slice((*uint32)(unsafe.Add(dst, 4*width*(k/2))), width)
	clear(last)
	for j := range cols {
		last[j] = uint32(*(*uint16)(unsafe.Add(src, j*srcStride+2*(k-1))))
	}
}

// Widen converts bfloat16 to float32.
func Widen(l isa.Level, dst []float32, src []uint16) {
	n := 0
	if l >= isa.AVX2 && len(src) >= 8 {
		n = len(src) &^ 7
		widenBlocks(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), n/8)
	}
	widenRef(dst[n:len(src)], src[n:])
}

// Narrow rounds float32 to bfloat16, ties to even; NaN stays NaN.
func Narrow(l isa.Level, dst []uint16, src []float32) {
	n := 0
	if l >= isa.AVX2 && len(src) >= 8 {
		n = len(src) &^ 7
		narrowBlocks(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), n/8)
	}
	narrowRef(dst[n:len(src)], src[n:])
}

// PairRow packs one row of pairs; a nil row is zeros.
func PairRow(l isa.Level, dst unsafe.Pointer, width int, even, odd unsafe.Pointer, cols int) {
	if even == nil {
		even = unsafe.Pointer(&zeroRow)
	}
	if odd == nil {
		odd = unsafe.Pointer(&zeroRow)
	}
	pairRows(l, dst, 4*width, width, even, odd, 0, 1, cols)
}
