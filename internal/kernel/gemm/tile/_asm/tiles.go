package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vector describes the registers of an instruction set.
type vector struct {
	name  string // as in the names of functions
	lanes int    // float32 in a register
	mr    int    // rows of a tile
	bf16  bool   // elements are pairs of bfloat16
}

var (
	avx2       = vector{name: "F32AVX2", lanes: 8, mr: 6}
	avx512     = vector{name: "F32AVX512", lanes: 16, mr: 8}
	avx512bf16 = vector{name: "BF16AVX512", lanes: 16, mr: 8, bf16: true}
)

func (v vector) bytes() int { return 4 * v.lanes }

func (v vector) alloc() reg.VecVirtual {
	if v.lanes == 8 {
		return x.YMM()
	}
	return x.ZMM()
}

// multiply adds a·b to acc.
func (v vector) multiply(a, b, acc operand.Op) {
	if v.bf16 {
		dot(b, a, acc)
	} else {
		x.VFMADD231PS(b, a, acc)
	}
}

func (v vector) zero(r reg.VecVirtual) {
	if v.lanes == 8 {
		x.VXORPS(r, r, r)
	} else {
		x.VPXORD(r, r, r)
	}
}

// accumulators of a tile: acc[row][vector].
func (v vector) accumulators(n int) [][]reg.VecVirtual {
	acc := make([][]reg.VecVirtual, v.mr)
	for r := range acc {
		for range n {
			a := v.alloc()
			v.zero(a)
			acc[r] = append(acc[r], a)
		}
	}
	return acc
}

// ending is what a tile does with its sums.
type ending int

const (
	stored   ending = iota
	rounded         // to bfloat16
	finished        // with a bias, and no less than a floor
)

var suffixes = [...]string{stored: "", rounded: "To16", finished: "Finished"}

// rows generates the tile whose A is given by the addresses of its rows.
func rows(v vector, n int, end ending) {
	name := fmt.Sprintf("rows%sx%d%s", v.name, n*v.lanes, suffixes[end])
	x.Function(name)
	x.Attributes(attr.NOSPLIT)
	x.Pragma("noescape")
	doc := []string{name + " computes C[r][j] (+)= Σ_tap Σ_k A[tap][r][k]·B[tap][k][j] for a tile of",
		fmt.Sprintf("%d rows; a is [taps][%d] and c is [%d].", v.mr, v.mr, v.mr)}
	if end == finished {
		x.SignatureExpr("func(a *uintptr, b *byte, c *uintptr, taps, k, cols int, add bool, bias *float32, floor float32)")
		doc = append(doc, "Before it is written, bias[j] is added, and what is below floor becomes it.")
	} else {
		x.SignatureExpr("func(a *uintptr, b *byte, c *uintptr, taps, k, cols int, add bool)")
	}
	x.Doc(doc...)
	table, b := x.GP64(), x.GP64()
	x.Load(x.Param("a"), table)
	x.Load(x.Param("b"), b)
	prefetchOutput(v, n)
	acc := v.accumulators(n)
	taps, index, count := x.GP64(), x.GP64(), x.GP64()
	row := make([]reg.GPVirtual, v.mr)
	for r := range row {
		row[r] = x.GP64()
	}
	lb := func(s string) string { return name + "_" + s }
	x.Load(x.Param("taps"), taps)
	x.TESTQ(taps, taps)
	x.JE(operand.LabelRef(lb("done")))

	x.Label(lb("tap"))
	for r := range row {
		x.MOVQ(operand.Mem{Base: table, Disp: 8 * r}, row[r])
	}
	x.ADDQ(operand.Imm(uint64(8*v.mr)), table)
	x.XORQ(index, index)

	const unroll = 4
	perK := 1 // elements of a row that a step takes
	if v.bf16 {
		perK = 2
	}
	step := func(i int) {
		bs := make([]reg.VecVirtual, n)
		for j := range bs {
			bs[j] = v.alloc()
			x.VMOVUPS(operand.Mem{Base: b, Disp: (i*n + j) * v.bytes()}, bs[j])
		}
		for j := 0; j < n*v.bytes(); j += 64 {
			x.PREFETCHT0(operand.Mem{Base: b, Disp: i*n*v.bytes() + j + prefetchAhead})
		}
		for r := range row {
			if r%unroll == i { // every row once in unroll steps
				x.PREFETCHT0(operand.Mem{Base: row[r], Index: index, Scale: 1, Disp: rowAhead})
			}
			a := v.alloc()
			x.VBROADCASTSS(operand.Mem{Base: row[r], Index: index, Scale: 1, Disp: 4 * i}, a)
			for j := range bs {
				v.multiply(a, bs[j], acc[r][j])
			}
		}
	}
	loop := func(label string, steps int) {
		x.JE(operand.LabelRef(lb(label + "_end")))
		x.Label(lb(label))
		for i := range steps {
			step(i)
		}
		x.ADDQ(operand.U32(4*steps), index)
		x.ADDQ(operand.U32(steps*n*v.bytes()), b)
		x.DECQ(count)
		x.JNE(operand.LabelRef(lb(label)))
		x.Label(lb(label + "_end"))
	}
	x.Load(x.Param("k"), count)
	x.SHRQ(operand.Imm(uint64(1+perK)), count) // k / (4·perK)
	loop("four", unroll)
	x.Load(x.Param("k"), count)
	if v.bf16 {
		x.SHRQ(operand.Imm(1), count)
	}
	x.ANDQ(operand.Imm(unroll-1), count)
	loop("one", 1)
	if v.bf16 {
		oddElement(v, n, lb, index, b, row, acc)
	}
	x.DECQ(taps)
	x.JNE(operand.LabelRef(lb("tap")))
	x.Label(lb("done"))
	switch end {
	case rounded:
		store16(v, n, lb, acc)
	case finished:
		storeFinished(v, n, lb, acc)
	default:
		store(v, n, lb, acc)
	}
	x.VZEROUPPER()
	x.RET()
}

