package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// moves generates the routines that bring operands into the tiles' layouts.
func moves() {
	copyRows(8, 1)
	copyRows(8, 2)
	copyRows(16, 1)
	copyRows(16, 2)
	copyBlocks(8)
	copyBlocks(6)
	pairBlocks()
	pairRows(16, 1)
	pairRows(16, 2)
	transpose8()
	widen()
	narrow()
}

func function(name, signature string, doc ...string) {
	x.Function(name)
	x.Attributes(attr.NOSPLIT)
	x.Pragma("noescape")
	x.SignatureExpr(signature)
	x.Doc(doc...)
}

// copyRows generates a copy of rows of up to n vectors, filled up with zeros.
func copyRows(lanes, n int) {
	v := vector{lanes: lanes}
	name := fmt.Sprintf("copyRows%dx%d", lanes, n)
	function(name, "func(dst *byte, dstStride int, src *byte, srcStride, rows, cols int)",
		fmt.Sprintf("%s copies rows of cols words and fills them up to %d with zeros;", name, lanes*n),
		"strides are in bytes.")
	dst, ds, src, ss, count, width := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("cols"), width)
	var ms []reg.VecVirtual
	var ks []reg.OpmaskVirtual
	if lanes == 8 {
		ms = v.masks(n, width)
	} else {
		ks = kmasks(n, width)
	}
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("dstStride"), ds)
	x.Load(x.Param("src"), src)
	x.Load(x.Param("srcStride"), ss)
	ahead := x.GP64() // 24 rows are fetched ahead: three at the largest scale
	x.LEAQ(operand.Mem{Base: ss, Index: ss, Scale: 2}, ahead)
	x.Load(x.Param("rows"), count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_end"))
	x.Label(name + "_loop")
	for j := range n {
		r := v.alloc()
		at := operand.Mem{Base: src, Disp: j * 4 * lanes}
		if lanes == 8 {
			x.VMASKMOVPS(at, ms[j], r)
		} else {
			x.VMOVUPS_Z(at, ks[j], r)
		}
		x.VMOVUPS(r, operand.Mem{Base: dst, Disp: j * 4 * lanes})
	}
	for j := 0; j < 4*lanes*n; j += 64 {
		x.PREFETCHT0(operand.Mem{Base: src, Index: ahead, Scale: 8, Disp: j})
	}
	x.ADDQ(ss, src)
	x.ADDQ(ds, dst)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}

// pairRows generates the interleaving of two rows of bfloat16 into pairs.
func pairRows(lanes, n int) {
	v := vector{lanes: lanes}
	name := fmt.Sprintf("pairRows%dx%d", lanes, n)
	function(name, "func(dst *byte, dstStride int, even, odd *byte, srcStride, rows, cols int)",
		fmt.Sprintf("%s writes rows of pairs (even[j], odd[j]) for j below cols, filled up to %d", name, lanes*n),
		"with zeros; even and odd both move on by srcStride; strides are in bytes.")
	dst, ds, even, odd, ss, count, width := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("cols"), width)
	ks := kmasks(n, width)
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("dstStride"), ds)
	x.Load(x.Param("even"), even)
	x.Load(x.Param("odd"), odd)
	x.Load(x.Param("srcStride"), ss)
	ahead := x.GP64()
	x.LEAQ(operand.Mem{Base: ss, Index: ss, Scale: 2}, ahead)
	x.Load(x.Param("rows"), count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_end"))
	x.Label(name + "_loop")
	for j := range n {
		a, b := v.alloc(), v.alloc()
		x.VPMOVZXWD_Z(operand.Mem{Base: even, Disp: j * 2 * lanes}, ks[j], a)
		x.VPMOVZXWD_Z(operand.Mem{Base: odd, Disp: j * 2 * lanes}, ks[j], b)
		x.VPSLLD(operand.Imm(16), b, b)
		x.VPORD(a, b, b)
		x.VMOVDQU32(b, operand.Mem{Base: dst, Disp: j * 4 * lanes})
	}
	x.PREFETCHT0(operand.Mem{Base: even, Index: ahead, Scale: 4}) // 12 pairs ahead
	x.PREFETCHT0(operand.Mem{Base: odd, Index: ahead, Scale: 4})
	x.ADDQ(ss, even)
	x.ADDQ(ss, odd)
	x.ADDQ(ds, dst)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}

