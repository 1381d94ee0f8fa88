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
// a panel's width. Strides are in bytes.
func CopyRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	copyRows(l, dst, dstStride, width, src, srcStride, rows, cols)
}

// PairRows packs k rows of bfloat16, cols long, as ⌈k/2⌉ rows of pairs, filled
// up with zeros to width; an odd last row is paired with zeros.
func PairRows(l isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, k, cols int) {
	if k >= 2 {
		pairRows(l, dst, dstStride, width, src, unsafe.Add(src, srcStride), 2*srcStride, k/2, cols)
	}
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
	if l >= isa.NEON {
		blocks = k / 8
		for ; j+8 <= cols; j += 8 {
			transposeBlocks(unsafe.Add(dst, 4*j), 4*width, unsafe.Add(src, j*srcStride), srcStride, blocks)
		}
	}
	if done := 8 * blocks; done < k && j > 0 {
		transposeRef(unsafe.Add(dst, 4*width*done), 4*width, unsafe.Add(src, 4*done), srcStride, j, k-done)
	}
	if j < cols {
		transposeRef(unsafe.Add(dst, 4*j), 4*width, unsafe.Add(src, j*srcStride), srcStride, cols-j, k)
	}
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
	if l >= isa.NEON && len(src) >= 8 {
		n = len(src) &^ 7
		widenBlocks(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), n/8)
	}
	widenRef(dst[n:len(src)], src[n:])
}

// Narrow rounds float32 to bfloat16, ties to even; NaN stays NaN.
func Narrow(l isa.Level, dst []uint16, src []float32) {
	n := 0
	if l >= isa.NEON && len(src) >= 8 {
		n = len(src) &^ 7
		narrowBlocks(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), n/8)
	}
	narrowRef(dst[n:len(src)], src[n:])
}

// CopyBlocks splits rows of cols words into blocks of Rows(l) columns, as ColsF32
// reads them: row i of block b goes to dst + b·blockStride + i·4·Rows(l). The
// last block is filled up with zeros. Strides are in bytes. With 6 rows to a tile
// each block is written two words past its end, to be allowed for in dst.
func CopyBlocks(l isa.Level, dst unsafe.Pointer, blockStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	copyBlocks(l, dst, blockStride, 4*Rows(l), src, srcStride, rows, cols)
}

// PairBlocks is CopyBlocks for bfloat16 as ColsBF16 reads it: ⌈k/2⌉ rows of
// pairs; an odd last row is paired with zeros. With lead, the first row is
// paired with zeros before it instead, and the pairs begin with the second.
func PairBlocks(l isa.Level, dst unsafe.Pointer, blockStride int, src unsafe.Pointer, srcStride, k, cols int, lead bool) {
	pair := 4 * Rows(l)
	alone := func(dst, even, odd unsafe.Pointer) {
		for c := 0; c < cols; c += len(zeroRow) {
			at := unsafe.Add(dst, c/Rows(l)*blockStride)
			e, o := even, odd
			if e == nil {
				e, o = unsafe.Pointer(&zeroRow), unsafe.Add(odd, 2*c)
			} else {
				e, o = unsafe.Add(even, 2*c), unsafe.Pointer(&zeroRow)
			}
			pairBlocks(at, blockStride, pair, e, o, 0, 1, min(len(zeroRow), cols-c))
		}
	}
	if lead && k > 0 {
		alone(dst, nil, src)
		if k--; k == 0 {
			return // what follows may lie behind the memory
		}
		src, dst = unsafe.Add(src, srcStride), unsafe.Add(dst, pair)
	}
	if k >= 2 {
		pairBlocks(dst, blockStride, pair, src, unsafe.Add(src, srcStride), 2*srcStride, k/2, cols)
	}
	if k%2 == 1 {
		alone(unsafe.Add(dst, k/2*pair), unsafe.Add(src, (k-1)*srcStride), nil)
	}
}
