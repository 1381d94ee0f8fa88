package vec

// Transpose32 sets dst[c,r] = src[r,c] for row-major src [rows, cols] and dst
// [cols, rows], which must not overlap.
func Transpose32(dst, src []float32, rows, cols int) {
	if len(src) != rows*cols || len(dst) != rows*cols {
		panic(shapeMismatch)
	}
	r, c := squares32(dst, src, rows, cols)
	transposeRest(dst, src, rows, cols, r, c)
}

// Transpose16 is Transpose32 for elements of two bytes.
func Transpose16(dst, src []uint16, rows, cols int) {
	if len(src) != rows*cols || len(dst) != rows*cols {
		panic(shapeMismatch)
	}
	r, c := squares16(dst, src, rows, cols)
	transposeRest(dst, src, rows, cols, r, c)
}

// squareSide is the side of the squares that the assembly transposes.
const squareSide = 16

// transposeRest transposes what lies outside the first r rows and c columns.
func transposeRest[T any](dst, src []T, rows, cols, r, c int) {
	transposeRef(dst, src, rows, cols, 0, r, c, cols)
	transposeRef(dst, src, rows, cols, r, rows, 0, cols)
}
