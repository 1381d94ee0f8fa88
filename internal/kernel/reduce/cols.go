package reduce

import (
	"github.com/byol-go/byol/internal/kernel/par"
)

// OverCols functions reduce each row of x [rows, c] to one value of dst [rows]. They
// need scratch of OverColsScratchBytes, used when there are fewer rows than would keep
// the threads busy.

// OverColsScratchBytes is the scratch of SumOverCols, ProdOverCols, MaxOverCols and
// MinOverCols.
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
