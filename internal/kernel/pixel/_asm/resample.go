package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const precision = 22

// scaleFixed is 1/(255·2^22): from a sum in fixed point to [0,1].
const scaleFixed = 1.0 / (255 << precision)

// rows makes the passes along y over 8-bit samples.
func rows() {
	for _, float := range []bool{false, true} {
		name, result, what := "weightedBytesAVX2", "*uint8", "a level"
		if float {
			name, result, what = "weightedBytesFloatAVX2", "*float32", "a fraction of 255"
		}
		begin(name, "func(dst "+result+", src *uint8, offsets, weights *int32, rows, n int)",
			name+": dst[i] = the sum over j < rows of weights[j]*src[offsets[j]+i], made "+what+", for i < n, a multiple of 8.")
		dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
		offsets, weights, count := Load(Param("offsets"), GP64()), Load(Param("weights"), GP64()), Load(Param("rows"), GP64())
		var half, order, scale, lo, hi VecVirtual
		if float {
			scale, lo, hi = broadcastF(scaleFixed), zero(), broadcastF(1)
		} else {
			half = broadcastI(1 << (precision - 1))
			order = YMM()
			VMOVDQU(table32("packedOrder", 0, 4, 1, 5, 2, 6, 3, 7), order)
		}
		for _, vectors := range []int{4, 1} {
			loop(name+string(rune('0'+vectors)), n, 8*vectors, func() {
				acc := make([]VecVirtual, vectors)
				for i := range acc {
					acc[i] = YMM()
					if float {
						VPXOR(acc[i], acc[i], acc[i])
					} else {
						VMOVDQA(half, acc[i])
					}
				}
				j, offset := GP64(), GP64()
				XORQ(j, j)
				label := name + "row" + string(rune('0'+vectors))
				Label(label)
				MOVLQSX(Mem{Base: offsets, Index: j, Scale: 4}, offset)
				w := YMM()
				VPBROADCASTD(Mem{Base: weights, Index: j, Scale: 4}, w)
				for i := range acc {
					t := YMM()
					VPMOVZXBD(Mem{Base: src, Index: offset, Scale: 1, Disp: 8 * i}, t)
					VPMULLD(w, t, t)
					VPADDD(t, acc[i], acc[i])
				}
				INCQ(j)
				CMPQ(j, count)
				JL(LabelRef(label))
				if float {
					for i, y := range acc {
						VCVTDQ2PS(y, y)
						VMULPS(scale, y, y)
						unit(y, lo, hi)
						VMOVUPS(y, Mem{Base: dst, Disp: 32 * i})
					}
					ADDQ(I32(int32(32*vectors)), dst)
				} else {
					storeLevels(dst, acc, order)
					ADDQ(I32(int32(8*vectors)), dst)
				}
				ADDQ(I32(int32(8*vectors)), src)
			})
		}
		end()
	}
}

// storeLevels shifts sums to levels, clips and stores them.
func storeLevels(dst Register, acc []VecVirtual, order VecVirtual) {
	for _, y := range acc {
		VPSRAD(U8(precision), y, y)
	}
	if len(acc) == 1 {
		y, x := acc[0], XMM()
		VPACKSSDW(y, y, y)
		VPACKUSWB(y, y, y)
		VEXTRACTI128(U8(1), y, x)
		VPUNPCKLDQ(x, y.AsX(), x)
		VMOVQ(x, Mem{Base: dst})
		return
	}
	VPACKSSDW(acc[1], acc[0], acc[0]) // packing works in halves: order afterwards
	VPACKSSDW(acc[3], acc[2], acc[2])
	VPACKUSWB(acc[2], acc[0], acc[0])
	VPERMD(acc[0], order, acc[0])
	VMOVDQU(acc[0], Mem{Base: dst})
}

