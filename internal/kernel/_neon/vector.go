package main

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// halves returns how many halves an instruction with this operand works on.
func halves(o operand) int {
	if o.wide {
		return 2
	}
	return 1
}

// threes are the instructions that do the same to each half: dst = args[1] op args[0].
var threes = map[string]same{
	"VADDPS": fadd, "VSUBPS": fsub, "VMULPS": fmul, "VDIVPS": fdiv, "VADDPD": faddD,
	"VPADDD": addS, "VPSUBD": subS, "VPADDW": addH, "VPSUBW": subH, "VPMULLD": mulS,
	"VANDPS": andB, "VPAND": andB, "VORPS": orrB, "VPOR": orrB, "VXORPS": eorB, "VPXOR": eorB,
	"VUNPCKLPS": zip1S, "VUNPCKHPS": zip2S, "VPUNPCKLDQ": zip1S, "VPUNPCKHDQ": zip2S,
	"VPUNPCKLWD": zip1H, "VPUNPCKHWD": zip2H, "VUNPCKLPD": zip1D, "VUNPCKHPD": zip2D,
	"VPUNPCKLQDQ": zip1D, "VPUNPCKHQDQ": zip2D,
}

// shifts are the shifts by a constant.
var shifts = map[string]shift{"VPSLLD": shlS, "VPSRLD": ushrS, "VPSRAD": sshrS, "VPSLLW": shlH, "VPSRLW": ushrH, "VPSRAW": sshrH}

// packs narrow with saturation: args[1] to the lower half of each half, args[0] to the upper.
var packs = map[string][2]pair{
	"VPACKUSDW": {sqxtunH, sqxtun2H}, "VPACKSSDW": {sqxtnH, sqxtn2H},
	"VPACKUSWB": {sqxtunB, sqxtun2B}, "VPACKSSWB": {sqxtnB, sqxtn2B},
}

// twos are the instructions on one source.
var twos = map[string]pair{"VSQRTPS": fsqrt, "VCVTDQ2PS": scvtf, "VCVTPS2DQ": fcvtns, "VCVTTPS2DQ": fcvtzs}

// vector translates an instruction on vectors.
func (t *translator) vector(in *instruction) {
	a := in.args
	dst := a[len(a)-1]
	if o, ok := threes[in.op]; ok {
		if in.zeroes() {
			for h := range halves(dst) {
				t.word(zero(t.half(dst, h)))
			}
			return
		}
		m, n := t.source(a[0], dst), t.source(a[1], dst)
		if t.inverted { // the compare before this left a mask's complement in dst
			if t.inverted, o = false, bicB; a[1].kind == vector && a[1].reg == dst.reg {
				m, n = n, m
			}
		}
		for h := range halves(dst) {
			t.word(o.word(t.half(dst, h), n[h], m[h]))
		}
		return
	}
	if o, ok := shifts[in.op]; ok {
		for h := range halves(dst) {
			t.word(o.word(t.half(dst, h), t.half(a[1], h), int(a[0].value)))
		}
		return
	}
	if o, ok := twos[in.op]; ok {
		n := t.source(a[0], dst)
		for h := range halves(dst) {
			t.word(o.word(t.half(dst, h), n[h]))
		}
		return
	}
	if o, ok := packs[in.op]; ok {
		m, n := t.source(a[0], dst), t.source(a[1], dst)
		for h := range halves(dst) {
			d := t.half(dst, h)
			if d == m[h] && d != n[h] {
				d = t.temporary()
			}
			t.word(o[0].word(d, n[h]))
			if m[h] == n[h] && d == m[h] {
				t.word(insD(d, 1, d, 0))
			} else {
				t.word(o[1].word(d, m[h]))
			}
			t.settle(dst, h, d)
		}
		return
	}
	if strings.HasPrefix(in.op, "VFMADD") || strings.HasPrefix(in.op, "VFNMADD") {
		t.multiplyAdd(in)
		return
	}
	if f, ok := others[in.op]; ok {
		f(t, in)
		return
	}
	t.fail("unknown instruction")
}

// copy moves a register unless it is in place.
func (t *translator) copy(d, n int) {
	if d != n {
		t.word(move(d, n))
	}
}

