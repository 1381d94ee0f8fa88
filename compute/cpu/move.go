package cpu

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// region is a strided view of a buffer's elements: where it begins and how many
// elements lie between neighbours along each axis. Strides may be 0 (broadcast) or negative (reversed).
type region struct {
	bytes   []byte
	offset  int
	strides []int
}

// whole returns the region of a buffer in row-major order.
func whole(b *Buffer) region {
	return region{b.bytes, 0, rowMajor(b.shape.Dimensions)}
}

// rowMajor returns the strides of a dense array.
func rowMajor(dims []int) []int {
	strides := make([]int, len(dims))
	step := 1
	for axis := len(dims) - 1; axis >= 0; axis-- {
		strides[axis] = step
		step *= dims[axis]
	}
	return strides
}

// mergeAxes drops axes of size 1 and joins neighbours that all the strides allow to be
// walked as one. At least one axis is left.
func mergeAxes(dims []int, strides ...[]int) ([]int, [][]int) {
	var outDims []int
	outStrides := make([][]int, len(strides))
	for axis, dim := range dims {
		if dim == 1 {
			continue
		}
		last := len(outDims) - 1
		join := last >= 0
		for i, s := range strides {
			join = join && outStrides[i][last] == s[axis]*dim
		}
		if join {
			outDims[last] *= dim
		} else {
			outDims = append(outDims, dim)
		}
		for i, s := range strides {
			if join {
				outStrides[i][last] = s[axis]
			} else {
				outStrides[i] = append(outStrides[i], s[axis])
			}
		}
	}
	if len(outDims) == 0 {
		outDims = []int{1}
		for i := range outStrides {
			outStrides[i] = []int{1}
		}
	}
	return outDims, outStrides
}

// tileStep is the side of the squares in which transpositions go: a square touches as
// many cache lines of the source as of the destination.
const tileStep = 16

// transposeCols is the width of a cell of a transposition; its height is partLen / transposeCols.
const transposeCols = 256

// denseLen is the size up to which a matrix is transposed as a whole, by one thread.
const denseLen = 1 << 18

// copyRegion copies the elements of src to dst, both viewed with the given dimensions.
// Elements of dst must be distinct.
func copyRegion(pool *par.Pool, elemSize int, dims []int, dst, src region) {
	if slices.Contains(dims, 0) {
		return
	}
	plan := newCopyPlan(elemSize, dims, dst.strides, src.strides)
	parts := ceilDiv(plan.cells, plan.perPart)
	pool.For(parts, func(part, _ int) {
		lo, hi := part*plan.perPart, min((part+1)*plan.perPart, plan.cells)
		plan.run(dst.bytes, src.bytes, dst.offset, src.offset, lo, hi)
	})
}

// copyPlan is a copy between two strided regions, cut into cells: rectangles of at most
// partLen elements. It serves any regions of the same dimensions and strides.
type copyPlan struct {
	dims               []int
	dst, src           []int // strides
	stepRows, stepCols int   // size of a cell within the last two axes
	rowCells, colCells int   // number of cells there
	cells, perPart     int   // number of cells, and how many one part takes
	move               func(dst, src []byte, t tile)
}

func newCopyPlan(elemSize int, dims []int, dstStrides, srcStrides []int) *copyPlan {
	dims, strides := mergeAxes(dims, dstStrides, srcStrides)
	ds, ss := strides[0], strides[1]
	if len(dims) == 1 {
		dims, ds, ss = []int{1, dims[0]}, []int{0, ds[0]}, []int{0, ss[0]}
	}
	last := len(dims) - 1
	if row := slices.IndexFunc(ss[:last], func(s int) bool { return s == 1 || s == -1 }); row >= 0 && ss[last] != 0 {
		for _, s := range [][]int{dims, ds, ss} { // a transposition: its two axes innermost
			moved := s[row]
			copy(s[row:last-1], s[row+1:last])
			s[last-1] = moved
		}
	}
	p := &copyPlan{dims: dims, dst: ds, src: ss, move: tileFunc(elemSize)}
	rows, cols := dims[last-1], dims[last]
	p.stepCols = min(cols, partLen)
	p.stepRows = min(rows, max(1, partLen/p.stepCols))
	if ds[last] == 1 && ss[last-1] == 1 { // a transposition
		if f := denseFunc(elemSize); f != nil && ds[last-1] == cols && ss[last] == rows && rows*cols <= denseLen {
			p.stepRows, p.stepCols, p.move = rows, cols, f
		} else { // few pages of memory at a time, on both sides
			p.stepCols = min(cols, transposeCols)
			p.stepRows = min(rows, max(1, partLen/p.stepCols))
		}
	}
	if p.stepRows < rows && p.stepRows > tileStep {
		p.stepRows -= p.stepRows % tileStep
	}
	p.rowCells, p.colCells = ceilDiv(rows, p.stepRows), ceilDiv(cols, p.stepCols)
	p.cells = p.rowCells * p.colCells
	for _, d := range dims[:last-1] {
		p.cells *= d
	}
	p.perPart = max(1, partLen/(p.stepRows*p.stepCols))
	return p
}

