package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// OverRows functions reduce x [rows, c] to dst [c]. They cut x into panels of at most
// panelCols columns and those into blocks of rows, one part each; a part reads its
// rows eight at a time, so that memory is read in order and a column's sum stays in L1.
// With rows shorter than a few vectors, several rows are taken as one.

// panelCols is the widest panel; a part of it has part/panelCols rows.
const panelCols = 1024

// minWidth is the width below which rows are taken several at once: four AVX-512
// vectors.
const minWidth = 64

// grid is how an OverRows reduction is cut; it depends on the shape only.
type grid struct {
	rows, c   int
	width     int // columns of a panel
	panels    int
	copies    int // rows taken as one row of copies·c columns; 1 if c is wide
	blockRows int // rows of a block
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
	unit := 8 * g.copies
	g.blockRows = max(1, part/(g.width*unit)) * unit
	g.blocks = ceilDiv(rows, g.blockRows)
	return g
}

// tileLen bounds copies·c (at most 16·63) and a panel's width.
const tileLen = panelCols

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

// OverRowsScratchBytes is the scratch of SumOverRows, SumSquaresOverRows, MaxOverRows,
// MinOverRows and ProdOverRows.
func OverRowsScratchBytes(rows, c int) int {
	g := newGrid(rows, c)
	return 8*g.blocks*c + 8
}

// SumOverRows sets dst[c] = Σ_r x[r,c].
func SumOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, copies int) {
		var tile [tileLen]float32
		wide := rows / copies
		if wide > 0 {
			colSum(tile[:copies*c], x, wide, copies*stride)
		}
		if rest := rows - wide*copies; rest > 0 {
			colSum(tile[:c], x[wide*copies*stride:], rest, stride)
		}
		fold(out, tile[:copies*c])
	}, func(a, b float64) float64 { return a + b })
}

// SumSquaresOverRows sets dst[c] = Σ_r x[r,c]².
func SumSquaresOverRows(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overRows(p, dst, x, rows, c, scratch, func(out []float64, x []float32, rows, c, stride, copies int) {
		var tile [tileLen]float32
		var s1, zero [tileLen]float32
		wide := rows / copies
		if wide > 0 {
			w := copies * c
			colStats(s1[:w], tile[:w], x, zero[:w], wide, copies*stride)
		}
		if rest := rows - wide*copies; rest > 0 {
			colStats(s1[:c], tile[:c], x[wide*copies*stride:], zero[:c], rest, stride)
		}
		fold(out, tile[:copies*c])
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
	p.For(g.panels, func(q, _ int) {
		lo, hi := q*panelCols, min((q+1)*panelCols, c)
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
