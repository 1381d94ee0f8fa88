package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// The interpolation points are 0, ±a, ±b and infinity; see ../transform.go.
const (
	a, b   = 5.0 / 8, 3.0 / 2
	aa, bb = a * a, b * b
)

// The scales of the kernel's transform at the points 0, ±a and ±b.
const (
	scale0 = 1 / (aa * bb)
	scaleA = 1 / (2 * aa * (aa - bb))
	scaleB = 1 / (2 * bb * (bb - aa))
)

// inputTransform turns the six values d into Bᵀd, in place of d's registers.
// The constants are inputConstants.
func (s isa) inputTransform(c, d []VecVirtual) []VecVirtual {
	a, b, aa, bb, sum, prod := c[0], c[1], c[2], c[3], c[4], c[5]
	even, odd, o2 := s.vector(), s.vector(), s.vector()
	VFMADD132PS(prod, d[4], d[0]) // d0 = d0·a²b² + d4
	VFNMADD231PS(sum, d[2], d[0])
	VFNMADD231PS(sum, d[3], d[5])
	VFMADD231PS(prod, d[1], d[5])
	VMOVAPS(d[2], even)
	VFNMADD132PS(bb, d[4], even) // even = d4 - b²·d2
	VMOVAPS(d[1], odd)
	VFNMADD132PS(bb, d[3], odd)
	VFNMADD132PS(aa, d[4], d[2])
	VFNMADD132PS(aa, d[3], d[1])
	VMOVAPS(even, o2)
	VFMADD231PS(a, odd, even)
	VFNMADD231PS(a, odd, o2)
	VMOVAPS(d[2], d[4])
	VFMADD231PS(b, d[1], d[2])
	VFNMADD231PS(b, d[1], d[4])
	return []VecVirtual{d[0], even, o2, d[2], d[4], d[5]}
}

func (s isa) inputConstants() []VecVirtual {
	return s.constants(a, b, aa, bb, aa+bb, aa*bb)
}

// outputTransform returns Aᵀm, four values from six.
func (s isa) outputTransform(c, m []VecVirtual) []VecVirtual {
	a, b, aa, bb, aaa, bbb := c[0], c[1], c[2], c[3], c[4], c[5]
	sumA, sumB := s.vector(), s.vector()
	VADDPS(m[2], m[1], sumA)
	VADDPS(m[4], m[3], sumB)
	VSUBPS(m[2], m[1], m[1]) // m1 - m2
	VSUBPS(m[4], m[3], m[3])
	VADDPS(sumA, m[0], m[0])
	VADDPS(sumB, m[0], m[0])
	VFMADD231PS(aaa, m[1], m[5])
	VFMADD231PS(bbb, m[3], m[5])
	VMULPS(a, m[1], m[1])
	VFMADD231PS(b, m[3], m[1])
	VMULPS(aa, sumA, sumA)
	VFMADD231PS(bb, sumB, sumA)
	return []VecVirtual{m[0], m[1], sumA, m[5]}
}

func (s isa) outputConstants() []VecVirtual {
	return s.constants(a, b, aa, bb, a*aa, b*bb)
}

// gradTransform returns A·y, six values from four.
func (s isa) gradTransform(c, y []VecVirtual) []VecVirtual {
	a, b, aa, bb := c[0], c[1], c[2], c[3]
	plusA, plusB, minusA, minusB, oddA, oddB := s.vector(), s.vector(), s.vector(), s.vector(), s.vector(), s.vector()
	VMOVAPS(y[2], plusA)
	VFMADD132PS(aa, y[0], plusA) // y0 + a²·y2
	VMOVAPS(y[2], plusB)
	VFMADD132PS(bb, y[0], plusB)
	VMOVAPS(y[3], oddA)
	VFMADD132PS(aa, y[1], oddA) // y1 + a²·y3
	VMOVAPS(y[3], oddB)
	VFMADD132PS(bb, y[1], oddB)
	VMOVAPS(plusA, minusA)
	VFMADD231PS(a, oddA, plusA)
	VFNMADD231PS(a, oddA, minusA)
	VMOVAPS(plusB, minusB)
	VFMADD231PS(b, oddB, plusB)
	VFNMADD231PS(b, oddB, minusB)
	return []VecVirtual{y[0], plusA, minusA, plusB, minusB, y[3]}
}

