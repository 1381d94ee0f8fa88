//go:build (!amd64 && !arm64) || purego

package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// noBF16 is raised by calls that HasBF16 forbids.
const noBF16 = "tile: bfloat16 tiles on a processor without them"

// RowsF32 computes a tile of float32.
func RowsF32(_ isa.Level, g *RowsArgs) { rowsRef(g) }

// RowsBF16 does not exist here: see HasBF16.
func RowsBF16(*RowsArgs) { panic(noBF16) }

// RowsBF16To16 does not exist here: see HasBF16.
func RowsBF16To16(*RowsArgs) { panic(noBF16) }

// ColsF32 computes a tile of float32 with A read transposed.
func ColsF32(_ isa.Level, g *ColsArgs) { colsRef(g) }

// ColsBF16 does not exist here: see HasBF16.
func ColsBF16(*ColsArgs) { panic(noBF16) }

// Peak returns 0: there is no vector kernel to measure against.
func Peak(isa.Level, bool, int) (flop float64) { return 0 }

func copyRows(_ isa.Level, dst unsafe.Pointer, dstStride, width int, src unsafe.Pointer, srcStride, rows, cols int) {
	copyRowsRef(dst, dstStride, width, src, srcStride, rows, cols)
}

func copyBlocks(_ isa.Level, dst unsafe.Pointer, blockStride, dstStride int, src unsafe.Pointer, srcStride, rows, cols int) {
	copyBlocksRef(dst, blockStride, dstStride, src, srcStride, rows, cols)
}

func pairBlocks(unsafe.Pointer, int, int, unsafe.Pointer, unsafe.Pointer, int, int, int) {
	panic(noBF16)
}

func pairRows(isa.Level, unsafe.Pointer, int, int, unsafe.Pointer, unsafe.Pointer, int, int, int) {
	panic(noBF16)
}

func transposeBlocks(unsafe.Pointer, int, unsafe.Pointer, int, int) {
	panic("tile: vector transposition on a processor without it")
}

func widenBlocks(unsafe.Pointer, unsafe.Pointer, int) {
	panic("tile: vector conversion on a processor without it")
}

func narrowBlocks(unsafe.Pointer, unsafe.Pointer, int) {
	panic("tile: vector conversion on a processor without it")
}