// blockLoop generates the loops of the routines that split rows into blocks of
// mr columns: body moves one block, the tail behind the last full block too.
func blockLoop(name string, mr int, srcs []reg.GPVirtual, elem int, rowStride, dst, dstStride reg.GPVirtual, body func(at []reg.GPVirtual, to reg.GPVirtual, tail bool)) {
	full, tail, blockStride, rows, count := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("full"), full)
	x.Load(x.Param("tail"), tail)
	x.Load(x.Param("blockStride"), blockStride)
	x.Load(x.Param("rows"), rows)
	x.TESTQ(rows, rows)
	x.JE(operand.LabelRef(name + "_end"))
	x.Label(name + "_row")
	at := make([]reg.GPVirtual, len(srcs))
	for i := range srcs {
		at[i] = x.GP64()
		x.MOVQ(srcs[i], at[i])
		x.ADDQ(rowStride, srcs[i])
	}
	to := x.GP64()
	x.MOVQ(dst, to)
	x.ADDQ(dstStride, dst)
	x.MOVQ(full, count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_tail"))
	x.Label(name + "_block")
	body(at, to, false)
	for i := range at {
		x.ADDQ(operand.U32(mr*elem), at[i])
	}
	x.ADDQ(blockStride, to)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_block"))
	x.Label(name + "_tail")
	x.TESTQ(tail, tail)
	x.JE(operand.LabelRef(name + "_next"))
	body(at, to, true)
	x.Label(name + "_next")
	x.DECQ(rows)
	x.JNE(operand.LabelRef(name + "_row"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}

// copyBlocks generates the split of rows of words into blocks of mr columns.
func copyBlocks(mr int) {
	name := fmt.Sprintf("copyBlocks%d", mr)
	function(name, "func(dst *byte, blockStride, dstStride int, src *byte, srcStride, rows, full, tail int)",
		name+fmt.Sprintf(" copies rows of full·%d + tail words, %d columns to a block; tail is below %d", mr, mr, mr),
		"and is filled up with zeros; strides are in bytes. Stores are 8 words wide.")
	v := vector{lanes: 8}
	tail := x.GP64()
	x.Load(x.Param("tail"), tail)
	tailMask := v.masks(1, tail)[0]
	var mask reg.VecVirtual
	if mr < 8 {
		n := x.GP64()
		x.MOVQ(operand.U32(mr), n)
		mask = v.masks(1, n)[0]
	}
	dst, ds, src, ss := x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("dstStride"), ds)
	x.Load(x.Param("src"), src)
	x.Load(x.Param("srcStride"), ss)
	blockLoop(name, mr, []reg.GPVirtual{src}, 4, ss, dst, ds, func(at []reg.GPVirtual, to reg.GPVirtual, tail bool) {
		r, m := x.YMM(), mask
		if tail {
			m = tailMask
		}
		if m == nil {
			x.VMOVUPS(operand.Mem{Base: at[0]}, r)
		} else {
			x.VMASKMOVPS(operand.Mem{Base: at[0]}, m, r)
		}
		x.VMOVUPS(r, operand.Mem{Base: to})
		x.PREFETCHT0(operand.Mem{Base: at[0], Index: ss, Scale: 8})
	})
}

// pairBlocks generates the interleaving of rows of bfloat16 into blocks of pairs.
func pairBlocks() {
	name := "pairBlocks8"
	function(name, "func(dst *byte, blockStride, dstStride int, even, odd *byte, srcStride, rows, full, tail int)",
		name+" writes rows of 8·full + tail pairs (even[j], odd[j]), 8 columns to a block;",
		"tail is below 8 and is filled up with zeros; even and odd both move on by",
		"srcStride; strides are in bytes.")
	width := x.GP64()
	x.Load(x.Param("tail"), width)
	mask := kmasks(1, width)[0]
	dst, ds, even, odd, ss := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("dstStride"), ds)
	x.Load(x.Param("even"), even)
	x.Load(x.Param("odd"), odd)
	x.Load(x.Param("srcStride"), ss)
	blockLoop(name, 8, []reg.GPVirtual{even, odd}, 2, ss, dst, ds, func(at []reg.GPVirtual, to reg.GPVirtual, tail bool) {
		a, b := x.YMM(), x.YMM()
		if tail {
			x.VPMOVZXWD_Z(operand.Mem{Base: at[0]}, mask, a)
			x.VPMOVZXWD_Z(operand.Mem{Base: at[1]}, mask, b)
		} else {
			x.VPMOVZXWD(operand.Mem{Base: at[0]}, a)
			x.VPMOVZXWD(operand.Mem{Base: at[1]}, b)
		}
		x.VPSLLD(operand.Imm(16), b, b)
		x.VPORD(a, b, b)
		x.VMOVDQU32(b, operand.Mem{Base: to})
		x.PREFETCHT0(operand.Mem{Base: at[0], Index: ss, Scale: 4})
		x.PREFETCHT0(operand.Mem{Base: at[1], Index: ss, Scale: 4})
	})
}

