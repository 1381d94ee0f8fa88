package reduce

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
)

// chunk is the number of elements whose float32 lanes are summed before float64 takes
// over; a part is two chunks, so that short arrays still have something to share.
const chunk = part / 2

// AllScratchBytes is the scratch of the reductions over all n elements: Sum, Prod, Max and
// Min.
func AllScratchBytes(n int) int { return 8*ceilDiv(n, chunk) + 8 }

// Sum returns Σ x[i]; 0 for an empty x.
func Sum(p *par.Pool, x []float32, scratch []byte) float32 {
	return float32(total(p, len(x), scratch, func(lo, hi int) float64 { return sum(x[lo:hi]) }))
}

// Prod returns Π x[i], multiplied in float64; 1 for an empty x.
func Prod(p *par.Pool, x []float32, scratch []byte) float32 {
	parts, _ := partials(p, len(x), scratch, func(lo, hi int) float64 { return prod(x[lo:hi]) })
	product := 1.0
	for _, v := range parts {
		product *= v
	}
	return float32(product)
}

// Max returns the greatest x[i], NaN if one of them is NaN, -Inf for an empty x.
func Max(p *par.Pool, x []float32, scratch []byte) float32 {
	parts, _ := partials(p, len(x), scratch, func(lo, hi int) float64 { return float64(maximum(x[lo:hi])) })
	most := math.Inf(-1)
	for _, v := range parts {
		most = max(most, v)
	}
	return float32(most)
}

// Min returns the least x[i], NaN if one of them is NaN, +Inf for an empty x.
func Min(p *par.Pool, x []float32, scratch []byte) float32 {
	parts, _ := partials(p, len(x), scratch, func(lo, hi int) float64 { return float64(minimum(x[lo:hi])) })
	least := math.Inf(1)
	for _, v := range parts {
		least = min(least, v)
	}
	return float32(least)
}

// partials fills one float64 per chunk of [0, n).
func partials(p *par.Pool, n int, scratch []byte, f func(lo, hi int) float64) ([]float64, []byte) {
	chunks := ceilDiv(n, chunk)
	parts, rest := carve[float64](scratch, chunks)
	p.For(chunks, func(k, _ int) { parts[k] = f(k*chunk, min((k+1)*chunk, n)) })
	return parts, rest
}

func total(p *par.Pool, n int, scratch []byte, f func(lo, hi int) float64) float64 {
	parts, _ := partials(p, n, scratch, f)
	s := 0.0
	for _, v := range parts {
		s += v
	}
	return s
}

// chunked sums f over the chunks of one row on the calling thread, in the order in
// which total does.
func chunked(n int, f func(lo, hi int) float64) float64 {
	s := 0.0
	for lo := 0; lo < n; lo += chunk {
		s += f(lo, min(lo+chunk, n))
	}
	return s
}