// run copies the cells lo to hi of regions that begin at the given elements.
func (p *copyPlan) run(dst, src []byte, dstAt, srcAt, lo, hi int) {
	last := len(p.dims) - 1
	t := tile{dstRow: p.dst[last-1], dstCol: p.dst[last], srcRow: p.src[last-1], srcCol: p.src[last]}
	for cell := lo; cell < hi; cell++ {
		col, row := cell%p.colCells*p.stepCols, cell/p.colCells%p.rowCells*p.stepRows
		t.rows, t.cols = min(p.stepRows, p.dims[last-1]-row), min(p.stepCols, p.dims[last]-col)
		t.dstAt = dstAt + row*t.dstRow + col*t.dstCol
		t.srcAt = srcAt + row*t.srcRow + col*t.srcCol
		rest := cell / p.colCells / p.rowCells
		for axis := last - 2; axis >= 0; axis-- {
			i := rest % p.dims[axis]
			rest /= p.dims[axis]
			t.dstAt += i * p.dst[axis]
			t.srcAt += i * p.src[axis]
		}
		p.move(dst, src, t)
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// tile is a two-dimensional piece of a copy, in elements.
type tile struct {
	rows, cols     int
	dstAt, srcAt   int // where it begins
	dstRow, dstCol int // strides
	srcRow, srcCol int
}

// tileFunc returns the copy loop for elements of that many bytes.
func tileFunc(elemSize int) func(dst, src []byte, t tile) {
	switch elemSize {
	case 1:
		return copyTile[uint8]
	case 2:
		return copyTile[uint16]
	case 4:
		return copyTile[uint32]
	case 8:
		return copyTile[uint64]
	case 16:
		return copyTile[complex128]
	}
	panic(fmt.Sprintf("cpu: elements of %d bytes", elemSize))
}

func copyTile[E any](dstBytes, srcBytes []byte, t tile) {
	dst, src := view[E](dstBytes), view[E](srcBytes)
	switch {
	case t.dstCol == 1 && t.srcCol == 1 && t.cols > 8:
		for r := range t.rows {
			copy(dst[t.dstAt+r*t.dstRow:][:t.cols], src[t.srcAt+r*t.srcRow:])
		}
	case t.dstCol == 1 && t.srcCol == 0:
		for r := range t.rows {
			row, v := dst[t.dstAt+r*t.dstRow:][:t.cols], src[t.srcAt+r*t.srcRow]
			for i := range row {
				row[i] = v
			}
		}
	case t.dstCol == 1 && t.srcRow == 1:
		transposeTile(dst, src, t)
	default:
		for r := range t.rows {
			d, s := t.dstAt+r*t.dstRow, t.srcAt+r*t.srcRow
			for range t.cols {
				dst[d] = src[s]
				d += t.dstCol
				s += t.srcCol
			}
		}
	}
}

// denseFunc returns the transposition of whole matrices that lie dense on both sides, nil if there is none for the size.
func denseFunc(elemSize int) func(dst, src []byte, t tile) {
	switch elemSize {
	case 2:
		return func(dst, src []byte, t tile) {
			n := t.rows * t.cols
			vec.Transpose16(view[uint16](dst)[t.dstAt:][:n], view[uint16](src)[t.srcAt:][:n], t.cols, t.rows)
		}
	case 4:
		return func(dst, src []byte, t tile) {
			n := t.rows * t.cols
			vec.Transpose32(view[float32](dst)[t.dstAt:][:n], view[float32](src)[t.srcAt:][:n], t.cols, t.rows)
		}
	}
	return nil
}

// transposeTile copies four rows at a time: as many neighbours in the source, each the
// next element of its row in the destination.
func transposeTile[E any](dst, src []E, t tile) {
	for r0 := 0; r0 < t.rows; r0 += tileStep {
		rows := min(tileStep, t.rows-r0)
		for c0 := 0; c0 < t.cols; c0 += tileStep {
			cols := min(tileStep, t.cols-c0)
			for r := 0; r < rows; r += 4 {
				d, s := t.dstAt+(r0+r)*t.dstRow+c0, t.srcAt+r0+r+c0*t.srcCol
				if rows-r < 4 {
					for i := range rows - r {
						for c := range cols {
							dst[d+i*t.dstRow+c] = src[s+i+c*t.srcCol]
						}
					}
					break
				}
				d0 := dst[d:][:cols]
				d1 := dst[d+t.dstRow:][:cols]
				d2 := dst[d+2*t.dstRow:][:cols]
				d3 := dst[d+3*t.dstRow:][:cols]
				for c := range d0 {
					four := (*[4]E)(src[s : s+4])
					d0[c], d1[c], d2[c], d3[c] = four[0], four[1], four[2], four[3]
					s += t.srcCol
				}
			}
		}
	}
}