// source returns the registers of both halves of an operand, which is loaded if it is in
// memory. A constant that repeats is loaded once.
func (t *translator) source(o, like operand) [2]int {
	switch o.kind {
	case vector:
		return [2]int{t.half(o, 0), t.half(o, 1)}
	case memory:
		r := [2]int{t.temporary(), 0}
		if like.wide {
			r[1] = t.temporary()
		}
		t.load(o, r[:halves(like)])
		return r
	case symbol:
		var r [2]int
		for h := range halves(like) {
			at, err := t.pool.read(o.name, o.value+16*int64(h))
			if err != nil {
				t.fail("%w", err)
				return r
			}
			if h == 1 {
				if first, _ := t.pool.read(o.name, o.value); first == at {
					r[1] = r[0]
					break
				}
			}
			r[h] = t.temporary()
			t.constant(r[h], at)
		}
		return r
	}
	t.fail("an operand of an unknown kind")
	return [2]int{}
}

// constant loads 16 bytes of the pool.
func (t *translator) constant(r, offset int) {
	t.usesPool = true
	t.emit("FMOVQ %s, F%d", at(poolRegister, offset), r)
}

// load reads as many registers from memory.
func (t *translator) load(o operand, r []int) {
	base, disp := t.address(o)
	if len(r) == 2 && disp%16 == 0 && disp >= -1024 && disp <= 1008 {
		t.emit("FLDPQ %s, (F%d, F%d)", at(base, disp), r[0], r[1])
		return
	}
	if disp < -256 || disp > 224 && (disp%16 != 0 || disp > 65500) {
		base, disp = t.within(base, disp, 0, -1, 1)
	}
	for i, v := range r {
		t.emit("FMOVQ %s, F%d", at(base, disp+16*i), v)
	}
}

// store is the opposite of load.
func (t *translator) store(o operand, r []int) {
	base, disp := t.address(o)
	if len(r) == 2 && disp%16 == 0 && disp >= -1024 && disp <= 1008 {
		t.emit("FSTPQ (F%d, F%d), %s", r[0], r[1], at(base, disp))
		return
	}
	if disp < -256 || disp > 224 && (disp%16 != 0 || disp > 65500) {
		base, disp = t.within(base, disp, 0, -1, 1)
	}
	for i, v := range r {
		t.emit("FMOVQ F%d, %s", v, at(base, disp+16*i))
	}
}

// multiplyAdd translates the fused multiply-adds; the digits say which operands, counted
// from the last, are multiplied and added. NEON adds to what it overwrites: where that is
// not the last operand, the sum comes to lie in another register.
func (t *translator) multiplyAdd(in *instruction) {
	o := fmla
	if strings.HasPrefix(in.op, "VFNMADD") {
		o = fmls
	}
	dst := in.args[2]
	third, second := t.source(in.args[0], dst), t.source(in.args[1], dst)
	first := [2]int{t.half(dst, 0), t.half(dst, 1)}
	if t.copied != nil {
		first = *t.copied
	}
	for h := range halves(dst) {
		x, y, z := first[h], second[h], third[h]
		switch in.op[len(in.op)-5 : len(in.op)-2] {
		case "132":
			x, y = second[h], first[h]
		case "213":
			x, z = third[h], first[h]
		case "231":
		default:
			t.fail("unknown order")
		}
		sum := x
		switch {
		case x == t.half(dst, h): // in place
		case t.needed(in, x) || third[0] == third[1] && x == third[h]:
			if sum = t.half(dst, h); t.copied == nil {
				sum = t.temporary()
			}
			t.word(move(sum, x))
		}
		t.word(o.word(sum, y, z))
		t.settle(dst, h, sum)
	}
	t.copied = nil
}

// needed says whether a register of an operand holds a value that is read later.
func (t *translator) needed(in *instruction, r int) bool {
	for _, a := range in.args[:2] {
		if a.kind == vector && (t.half(a, 0) == r || t.half(a, 1) == r) {
			return t.after[t.at].has(a.reg)
		}
	}
	return false
}

// onlyMultiplied says whether the copy of a register is what the next instruction
// multiplies and overwrites, so that it can take the original.
func (t *translator) onlyMultiplied(copy operand) bool {
	if t.at+1 == len(t.f.code) {
		return false
	}
	next := &t.f.code[t.at+1]
	if !strings.HasSuffix(next.op, "132PS") && !strings.HasSuffix(next.op, "213PS") || next.args[2].reg != copy.reg {
		return false
	}
	for _, a := range next.args[:2] {
		if a.kind == vector && a.reg == copy.reg {
			return false
		}
	}
	return true
}

