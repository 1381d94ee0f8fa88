package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// simd is one instruction set: what differs between the two is behind its methods.
type simd struct {
	name string
	wide bool // AVX-512
	w    int  // float32 lanes
}

var (
	avx2   = simd{"AVX2", false, 8}
	avx512 = simd{"AVX512", true, 16}
)

// Comparison predicates of VCMPPS; q: quiet, o: false for NaN, u: true for NaN.
const (
	eqO   = 0x00
	ltO   = 0x11
	leO   = 0x12
	unord = 0x03
	neU   = 0x04
	eqU   = 0x08
	neO   = 0x0C
	geO   = 0x1D
	gtO   = 0x1E
	nltU  = 0x15
	nleU  = 0x16
)

func (s simd) reg() VecVirtual {
	if s.wide {
		return ZMM()
	}
	return YMM()
}

// constant returns v repeated over a whole vector, in read-only memory.
func (s simd) constant(v float32) Mem { return s.bits(math.Float32bits(v)) }

var constants = map[uint32]Mem{}

func (s simd) bits(b uint32) Mem {
	if m, ok := constants[b]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("const_%08x", b), attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(4*i, U32(b))
	}
	constants[b] = m
	return m
}

// load puts a constant in a register.
func (s simd) load(v float32) VecVirtual {
	r := s.reg()
	VMOVUPS(s.constant(v), r)
	return r
}

func (s simd) zero() VecVirtual {
	r := s.reg()
	if s.wide {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
	return r
}

// compare returns the lanes where a pred b, as a mask register or a vector of ones.
func (s simd) compare(pred int, a Op, b Op) Register {
	if s.wide {
		k := K()
		VCMPPS(U8(pred), b, a, k)
		return k
	}
	m := YMM()
	VCMPPS(U8(pred), b, a, m)
	return m
}

// choose returns yes where mask, else no.
func (s simd) choose(mask Register, yes, no Op) VecVirtual {
	r := s.reg()
	if s.wide {
		VBLENDMPS(yes, no, mask, r)
	} else {
		VBLENDVPS(mask, yes, no, r)
	}
	return r
}

// keep returns x where mask, else zero.
func (s simd) keep(mask Register, x Op) VecVirtual {
	r := s.reg()
	if s.wide {
		VMOVAPS_Z(x, mask, r)
	} else {
		VANDPS(x, mask, r)
	}
	return r
}

// round rounds to whole numbers: mode 0 to nearest even, 1 down, 2 up.
func (s simd) round(mode int, x Op) VecVirtual {
	r := s.reg()
	if s.wide {
		VRNDSCALEPS(U8(8|mode), x, r)
	} else {
		VROUNDPS(U8(8|mode), x, r)
	}
	return r
}

// op2 returns f(a, b) in a new register; b may be memory. The order is the formula's.
func (s simd) op2(f func(...Op), a, b Op) VecVirtual {
	r := s.reg()
	f(b, a, r)
	return r
}

// partMask returns the mask of the first rem lanes, 0 < rem < w.
func (s simd) partMask(rem GPVirtual) Register {
	if s.wide {
		m := GP64()
		MOVQ(I32(-1), m)
		BZHIQ(rem, m, m)
		k := K()
		KMOVW(m.As32(), k)
		return k
	}
	table := GP64()
	LEAQ(partTable(), table)
	back := GP64()
	MOVQ(rem, back)
	NEGQ(back)
	m := YMM()
	VMOVDQU(Mem{Base: table, Index: back, Scale: 4, Disp: 32}, m)
	return m
}

var partTableMem *Mem

// partTable is eight all-ones words and then eight zeros.
func partTable() Mem {
	if partTableMem == nil {
		m := GLOBL("part", attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, U32(0xFFFFFFFF))
		}
		for i := 8; i < 16; i++ {
			DATA(4*i, U32(0))
		}
		partTableMem = &m
	}
	return *partTableMem
}

// fetch loads a vector of elements of that kind; part, if not nil, limits the lanes.
// Booleans come as a mask, bfloat16 numbers as float32.
func (s simd) fetch(k kind, m Mem, part Register) Register {
	switch {
	case k == boolean && s.wide:
		x, mask := XMM(), K()
		if part == nil {
			VMOVDQU8(m, x)
		} else {
			VMOVDQU8_Z(m, part, x)
		}
		VPTESTMB(x, x, mask)
		return mask
	case k == boolean:
		y := YMM()
		VPMOVZXBD(m, y)
		VPSLLD(U8(31), y, y)
		return y
	case k == bf16:
		r := s.reg()
		if part == nil {
			VPMOVZXWD(m, r)
		} else {
			half := YMM()
			VMOVDQU16_Z(m, part, half)
			VPMOVZXWD(half, r)
		}
		VPSLLD(U8(16), r, r)
		return r
	}
	r := s.reg()
	switch {
	case part == nil:
		VMOVUPS(m, r)
	case s.wide:
		VMOVUPS_Z(m, part, r)
	default:
		VMASKMOVPS(m, part, r)
	}
	return r
}

// store is the inverse of fetch.
func (s simd) store(k kind, v Register, m Mem, part Register) {
	switch {
	case k == boolean && s.wide:
		x := XMM()
		VMOVDQU8_Z(s.bits(0x01010101), v, x)
		if part == nil {
			VMOVDQU8(x, m)
		} else {
			VMOVDQU8(x, part, m)
		}
	case k == boolean: // v: eight words of ones or zeros
		hi, x := XMM(), v.(VecVirtual).AsX()
		VEXTRACTI128(U8(1), v, hi)
		r := XMM()
		VPACKSSDW(hi, x, r)
		VPACKSSWB(r, r, r)
		VPAND(s.bits(0x01010101), r, r)
		VMOVQ(r, m)
	case k == bf16 && part != nil:
		VPMOVDW(s.roundBF16(v), part, m)
	case k == bf16 && s.wide:
		VPMOVDW(s.roundBF16(v), m)
	case k == bf16:
		r := s.roundBF16(v)
		VPACKUSDW(r, r, r)
		VPERMQ(U8(0x08), r, r)
		VMOVDQU(r.AsX(), m)
	case part == nil:
		VMOVUPS(v, m)
	case s.wide:
		VMOVUPS(v, part, m)
	default:
		VMASKMOVPS(v, part, m)
	}
}

// roundBF16 returns the bits of x as bfloat16, in the low halves of 32-bit words: it adds
// half of the last place that is kept, less one if that place is even.
func (s simd) roundBF16(x Register) VecVirtual {
	top, r := s.reg(), s.reg()
	VPSRLD(U8(16), x, top)
	if s.wide {
		VPANDD(s.bits(1), top, r)
	} else {
		VPAND(s.bits(1), top, r)
	}
	VPADDD(x, r, r)
	VPADDD(s.bits(0x7FFF), r, r)
	VPSRLD(U8(16), r, r)
	if s.wide {
		VPORD(s.bits(0x40), top, top)
	} else {
		VPOR(s.bits(0x40), top, top)
	}
	return s.choose(s.compare(unord, x, x), top, r)
}
