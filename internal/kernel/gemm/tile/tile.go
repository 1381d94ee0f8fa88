// Package tile holds the one building block of the matrix kernels: a small
// tile of C = Σ_tap Σ_k A[tap]·B[tap] that stays in registers over the whole
// sum, and the routines that bring operands into its layout.
//
// A tile has [Rows] rows and up to [Cols] columns. B is packed in panels
// [tap][k][PanelWidth]; columns behind the matrix are zeros. A is read where it
// lies, either by the addresses of its rows (RowsF32, RowsBF16), which is how a
// convolution walks over an image without copying it, or transposed (ColsF32,
// ColsBF16), which is how a sum over pixels reads two activations. Rows of C are
// given by address too; a caller with fewer rows than the tile lets the rest
// point at memory that nobody reads.
//
// Addresses are held as uintptr: callers keep the memory alive, and heap memory
// does not move. bfloat16 tiles take elements in pairs along k, as words of 32
// bits; their panels are [tap][⌈k/2⌉][PanelWidth] words.
//
// Calls are not checked. This package is for packages gemm and conv, which are.
package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

//go:generate go -C _asm run . ../tile_amd64.s ../stubs_amd64.go
//go:generate go -C ../../_neon run . ../gemm/tile/tile_amd64.s ../gemm/tile/stubs_amd64.go ../gemm/tile/finish_amd64.go

// MaxRows and MaxCols bound a tile of any instruction set.
const (
	MaxRows = 8
	MaxCols = 32
)

// Rows returns the number of rows of a tile.
func Rows(l isa.Level) int {
	switch {
	case l >= isa.AVX512:
		return 8
	case l >= isa.NEON:
		return 6
	}
	return 4
}

// Cols returns the number of columns of a full tile.
func Cols(l isa.Level) int {
	switch {
	case l >= isa.AVX512:
		return 32
	case l >= isa.NEON:
		return 16
	}
	return 4
}

// PanelWidth returns how many columns a panel of cols columns is packed to:
// half a tile where that is enough.
func PanelWidth(l isa.Level, cols int) int {
	if n := Cols(l); l < isa.NEON || cols > n/2 {
		return n
	}
	return Cols(l) / 2
}

// HasBF16 says whether RowsBF16 and ColsBF16 exist. Where they do not, callers
// widen to float32.
func HasBF16(l isa.Level) bool { return l >= isa.AVX512BF16 }

// RowsArgs are the operands of a tile with A given by rows.
type RowsArgs struct {
	A    *uintptr       // addresses of rows, [Taps][Rows]
	B    unsafe.Pointer // panel [Taps][K][PanelWidth]
	C    *uintptr       // addresses of rows, [Rows], at the tile's first column
	Taps int
	K    int  // elements of a row of A
	Cols int  // columns of C that are written
	Add  bool // add to C (float32 only)
}

// ColsArgs are the operands of a tile with A read transposed: for every element
// of the sum the tile's rows lie side by side. The sum runs over Segs segments
// of Length elements; Off holds where each begins, in bytes from A.
type ColsArgs struct {
	A            unsafe.Pointer
	Off          *int
	Stride       int            // bytes from one element of the sum to the next
	B            unsafe.Pointer // panel [Segs·Length][PanelWidth]
	C            *uintptr       // addresses of rows, [Rows]
	Segs, Length int
	Cols         int
	Add          bool
}

// Pitch returns the distance in bytes, at least stride, that rows of A should
// have. Rows of a tile are read side by side, and where several of them agree
// in the lower 12 bits of their addresses the first-level cache serves them one
// by one: at 4096 bytes a tile takes twice the time. Callers that get another
// pitch than their stride may copy the rows if they are used often enough.
func Pitch(l isa.Level, stride int) int {
	if l < isa.NEON {
		return stride
	}
	for pitch := stride; ; pitch = (pitch + 64) &^ 63 {
		if crowd(pitch, Rows(l)) <= Rows(l)/8+1 {
			return pitch
		}
	}
}

// crowd returns the most rows of a tile that share a quarter of a kilobyte of
// the cache's index.
func crowd(stride, rows int) int {
	most := 0
	for i := range rows {
		n := 0
		for j := range rows {
			if d := (j - i) * stride & 4095; d < 256 || d > 4096-256 {
				n++
			}
		}
		most = max(most, n)
	}
	if stride*rows <= 4096 { // neighbours, not rivals
		return 1
	}
	return most
}
