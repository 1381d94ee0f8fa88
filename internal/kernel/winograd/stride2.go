package winograd

// A 3x3 convolution of stride 2 and padding 1 reads, along one axis,
//
//	y[i] = x[2i-1]·w[0] + x[2i]·w[1] + x[2i+1]·w[2].
//
// The outer two taps are a convolution of the odd pixels with a pair of taps, the
// middle one is a product of the even pixels with a single one. Four outputs take
// eight and four multiplications; by minimal filtering the pair takes five, at the
// points ±p, ±q and infinity. The single tap can share four of these points: a
// polynomial of degree 0 vanishes at infinity. So what both give is summed before it
// is transformed back, and along both axes a tile of 4x4 outputs takes (5+4)² = 81
// multiplications rather than 144.
//
// Along an axis a tile of nine pixels has nine values: those of the pixels 0, 2, 4, 6
// and 8 at the five points, then those of the pixels 1, 3, 5 and 7 at the first four.
// With p = 1/2 and q = 5/4,
//
//	     | -pq²  -q²   p  1  0 |
//	     |  pq²  -q²  -p  1  0 |        | 1  1   1  1   0 |
//	Bᵀ = | -p²q  -p²   q  1  0 |   Aᵀ = | p -p   q -q   0 |
//	     |  p²q  -p²  -q  1  0 |        | p² p²  q² q²  0 |
//	     | p²q² 0 -p²-q²  0  1 |        | p³ -p³ q³ -q³ 1 |
//
//	     |  s  sp |
//	     | -s  sp |   s = 1/(2p(p²-q²))
//	G  = |  t  tq |   t = 1/(2q(q²-p²))
//	     | -t  tq |
//	     |  0   1 |
//
// of which the single tap takes the first four rows (and columns of Aᵀ) and the first
// column of G.
const (
	splitSide  = 9 // values of a tile's side, in the input
	splitTile  = splitSide * splitSide
	pairSide   = 5 // and in the output: the points
	pairTile   = pairSide * pairSide
	splitPhase = 4 // images of odd or even rows and columns

	pointP, pointQ = 1.0 / 2, 5.0 / 4
	pp, qq         = pointP * pointP, pointQ * pointQ
	scaleP         = 1 / (2 * pointP * (pp - qq))
	scaleQ         = 1 / (2 * pointQ * (qq - pp))
)

// phases says of each phase of an image whether its rows and its columns are those
// that a pair of taps meets. The order has the phases side by side that meet in an
// element of a tile: see [phasesAt].
var phases = [splitPhase]struct{ pairRows, pairCols bool }{{true, false}, {true, true}, {false, true}, {false, false}}

// phaseOf returns the place in phases.
func phaseOf(pairRows, pairCols bool) int {
	switch {
	case pairRows && pairCols:
		return 1
	case pairRows:
		return 0
	case pairCols:
		return 2
	}
	return 3
}

// phasesAt returns which phases have a value at element e of a tile.
func phasesAt(e int) (first, count int) {
	atInfinity := func(point int) bool { return point == pairSide-1 }
	switch rows, cols := atInfinity(e/pairSide), atInfinity(e%pairSide); {
	case rows && cols:
		return 1, 1
	case rows:
		return 0, 2
	case cols:
		return 1, 2
	}
	return 0, splitPhase
}

// splitAt returns the phase and the element of value v of a 9x9 tile.
func splitAt(v int) (phase, e int) {
	i, j := v/splitSide, v%splitSide
	return phaseOf(i < pairSide, j < pairSide), i%pairSide*pairSide + j%pairSide
}

// singleTransform returns four values of pixels that a single tap meets.
func singleTransform(d [4]float32) [4]float32 {
	evenP, oddP := d[2]-qq*d[0], d[3]-qq*d[1]
	evenQ, oddQ := d[2]-pp*d[0], d[3]-pp*d[1]
	return [4]float32{oddP + pointP*evenP, oddP - pointP*evenP, oddQ + pointQ*evenQ, oddQ - pointQ*evenQ}
}

// pairTransform returns Bᵀ·d.
func pairTransform(d [5]float32) [5]float32 {
	v := singleTransform([4]float32(d[:4]))
	return [5]float32{v[0], v[1], v[2], v[3], d[4] - (pp+qq)*d[2] + pp*qq*d[0]}
}

// splitTransform returns the nine values of nine pixels.
func splitTransform(d [9]float32) [9]float32 {
	v := pairTransform([5]float32{d[0], d[2], d[4], d[6], d[8]})
	w := singleTransform([4]float32{d[1], d[3], d[5], d[7]})
	return [9]float32{v[0], v[1], v[2], v[3], v[4], w[0], w[1], w[2], w[3]}
}

// pairOutputTransform returns Aᵀ·m.
func pairOutputTransform(m [5]float32) [4]float32 {
	sumP, sumQ, difP, difQ := m[0]+m[1], m[2]+m[3], m[0]-m[1], m[2]-m[3]
	return [4]float32{
		sumP + sumQ,
		pointP*difP + pointQ*difQ,
		pp*sumP + qq*sumQ,
		pointP*pp*difP + pointQ*qq*difQ + m[4],
	}
}

// pairGradTransform returns A·y.
func pairGradTransform(y [4]float32) [5]float32 {
	evenP, oddP := y[0]+pp*y[2], y[1]+pp*y[3]
	evenQ, oddQ := y[0]+qq*y[2], y[1]+qq*y[3]
	return [5]float32{evenP + pointP*oddP, evenP - pointP*oddP, evenQ + pointQ*oddQ, evenQ - pointQ*oddQ, y[3]}
}

// splitWeightTransform returns the nine values of three taps.
func splitWeightTransform(w [3]float32) [9]float32 {
	return [9]float32{
		scaleP*w[0] + scaleP*pointP*w[2], scaleP*pointP*w[2] - scaleP*w[0],
		scaleQ*w[0] + scaleQ*pointQ*w[2], scaleQ*pointQ*w[2] - scaleQ*w[0], w[2],
		scaleP * w[1], -scaleP * w[1], scaleQ * w[1], -scaleQ * w[1],
	}
}

// splitKernelTransform returns the three taps of nine values' gradient.
func splitKernelTransform(m [9]float32) [3]float32 {
	return [3]float32{
		scaleP*(m[0]-m[1]) + scaleQ*(m[2]-m[3]),
		scaleP*(m[5]-m[6]) + scaleQ*(m[7]-m[8]),
		scaleP*pointP*(m[0]+m[1]) + scaleQ*pointQ*(m[2]+m[3]) + m[4],
	}
}
