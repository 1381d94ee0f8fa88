package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const signBit = 1 << 31

func unaryKernels() []kernel {
	dst, x := output("dst", f32), input("x")
	var ks []kernel
	add := func(name string, unroll int, f func(s simd, x Register) Register) {
		ks = append(ks, kernel{name: name, params: join(dst, x), unroll: unroll,
			body: func(s simd, in []Register) []Register { return one(f(s, in[0])) }})
	}
	add("neg", 4, func(s simd, x Register) Register { return s.op2(VXORPS, x, s.bits(signBit)) })
	add("abs", 4, func(s simd, x Register) Register { return s.op2(VANDPS, x, s.bits(signBit-1)) })
	add("square", 4, func(s simd, x Register) Register { return s.op2(VMULPS, x, x) })
	add("sqrt", 2, func(s simd, x Register) Register {
		r := s.reg()
		VSQRTPS(x, r)
		return r
	})
	add("rsqrt", 2, func(s simd, x Register) Register {
		r := s.reg()
		VSQRTPS(x, r)
		return s.op2(VDIVPS, s.load(1), r)
	})
	add("exp", 2, func(s simd, x Register) Register { return exp(s, x, true) })
	add("log", 2, logarithm)
	add("tanh", 2, tanh)
	add("logistic", 2, logistic)
	add("sign", 4, func(s simd, x Register) Register {
		r := s.op2(VANDPS, x, s.bits(signBit))
		r = s.op2(VORPS, r, s.constant(1))
		return s.choose(s.compare(neO, x, s.zero()), r, x)
	})
	add("floor", 4, func(s simd, x Register) Register { return s.round(1, x) })
	add("ceil", 4, func(s simd, x Register) Register { return s.round(2, x) })
	add("round", 4, func(s simd, x Register) Register { return s.round(0, x) })
	add("relu", 4, func(s simd, x Register) Register { return s.keep(s.compare(nleU, x, s.zero()), x) })
	return ks
}

// horner evaluates the polynomial with these coefficients, highest power first, at x.
func horner(s simd, x Register, coefficients ...float32) VecVirtual {
	p := s.load(coefficients[0])
	for _, c := range coefficients[1:] {
		VFMADD213PS(s.constant(c), x, p) // p = p·x + c
	}
	return p
}

// log 2 in two parts, the first with few bits, so that a whole number times it is exact.
const (
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
)

// exp is e^x = 2^n·e^r with n = round(x/ln 2), and e^r = 1 + r + r²·P(r) for |r| ≤ ln 2/2
// with the coefficients of Cephes' expf (Moshier 1989). The argument is limited to where
// the result has become 0 or, if it may be positive, infinite. NaN goes through.
func exp(s simd, x Register, positive bool) Register {
	// the constant is the first operand: with a NaN the second is returned
	v := s.op2(VMAXPS, s.load(-104), x)
	if positive {
		v = s.op2(VMINPS, s.load(89), v)
	}
	n := s.round(0, s.op2(VMULPS, v, s.constant(math.Log2E)))
	r := s.reg()
	VMOVAPS(v, r)
	VFNMADD231PS(s.constant(ln2Hi), n, r)
	VFNMADD231PS(s.constant(ln2Lo), n, r)
	p := horner(s, r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	r2 := s.op2(VMULPS, r, r)
	VFMADD213PS(r, r2, p) // p·r² + r
	e := s.op2(VADDPS, p, s.constant(1))
	if s.wide {
		VSCALEFPS(n, e, e)
		return e
	}
	// 2^n in two factors, each a normal number, so that only the last product rounds
	i, half := YMM(), YMM()
	VCVTPS2DQ(n, i)
	VPSRAD(U8(1), i, half)
	VPSUBD(half, i, i)
	for _, e2 := range []VecVirtual{half, i} {
		VPADDD(s.bits(127), e2, e2)
		VPSLLD(U8(23), e2, e2)
		VMULPS(e2, e, e)
	}
	return e
}

// logarithm is ln x = e·ln 2 + ln m for x = 2^e·m, √½ ≤ m < √2, with the polynomial of Cephes'
// logf in m−1.
func logarithm(s simd, x Register) Register {
	const sqrtHalf = 0x3F3504F3
	small := s.compare(ltO, x, s.bits(0x00800000)) // subnormal numbers, too
	v := s.choose(small, s.op2(VMULPS, x, s.constant(1<<23)), x)
	bias := s.choose(small, s.load(-23), s.zero())

	i := s.op2(VPSUBD, v, s.bits(sqrtHalf))
	e := s.reg()
	VPSRAD(U8(23), i, e)
	VCVTDQ2PS(e, e)
	VADDPS(bias, e, e)
	m := s.op2(VANDPS, i, s.bits(0x007FFFFF))
	VPADDD(s.bits(sqrtHalf), m, m)

	f := s.op2(VSUBPS, m, s.constant(1))
	z := s.op2(VMULPS, f, f)
	p := horner(s, f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	p = s.op2(VMULPS, p, f)
	p = s.op2(VMULPS, p, z)
	VFMADD231PS(s.constant(ln2Lo), e, p)
	VFNMADD231PS(s.constant(0.5), z, p)
	y := s.op2(VADDPS, f, p)
	VFMADD231PS(s.constant(ln2Hi), e, y)

	inf := float32(math.Inf(1))
	y = s.choose(s.compare(eqO, x, s.constant(0)), s.load(-inf), y)
	y = s.choose(s.compare(ltO, x, s.constant(0)), s.load(float32(math.NaN())), y)
	return s.choose(s.compare(nltU, x, s.constant(inf)), x, y) // +Inf and NaN
}

// tanh is x + x³·P(x²) for |x| < 0.625 (Cephes), else ±(1 − 2/(e^2|x| + 1)).
func tanh(s simd, x Register) Register {
	a := s.op2(VANDPS, x, s.bits(signBit-1))
	e := exp(s, s.op2(VADDPS, a, a), true)
	e = s.op2(VADDPS, e, s.constant(1))
	big := s.op2(VSUBPS, s.load(1), s.op2(VDIVPS, s.load(2), e))
	sign := s.op2(VANDPS, x, s.bits(signBit))
	big = s.op2(VORPS, big, sign)

	z := s.op2(VMULPS, x, x)
	p := horner(s, z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	p = s.op2(VMULPS, p, z)
	VFMADD213PS(x, x, p)      // p·x + x
	p = s.op2(VORPS, p, sign) // for -0, whose sum with +0 is +0
	return s.choose(s.compare(ltO, a, s.constant(0.625)), p, big)
}

// logistic is z/(1+z) for x < 0, else 1/(1+z), with z = e^-|x| ≤ 1: no overflow, and full
// precision where the result is small.
func logistic(s simd, x Register) Register {
	z := exp(s, s.op2(VORPS, x, s.bits(signBit)), false)
	top := s.choose(s.compare(ltO, x, s.constant(0)), z, s.load(1))
	return s.op2(VDIVPS, top, s.op2(VADDPS, z, s.constant(1)))
}
