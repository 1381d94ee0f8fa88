package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is the number of float32 sums that run side by side, on either instruction set.
const lanes = 64

// sumKernels writes the reductions of package reduce over contiguous slices.
func sumKernels(s simd) {
	laneKernel(s, "sum", "func(x *float32, n int) float64", []string{"x"},
		func(acc Register, in []Register) { VADDPS(in[0], acc, acc) })
	extremeKernel(s, "maximum", VMAXPS, float32(math.Inf(-1)))
	extremeKernel(s, "minimum", VMINPS, float32(math.Inf(1)))
}

// laneKernel adds element i to lane i mod 64, and the lanes in halves: to 32 and 16 in
// float32, then in float64.
func laneKernel(s simd, name, signature string, operands []string, add func(acc Register, in []Register)) {
	TEXT(name+s.name, NOSPLIT, signature)
	Pragma("noescape")
	var pointers []Register
	for _, p := range operands {
		pointers = append(pointers, Load(Param(p), GP64()))
	}
	n := Load(Param("n"), GP64()).(GPVirtual)
	acc := make([]Register, lanes/s.w)
	for j := range acc {
		acc[j] = s.zero()
	}
	step := func(j int, part Register) {
		var in []Register
		for _, p := range pointers {
			in = append(in, s.fetch(f32, Mem{Base: p, Disp: 4 * j * s.w}, part))
		}
		add(acc[j], in)
	}
	laneLoop(s, n, pointers, len(acc), step)

	for h := len(acc) / 2; h*s.w >= 16; h /= 2 {
		for j := range h {
			VADDPS(acc[j+h], acc[j], acc[j])
		}
	}
	// sixteen lanes are left, in one register or two
	low := func(r Register) Register { return r.(VecVirtual).AsX() }
	if s.wide {
		low = func(r Register) Register { return r.(VecVirtual).AsY() }
	}
	double := func(r Register) VecVirtual {
		d := s.reg()
		VCVTPS2PD(r, d)
		return d
	}
	var d Register
	if s.wide {
		hi := YMM()
		VEXTRACTF32X8(U8(1), acc[0], hi)
		z := ZMM()
		VADDPD(double(hi), double(low(acc[0])), z)
		four := YMM()
		VEXTRACTF64X4(U8(1), z, four)
		y := YMM()
		VADDPD(four, z.AsY(), y)
		d = y
	} else {
		var half [2]VecVirtual
		for i := range half { // lanes 0 to 3 and 8 to 11, then 4 to 7 and 12 to 15
			a, b := low(acc[0]), low(acc[1])
			if i == 1 {
				x0, x1 := XMM(), XMM()
				VEXTRACTF128(U8(1), acc[0], x0)
				VEXTRACTF128(U8(1), acc[1], x1)
				a, b = x0, x1
			}
			half[i] = YMM()
			VADDPD(double(b), double(a), half[i])
		}
		y := YMM()
		VADDPD(half[1], half[0], y)
		d = y
	}
	two, x := XMM(), d.(VecVirtual).AsX()
	VEXTRACTF128(U8(1), d, two)
	r := XMM()
	VADDPD(two, x, r)
	top := XMM()
	VUNPCKHPD(r, r, top)
	VADDSD(top, r, r)
	Store(r, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// laneLoop runs step for all lanes of every 64 elements, then for as many as are left,
// the last one under a mask.
func laneLoop(s simd, n GPVirtual, pointers []Register, vectors int, step func(j int, part Register)) {
	JMP(LabelRef("loop_test"))
	Label("loop")
	for j := range vectors {
		step(j, nil)
	}
	for _, p := range pointers {
		ADDQ(I32(4*lanes), p)
	}
	SUBQ(I32(lanes), n)
	Label("loop_test")
	CMPQ(n, I32(lanes))
	JGE(LabelRef("loop"))
	for j := range vectors {
		CMPQ(n, I32(s.w))
		JLT(LabelRef(fmt.Sprintf("part%d", j)))
		step(j, nil)
		SUBQ(I32(s.w), n)
	}
	for j := range vectors {
		Label(fmt.Sprintf("part%d", j))
		TESTQ(n, n)
		JE(LabelRef("fold"))
		step(j, s.partMask(n))
		JMP(LabelRef("fold"))
	}
	Label("fold")
}

// extremeKernel keeps the greatest or least of each lane, and apart from it whether a
// NaN was seen, which VMAXPS and VMINPS lose.
func extremeKernel(s simd, name string, f func(...Op), empty float32) {
	TEXT(name+s.name, NOSPLIT, "func(x *float32, n int) float32")
	Pragma("noescape")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64()).(GPVirtual)
	const vectors = 4
	acc := make([]VecVirtual, vectors)
	for j := range acc {
		acc[j] = s.load(empty)
	}
	var nan Register
	if s.wide {
		nan = K()
		KXORW(nan, nan, nan)
	} else {
		nan = s.zero()
	}
	see := func(a, b Register) {
		seen := s.compare(unord, a, b)
		if s.wide {
			KORW(seen, nan, nan)
		} else {
			VORPS(seen, nan, nan)
		}
	}
	fetch := func(j int, part Register) Register {
		m := Mem{Base: x, Disp: 4 * j * s.w}
		if part == nil {
			return s.fetch(f32, m, nil)
		}
		r := s.load(empty)
		if s.wide {
			VMOVUPS(m, part, r)
			return r
		}
		return s.choose(part, s.fetch(f32, m, part), r)
	}
	JMP(LabelRef("loop_test"))
	Label("loop")
	for j := 0; j < vectors; j += 2 {
		a, b := fetch(j, nil), fetch(j+1, nil)
		f(a, acc[j], acc[j])
		f(b, acc[j+1], acc[j+1])
		see(a, b)
	}
	ADDQ(I32(4*vectors*s.w), x)
	SUBQ(I32(vectors*s.w), n)
	Label("loop_test")
	CMPQ(n, I32(vectors*s.w))
	JGE(LabelRef("loop"))
	JMP(LabelRef("single_test"))
	Label("single")
	a := fetch(0, nil)
	f(a, acc[0], acc[0])
	see(a, a)
	ADDQ(I32(4*s.w), x)
	SUBQ(I32(s.w), n)
	Label("single_test")
	CMPQ(n, I32(s.w))
	JGE(LabelRef("single"))
	TESTQ(n, n)
	JE(LabelRef("fold"))
	a = fetch(0, s.partMask(n))
	f(a, acc[0], acc[0])
	see(a, a)
	Label("fold")
	f(acc[1], acc[0], acc[0])
	f(acc[3], acc[2], acc[2])
	f(acc[2], acc[0], acc[0])
	y := acc[0].AsY().(VecVirtual)
	if s.wide {
		half := YMM()
		VEXTRACTF32X8(U8(1), acc[0], half)
		f(half, y, y)
	}
	half := XMM()
	VEXTRACTF128(U8(1), y, half)
	v := y.AsX().(VecVirtual)
	f(half, v, v)
	for _, order := range []uint8{0x0E, 0x01} { // lanes 2 and 3 down, then lane 1
		VPERMILPS(U8(order), v, half)
		f(half, v, v)
	}
	seen := GP32()
	if s.wide {
		KMOVW(nan, seen)
	} else {
		VMOVMSKPS(nan, seen)
	}
	TESTL(seen, seen)
	JE(LabelRef("store"))
	MOVL(U32(math.Float32bits(float32(math.NaN()))), seen)
	VMOVD(seen, v)
	Label("store")
	Store(v, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