// B and the rows of A are asked for so many bytes ahead of their use: the
// processor's own prefetchers lose track of rows that lie a power of two apart.
const (
	prefetchAhead = 1024
	rowAhead      = 128
)

// oddElement adds the last element of rows of odd length, without reading
// behind the row: the upper half of each pair is zero.
func oddElement(v vector, n int, lb func(string) string, index, b reg.GPVirtual, row []reg.GPVirtual, acc [][]reg.VecVirtual) {
	t, k := x.GP64(), x.K()
	x.Load(x.Param("k"), t)
	x.TESTQ(operand.U32(1), t)
	x.JE(operand.LabelRef(lb("even")))
	x.MOVL(operand.U32(0x55555555), t.As32())
	x.KMOVD(t.As32(), k)
	bs := make([]reg.VecVirtual, n)
	for j := range bs {
		bs[j] = v.alloc()
		x.VMOVUPS(operand.Mem{Base: b, Disp: j * v.bytes()}, bs[j])
	}
	for r := range row {
		a := v.alloc()
		x.VPBROADCASTW_Z(operand.Mem{Base: row[r], Index: index, Scale: 1}, k, a)
		for j := range bs {
			v.multiply(a, bs[j], acc[r][j])
		}
	}
	x.ADDQ(operand.U32(n*v.bytes()), b)
	x.Label(lb("even"))
}

