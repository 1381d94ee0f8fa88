package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// BatchStatsScratchBytes is the scratch of BatchStats.
func BatchStatsScratchBytes(rows, c int) int {
	g := newGrid(rows, c)
	return (8+8+4)*g.blocks*c + 8 + g.vectorBytes(3)
}

// BatchStats sets mean[c] and the biased variance[c] over the rows of x [rows, c].
//
// Each block of rows is read once: it sums d = x−k and d², where k is the mean of the
// block's first sixteenth of rows. The variance of the block that follows from them,
// Σd²−(Σd)²/n, loses at most a factor of 16 in precision whatever the data, because a
// k that is far from the mean implies a variance of at least a fifteenth of that
// distance squared; a large common mean costs nothing. Blocks are joined in float64:
// the squares about the common mean are those about the block's own and n times the
// square of the distance of the two (Chan, Golub and LeVeque 1983).
func BatchStats[T Element](p *par.Pool, mean, variance []float32, x []T, rows, c int, scratch []byte) {
	if len(mean) != c || len(variance) != c || len(x) != rows*c {
		panic(shapeMismatch)
	}
	if rows == 0 || c == 0 {
		vec.Fill(mean, float32(math.NaN()))
		vec.Fill(variance, float32(math.NaN()))
		return
	}
	g := newGrid(rows, c)
	sum1, scratch := carve[float64](scratch, g.blocks*c)  // [blocks, c] Σd
	sum2, scratch := carve[float64](scratch, g.blocks*c)  // [blocks, c] Σd²
	shift, scratch := carve[float32](scratch, g.blocks*c) // [blocks, c] k
	v := g.vectors(scratch, 3)
	g.each(p, func(k, r0, r1, c0, c1 int) {
		lo, hi := k*c+c0, k*c+c1
		blockStats(sum1[lo:hi], sum2[lo:hi], shift[lo:hi], v.of(0, k, c0, c1), v.of(1, k, c0, c1), v.of(2, k, c0, c1), x[r0*c+c0:], r1-r0, c)
	})
	g.columns(p, func(lo, hi int) {
		var m, m2 [joined]float64 // the mean and Σ(x−mean)²
		for ; lo < hi; lo += joined {
			w := min(joined, hi-lo)
			clear(m[:w])
			clear(m2[:w])
			for k := range g.blocks {
				s1, ks, nk := sum1[k*c+lo:][:w], shift[k*c+lo:][:w], g.rowsOf(k)
				for j := range s1 {
					m[j] += nk*float64(ks[j]) + s1[j]
				}
			}
			for j := range w {
				m[j] /= float64(rows)
			}
			for k := range g.blocks {
				s1, s2, ks := sum1[k*c+lo:][:w], sum2[k*c+lo:][:w], shift[k*c+lo:][:w]
				nk := g.rowsOf(k)
				inverse := 1 / nk
				for j := range s1 {
					d := s1[j] * inverse
					delta := float64(ks[j]) + d - m[j]
					m2[j] += s2[j] - s1[j]*d + delta*delta*nk
				}
			}
			for j := range w {
				mean[lo+j] = float32(m[j])
				variance[lo+j] = float32(max(m2[j], 0) / float64(rows))
			}
		}
	})
}

// blockStats sets s1 and s2 to Σ(x−k) and Σ(x−k)² over rows of x, and k. t1, t2 and shift
// are room for a number of copies of them.
func blockStats[T Element](s1, s2 []float64, k, t1, t2, shift []float32, x []T, rows, stride int) {
	c := len(k)
	copies := len(shift) / c
	clear(t1)
	clear(t2)
	head := min(ceilDiv(ceilDiv(rows, 16), copies)*copies, rows)
	wide := head / copies
	if wide > 0 {
		colSumOf(t1, x, wide, copies*stride)
	}
	if rest := head - wide*copies; rest > 0 {
		colSumOf(t1[:c], x[wide*copies*stride:], rest, stride)
	}
	fold(s1, t1)
	for j, v := range s1 {
		k[j] = float32(v / float64(head))
	}
	clear(t1)
	repeat(shift, k)

	wide = rows / copies
	if wide > 0 {
		colStatsOf(t1, t2, x, shift, wide, copies*stride)
	}
	if rest := rows - wide*copies; rest > 0 {
		colStatsOf(t1[:c], t2[:c], x[wide*copies*stride:], k, rest, stride)
	}
	fold(s1, t1)
	fold(s2, t2)
}

// Affine sets y = x·scale+shift for x and y [rows, c] with c = len(scale); y may be x.
func Affine[T Element](p *par.Pool, y, x []T, scale, shift []float32) {
	checkColumns(scale, shift)
	stream := streams(y, len(scale), x)
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		affineRowsOf(stream, y[lo:hi], x[lo:hi], scale, shift)
	})
}

// AffineReLU sets y = ReLU(x·scale+shift).
func AffineReLU[T Element](p *par.Pool, y, x []T, scale, shift []float32) {
	checkColumns(scale, shift)
	stream := streams(y, len(scale), x)
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		affineReLURowsOf(stream, y[lo:hi], x[lo:hi], scale, shift)
	})
}

// AffineAdd sets y = x·scale+shift+res, with res [rows, c]; y may be x or res.
func AffineAdd[T Element](p *par.Pool, y, x, res []T, scale, shift []float32) {
	checkColumns(scale, shift)
	stream := streams(y, len(scale), x, res)
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		affineAddRowsOf(stream, y[lo:hi], x[lo:hi], res[lo:hi], scale, shift)
	})
}

// AffineAddReLU sets y = ReLU(x·scale+shift+res): the end of a residual block.
func AffineAddReLU[T Element](p *par.Pool, y, x, res []T, scale, shift []float32) {
	checkColumns(scale, shift)
	stream := streams(y, len(scale), x, res)
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		affineAddReLURowsOf(stream, y[lo:hi], x[lo:hi], res[lo:hi], scale, shift)
	})
}

// checkColumns panics unless all vectors have one value per column.
func checkColumns(vectors ...[]float32) {
	for _, v := range vectors[1:] {
		if len(v) != len(vectors[0]) {
			panic(shapeMismatch)
		}
	}
}

// forWholeRows calls body for runs of whole rows, n elements in all.
func forWholeRows(p *par.Pool, n, c int, body func(lo, hi int)) {
	if n == 0 {
		return
	}
	if c == 0 || n%c != 0 {
		panic(shapeMismatch)
	}
	forRows(p, n/c, c, func(lo, hi int) { body(lo*c, hi*c) })
}