// others are the instructions with a way of their own.
var others map[string]func(t *translator, in *instruction)

func init() {
	others = map[string]func(t *translator, in *instruction){
		"VMOVUPS": (*translator).move, "VMOVAPS": (*translator).move, "VMOVDQU": (*translator).move, "VMOVDQA": (*translator).move,
		"VMOVNTPS": (*translator).stream, "VMOVNTDQ": (*translator).stream,
		"VMASKMOVPS": (*translator).masked,
		"VMAXPS":     extreme(true), "VMINPS": extreme(false),
		"VCMPPS": (*translator).compare, "VBLENDVPS": (*translator).blend, "VPBLENDVB": (*translator).blend,
		"VROUNDPS":     (*translator).round,
		"VBROADCASTSS": (*translator).broadcast, "VPBROADCASTD": (*translator).broadcast, "VPBROADCASTW": (*translator).broadcast,
		"VBROADCASTF128": (*translator).repeat, "VBROADCASTI128": (*translator).repeat,
		"VMOVQ": (*translator).scalar, "VMOVD": (*translator).scalar, "MOVSS": (*translator).scalar, "MOVSD": (*translator).scalar,
		"VADDSD": func(t *translator, in *instruction) {
			t.emit("FADDD F%d, F%d, F%d", t.half(in.args[0], 0), t.half(in.args[1], 0), t.half(in.args[2], 0))
		},
		"VPMOVZXWD": widen(8, uxtlH, uxtl2H), "VPMOVSXWD": widen(8, sxtlH, sxtl2H), "VPMOVZXBW": widen(16, uxtlB, uxtl2B),
		"VPMOVZXBD": (*translator).widenBytes, "VCVTPS2PD": widen(4, fcvtl, fcvtl2),
		"VEXTRACTF128": (*translator).extract, "VEXTRACTI128": (*translator).extract,
		"VINSERTF128": (*translator).insert, "VINSERTI128": (*translator).insert,
		"VPERM2F128": (*translator).permuteHalves, "VPERM2I128": (*translator).permuteHalves,
		"VPERMQ": (*translator).permuteQuarters, "VPERMD": (*translator).permuteWords,
		"VSHUFPS": (*translator).shuffle, "VPERMILPS": (*translator).shuffle,
		"VPSHUFB": (*translator).shuffleBytes, "VPMADDWD": (*translator).multiplyPairs,
		"VMOVHPS": (*translator).storeHigh, "VMOVMSKPS": (*translator).signs,
	}
}

// move copies, loads or stores a whole register.
func (t *translator) move(in *instruction) {
	from, to := in.args[0], in.args[1]
	switch {
	case to.kind == memory:
		t.store(to, []int{t.half(from, 0), t.half(from, 1)}[:halves(from)])
	case from.kind == memory:
		t.load(from, []int{t.half(to, 0), t.half(to, 1)}[:halves(to)])
	case from.kind == symbol:
		for h := range halves(to) {
			at, err := t.pool.read(from.name, from.value+16*int64(h))
			if err != nil {
				t.fail("%w", err)
				return
			}
			t.constant(t.half(to, h), at)
		}
	case from.reg == to.reg: // avo leaves such
	case t.onlyMultiplied(to):
		t.copied = &[2]int{t.half(from, 0), t.half(from, 1)}
	default:
		for h := range halves(to) {
			if t.after[t.at].has(from.reg) {
				t.copy(t.half(to, h), t.half(from, h))
			} else {
				t.settle(to, h, t.half(from, h))
			}
		}
	}
}

// stream stores a whole register past the caches.
func (t *translator) stream(in *instruction) {
	base, disp := t.address(in.args[1])
	if disp < -1024 || disp > 1008 || disp%16 != 0 || !in.args[0].wide {
		t.fail("out of reach")
		return
	}
	var r int
	fmt.Sscanf(base, "R%d", &r)
	t.word(stnp(t.half(in.args[0], 0), t.half(in.args[0], 1), r, disp))
}