// columns makes the passes along x over 8-bit RGB: per pixel of the result and per
// group of four taps, 16 bytes are spread to two registers of two pixels each, a
// dword a channel, and multiplied by weights that are stored once a channel.
func columns() {
	const unused = 0x80
	lane := func(pixel byte) (b []byte) {
		for c := range byte(4) {
			s := pixel*3 + c
			if c == 3 {
				s = unused
			}
			b = append(b, s, unused, unused, unused)
		}
		return b
	}
	for _, float := range []bool{false, true} {
		name, result, what := "resampleRowAVX2", "*uint8", "a level"
		if float {
			name, result, what = "resampleRowFloatAVX2", "*float32", "a fraction of 255"
		}
		begin(name, "func(dst "+result+", src *uint8, offsets, expanded *int32, groups, n int)",
			name+": n pixels of RGB, each the sum over 4*groups taps from src[offsets[i]] on, made "+what+". One sample behind the last pixel is written too.")
		dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
		offsets, weights, groups := Load(Param("offsets"), GP64()), Load(Param("expanded"), GP64()), Load(Param("groups"), GP64())
		spread01, spread23 := YMM(), YMM()
		VMOVDQU(table8("spread01", append(lane(0), lane(1)...)...), spread01)
		VMOVDQU(table8("spread23", append(lane(2), lane(3)...)...), spread23)
		var half, scale, lo, hi VecVirtual
		if float {
			scale, lo, hi = broadcastF(scaleFixed), zero(), broadcastF(1)
		} else {
			half = broadcastI(1 << (precision - 1))
		}
		loop(name, n, 1, func() {
			p, g, a, b := GP64(), GP64(), YMM(), YMM()
			MOVLQSX(Mem{Base: offsets}, p)
			ADDQ(src, p)
			ADDQ(I32(4), offsets)
			VPXOR(a, a, a)
			VPXOR(b, b, b)
			MOVQ(groups, g)
			Label(name + "group")
			px, q := YMM(), YMM()
			VBROADCASTI128(Mem{Base: p}, px)
			VPSHUFB(spread01, px, q)
			VPSHUFB(spread23, px, px)
			VPMULLD(Mem{Base: weights}, q, q)
			VPMULLD(Mem{Base: weights, Disp: 32}, px, px)
			VPADDD(q, a, a)
			VPADDD(px, b, b)
			ADDQ(I32(12), p)
			ADDQ(I32(64), weights)
			DECQ(g)
			JNZ(LabelRef(name + "group"))
			VPADDD(b, a, a)
			x, y := a.AsX(), XMM()
			VEXTRACTI128(U8(1), a, y)
			VPADDD(y, x, x)
			if float {
				VCVTDQ2PS(x, x)
				VMULPS(scale.AsX(), x, x)
				VMAXPS(lo.AsX(), x, x)
				VMINPS(hi.AsX(), x, x)
				VMOVUPS(x, Mem{Base: dst})
				ADDQ(I32(12), dst)
			} else {
				VPADDD(half.AsX(), x, x)
				VPSRAD(U8(precision), x, x)
				VPACKSSDW(x, x, x)
				VPACKUSWB(x, x, x)
				VMOVD(x, Mem{Base: dst})
				ADDQ(I32(3), dst)
			}
		})
		end()
	}
}

// weighted makes the weighted sum of rows of floats.
func weighted() {
	begin("weightedRowsAVX2", "func(dst, src *float32, offsets *int32, weights *float32, rows, n int, lo, hi float32)",
		"weightedRowsAVX2: dst[i] = the sum over j < rows of weights[j]*src[offsets[j]+i], clipped to [lo,hi], for i < n, a multiple of 8.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	offsets, weights, count := Load(Param("offsets"), GP64()), Load(Param("weights"), GP64()), Load(Param("rows"), GP64())
	lo, hi := param("lo"), param("hi")
	for _, vectors := range []int{8, 4, 1} {
		loop("weighted"+string(rune('0'+vectors)), n, 8*vectors, func() {
			acc := make([]VecVirtual, vectors)
			for i := range acc {
				acc[i] = zero()
			}
			j, offset := GP64(), GP64()
			XORQ(j, j)
			label := "weightedrow" + string(rune('0'+vectors))
			Label(label)
			MOVLQSX(Mem{Base: offsets, Index: j, Scale: 4}, offset)
			w := YMM()
			VBROADCASTSS(Mem{Base: weights, Index: j, Scale: 4}, w)
			for i := range acc {
				VFMADD231PS(Mem{Base: src, Index: offset, Scale: 4, Disp: 32 * i}, w, acc[i])
			}
			INCQ(j)
			CMPQ(j, count)
			JL(LabelRef(label))
			for i, y := range acc {
				VMAXPS(lo, y, y)
				VMINPS(hi, y, y)
				VMOVUPS(y, Mem{Base: dst, Disp: 32 * i})
			}
			ADDQ(I32(int32(32*vectors)), src)
			ADDQ(I32(int32(32*vectors)), dst)
		})
	}
	end()
}