func (s isa) gradConstants() []VecVirtual { return s.constants(a, b, aa, bb) }

// weightTransform returns G·w, six values from three.
func (s isa) weightTransform(c, w []VecVirtual) []VecVirtual {
	o := s.vectors(5)
	oddA, oddB := s.vector(), s.vector()
	VMULPS(c[0], w[0], o[0])
	VMULPS(c[1], w[0], o[1])
	VFMADD231PS(c[2], w[2], o[1]) // (w0 + a²·w2)·scaleA
	VMULPS(c[3], w[1], oddA)
	VMULPS(c[4], w[0], o[3])
	VFMADD231PS(c[5], w[2], o[3])
	VMULPS(c[6], w[1], oddB)
	VSUBPS(oddA, o[1], o[2])
	VADDPS(oddA, o[1], o[1])
	VSUBPS(oddB, o[3], o[4])
	VADDPS(oddB, o[3], o[3])
	return append(o, w[2])
}

// kernelTransform returns Gᵀm, three values from six.
func (s isa) kernelTransform(c, m []VecVirtual) []VecVirtual {
	sumA, sumB := s.vector(), s.vector()
	VADDPS(m[2], m[1], sumA)
	VADDPS(m[4], m[3], sumB)
	VSUBPS(m[2], m[1], m[1])
	VSUBPS(m[4], m[3], m[3])
	VMULPS(c[0], m[0], m[0])
	VFMADD231PS(c[1], sumA, m[0])
	VFMADD231PS(c[4], sumB, m[0])
	VFMADD231PS(c[2], sumA, m[5])
	VFMADD231PS(c[5], sumB, m[5])
	VMULPS(c[3], m[1], m[1])
	VFMADD231PS(c[6], m[3], m[1])
	return []VecVirtual{m[0], m[1], m[5]}
}

func (s isa) weightConstants() []VecVirtual {
	return s.constants(scale0, scaleA, scaleA*aa, scaleA*a, scaleB, scaleB*bb, scaleB*b)
}

// The points of a stride-2 convolution are ±p, ±q and infinity; see ../stride2.go.
const (
	p, q   = 1.0 / 2, 5.0 / 4
	pp, qq = p * p, q * q
	scaleP = 1 / (2 * p * (pp - qq))
	scaleQ = 1 / (2 * q * (qq - pp))
)

// singleInput turns four values d into those at the finite points, in d's registers
// and one more. The constants are pairInputConstants.
func (s isa) singleInput(c, d []VecVirtual) []VecVirtual {
	p, q, pp, qq := c[0], c[1], c[2], c[3]
	even, odd := s.vector(), s.vector()
	VMOVAPS(d[0], even)
	VFNMADD132PS(qq, d[2], even) // even = d2 - q²·d0
	VMOVAPS(d[1], odd)
	VFNMADD132PS(qq, d[3], odd)
	VFNMADD132PS(pp, d[2], d[0])
	VFNMADD132PS(pp, d[3], d[1])
	VMOVAPS(odd, d[2])
	VFMADD231PS(p, even, d[2])
	VFNMADD231PS(p, even, odd)
	VMOVAPS(d[1], d[3])
	VFMADD231PS(q, d[0], d[3])
	VFNMADD231PS(q, d[0], d[1])
	return []VecVirtual{d[2], odd, d[3], d[1]}
}

// pairInput does the same with five values and all points.
func (s isa) pairInput(c, d []VecVirtual) []VecVirtual {
	sum, prod := c[4], c[5]
	VFMADD231PS(prod, d[0], d[4])
	VFNMADD231PS(sum, d[2], d[4])
	return append(s.singleInput(c, d), d[4])
}

func (s isa) pairInputConstants() []VecVirtual {
	return s.constants(p, q, pp, qq, pp+qq, pp*qq)
}