// cols generates the tile whose A is read transposed: for every element of the
// sum, the tile's rows lie side by side.
func cols(v vector, n int) {
	name := fmt.Sprintf("cols%sx%d", v.name, n*v.lanes)
	x.Function(name)
	x.Attributes(attr.NOSPLIT)
	x.Pragma("noescape")
	x.SignatureExpr("func(a *byte, off *int, stride int, b *byte, c *uintptr, segs, length, cols int, add bool)")
	x.Doc(name+" computes C[r][j] (+)= Σ_seg Σ_i A[off[seg] + i·stride][r]·B[seg·length + i][j]",
		fmt.Sprintf("for a tile of %d rows; off and stride are in bytes, c is [%d].", v.mr, v.mr))
	base, off, stride, b := x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("a"), base)
	x.Load(x.Param("off"), off)
	x.Load(x.Param("stride"), stride)
	x.Load(x.Param("b"), b)
	prefetchOutput(v, n)
	acc := v.accumulators(n)
	segs, length, count, a := x.GP64(), x.GP64(), x.GP64(), x.GP64()
	lb := func(s string) string { return name + "_" + s }
	x.Load(x.Param("segs"), segs)
	x.Load(x.Param("length"), length)
	x.TESTQ(segs, segs)
	x.JE(operand.LabelRef(lb("done")))
	x.TESTQ(length, length)
	x.JE(operand.LabelRef(lb("done")))
	x.Label(lb("seg"))
	x.MOVQ(base, a)
	x.ADDQ(operand.Mem{Base: off}, a)
	x.ADDQ(operand.Imm(8), off)
	x.MOVQ(length, count)
	x.Label(lb("one"))
	bs := make([]reg.VecVirtual, n)
	for j := range bs {
		bs[j] = v.alloc()
		x.VMOVUPS(operand.Mem{Base: b, Disp: j * v.bytes()}, bs[j])
	}
	for j := 0; j < n*v.bytes(); j += 64 {
		x.PREFETCHT0(operand.Mem{Base: b, Disp: j + prefetchAhead})
	}
	for r := range acc {
		t := v.alloc()
		x.VBROADCASTSS(operand.Mem{Base: a, Disp: 4 * r}, t)
		for j := range bs {
			v.multiply(t, bs[j], acc[r][j])
		}
	}
	x.ADDQ(operand.U32(n*v.bytes()), b)
	x.ADDQ(stride, a)
	x.DECQ(count)
	x.JNE(operand.LabelRef(lb("one")))
	x.DECQ(segs)
	x.JNE(operand.LabelRef(lb("seg")))
	x.Label(lb("done"))
	store(v, n, lb, acc)
	x.VZEROUPPER()
	x.RET()
}

// prefetchOutput asks for the lines of C while the sums are made.
func prefetchOutput(v vector, n int) {
	c, t := x.GP64(), x.GP64()
	x.Load(x.Param("c"), c)
	for r := range v.mr {
		x.MOVQ(operand.Mem{Base: c, Disp: 8 * r}, t)
		for j := 0; j < n*v.bytes(); j += 64 {
			x.PREFETCHT0(operand.Mem{Base: t, Disp: j})
		}
	}
}

// maskTable holds 16 words of ones and 16 of zeros: read from 16-n words into
// it, a mask of n lanes.
func maskTable() {
	x.StaticGlobal("maskTable")
	x.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 32 {
		word := uint32(0)
		if i < 16 {
			word = 0xffffffff
		}
		x.AddDatum(4*i, operand.U32(word))
	}
}

var maskRef = operand.NewDataAddr(operand.Symbol{Name: "maskTable", Static: true}, 0)

// lanes turns a number of columns into masks, one per vector.
func (v vector) masks(n int, cols reg.GPVirtual) []reg.VecVirtual {
	t := x.GP64()
	x.LEAQ(maskRef, t)
	x.NEGQ(cols)
	var ms []reg.VecVirtual
	for j := range n {
		m := x.YMM()
		x.VMOVUPS(operand.Mem{Base: t, Index: cols, Scale: 4, Disp: 64 + 32*j}, m)
		ms = append(ms, m)
	}
	return ms
}

