package reduce

import (
	"github.com/byol-go/byol/internal/kernel/par"
)

// BatchGradScratchBytes is the scratch of BatchGradSums and BatchGradSumsReLU.
func BatchGradScratchBytes(rows, c int) int {
	g := newGrid(rows, c)
	return 2*8*g.blocks*c + 8 + g.vectorBytes(5)
}

// BatchGradSums sets sumDy[c] = Σ_r dy and sumDyX[c] = Σ_r dy·(x−mean), for dy and x
// [rows, c]: all that the gradient of a batch norm has to sum.
func BatchGradSums[T Element](p *par.Pool, sumDy, sumDyX []float32, dy, x []T, mean []float32, rows, c int, scratch []byte) {
	if len(dy) != rows*c || len(x) != rows*c {
		panic(shapeMismatch)
	}
	gradSums(p, sumDy, sumDyX, mean, nil, nil, rows, c, scratch, func(s1, s2, mean, _, _ []float32, at, rows, stride int) {
		colGradOf(s1, s2, dy[at:], x[at:], mean, rows, stride)
	})
}

// BatchGradSumsReLU is BatchGradSums for a batch norm followed by a ReLU, or by a
// residual sum and a ReLU, whose output was y [rows, c]: dy counts as 0 where y ≤ 0.
// If masked [rows, c] is not nil, it receives that dy, the gradient of the residual; it
// may be dy itself.
func BatchGradSumsReLU[T Element](p *par.Pool, sumDy, sumDyX []float32, masked, dy, x, y []T, mean []float32, rows, c int, scratch []byte) {
	if len(dy) != rows*c || len(x) != rows*c || len(y) != rows*c || masked != nil && len(masked) != rows*c {
		panic(shapeMismatch)
	}
	gradSums(p, sumDy, sumDyX, mean, nil, nil, rows, c, scratch, func(s1, s2, mean, _, _ []float32, at, rows, stride int) {
		if masked == nil {
			colGradReLUOf(s1, s2, dy[at:], x[at:], y[at:], mean, rows, stride)
		} else {
			colGradReLUKeepOf(s1, s2, masked[at:], dy[at:], x[at:], y[at:], mean, rows, stride)
		}
	})
}

// BatchGradSumsAddReLU is BatchGradSumsReLU with the sum of dy and dz [rows, c] for dy, as
// the two ways into a residual block give it. masked, not nil, may be dy or dz.
func BatchGradSumsAddReLU[T Element](p *par.Pool, sumDy, sumDyX []float32, masked, dy, dz, x, y []T, mean []float32, rows, c int, scratch []byte) {
	for _, v := range [][]T{masked, dy, dz, x, y} {
		if len(v) != rows*c {
			panic(shapeMismatch)
		}
	}
	gradSums(p, sumDy, sumDyX, mean, nil, nil, rows, c, scratch, func(s1, s2, mean, _, _ []float32, at, rows, stride int) {
		colGradAddReLUKeepOf(s1, s2, masked[at:], dy[at:], dz[at:], x[at:], y[at:], mean, rows, stride)
	})
}

// BatchGradSumsAffineReLU is BatchGradSumsReLU for a ReLU right after the batch norm, whose
// mask it takes from x: dy counts as 0 where x·scale+shift ≤ 0.
func BatchGradSumsAffineReLU[T Element](p *par.Pool, sumDy, sumDyX []float32, dy, x []T, mean, scale, shift []float32, rows, c int, scratch []byte) {
	if len(dy) != rows*c || len(x) != rows*c || len(scale) != c || len(shift) != c {
		panic(shapeMismatch)
	}
	gradSums(p, sumDy, sumDyX, mean, scale, shift, rows, c, scratch, func(s1, s2, mean, scale, shift []float32, at, rows, stride int) {
		colGradAffineReLUOf(s1, s2, dy[at:], x[at:], mean, scale, shift, rows, stride)
	})
}

