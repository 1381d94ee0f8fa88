package tile

import (
	"math"
	"unsafe"
)

const (
	refRows = 4
	refCols = 4
)

// at reads an address as a pointer; the memory belongs to a caller's slice.
func at(address *uintptr, i int) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(address), 8*i))
}

// The portable tiles compute two rows at a time: eight sums, four elements of B
// and one of A fit the registers of any processor that Go supports.

// rowsRef is the portable tile of RowsF32.
func rowsRef(g *RowsArgs) {
	var acc [refRows][refCols]float32
	for r := 0; r < refRows; r += 2 {
		var c00, c01, c02, c03, c10, c11, c12, c13 float32
		b := unsafe.Slice((*float32)(g.B), g.Taps*g.K*refCols)
		for t := range g.Taps {
			a0 := unsafe.Slice((*float32)(at(g.A, refRows*t+r)), g.K)
			a1 := unsafe.Slice((*float32)(at(g.A, refRows*t+r+1)), g.K)
			for i, v := range a0 {
				w := a1[i]
				b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
				b = b[refCols:]
				c00 += v * b0
				c01 += v * b1
				c02 += v * b2
				c03 += v * b3
				c10 += w * b0
				c11 += w * b1
				c12 += w * b2
				c13 += w * b3
			}
		}
		acc[r] = [refCols]float32{c00, c01, c02, c03}
		acc[r+1] = [refCols]float32{c10, c11, c12, c13}
	}
	refStore(&acc, g.C, g.Cols, g.Add)
}

// colsRef is the portable tile of ColsF32.
func colsRef(g *ColsArgs) {
	var acc [refRows][refCols]float32
	for r := 0; r < refRows; r += 2 {
		var c00, c01, c02, c03, c10, c11, c12, c13 float32
		b := unsafe.Slice((*float32)(g.B), g.Segs*g.Length*refCols)
		for _, off := range unsafe.Slice(g.Off, g.Segs) {
			for i := range g.Length {
				a := (*[refRows]float32)(unsafe.Add(g.A, off+i*g.Stride))
				v, w := a[r], a[r+1]
				b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
				b = b[refCols:]
				c00 += v * b0
				c01 += v * b1
				c02 += v * b2
				c03 += v * b3
				c10 += w * b0
				c11 += w * b1
				c12 += w * b2
				c13 += w * b3
			}
		}
		acc[r] = [refCols]float32{c00, c01, c02, c03}
		acc[r+1] = [refCols]float32{c10, c11, c12, c13}
	}
	refStore(&acc, g.C, g.Cols, g.Add)
}

func refStore(acc *[refRows][refCols]float32, c *uintptr, cols int, add bool) {
	for r := range acc {
		row := unsafe.Slice((*float32)(at(c, r)), cols)
		for j := range row {
			if add {
				row[j] += acc[r][j]
			} else {
				row[j] = acc[r][j]
			}
		}
	}
}

// copyRowsRef copies rows of cols words, filled up with zeros to width.
func copyRowsRef(dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	for i := range rows {
		to := unsafe.Slice((*uint32)(unsafe.Add(dst, i*dstStride)), width)
		clear(to[copy(to, unsafe.Slice((*uint32)(unsafe.Add(src, i*srcStride)), cols)):])
	}
}

// copyBlocksRef copies rows of cols words, refRows columns to a block.
func copyBlocksRef(dst unsafe.Pointer, blockStride, dstStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	for c := 0; c < cols; c += refRows {
		copyRowsRef(unsafe.Add(dst, c/refRows*blockStride), dstStride, refRows,
			unsafe.Add(src, 4*c), srcStride, rows, min(refRows, cols-c))
	}
}

// transposeRef writes dst[j][i] = src[i][j] for i below rows and j below cols.
func transposeRef(dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	for i := range rows {
		for j, v := range unsafe.Slice((*uint32)(unsafe.Add(src, i*srcStride)), cols) {
			*(*uint32)(unsafe.Add(dst, j*dstStride+4*i)) = v
		}
	}
}

func widenRef(dst []float32, src []uint16) {
	for i, b := range src {
		dst[i] = math.Float32frombits(uint32(b) << 16)
	}
}

func narrowRef(dst []uint16, src []float32) {
	for i, f := range src {
		dst[i] = roundRef(f)
	}
}

// roundRef returns the nearest bfloat16, ties to even; NaN stays NaN.
func roundRef(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
