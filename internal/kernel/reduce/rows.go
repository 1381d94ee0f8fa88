package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// OverRows functions reduce x [rows, c] to dst [c]. They cut x into panels of at most
// panelCols columns and those into blocks of rows, one part each; a part reads its rows
// in the order of memory, and its sums stay in L1. With rows shorter than a few
// vectors, several rows are taken as one.

// panelCols is the widest panel.
const panelCols = 2048

// minWidth is the width below which rows are taken several at once: four AVX-512
// vectors.
const minWidth = 64

// grid is how an OverRows reduction is cut; it depends on the shape only.
type grid struct {
	rows, c   int
	width     int // columns of the widest panel
	panels    int
	copies    int // rows taken as one row of copies·c columns; 1 if c is wide
	blockRows int // rows of a block: near a 32nd of all rows, 128 KiB to 4 MiB
	blocks    int
}

func newGrid(rows, c int) grid {
	g := grid{rows: rows, c: c, width: min(c, panelCols), copies: 1}
	if rows == 0 || c == 0 {
		return g
	}
	g.panels = ceilDiv(c, panelCols)
	if c < minWidth {
		for g.copies < 16 && g.copies*c%16 != 0 || g.copies*c < minWidth {
			g.copies *= 2
		}
	}
	least, most := max(part/g.width, 128), max(2*part/g.width, 512)
	g.blockRows = max(1, min(max(rows/32, least), most)/g.copies) * g.copies
	g.blocks = ceilDiv(rows, g.blockRows)
	return g
}

// tileLen bounds the columns of a part, copies·c, at most 16·63, and a panel's width.
const tileLen = panelCols

// vectors cuts n vectors, of one value per column of every part, from scratch. In memory of
// its own a part's would have to be allocated: they leave it through function values.
func (g *grid) vectors(scratch []byte, n int) vectors {
	room, _ := carve[float32](scratch, n*g.blocks*g.copies*g.c)
	return vectors{room, n, g.copies * g.c, g.copies}
}

// vectorBytes is the scratch of n vectors.
func (g *grid) vectorBytes(n int) int { return 4*n*g.blocks*g.copies*g.c + 4 }

// vectors is memory for the vectors of all parts.
type vectors struct {
	room             []float32 // [blocks, n, pitch]
	n, pitch, copies int
}

// of returns vector i of the part of block k that has columns [c0, c1), of length
// copies·(c1−c0).
func (v vectors) of(i, k, c0, c1 int) []float32 {
	at := (k*v.n+i)*v.pitch + c0 // of several copies, c0 is 0
	return v.room[at:][:v.copies*(c1-c0)]
}

// repeat fills tile with copies of row.
func repeat(tile, row []float32) {
	for n := copy(tile, row); n < len(tile); n *= 2 {
		copy(tile[n:], tile[:n])
	}
}

// each calls body for every part: block k of panel q, which is columns [c0, c1) of rows
// [r0, r1).
func (g *grid) each(p *par.Pool, body func(k, r0, r1, c0, c1 int)) {
	p.For(g.blocks*g.panels, func(i, _ int) {
		k, q := i/g.panels, i%g.panels
		body(k, k*g.blockRows, min((k+1)*g.blockRows, g.rows), q*panelCols, min((q+1)*panelCols, g.c))
	})
}

// fold adds the copies of a tile of sums into its first c elements, in float64.
func fold(dst []float64, tile []float32) {
	c := len(dst)
	for j := range dst {
		dst[j] = float64(tile[j])
	}
	for ; len(tile) > c; tile = tile[c:] {
		for j := range dst {
			dst[j] += float64(tile[c+j])
		}
	}
}

// OverRowsScratchBytes is the scratch of SumOverRows, MaxOverRows, MinOverRows
// and ProdOverRows.
func OverRowsScratchBytes(rows, c int) int {
	g := newGrid(rows, c)
	return 8*g.blocks*c + 8
}

// SumOverRows sets dst[c] = Σ_r x[r,c].
func SumOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, copies int) {
		var t [tileLen]float32
		tile := t[:copies*c]
		wide := rows / copies
		if wide > 0 {
			colSum(tile, x, wide, copies*stride)
		}
		if rest := rows - wide*copies; rest > 0 {
			colSum(tile[:c], x[wide*copies*stride:], rest, stride)
		}
		fold(out, tile)
	}, func(a, b float64) float64 { return a + b })
}

// MaxOverRows sets dst[c] = max_r x[r,c]; NaN propagates, no rows give -Inf.
func MaxOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, _ int) {
		extremeRows(out, x, rows, c, stride, vec.Max)
	}, math.Max)
	if rows == 0 {
		vec.Fill(dst, float32(math.Inf(-1)))
	}
}

// MinOverRows sets dst[c] = min_r x[r,c]; NaN propagates, no rows give +Inf.
func MinOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, _ int) {
		extremeRows(out, x, rows, c, stride, vec.Min)
	}, math.Min)
	if rows == 0 {
		vec.Fill(dst, float32(math.Inf(1)))
	}
}

func extremeRows(out []float64, x []float32, rows, c, stride int, op func(dst, a, b []float32)) {
	var tile [tileLen]float32
	best := tile[:copy(tile[:c], x)]
	for r := 1; r < rows; r++ {
		op(best, best, x[r*stride:r*stride+c])
	}
	for j, v := range best {
		out[j] = float64(v)
	}
}

// ProdOverRows sets dst[c] = Π_r x[r,c], multiplied in float64.
func ProdOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, _ int) {
		for j := range out {
			out[j] = float64(x[j])
		}
		for r := 1; r < rows; r++ {
			row := x[r*stride : r*stride+c]
			for j, v := range row {
				out[j] *= float64(v)
			}
		}
	}, func(a, b float64) float64 { return a * b })
	if rows == 0 {
		vec.Fill(dst, 1)
	}
}

// overRows runs block for every part and joins the blocks of each column in order.
func overRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte,
	block func(out []float64, x []float32, rows, c, stride, copies int), join func(a, b float64) float64) {
	if len(dst) != c || len(x) != rows*c {
		panic(shapeMismatch)
	}
	if rows == 0 || c == 0 {
		clear(dst)
		return
	}
	g := newGrid(rows, c)
	partial, _ := carve[float64](scratch, g.blocks*c) // [blocks, c]
	g.each(p, func(k, r0, r1, c0, c1 int) {
		block(partial[k*c+c0:k*c+c1], x[r0*c+c0:], r1-r0, c1-c0, c, g.copies)
	})
	g.columns(p, func(lo, hi int) {
		acc := partial[lo:hi]
		for k := 1; k < g.blocks; k++ {
			for j, v := range partial[k*c+lo : k*c+hi] {
				acc[j] = join(acc[j], v)
			}
		}
		for j, v := range acc {
			dst[lo+j] = float32(v)
		}
	})
}

// columns calls body for runs of columns, to join the blocks of each.
func (g *grid) columns(p *par.Pool, body func(lo, hi int)) {
	step := max(64, 4096/g.blocks)
	p.For(ceilDiv(g.c, step), func(i, _ int) { body(i*step, min((i+1)*step, g.c)) })
}

// joined is how many columns are joined at a time, in arrays on the stack.
const joined = 64

// rowsOf returns the number of rows of block k.
func (g *grid) rowsOf(k int) float64 { return float64(min(g.blockRows, g.rows-k*g.blockRows)) }

// groupRows is how many rows of c columns a column kernel reads strip by strip before it
// goes on: as many as stay in L1.
func groupRows(c int) int { return max(4, 2048/max(1, c)) }
