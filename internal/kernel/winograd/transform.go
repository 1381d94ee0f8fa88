package winograd

// F(4x4, 3x3) computes a 4x4 tile of the output y from the 6x6 tile d of the
// input around it and the 3x3 kernel w as
//
//	y = Aᵀ[(G·w·Gᵀ) ∘ (Bᵀ·d·B)]A,
//
// where ∘ multiplies element by element: 36 multiplications for what takes 144
// directly. Summed over channels, ∘ becomes 36 matrix products over all tiles.
// The gradient of the kernel is the transpose: dw = Gᵀ[(Bᵀ·d·B) ∘ (A·dy·Aᵀ)]G.
//
// The matrices follow (Toom and Cook) from interpolation points. Here they are
// 0, ±5/8, ±3/2 and infinity rather than the usual 0, ±1, ±2 and infinity: the
// error is a quarter, the work the same, since points of either sign share their
// even and odd parts, and Bᵀ and A remain exact in float32. With a = 5/8, b = 3/2:
//
//	     | a²b²    0  -a²-b²    0   1  0 |
//	     |   0   -ab²   -b²     a   1  0 |
//	Bᵀ = |   0    ab²   -b²    -a   1  0 |
//	     |   0   -a²b   -a²     b   1  0 |
//	     |   0    a²b   -a²    -b   1  0 |
//	     |   0   a²b²    0  -a²-b²  0  1 |
//
//	     | 1  1   1  1   1  0 |            | 1/a²b²   0     0  |
//	Aᵀ = | 0  a  -a  b  -b  0 |            |   p     pa    pa² |  p = 1/(2a²(a²-b²))
//	     | 0  a²  a² b²  b² 0 |        G = |   p    -pa    pa² |
//	     | 0  a³ -a³ b³ -b³ 1 |            |   q     qb    qb² |  q = 1/(2b²(b²-a²))
//	                                       |   q    -qb    qb² |
//	                                       |   0      0     1  |
const (
	tileOut  = 4               // pixels of a tile's side, in the output
	tileIn   = tileOut + 2     // and in the input
	elements = tileIn * tileIn // points of a transformed tile

	pointA, pointB = 5.0 / 8, 3.0 / 2
	aa, bb         = pointA * pointA, pointB * pointB
	scale0         = 1 / (aa * bb)
	scaleA         = 1 / (2 * aa * (aa - bb))
	scaleB         = 1 / (2 * bb * (bb - aa))
)

// inputTransform returns Bᵀ·d.
func inputTransform(d [6]float32) [6]float32 {
	evenA, oddA := d[4]-bb*d[2], d[3]-bb*d[1]
	evenB, oddB := d[4]-aa*d[2], d[3]-aa*d[1]
	return [6]float32{
		aa*bb*d[0] - (aa+bb)*d[2] + d[4],
		evenA + pointA*oddA, evenA - pointA*oddA,
		evenB + pointB*oddB, evenB - pointB*oddB,
		aa*bb*d[1] - (aa+bb)*d[3] + d[5],
	}
}

// outputTransform returns Aᵀ·m.
func outputTransform(m [6]float32) [4]float32 {
	sumA, sumB, difA, difB := m[1]+m[2], m[3]+m[4], m[1]-m[2], m[3]-m[4]
	return [4]float32{
		m[0] + sumA + sumB,
		pointA*difA + pointB*difB,
		aa*sumA + bb*sumB,
		pointA*aa*difA + pointB*bb*difB + m[5],
	}
}

// gradTransform returns A·y.
func gradTransform(y [4]float32) [6]float32 {
	evenA, oddA := y[0]+aa*y[2], y[1]+aa*y[3]
	evenB, oddB := y[0]+bb*y[2], y[1]+bb*y[3]
	return [6]float32{
		y[0],
		evenA + pointA*oddA, evenA - pointA*oddA,
		evenB + pointB*oddB, evenB - pointB*oddB,
		y[3],
	}
}

// weightTransform returns G·w.
func weightTransform(w [3]float32) [6]float32 {
	evenA, oddA := scaleA*w[0]+scaleA*aa*w[2], scaleA*pointA*w[1]
	evenB, oddB := scaleB*w[0]+scaleB*bb*w[2], scaleB*pointB*w[1]
	return [6]float32{scale0 * w[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, w[2]}
}

// kernelTransform returns Gᵀ·m.
func kernelTransform(m [6]float32) [3]float32 {
	sumA, sumB, difA, difB := m[1]+m[2], m[3]+m[4], m[1]-m[2], m[3]-m[4]
	return [3]float32{
		scale0*m[0] + scaleA*sumA + scaleB*sumB,
		scaleA*pointA*difA + scaleB*pointB*difB,
		scaleA*aa*sumA + scaleB*bb*sumB + m[5],
	}
}
