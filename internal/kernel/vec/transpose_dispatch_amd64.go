//go:build amd64 && !purego

package vec

import "github.com/byol-go/byol/internal/kernel/isa"

// transposeTile is the side of the tiles of squares: what a tile writes to a row of dst
// is a few cache lines, not one.
const transposeTile = 64

// squares32 transposes all whole squares and returns the rows and columns they cover.
func squares32(dst, src []float32, rows, cols int) (r, c int) {
	if isa.Current() < isa.AVX2 || rows < squareSide || cols < squareSide {
		return 0, 0
	}
	r, c = rows/squareSide*squareSide, cols/squareSide*squareSide
	for rt := 0; rt < r; rt += transposeTile {
		for ct := 0; ct < c; ct += transposeTile {
			n := min(transposeTile, c-ct) / squareSide
			for i := rt; i < min(rt+transposeTile, r); i += squareSide {
				transpose32AVX2(&dst[ct*rows+i], &src[i*cols+ct], rows, cols, n)
			}
		}
	}
	return r, c
}

// squares16 is squares32 for elements of two bytes.
func squares16(dst, src []uint16, rows, cols int) (r, c int) {
	if isa.Current() < isa.AVX2 || rows < squareSide || cols < squareSide {
		return 0, 0
	}
	r, c = rows/squareSide*squareSide, cols/squareSide*squareSide
	for rt := 0; rt < r; rt += transposeTile {
		for ct := 0; ct < c; ct += transposeTile {
			n := min(transposeTile, c-ct) / squareSide
			for i := rt; i < min(rt+transposeTile, r); i += squareSide {
				transpose16AVX2(&dst[ct*rows+i], &src[i*cols+ct], rows, cols, n)
			}
		}
	}
	return r, c
}