// masked moves the lanes before the first that the mask leaves out: every mask in this
// program is of the first few.
func (t *translator) masked(in *instruction) {
	mask := in.args[1]
	r, mem := in.args[2], in.args[0]
	loads := mem.kind == memory
	if !loads {
		r, mem = mem, r
	}
	base, disp := t.address(mem)
	if disp == 0 {
		t.emit("MOVD %s, %s", base, addressRegister)
	} else {
		t.emit("ADD $%d, %s, %s", disp, base, addressRegister)
	}
	lanes := [2]int{t.half(mask, 0), t.half(mask, 1)}
	if loads {
		if r.reg == mask.reg {
			for h := range halves(r) {
				lanes[h] = t.temporary()
				t.word(move(lanes[h], t.half(mask, h)))
			}
		}
		for h := range halves(r) {
			t.word(zero(t.half(r, h)))
		}
	}
	t.labels++
	done := fmt.Sprintf("%s_lanes%d", rename(t.f.name), t.labels)
	for i := range 4 * halves(r) {
		v := t.half(r, i/4)
		t.emit("VMOV V%d.S[%d], %s", lanes[i/4], i%4, valueRegister)
		t.emit("CBZ %s, %s", valueRegister, done)
		if loads {
			t.emit("VLD1.P 4(%s), V%d.S[%d]", addressRegister, v, i%4)
		} else {
			t.emit("VST1.P V%d.S[%d], 4(%s)", v, i%4, addressRegister)
		}
	}
	t.out = append(t.out, done+":")
}

// extreme is the maximum or minimum as x86 has it: args[0] if either is NaN.
func extreme(greater bool) func(t *translator, in *instruction) {
	return func(t *translator, in *instruction) {
		dst := in.args[2]
		m, n := t.source(in.args[0], dst), t.source(in.args[1], dst)
		for h := range halves(dst) {
			mask := t.temporary()
			if greater {
				t.word(fcmgt.word(mask, n[h], m[h]))
			} else {
				t.word(fcmgt.word(mask, m[h], n[h]))
			}
			t.choose(t.half(dst, h), mask, n[h], m[h])
			t.free = append(t.free, mask)
		}
	}
}

// choose is d = mask ? n : m; the mask may be overwritten.
func (t *translator) choose(d, mask, n, m int) {
	switch d {
	case m:
		t.word(bit.word(d, n, mask))
	case n:
		t.word(bif.word(d, m, mask))
	default:
		t.word(bsl.word(mask, n, m))
		t.copy(d, mask)
	}
}

// complemented says whether a compare's result is only what the next instruction, a
// conjunction that overwrites it, takes: then that one can do the negation.
func (t *translator) complemented(dst operand) bool {
	if t.at+1 == len(t.f.code) {
		return false
	}
	next := &t.f.code[t.at+1]
	if next.op != "VANDPS" || next.args[2].reg != dst.reg || next.args[0].kind != vector || next.args[1].kind != vector {
		return false
	}
	return (next.args[0].reg == dst.reg) != (next.args[1].reg == dst.reg)
}

// compare translates the predicates in use; a is args[2], b is args[1].
func (t *translator) compare(in *instruction) {
	dst := in.args[3]
	complement := t.complemented(dst)
	b, a := t.source(in.args[1], dst), t.source(in.args[2], dst)
	for h := range halves(dst) {
		d, a, b := t.half(dst, h), a[h], b[h]
		not := func() {
			if t.inverted = complement; !complement {
				t.word(mvn.word(d, d))
			}
		}
		switch in.args[0].value {
		case 0x00: // equal
			t.word(fcmeq.word(d, a, b))
		case 0x01, 0x11: // less
			t.word(fcmgt.word(d, b, a))
		case 0x02, 0x12: // less or equal
			t.word(fcmge.word(d, b, a))
		case 0x0D, 0x1D: // greater or equal
			t.word(fcmge.word(d, a, b))
		case 0x0E, 0x1E: // greater
			t.word(fcmgt.word(d, a, b))
		case 0x04: // unequal or unordered
			t.word(fcmeq.word(d, a, b))
			not()
		case 0x15: // not less
			t.word(fcmgt.word(d, b, a))
			not()
		case 0x16: // not less or equal
			t.word(fcmge.word(d, b, a))
			not()
		case 0x03: // unordered
			if a == b {
				t.word(fcmeq.word(d, a, a))
			} else {
				r := t.temporary()
				t.word(fcmeq.word(r, b, b))
				t.word(fcmeq.word(d, a, a))
				t.word(andB.word(d, d, r))
				t.free = append(t.free, r)
			}
			not()
		case 0x08, 0x0C: // equal or unordered; unequal and ordered
			r := t.temporary()
			t.word(fcmgt.word(r, a, b))
			t.word(fcmgt.word(d, b, a))
			t.word(orrB.word(d, d, r))
			t.free = append(t.free, r)
			if in.args[0].value == 0x08 {
				not()
			}
		default:
			t.fail("unknown predicate")
		}
	}
}

