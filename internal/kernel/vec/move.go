package vec

// Fill sets every element of dst to v.
func Fill[T any](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	const piece = 1024 // memmove fills the rest from a piece in L1
	head := dst[:min(len(dst), piece)]
	for i := range head {
		head[i] = v
	}
	for n := piece; n < len(dst); n += piece {
		copy(dst[n:], head)
	}
}

// Gather sets dst[i] = src[offset + i·stride], for a stride of any sign.
func Gather[T any](dst, src []T, offset, stride int) {
	for i := range dst {
		dst[i] = src[offset]
		offset += stride
	}
}

// Scatter sets dst[offset + i·stride] = src[i].
func Scatter[T any](dst, src []T, offset, stride int) {
	for _, v := range src {
		dst[offset] = v
		offset += stride
	}
}

// transposeBlock is the side of the square tiles that transposing works in: a tile of
// either operand fits L1.
const transposeBlock = 32

// Transpose32 sets dst[c,r] = src[r,c] for row-major src [rows, cols] and dst
// [cols, rows], which must not overlap.
func Transpose32(dst, src []float32, rows, cols int) {
	if len(src) != rows*cols || len(dst) != rows*cols {
		panic(shapeMismatch)
	}
	transpose(dst, src, rows, cols)
}

// Transpose16 is Transpose32 for elements of two bytes.
func Transpose16(dst, src []uint16, rows, cols int) {
	if len(src) != rows*cols || len(dst) != rows*cols {
		panic(shapeMismatch)
	}
	transpose(dst, src, rows, cols)
}

func transpose[T any](dst, src []T, rows, cols int) {
	for r0 := 0; r0 < rows; r0 += transposeBlock {
		r1 := min(r0+transposeBlock, rows)
		for c0 := 0; c0 < cols; c0 += transposeBlock {
			c1 := min(c0+transposeBlock, cols)
			for c := c0; c < c1; c++ {
				for r := r0; r < r1; r++ {
					dst[c*rows+r] = src[r*cols+c]
				}
			}
		}
	}
}
