package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise makes a kernel over n floats, a multiple of 8, in blocks of 32.
func elementwise(label string, body func(y VecVirtual)) {
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	for _, vectors := range []int{4, 1} {
		loop(label+string(rune('0'+vectors)), n, 8*vectors, func() {
			var y [4]VecVirtual
			for i := range vectors {
				y[i] = YMM()
				VMOVUPS(Mem{Base: src, Disp: 32 * i}, y[i])
			}
			for i := range vectors {
				body(y[i])
			}
			for i := range vectors {
				VMOVUPS(y[i], Mem{Base: dst, Disp: 32 * i})
			}
			ADDQ(I32(int32(32*vectors)), src)
			ADDQ(I32(int32(32*vectors)), dst)
		})
	}
	end()
}

func affine() {
	begin("affineAVX2", "func(dst, src *float32, n int, scale, shift float32)",
		"affineAVX2: dst[i] = clip(scale*src[i]+shift, 0, 1) for i < n, a multiple of 8.")
	scale, shift, lo, hi := param("scale"), param("shift"), zero(), broadcastF(1)
	elementwise("affine", func(y VecVirtual) {
		VFMADD213PS(shift, scale, y)
		unit(y, lo, hi)
	})
}

func solarize() {
	begin("solarizeAVX2", "func(dst, src *float32, n int, threshold float32)",
		"solarizeAVX2: dst[i] = 1-src[i] where src[i] >= threshold, else src[i]; n is a multiple of 8.")
	threshold, one := param("threshold"), broadcastF(1)
	elementwise("solarize", func(y VecVirtual) {
		inverted, mask := YMM(), YMM()
		VSUBPS(y, one, inverted)
		VCMPPS(U8(0x1d), threshold, y, mask) // greater or equal, ordered, quiet
		VBLENDVPS(mask, inverted, y, y)
	})
}