// gradSums runs add for every part: add adds to s1 and s2 the sums of rows rows, stride
// elements apart, from element at on. It gets the part's columns of mean and, if they are
// not nil, of scale and shift.
func gradSums(p *par.Pool, sumDy, sumDyX, mean, scale, shift []float32, rows, c int, scratch []byte,
	add func(s1, s2, mean, scale, shift []float32, at, rows, stride int)) {
	if len(sumDy) != c || len(sumDyX) != c || len(mean) != c {
		panic(shapeMismatch)
	}
	if rows == 0 || c == 0 {
		clear(sumDy)
		clear(sumDyX)
		return
	}
	g := newGrid(rows, c)
	part1, scratch := carve[float64](scratch, g.blocks*c) // [blocks, c]
	part2, scratch := carve[float64](scratch, g.blocks*c) // [blocks, c]
	v := g.vectors(scratch, 5)
	g.each(p, func(k, r0, r1, c0, c1 int) {
		t1, t2, m := v.of(0, k, c0, c1), v.of(1, k, c0, c1), v.of(2, k, c0, c1)
		clear(t1)
		clear(t2)
		repeat(m, mean[c0:c1])
		var a, b, wideA, wideB []float32
		if scale != nil {
			a, b, wideA, wideB = scale[c0:c1], shift[c0:c1], v.of(3, k, c0, c1), v.of(4, k, c0, c1)
			repeat(wideA, a)
			repeat(wideB, b)
		}
		wide := (r1 - r0) / g.copies
		if wide > 0 {
			add(t1, t2, m, wideA, wideB, r0*c+c0, wide, g.copies*c)
		}
		if rest := r1 - r0 - wide*g.copies; rest > 0 {
			add(t1[:c1-c0], t2[:c1-c0], mean[c0:c1], a, b, (r1-rest)*c+c0, rest, c)
		}
		fold(part1[k*c+c0:k*c+c1], t1)
		fold(part2[k*c+c0:k*c+c1], t2)
	})
	g.columns(p, func(lo, hi int) {
		a, b := part1[lo:hi], part2[lo:hi]
		for k := 1; k < g.blocks; k++ {
			ak, bk := part1[k*c+lo:k*c+hi], part2[k*c+lo:k*c+hi]
			for j := range a {
				a[j] += ak[j]
				b[j] += bk[j]
			}
		}
		for j := range a {
			sumDy[lo+j], sumDyX[lo+j] = float32(a[j]), float32(b[j])
		}
	})
}

// BatchGradApply sets dx = a[c]·dy + b[c]·x + d[c] for dx, dy and x [rows, c] with
// c = len(a); dx may be dy or x.
func BatchGradApply[T Element](p *par.Pool, dx, dy, x []T, a, b, d []float32) {
	checkColumns(a, b, d)
	stream := streams(dx, len(a), dy, x)
	forWholeRows(p, len(dx), len(a), func(lo, hi int) {
		gradRowsOf(stream, dx[lo:hi], dy[lo:hi], x[lo:hi], a, b, d)
	})
}

// BatchGradApplyReLU is BatchGradApply with dy taken as 0 where y [rows, c] ≤ 0.
func BatchGradApplyReLU[T Element](p *par.Pool, dx, dy, x, y []T, a, b, d []float32) {
	checkColumns(a, b, d)
	stream := streams(dx, len(a), dy, x, y)
	forWholeRows(p, len(dx), len(a), func(lo, hi int) {
		gradReLURowsOf(stream, dx[lo:hi], dy[lo:hi], x[lo:hi], y[lo:hi], a, b, d)
	})
}

// BatchGradApplyAffineReLU is BatchGradApplyReLU with the mask of BatchGradSumsAffineReLU.
func BatchGradApplyAffineReLU[T Element](p *par.Pool, dx, dy, x []T, a, b, d, scale, shift []float32) {
	checkColumns(a, b, d, scale, shift)
	stream := streams(dx, len(a), dy, x)
	forWholeRows(p, len(dx), len(a), func(lo, hi int) {
		gradAffineReLURowsOf(stream, dx[lo:hi], dy[lo:hi], x[lo:hi], a, b, d, scale, shift)
	})
}