// transpose8 generates the transposition of 8 rows of 32-bit words.
func transpose8() {
	name := "transpose8"
	function(name, "func(dst *byte, dstStride int, src *byte, srcStride, blocks int)",
		name+" writes dst[j][i] = src[i][j] for 8 rows i and 8·blocks columns j of",
		"32-bit words; strides are in bytes.")
	dst, ds, src, ss, count := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("dstStride"), ds)
	x.Load(x.Param("src"), src)
	x.Load(x.Param("srcStride"), ss)
	x.Load(x.Param("blocks"), count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_end"))
	s3, d3 := x.GP64(), x.GP64()
	x.LEAQ(operand.Mem{Base: ss, Index: ss, Scale: 2}, s3)
	x.LEAQ(operand.Mem{Base: ds, Index: ds, Scale: 2}, d3)
	rowAt := func(base, high, s, s3 reg.Register, i int) operand.Mem {
		b := base
		if i >= 4 {
			b, i = high, i-4
		}
		switch i {
		case 1:
			return operand.Mem{Base: b, Index: s, Scale: 1}
		case 2:
			return operand.Mem{Base: b, Index: s, Scale: 2}
		case 3:
			return operand.Mem{Base: b, Index: s3, Scale: 1}
		}
		return operand.Mem{Base: b}
	}
	high := x.GP64()
	x.Label(name + "_loop")
	x.LEAQ(operand.Mem{Base: src, Index: ss, Scale: 4}, high)
	var r, t, u [8]reg.VecVirtual
	for i := range 8 {
		r[i] = x.YMM()
		x.VMOVUPS(rowAt(src, high, ss, s3, i), r[i])
	}
	for i := 0; i < 8; i += 2 {
		t[i], t[i+1] = x.YMM(), x.YMM()
		x.VUNPCKLPS(r[i+1], r[i], t[i])
		x.VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	for i := 0; i < 8; i += 4 {
		for j := range 4 {
			u[i+j] = x.YMM()
		}
		x.VUNPCKLPD(t[i+2], t[i], u[i])
		x.VUNPCKHPD(t[i+2], t[i], u[i+1])
		x.VUNPCKLPD(t[i+3], t[i+1], u[i+2])
		x.VUNPCKHPD(t[i+3], t[i+1], u[i+3])
	}
	x.LEAQ(operand.Mem{Base: dst, Index: ds, Scale: 4}, high)
	for j := range 4 {
		lo, hi := x.YMM(), x.YMM()
		x.VPERM2F128(operand.Imm(0x20), u[4+j], u[j], lo)
		x.VPERM2F128(operand.Imm(0x31), u[4+j], u[j], hi)
		x.VMOVUPS(lo, rowAt(dst, high, ds, d3, j))
		x.VMOVUPS(hi, rowAt(dst, high, ds, d3, 4+j))
	}
	x.ADDQ(operand.Imm(32), src)
	x.LEAQ(operand.Mem{Base: dst, Index: ds, Scale: 8}, dst)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}

// widen generates the conversion of bfloat16 to float32.
func widen() {
	name := "widen8"
	function(name, "func(dst, src *byte, blocks int)",
		name+" widens 8·blocks bfloat16 to float32.")
	dst, src, count := x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("src"), src)
	x.Load(x.Param("blocks"), count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_end"))
	x.Label(name + "_loop")
	r := x.YMM()
	x.VPMOVZXWD(operand.Mem{Base: src}, r)
	x.VPSLLD(operand.Imm(16), r, r)
	x.VMOVDQU(r, operand.Mem{Base: dst})
	x.ADDQ(operand.Imm(16), src)
	x.ADDQ(operand.Imm(32), dst)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}

// narrow generates the rounding of float32 to bfloat16, nearest even.
func narrow() {
	name := "narrow8"
	function(name, "func(dst, src *byte, blocks int)",
		name+" rounds 8·blocks float32 to bfloat16, ties to even; NaN stays NaN.")
	dst, src, count, t := x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("dst"), dst)
	x.Load(x.Param("src"), src)
	x.Load(x.Param("blocks"), count)
	x.TESTQ(count, count)
	x.JE(operand.LabelRef(name + "_end"))
	constant := func(v uint32) reg.VecVirtual {
		s, y := x.XMM(), x.YMM()
		x.MOVL(operand.U32(v), t.As32())
		x.VMOVD(t.As32(), s)
		x.VPBROADCASTD(s, y)
		return y
	}
	one, half, quiet := constant(1), constant(0x7fff), constant(0x40)
	x.Label(name + "_loop")
	v, hi, odd, nan := x.YMM(), x.YMM(), x.YMM(), x.YMM()
	x.VMOVDQU(operand.Mem{Base: src}, v)
	x.VPSRLD(operand.Imm(16), v, hi)
	x.VPAND(one, hi, odd)
	x.VPADDD(half, odd, odd)
	x.VPADDD(v, odd, odd)
	x.VPSRLD(operand.Imm(16), odd, odd)
	x.VPOR(quiet, hi, hi)
	x.VCMPPS(operand.Imm(3), v, v, nan)
	x.VPBLENDVB(nan, hi, odd, odd)
	top := x.XMM()
	x.VEXTRACTI128(operand.Imm(1), odd, top)
	x.VPACKUSDW(top, odd.AsX(), top)
	x.VMOVDQU(top, operand.Mem{Base: dst})
	x.ADDQ(operand.Imm(32), src)
	x.ADDQ(operand.Imm(16), dst)
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.Label(name + "_end")
	x.VZEROUPPER()
	x.RET()
}