// compared says whether a register was last written, in this block, by a compare, whose
// masks are all ones or all zeros.
func (t *translator) compared(mask operand) bool {
	for i := t.at - 1; i >= 0 && t.f.code[i].op != ""; i-- {
		if t.f.code[i].defines().has(mask.reg) {
			return t.f.code[i].op == "VCMPPS"
		}
	}
	return false
}

// blend takes args[1] where the sign of args[0] is set and args[2] elsewhere.
func (t *translator) blend(in *instruction) {
	mask, dst := in.args[0], in.args[3]
	n, m := t.source(in.args[1], dst), t.source(in.args[2], dst)
	sign := func(d, n int) string { return sshrS.word(d, n, 31) }
	if t.compared(mask) {
		sign = move
	}
	if in.op == "VPBLENDVB" {
		sign = func(d, n int) string { return sshrB.word(d, n, 7) }
	}
	for h := range halves(dst) {
		d, s := t.half(dst, h), t.half(mask, h)
		r := d
		switch {
		case d != n[h] && d != m[h]:
		case t.compared(mask): // choose does not write the mask then
			t.choose(d, s, n[h], m[h])
			continue
		default:
			r = t.temporary()
		}
		if r != s || !t.compared(mask) {
			t.word(sign(r, s))
		}
		t.choose(d, r, n[h], m[h])
		if r != d {
			t.free = append(t.free, r)
		}
	}
}

func (t *translator) round(in *instruction) {
	o, ok := map[int64]pair{0: frintn, 1: frintm, 2: frintp, 3: frintz}[in.args[0].value&7]
	if !ok {
		t.fail("unknown rounding")
	}
	dst := in.args[2]
	n := t.source(in.args[1], dst)
	for h := range halves(dst) {
		t.word(o.word(t.half(dst, h), n[h]))
	}
}

// broadcast fills a register with one element.
func (t *translator) broadcast(in *instruction) {
	from, dst := in.args[0], in.args[1]
	lo := t.half(dst, 0)
	words := in.op == "VPBROADCASTW"
	switch {
	case from.kind == vector:
		t.word(map[bool]pair{false: dupS, true: dupH}[words].word(lo, t.half(from, 0)))
	case from.kind == symbol:
		data := t.pool.data[from.name][from.value:]
		w := uint32(binary.LittleEndian.Uint16(data)) * 0x10001
		if !words {
			w = binary.LittleEndian.Uint32(data)
		}
		t.constant(lo, t.pool.words(w))
	case words:
		t.fail("only constants of 16 bits")
	case from.kind == parameter:
		t.emit("FMOVS %s+%d(FP), F%d", from.name, from.value, lo)
		t.word(dupS.word(lo, lo))
	default:
		base, disp := t.address(from)
		base, _ = t.within(base, disp, 0, 0, 1)
		t.emit("VLD1R (%s), [V%d.S4]", base, lo)
	}
	if dst.wide {
		t.word(move(t.half(dst, 1), lo))
	}
}

// repeat loads 16 bytes into both halves.
func (t *translator) repeat(in *instruction) {
	lo := t.half(in.args[1], 0)
	t.load(in.args[0], []int{lo})
	t.word(move(t.half(in.args[1], 1), lo))
}

// scalar moves one number of 32 or 64 bits between registers and memory.
func (t *translator) scalar(in *instruction) {
	mnemonic := "FMOVS"
	if in.op == "VMOVQ" || in.op == "MOVSD" {
		mnemonic = "FMOVD"
	}
	place := func(o operand) string {
		switch o.kind {
		case vector:
			return fmt.Sprintf("F%d", t.half(o, 0))
		case register:
			return generalRegisters[o.name]
		case parameter:
			return fmt.Sprintf("%s+%d(FP)", o.name, o.value)
		case memory:
			base, disp := t.address(o)
			return at(t.within(base, disp, 0, 4096, 8))
		}
		t.fail("an operand of an unknown kind")
		return ""
	}
	from, to := place(in.args[0]), place(in.args[1])
	t.emit("%s %s, %s", mnemonic, from, to)
}
