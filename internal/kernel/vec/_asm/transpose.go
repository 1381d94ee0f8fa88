package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transposeKernels writes dst[c][r] = src[r][c] for 16 rows and a multiple of 16
// columns. Both sides move by whole or half cache lines, each once; wider vectors would
// not help what the loads and stores bound.
func transposeKernels() {
	transposeKernel("transpose32", "float32", 4, cell32)
	transposeKernel("transpose16", "uint16", 2, cell16)
}

// quad addresses four rows from a base.
type quad struct{ base, stride, stride3 Register }

func (q quad) row(i, disp int) Mem {
	switch i {
	case 0:
		return Mem{Base: q.base, Disp: disp}
	case 3:
		return Mem{Base: q.base, Index: q.stride3, Scale: 1, Disp: disp}
	}
	return Mem{Base: q.base, Index: q.stride, Scale: uint8(i), Disp: disp}
}

// transposeKernel calls cell for the 8x8 cells of each square of 16: src and dst address
// rows 0 to 3 and 4 to 7 of the cell, at the given offsets in bytes.
func transposeKernel(name, elem string, size int, cell func(src, dst [2]quad, srcDisp, dstDisp int)) {
	TEXT(name+"AVX2", NOSPLIT, fmt.Sprintf("func(dst *%[1]s, src *%[1]s, dstStride int, srcStride int, squares int)", elem))
	Pragma("noescape")
	Doc(fmt.Sprintf("%sAVX2 transposes 16 rows of 16·squares columns; the strides are in elements.", name))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	side := func(param string) [4]quad {
		stride := Load(Param(param), GP64())
		SHLQ(U8(size/2), stride) // 4 bytes: by 2, 2 bytes: by 1
		stride3 := GP64()
		LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
		var q [4]quad
		for i := range q {
			q[i] = quad{GP64(), stride, stride3}
		}
		return q
	}
	sq, dq := side("srcStride"), side("dstStride")
	MOVQ(dst, dq[0].base)
	n := Load(Param("squares"), GP64())
	JMP(LabelRef("test"))
	Label("square")
	for i := 1; i < 4; i++ {
		LEAQ(Mem{Base: dq[i-1].base, Index: dq[0].stride, Scale: 4}, dq[i].base)
	}
	for half := range 2 { // the upper eight rows, then the lower
		if half == 0 {
			MOVQ(src, sq[0].base)
		} else {
			LEAQ(Mem{Base: src, Index: sq[0].stride, Scale: 8}, sq[0].base)
		}
		LEAQ(Mem{Base: sq[0].base, Index: sq[0].stride, Scale: 4}, sq[1].base)
		for column := range 2 {
			cell([2]quad{sq[0], sq[1]}, [2]quad{dq[2*column], dq[2*column+1]}, 8*size*column, 8*size*half)
		}
	}
	ADDQ(I32(16*size), src)
	LEAQ(Mem{Base: dq[3].base, Index: dq[0].stride, Scale: 4}, dq[0].base)
	DECQ(n)
	Label("test")
	TESTQ(n, n)
	JNE(LabelRef("square"))
	VZEROUPPER()
	RET()
}

// cell32 pairs rows i and i+4 in the halves of a register, so that transposing the 4x4
// cells within the halves is all that is left.
func cell32(src, dst [2]quad, srcDisp, dstDisp int) {
	for part := range 2 { // columns 0 to 3, then 4 to 7
		var a [4]VecVirtual
		for i := range a {
			a[i] = YMM()
			VBROADCASTF128(src[0].row(i, srcDisp+16*part), a[i]) // both halves: defines the whole register
			VINSERTF128(U8(1), src[1].row(i, srcDisp+16*part), a[i], a[i])
		}
		t := [4]VecVirtual{YMM(), YMM(), YMM(), YMM()}
		VUNPCKLPS(a[1], a[0], t[0])
		VUNPCKHPS(a[1], a[0], t[1])
		VUNPCKLPS(a[3], a[2], t[2])
		VUNPCKHPS(a[3], a[2], t[3])
		for i := range 4 {
			o := YMM()
			order := U8(0x44)
			if i%2 == 1 {
				order = 0xEE
			}
			VSHUFPS(order, t[2+i/2], t[i/2], o)
			VMOVUPS(o, dst[part].row(i, dstDisp))
		}
	}
}

// cell16 interleaves words, then pairs, then fours.
func cell16(src, dst [2]quad, srcDisp, dstDisp int) {
	var a [8]VecVirtual
	for i := range a {
		a[i] = XMM()
		VMOVDQU(src[i/4].row(i%4, srcDisp), a[i])
	}
	stage := func(low, high func(...Op), a [8]VecVirtual) (b [8]VecVirtual) {
		for i := range 4 {
			b[2*i], b[2*i+1] = XMM(), XMM()
			low(a[i+4], a[i], b[2*i])
			high(a[i+4], a[i], b[2*i+1])
		}
		return b
	}
	for range 3 { // interleaving i with i+4 three times is the transposition
		a = stage(VPUNPCKLWD, VPUNPCKHWD, a)
	}
	for i := range a {
		VMOVDQU(a[i], dst[i/4].row(i%4, dstDisp))
	}
}