// pairOutput returns four values from five.
func (s isa) pairOutput(c, m []VecVirtual) []VecVirtual {
	p, q, pp, qq, ppp, qqq := c[0], c[1], c[2], c[3], c[4], c[5]
	sumP, sumQ := s.vector(), s.vector()
	VADDPS(m[1], m[0], sumP)
	VADDPS(m[3], m[2], sumQ)
	VSUBPS(m[1], m[0], m[0]) // the odd part at p
	VSUBPS(m[3], m[2], m[2])
	VADDPS(sumP, sumQ, m[1])
	VFMADD231PS(ppp, m[0], m[4])
	VFMADD231PS(qqq, m[2], m[4])
	VMULPS(p, m[0], m[0])
	VFMADD231PS(q, m[2], m[0])
	VMULPS(pp, sumP, sumP)
	VFMADD231PS(qq, sumQ, sumP)
	return []VecVirtual{m[1], m[0], sumP, m[4]}
}

func (s isa) pairOutputConstants() []VecVirtual {
	return s.constants(p, q, pp, qq, p*pp, q*qq)
}

// pairGrad returns five values from four.
func (s isa) pairGrad(c, y []VecVirtual) []VecVirtual {
	p, q, pp, qq := c[0], c[1], c[2], c[3]
	plusP, plusQ, minusP, minusQ, oddP, oddQ := s.vector(), s.vector(), s.vector(), s.vector(), s.vector(), s.vector()
	VMOVAPS(y[2], plusP)
	VFMADD132PS(pp, y[0], plusP) // y0 + p²·y2
	VMOVAPS(y[2], plusQ)
	VFMADD132PS(qq, y[0], plusQ)
	VMOVAPS(y[3], oddP)
	VFMADD132PS(pp, y[1], oddP)
	VMOVAPS(y[3], oddQ)
	VFMADD132PS(qq, y[1], oddQ)
	VMOVAPS(plusP, minusP)
	VFMADD231PS(p, oddP, plusP)
	VFNMADD231PS(p, oddP, minusP)
	VMOVAPS(plusQ, minusQ)
	VFMADD231PS(q, oddQ, plusQ)
	VFNMADD231PS(q, oddQ, minusQ)
	return []VecVirtual{plusP, minusP, plusQ, minusQ, y[3]}
}

func (s isa) pairGradConstants() []VecVirtual { return s.constants(p, q, pp, qq) }

// splitWeights returns nine values from three taps: the outer two at all points, the
// middle one at the finite ones.
func (s isa) splitWeights(c, w []VecVirtual) []VecVirtual {
	o := s.vectors(8)
	evenP, evenQ := s.vector(), s.vector()
	VMULPS(c[0], w[0], evenP)
	VMULPS(c[2], w[0], evenQ)
	VMULPS(c[1], w[2], o[1])
	VMULPS(c[3], w[2], o[3])
	VADDPS(evenP, o[1], o[0])
	VSUBPS(evenP, o[1], o[1]) // -s·w0 + sp·w2
	VADDPS(evenQ, o[3], o[2])
	VSUBPS(evenQ, o[3], o[3])
	VMULPS(c[0], w[1], o[4])
	VMULPS(c[4], w[1], o[5])
	VMULPS(c[2], w[1], o[6])
	VMULPS(c[5], w[1], o[7])
	return []VecVirtual{o[0], o[1], o[2], o[3], w[2], o[4], o[5], o[6], o[7]}
}

// splitTaps returns three taps from nine values.
func (s isa) splitTaps(c, m []VecVirtual) []VecVirtual {
	sumP, sumQ := s.vector(), s.vector()
	VADDPS(m[1], m[0], sumP)
	VADDPS(m[3], m[2], sumQ)
	VSUBPS(m[1], m[0], m[0])
	VSUBPS(m[3], m[2], m[2])
	VMULPS(c[0], m[0], m[0])
	VFMADD231PS(c[2], m[2], m[0])
	VFMADD231PS(c[1], sumP, m[4])
	VFMADD231PS(c[3], sumQ, m[4])
	VSUBPS(m[6], m[5], m[5])
	VSUBPS(m[8], m[7], m[7])
	VMULPS(c[0], m[5], m[5])
	VFMADD231PS(c[2], m[7], m[5])
	return []VecVirtual{m[0], m[5], m[4]}
}

func (s isa) splitWeightConstants() []VecVirtual {
	return s.constants(scaleP, scaleP*p, scaleQ, scaleQ*q, -scaleP, -scaleQ)
}