func kmasks(n int, cols reg.GPVirtual) []reg.OpmaskVirtual {
	t := x.GP64()
	x.MOVQ(cols, reg.RCX)
	x.MOVQ(operand.U32(1), t)
	x.SHLQ(reg.CL, t)
	x.DECQ(t)
	var ks []reg.OpmaskVirtual
	for j := range n {
		if j > 0 {
			x.SHRQ(operand.Imm(16), t)
		}
		k := x.K()
		x.KMOVW(t.As32(), k)
		ks = append(ks, k)
	}
	return ks
}

// store writes, or adds, the tile to the rows of C; columns behind cols are
// neither read nor written.
func store(v vector, n int, lb func(string) string, acc [][]reg.VecVirtual) {
	c, cols, add, t := x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("c"), c)
	x.Load(x.Param("cols"), cols)
	x.Load(x.Param("add"), add.As8())
	x.MOVBLZX(add.As8(), add.As32())
	each := func(full bool, sum bool, ms []reg.VecVirtual, ks []reg.OpmaskVirtual) {
		for r := range acc {
			x.MOVQ(operand.Mem{Base: c, Disp: 8 * r}, t)
			for j, a := range acc[r] {
				at := operand.Mem{Base: t, Disp: j * v.bytes()}
				switch {
				case full && sum:
					x.VADDPS(at, a, a)
				case sum && v.lanes == 8:
					// The mask's register is free again only after the last row,
					// so the old values go through the accumulator's neighbour.
					old := x.YMM()
					x.VMASKMOVPS(at, ms[j], old)
					x.VADDPS(old, a, a)
				case sum:
					old := x.ZMM()
					x.VMOVUPS_Z(at, ks[j], old)
					x.VADDPS(old, a, a)
				}
				switch {
				case full:
					x.VMOVUPS(a, at)
				case v.lanes == 8:
					x.VMASKMOVPS(a, ms[j], at)
				default:
					x.VMOVUPS(a, ks[j], at)
				}
			}
		}
	}
	x.CMPQ(cols, operand.U32(n*v.lanes))
	x.JNE(operand.LabelRef(lb("partial")))
	x.TESTL(add.As32(), add.As32())
	x.JNE(operand.LabelRef(lb("full_add")))
	each(true, false, nil, nil)
	x.JMP(operand.LabelRef(lb("end")))
	x.Label(lb("full_add"))
	each(true, true, nil, nil)
	x.JMP(operand.LabelRef(lb("end")))
	x.Label(lb("partial"))
	var ms []reg.VecVirtual
	var ks []reg.OpmaskVirtual
	if v.lanes == 8 {
		ms = v.masks(n, cols)
	} else {
		ks = kmasks(n, cols)
	}
	x.TESTL(add.As32(), add.As32())
	x.JNE(operand.LabelRef(lb("partial_add")))
	each(false, false, ms, ks)
	x.JMP(operand.LabelRef(lb("end")))
	x.Label(lb("partial_add"))
	each(false, true, ms, ks)
	x.Label(lb("end"))
}

