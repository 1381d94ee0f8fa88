package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// OverCols functions reduce each row of x [rows, c] to one value of dst [rows]. They
// need scratch of OverColsScratchBytes, used when there are fewer rows than would keep
// the threads busy.

// OverColsScratchBytes is the scratch of SumOverCols, ProdOverCols, MaxOverCols,
// MinOverCols and SumSquaresOverCols.
func OverColsScratchBytes(rows, c int) int { return AllScratchBytes(c) }

// SumOverCols sets dst[r] = Σ_c x[r,c].
func SumOverCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overCols(p, dst, x, rows, c, scratch, Sum, func(row []float32) float32 {
		if len(row) <= chunk {
			return float32(sum(row))
		}
		return float32(chunked(len(row), func(lo, hi int) float64 { return sum(row[lo:hi]) }))
	})
}

// SumSquaresOverCols sets dst[r] = Σ_c x[r,c]².
func SumSquaresOverCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	whole := func(p *par.Pool, x []float32, scratch []byte) float32 { return float32(SumSquares(p, x, scratch)) }
	overCols(p, dst, x, rows, c, scratch, whole, func(row []float32) float32 { return float32(rowSquares(row)) })
}

// ProdOverCols sets dst[r] = Π_c x[r,c].
func ProdOverCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overCols(p, dst, x, rows, c, scratch, Prod, func(row []float32) float32 {
		product := 1.0
		for lo := 0; lo < len(row); lo += chunk {
			product *= prod(row[lo:min(lo+chunk, len(row))])
		}
		return float32(product)
	})
}

// MaxOverCols sets dst[r] = max_c x[r,c]; NaN propagates, an empty row gives -Inf.
func MaxOverCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overCols(p, dst, x, rows, c, scratch, Max, maximum)
}

// MinOverCols sets dst[r] = min_c x[r,c]; NaN propagates, an empty row gives +Inf.
func MinOverCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte) {
	overCols(p, dst, x, rows, c, scratch, Min, minimum)
}

func overCols(p *par.Pool, dst, x []float32, rows, c int, scratch []byte,
	whole func(*par.Pool, []float32, []byte) float32, one func([]float32) float32) {
	if len(dst) != rows || len(x) != rows*c {
		panic(shapeMismatch)
	}
	if c > 2*part && rows < 16 { // both ways give the same bits
		for r := range rows {
			dst[r] = whole(p, x[r*c:(r+1)*c], scratch)
		}
		return
	}
	forRows(p, rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dst[r] = one(x[r*c : (r+1)*c])
		}
	})
}

// forRows calls body for runs of rows of about one part each.
func forRows(p *par.Pool, rows, c int, body func(lo, hi int)) {
	step := max(1, part/max(1, c))
	p.For(ceilDiv(rows, step), func(k, _ int) { body(k*step, min((k+1)*step, rows)) })
}

// forFlat calls body for runs of about one part each of n independent elements.
func forFlat(p *par.Pool, n int, body func(lo, hi int)) {
	p.For(ceilDiv(n, part), func(k, _ int) { body(k*part, min((k+1)*part, n)) })
}

func rowSquares(row []float32) float64 {
	if len(row) <= chunk {
		return sumSquares(row)
	}
	return chunked(len(row), func(lo, hi int) float64 { return sumSquares(row[lo:hi]) })
}

func rowDot(a, b []float32) float64 {
	if len(a) <= chunk {
		return dot(a, b)
	}
	return chunked(len(a), func(lo, hi int) float64 { return dot(a[lo:hi], b[lo:hi]) })
}

// L2NormalizeRows sets y[r,c] = x[r,c] · inv[r] with inv[r] = 1/max(‖x[r]‖, eps), for
// x and y [rows, c] and inv [rows]; y may be x.
func L2NormalizeRows(p *par.Pool, y, inv, x []float32, rows, c int, eps float32) {
	if len(y) != rows*c || len(x) != rows*c || len(inv) != rows {
		panic(shapeMismatch)
	}
	forRows(p, rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := x[r*c : (r+1)*c]
			inv[r] = float32(1 / math.Max(math.Sqrt(rowSquares(row)), float64(eps)))
			vec.MulScalar(y[r*c:(r+1)*c], row, inv[r])
		}
	})
}

// L2NormalizeRowsGrad sets dx[r] = inv[r] · (dy[r] − y[r]·⟨y[r], dy[r]⟩), the gradient of
// L2NormalizeRows where the norm was not clipped; dx may be dy.
func L2NormalizeRowsGrad(p *par.Pool, dx, dy, y, inv []float32, rows, c int) {
	if len(dx) != rows*c || len(dy) != rows*c || len(y) != rows*c || len(inv) != rows {
		panic(shapeMismatch)
	}
	forRows(p, rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			g, row := dy[r*c:(r+1)*c], y[r*c:(r+1)*c]
			along := float32(rowDot(row, g))
			vec.Axpby(dx[r*c:(r+1)*c], inv[r], g, -inv[r]*along, row)
		}
	})
}
