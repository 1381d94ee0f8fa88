package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// BatchStatsScratchBytes is the scratch of BatchStats.
func BatchStatsScratchBytes(rows, c int) int {
	g := newGrid(rows, c)
	return (8+8+4)*g.blocks*c + 8
}

// BatchStats sets mean[c] and the biased variance[c] over the rows of x [rows, c].
//
// Each block of rows is read once: it sums d = x−k and d², where k is the mean of the
// block's first sixteenth of rows. The variance of the block that follows from them,
// Σd²−(Σd)²/n, loses at most a factor of 16 in precision whatever the data, because a
// k that is far from the mean implies a variance of at least a fifteenth of that
// distance squared; a large common mean costs nothing. Blocks are joined by the rule of
// Chan, Golub and LeVeque (1983) in float64.
func BatchStats(p *par.Pool, mean, variance, x []float32, rows, c int, scratch []byte) {
	if len(mean) != c || len(variance) != c || len(x) != rows*c {
		panic(shapeMismatch)
	}
	if rows == 0 || c == 0 {
		vec.Fill(mean, float32(math.NaN()))
		vec.Fill(variance, float32(math.NaN()))
		return
	}
	g := newGrid(rows, c)
	sum1, scratch := carve[float64](scratch, g.blocks*c) // [blocks, c] Σd
	sum2, scratch := carve[float64](scratch, g.blocks*c) // [blocks, c] Σd²
	shift, _ := carve[float32](scratch, g.blocks*c)      // [blocks, c] k
	g.each(p, func(k, r0, r1, c0, c1 int) {
		lo, hi := k*c+c0, k*c+c1
		blockStats(sum1[lo:hi], sum2[lo:hi], shift[lo:hi], x[r0*c+c0:], r1-r0, c, g.copies)
	})
	for j := range c {
		var n, m, m2 float64 // rows, mean and Σ(x−mean)² of the blocks so far
		for k := range g.blocks {
			nk := float64(min(g.blockRows, rows-k*g.blockRows))
			d := sum1[k*c+j] / nk
			delta := float64(shift[k*c+j]) + d - m
			m2 += sum2[k*c+j] - sum1[k*c+j]*d + delta*delta*n*nk/(n+nk)
			n += nk
			m += delta * nk / n
		}
		mean[j] = float32(m)
		variance[j] = float32(max(m2, 0) / n)
	}
}

// blockStats sets s1 and s2 to Σ(x−k) and Σ(x−k)² over rows of x, and k.
func blockStats(s1, s2 []float64, k, x []float32, rows, stride, copies int) {
	c := len(k)
	head := ceilDiv(rows, 16)
	clear(k)
	colSum(k, x, head, stride)
	vec.MulScalar(k, k, 1/float32(head))

	var t1, t2, tk [tileLen]float32
	w := copies * c
	shift := k
	if copies > 1 {
		shift = tk[:w]
		for i := 0; i < w; i += c {
			copy(shift[i:], k)
		}
	}
	wide := rows / copies
	if wide > 0 {
		colStats(t1[:w], t2[:w], x, shift, wide, copies*stride)
	}
	if rest := rows - wide*copies; rest > 0 {
		colStats(t1[:c], t2[:c], x[wide*copies*stride:], k, rest, stride)
	}
	fold(s1, t1[:w])
	fold(s2, t2[:w])
}

// NormCoefficients sets scale and shift [c] such that x·scale+shift is the batch norm
// γ·(x−mean)/√(variance+eps)+β; gamma and beta may be nil for 1 and 0.
func NormCoefficients(scale, shift, mean, variance, gamma, beta []float32, eps float32) {
	for j := range scale {
		a := 1 / math.Sqrt(float64(variance[j])+float64(eps))
		if gamma != nil {
			a *= float64(gamma[j])
		}
		b := 0.0
		if beta != nil {
			b = float64(beta[j])
		}
		scale[j] = float32(a)
		shift[j] = float32(b - float64(mean[j])*float64(scale[j]))
	}
}

// Affine sets y = x·scale+shift for x and y [rows, c] with c = len(scale); y may be x.
func Affine(p *par.Pool, y, x, scale, shift []float32) {
	forWholeRows(p, len(y), len(scale), func(lo, hi int) { vec.AffineRows(y[lo:hi], x[lo:hi], scale, shift) })
}

// AffineReLU sets y = ReLU(x·scale+shift).
func AffineReLU(p *par.Pool, y, x, scale, shift []float32) {
	forWholeRows(p, len(y), len(scale), func(lo, hi int) { vec.AffineReLURows(y[lo:hi], x[lo:hi], scale, shift) })
}

// AffineAdd sets y = x·scale+shift+res, with res [rows, c].
func AffineAdd(p *par.Pool, y, x, res, scale, shift []float32) {
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		vec.AffineAddRows(y[lo:hi], x[lo:hi], res[lo:hi], scale, shift)
	})
}

// AffineAddReLU sets y = ReLU(x·scale+shift+res): the end of a residual block.
func AffineAddReLU(p *par.Pool, y, x, res, scale, shift []float32) {
	forWholeRows(p, len(y), len(scale), func(lo, hi int) {
		vec.AffineAddReLURows(y[lo:hi], x[lo:hi], res[lo:hi], scale, shift)
	})
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