func normalize() {
	begin("normalizeAVX2", "func(dst, src, scale, shift *float32, n int)",
		"normalizeAVX2: dst[i] = src[i]*scale[i%24]+shift[i%24] for i < n, a multiple of 24.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	scale, shift := Load(Param("scale"), GP64()), Load(Param("shift"), GP64())
	var a, b [3]VecVirtual
	for i := range 3 {
		a[i], b[i] = YMM(), YMM()
		VMOVUPS(Mem{Base: scale, Disp: 32 * i}, a[i])
		VMOVUPS(Mem{Base: shift, Disp: 32 * i}, b[i])
	}
	loop("normalize", n, 24, func() {
		for i := range 3 {
			y := YMM()
			VMOVUPS(Mem{Base: src, Disp: 32 * i}, y)
			VFMADD213PS(b[i], a[i], y)
			VMOVUPS(y, Mem{Base: dst, Disp: 32 * i})
		}
		ADDQ(I32(96), src)
		ADDQ(I32(96), dst)
	})
	end()
}

func sumGray() {
	begin("sumGrayAVX2", "func(src *float32, n int, sums *float32)",
		"sumGrayAVX2: sums[j] = sum over i of src[24*i+j] for j < 24; n counts floats, a multiple of 24.")
	src, n, sums := Load(Param("src"), GP64()), Load(Param("n"), GP64()), Load(Param("sums"), GP64())
	acc := [3]VecVirtual{zero(), zero(), zero()}
	loop("sumgray", n, 24, func() {
		for i := range 3 {
			VADDPS(Mem{Base: src, Disp: 32 * i}, acc[i], acc[i])
		}
		ADDQ(I32(96), src)
	})
	for i := range 3 {
		VMOVUPS(acc[i], Mem{Base: sums, Disp: 32 * i})
	}
	end()
}

// shuffle is SHUFPS: two elements of a, then two of b, as sel says from low to high.
func shuffle(a, b VecVirtual, s0, s1, s2, s3 int) VecVirtual {
	y := YMM()
	VSHUFPS(U8(s0|s1<<2|s2<<4|s3<<6), b, a, y)
	return y
}

// loadRGB loads 8 interleaved pixels as three planes. Within the register halves,
// which hold pixels 0..3 and 4..7: m0 = r0 g0 b0 r1, m1 = g1 b1 r2 g2,
// m2 = b2 r3 g3 b3.
func loadRGB(src Register) (r, g, b VecVirtual) {
	var m [3]VecVirtual
	for i := range 3 {
		m[i] = YMM()
		VMOVUPS(Mem{Base: src, Disp: 16 * i}, m[i].AsX())
		VINSERTF128(U8(1), Mem{Base: src, Disp: 48 + 16*i}, m[i], m[i])
	}
	rg := shuffle(m[1], m[2], 2, 3, 1, 2) // r2 g2 r3 g3
	gb := shuffle(m[0], m[1], 1, 2, 0, 1) // g0 b0 g1 b1
	r = shuffle(m[0], rg, 0, 3, 0, 2)
	g = shuffle(gb, rg, 0, 2, 1, 3)
	b = shuffle(gb, m[2], 1, 3, 0, 3)
	return r, g, b
}

// storeRGB is the inverse of loadRGB.
func storeRGB(dst Register, r, g, b VecVirtual) {
	rg := shuffle(r, g, 0, 2, 0, 2) // r0 r2 g0 g2
	gb := shuffle(g, b, 1, 3, 1, 3) // g1 g3 b1 b3
	br := shuffle(b, r, 0, 2, 1, 3) // b0 b2 r1 r3
	m := [3]VecVirtual{shuffle(rg, br, 0, 2, 0, 2), shuffle(gb, rg, 0, 2, 1, 3), shuffle(br, gb, 1, 3, 1, 3)}
	for i := range 3 {
		VMOVUPS(m[i].AsX(), Mem{Base: dst, Disp: 16 * i})
		VEXTRACTF128(U8(1), m[i], Mem{Base: dst, Disp: 48 + 16*i})
	}
}

// perPixel makes a kernel over n pixels, a multiple of 8.
func perPixel(label string, body func(r, g, b VecVirtual)) {
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	loop(label, n, 8, func() {
		r, g, b := loadRGB(src)
		body(r, g, b)
		storeRGB(dst, r, g, b)
		ADDQ(I32(96), src)
		ADDQ(I32(96), dst)
	})
	end()
}

func blendGray() {
	begin("blendGrayAVX2", "func(dst, src *float32, n int, factor float32)",
		"blendGrayAVX2: each of n pixels, a multiple of 8, is mixed with its gray level and clipped to [0,1].")
	factor, lo, hi := param("factor"), zero(), broadcastF(1)
	wr, wg, wb := broadcastF(0.2989), broadcastF(0.587), broadcastF(0.114)
	rest := YMM()
	VSUBPS(factor, hi, rest)
	for _, w := range []VecVirtual{wr, wg, wb} {
		VMULPS(rest, w, w)
	}
	perPixel("blendgray", func(r, g, b VecVirtual) {
		gray := YMM()
		VMULPS(wr, r, gray)
		VFMADD231PS(wg, g, gray)
		VFMADD231PS(wb, b, gray)
		for _, y := range []VecVirtual{r, g, b} {
			VFMADD213PS(gray, factor, y)
			unit(y, lo, hi)
		}
	})
}

func hue() {
	begin("hueAVX2", "func(dst, src *float32, n int, shift6 float32)",
		"hueAVX2: the hue of each of n pixels, a multiple of 8, is turned by shift6 sixths of a turn.")
	shift, lo, one := param("shift6"), zero(), broadcastF(1)
	perPixel("hue", func(r, g, b VecVirtual) {
		v, c, isR, isG, diff, base, t := YMM(), YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
		VMAXPS(g, r, v)
		VMAXPS(b, v, v)
		VMINPS(g, r, c)
		VMINPS(b, c, c)
		VSUBPS(c, v, c)
		VCMPPS(U8(0), r, v, isR)
		VCMPPS(U8(0), g, v, isG)
		// The difference that tells the hue and the sixth that it counts from.
		VSUBPS(g, r, diff)
		VSUBPS(r, b, t)
		VBLENDVPS(isG, t, diff, diff)
		VSUBPS(b, g, t)
		VBLENDVPS(isR, t, diff, diff)
		VBROADCASTSS(f32(4), base)
		VBROADCASTSS(f32(2), t)
		VBLENDVPS(isG, t, base, base)
		VBLENDVPS(isR, lo, base, base)
		VADDPS(shift, base, base)
		VCMPPS(U8(0), lo, c, t) // gray: divide by 1
		VANDPS(one, t, t)
		VADDPS(c, t, t)
		VDIVPS(t, diff, diff)
		VADDPS(base, diff, diff) // hue in sixths
		sixth, six, four := YMM(), YMM(), YMM()
		VBROADCASTSS(f32(1.0/6), sixth)
		VBROADCASTSS(f32(6), six)
		VBROADCASTSS(f32(4), four)
		for _, channel := range []struct {
			n float32
			y VecVirtual
		}{{5, r}, {3, g}, {1, b}} {
			k := YMM()
			VBROADCASTSS(f32(channel.n), k)
			VADDPS(diff, k, k)
			VMULPS(sixth, k, t)
			VROUNDPS(U8(1), t, t) // down
			VFNMADD231PS(six, t, k)
			VSUBPS(k, four, t)
			VMINPS(t, k, k)
			unit(k, lo, one)
			VMOVAPS(v, channel.y)
			VFNMADD231PS(c, k, channel.y)
			unit(channel.y, lo, one)
		}
	})
}
