package main

import (
	"strconv"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// all8 is a constant in eight dwords, for use as a memory operand.
func all8(v int32) Mem {
	u := uint32(v)
	return table32("dwords"+strconv.Itoa(int(u)), u, u, u, u, u, u, u, u)
}

// idct transforms a block with its eight rows in eight registers: once down the
// columns, a transposition, once more, and a transposition of the bytes.
func idct() {
	begin("idctAVX2", "func(dst *uint8, stride int, coef *int16, quant *int32)",
		"idctAVX2: an 8 x 8 block of coefficients to samples, as the reference idctRef.")
	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	coef, quant := Load(Param("coef"), GP64()), Load(Param("quant"), GP64())
	var v [8]VecVirtual
	for i := range v {
		v[i] = YMM()
		VPMOVSXWD(Mem{Base: coef, Disp: 16 * i}, v[i])
		VPMULLD(Mem{Base: quant, Disp: 32 * i}, v[i], v[i])
	}
	idct8(&v, 1<<10)
	for _, y := range v {
		VPSRAD(U8(11), y, y)
	}
	transpose8(&v)
	idct8(&v, 1<<17+128<<18)
	for _, y := range v {
		VPSRAD(U8(18), y, y)
	}
	// Now v[x] is column x. Pack four columns into one register: each half has
	// four rows of them, and a byte shuffle puts the rows together.
	var rows []byte
	for r := range byte(4) {
		for c := range byte(4) {
			rows = append(rows, 4*c+r)
		}
	}
	order := YMM()
	VMOVDQU(table8("rowsOf4x4", append(rows, rows...)...), order)
	var half [2]VecVirtual
	for i := range half {
		a, b := v[4*i], v[4*i+2]
		VPACKSSDW(v[4*i+1], a, a)
		VPACKSSDW(v[4*i+3], b, b)
		VPACKUSWB(b, a, a)
		VPSHUFB(order, a, a)
		half[i] = a
	}
	low, high := YMM(), YMM() // rows 0, 1 and 4, 5; rows 2, 3 and 6, 7
	VPUNPCKLDQ(half[1], half[0], low)
	VPUNPCKHDQ(half[1], half[0], high)
	store := func(x Register) { // two rows
		VMOVQ(x, Mem{Base: dst})
		VMOVHPS(x, Mem{Base: dst, Index: stride, Scale: 1})
		LEAQ(Mem{Base: dst, Index: stride, Scale: 2}, dst)
	}
	store(low.AsX())
	store(high.AsX())
	VEXTRACTI128(U8(1), low, low.AsX())
	VEXTRACTI128(U8(1), high, high.AsX())
	store(low.AsX())
	store(high.AsX())
	end()
}

// idct8 is the reference's function of the same name on eight lanes.
func idct8(v *[8]VecVirtual, round int32) {
	mul := func(k int32, x VecVirtual) VecVirtual {
		y := YMM()
		VPMULLD(all8(k), x, y)
		return y
	}
	add := func(a, b VecVirtual) VecVirtual {
		y := YMM()
		VPADDD(b, a, y)
		return y
	}
	sub := func(a, b VecVirtual) VecVirtual {
		y := YMM()
		VPSUBD(b, a, y)
		return y
	}
	z := mul(4433, add(v[2], v[6]))
	even2 := add(z, mul(-15137, v[6]))
	even3 := add(z, mul(6270, v[2]))
	even0, even1 := add(v[0], v[4]), sub(v[0], v[4])
	for _, y := range []VecVirtual{even0, even1} {
		VPSLLD(U8(13), y, y)
		VPADDD(all8(round), y, y)
	}
	t10, t13 := add(even0, even3), sub(even0, even3)
	t11, t12 := add(even1, even2), sub(even1, even2)

	z3, z4 := add(v[7], v[3]), add(v[5], v[1])
	z5 := mul(9633, add(z3, z4))
	z3, z4 = add(z5, mul(-16069, z3)), add(z5, mul(-3196, z4))
	z1 := mul(-7373, add(v[7], v[1]))
	o0 := add(add(mul(2446, v[7]), z1), z3)
	o3 := add(add(mul(12299, v[1]), z1), z4)
	z2 := mul(-20995, add(v[5], v[3]))
	o1 := add(add(mul(16819, v[5]), z2), z4)
	o2 := add(add(mul(25172, v[3]), z2), z3)
	v[0], v[7] = add(t10, o3), sub(t10, o3)
	v[1], v[6] = add(t11, o2), sub(t11, o2)
	v[2], v[5] = add(t12, o1), sub(t12, o1)
	v[3], v[4] = add(t13, o0), sub(t13, o0)
}

// transpose8 transposes 8 x 8 dwords.
func transpose8(v *[8]VecVirtual) {
	var a, b [8]VecVirtual
	for i := 0; i < 8; i += 2 {
		a[i], a[i+1] = YMM(), YMM()
		VPUNPCKLDQ(v[i+1], v[i], a[i])
		VPUNPCKHDQ(v[i+1], v[i], a[i+1])
	}
	for i := 0; i < 8; i += 4 { // a[i]: columns 0, 1 of two rows, a[i+1]: columns 2, 3
		for j := range 2 {
			b[i+2*j], b[i+2*j+1] = YMM(), YMM()
			VPUNPCKLQDQ(a[i+2+j], a[i+j], b[i+2*j])
			VPUNPCKHQDQ(a[i+2+j], a[i+j], b[i+2*j+1])
		}
	}
	for i := range 4 { // halves: columns i and i+4
		v[i], v[i+4] = YMM(), YMM()
		VPERM2I128(U8(0x20), b[i+4], b[i], v[i])
		VPERM2I128(U8(0x31), b[i+4], b[i], v[i+4])
	}
}