// storeFinished adds the bias and, as told, the rows of C, takes the floor and writes
// the tile, one after the other: there are no registers for all at once.
func storeFinished(v vector, n int, lb func(string) string, acc [][]reg.VecVirtual) {
	c, cols, add, t, bias := x.GP64(), x.GP64(), x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("c"), c)
	x.Load(x.Param("cols"), cols)
	x.Load(x.Param("add"), add.As8())
	x.MOVBLZX(add.As8(), add.As32())
	x.Load(x.Param("bias"), bias)
	for j := range n {
		b := v.alloc()
		x.VMOVUPS(operand.Mem{Base: bias, Disp: j * v.bytes()}, b)
		for r := range acc {
			x.VADDPS(b, acc[r][j], acc[r][j])
		}
	}
	each := func(f func(a reg.VecVirtual, j int, at operand.Mem)) {
		for r := range acc {
			x.MOVQ(operand.Mem{Base: c, Disp: 8 * r}, t)
			for j, a := range acc[r] {
				f(a, j, operand.Mem{Base: t, Disp: j * v.bytes()})
			}
		}
	}
	limit := func() {
		at, err := x.Param("floor").Resolve()
		if err != nil {
			panic(err)
		}
		floor := v.alloc()
		x.VBROADCASTSS(at.Addr, floor)
		for r := range acc {
			for _, a := range acc[r] {
				x.VMAXPS(a, floor, a) // a NaN in a, the second operand to the processor, stays
			}
		}
	}
	x.CMPQ(cols, operand.U32(n*v.lanes))
	x.JNE(operand.LabelRef(lb("partial")))
	x.TESTL(add.As32(), add.As32())
	x.JE(operand.LabelRef(lb("full_limit")))
	each(func(a reg.VecVirtual, _ int, at operand.Mem) { x.VADDPS(at, a, a) })
	x.Label(lb("full_limit"))
	limit()
	each(func(a reg.VecVirtual, _ int, at operand.Mem) { x.VMOVUPS(a, at) })
	x.JMP(operand.LabelRef(lb("end")))
	x.Label(lb("partial"))
	var ms []reg.VecVirtual
	var ks []reg.OpmaskVirtual
	if v.lanes == 8 {
		ms = v.masks(n, cols)
	} else {
		ks = kmasks(n, cols)
	}
	x.TESTL(add.As32(), add.As32())
	x.JE(operand.LabelRef(lb("partial_limit")))
	each(func(a reg.VecVirtual, j int, at operand.Mem) {
		old := v.alloc()
		if v.lanes == 8 {
			x.VMASKMOVPS(at, ms[j], old)
		} else {
			x.VMOVUPS_Z(at, ks[j], old)
		}
		x.VADDPS(old, a, a)
	})
	x.Label(lb("partial_limit"))
	limit()
	each(func(a reg.VecVirtual, j int, at operand.Mem) {
		if v.lanes == 8 {
			x.VMASKMOVPS(a, ms[j], at)
		} else {
			x.VMOVUPS(a, ks[j], at)
		}
	})
	x.Label(lb("end"))
}

// store16 rounds the tile to bfloat16 and writes it to the rows of C.
func store16(v vector, n int, lb func(string) string, acc [][]reg.VecVirtual) {
	c, cols, t := x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("c"), c)
	x.Load(x.Param("cols"), cols)
	each := func(ks []reg.OpmaskVirtual) {
		for r := range acc {
			x.MOVQ(operand.Mem{Base: c, Disp: 8 * r}, t)
			for j, a := range acc[r] {
				at := operand.Mem{Base: t, Disp: 32 * j}
				y := x.YMM()
				roundPairs(a, y)
				if ks == nil {
					x.VMOVDQU16(y, at)
				} else {
					x.VMOVDQU16(y, ks[j], at)
				}
			}
		}
	}
	x.CMPQ(cols, operand.U32(n*v.lanes))
	x.JNE(operand.LabelRef(lb("partial")))
	each(nil)
	x.JMP(operand.LabelRef(lb("end")))
	x.Label(lb("partial"))
	each(kmasks(n, cols))
	x.Label(lb("end"))
}

// peak generates a loop of independent multiply-adds: the processor's limit.
func peak(v vector) {
	name := "peak" + v.name
	x.Function(name)
	x.Attributes(attr.NOSPLIT)
	x.SignatureExpr("func(n int)")
	x.Doc(name + " does 12 multiply-adds of a register, without dependence, n times.")
	count := x.GP64()
	x.Load(x.Param("n"), count)
	a, b := v.alloc(), v.alloc()
	v.zero(a)
	v.zero(b)
	var acc []reg.VecVirtual
	for range 12 {
		r := v.alloc()
		v.zero(r)
		acc = append(acc, r)
	}
	x.Label(name + "_loop")
	for _, r := range acc {
		v.multiply(a, b, r)
	}
	x.DECQ(count)
	x.JNE(operand.LabelRef(name + "_loop"))
	x.VZEROUPPER()
	x.RET()
}
