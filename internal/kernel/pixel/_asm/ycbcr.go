package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// ycbcr converts 16 pixels at a time. The constants of the reference do not fit
// 16 bits, so whole parts are taken out: 91881 = 2^16 + 26345,
// 116130 = 2·2^16 - 14942 and 46802 = 2^16 - 18734.
func ycbcr() {
	begin("ycbcrToRGBAVX2", "func(dst, y, cb, cr *uint8, n int)",
		"ycbcrToRGBAVX2: n pixels, a multiple of 16, from planes to interleaved RGB.")
	dst, luma, n := Load(Param("dst"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	cb, cr := Load(Param("cb"), GP64()), Load(Param("cr"), GP64())
	middle, half := YMM(), broadcastI(1<<15)
	VPBROADCASTW(table32("words128", 128|128<<16), middle)
	pair := func(name string, b, r int16) VecVirtual {
		y := YMM()
		VPBROADCASTD(table32(name, uint32(uint16(b))|uint32(uint16(r))<<16), y)
		return y
	}
	toR, toG, toB := pair("pairR", 0, 26345), pair("pairG", -22554, 18734), pair("pairB", -14942, 0)
	loop("ycbcr", n, 16, func() {
		l, b, r := YMM(), YMM(), YMM()
		VPMOVZXBW(Mem{Base: luma}, l)
		VPMOVZXBW(Mem{Base: cb}, b)
		VPMOVZXBW(Mem{Base: cr}, r)
		VPSUBW(middle, b, b)
		VPSUBW(middle, r, r)
		low, high := YMM(), YMM()
		VPUNPCKLWD(r, b, low) // pairs (b, r), in halves; packing restores the order
		VPUNPCKHWD(r, b, high)
		fraction := func(k VecVirtual) VecVirtual {
			p, q := YMM(), YMM()
			VPMADDWD(k, low, p)
			VPMADDWD(k, high, q)
			for _, y := range []VecVirtual{p, q} {
				VPADDD(half, y, y)
				VPSRAD(U8(16), y, y)
			}
			VPACKSSDW(q, p, p)
			VPADDW(l, p, p)
			return p
		}
		red, green, blue := fraction(toR), fraction(toG), fraction(toB)
		VPADDW(r, red, red)
		VPSUBW(r, green, green)
		VPADDW(b, blue, blue)
		VPADDW(b, blue, blue)
		storeBytes(dst, toBytes(red), toBytes(green), toBytes(blue))
		ADDQ(I32(48), dst)
		for _, p := range []Register{luma, cb, cr} {
			ADDQ(I32(16), p)
		}
	})
	end()
}

// toBytes clips 16 words to bytes.
func toBytes(y VecVirtual) VecVirtual {
	x := XMM()
	VEXTRACTI128(U8(1), y, x)
	VPACKUSWB(x, y.AsX(), x)
	return x
}

// storeBytes interleaves 16 bytes of each plane and stores 48.
func storeBytes(dst Register, planes ...VecVirtual) {
	for part := range 3 {
		var sum VecVirtual
		for c, plane := range planes {
			mask := make([]byte, 16)
			for i := range mask {
				at := 16*part + i
				mask[i] = 0x80
				if at%3 == c {
					mask[i] = byte(at / 3)
				}
			}
			x := XMM()
			VPSHUFB(table8("interleave"+string(rune('0'+part))+string(rune('0'+c)), mask...), plane, x)
			if sum == nil {
				sum = x
			} else {
				VPOR(x, sum, sum)
			}
		}
		VMOVDQU(sum, Mem{Base: dst, Disp: 16 * part})
	}
}

// upsample makes 32 samples of chroma from 16 columns and their neighbours.
func upsample() {
	begin("upsampleH2V2AVX2", "func(dst, near, far *uint8, n int)",
		"upsampleH2V2AVX2: for n columns, a multiple of 16, dst[2*i] and dst[2*i+1] from near[i-1:i+2] and far[i-1:i+2].")
	dst, near, far, n := Load(Param("dst"), GP64()), Load(Param("near"), GP64()), Load(Param("far"), GP64()), Load(Param("n"), GP64())
	seven, eight := YMM(), YMM()
	VPBROADCASTW(table32("words7", 7|7<<16), seven)
	VPBROADCASTW(table32("words8", 8|8<<16), eight)
	loop("upsample", n, 16, func() {
		sum := func(at int) VecVirtual { // 3·near + far
			a, b := YMM(), YMM()
			VPMOVZXBW(Mem{Base: near, Disp: at}, a)
			VPMOVZXBW(Mem{Base: far, Disp: at}, b)
			VPADDW(a, b, b)
			VPADDW(a, a, a)
			VPADDW(a, b, b)
			return b
		}
		left, this, right, three := sum(-1), sum(0), sum(1), YMM()
		VPADDW(this, this, three)
		VPADDW(this, three, three)
		VPADDW(three, left, left)
		VPADDW(three, right, right)
		VPADDW(eight, left, left)
		VPADDW(seven, right, right)
		VPSRLW(U8(4), left, left)
		VPSRLW(U8(4), right, right)
		VPSLLW(U8(8), right, right) // even samples in low bytes, odd ones in high
		VPOR(right, left, left)
		VMOVDQU(left, Mem{Base: dst})
		ADDQ(I32(32), dst)
		ADDQ(I32(16), near)
		ADDQ(I32(16), far)
	})
	end()
}
