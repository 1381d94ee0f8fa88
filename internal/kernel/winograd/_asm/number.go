package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// kind is how numbers of images and kernels are stored: float32, or bfloat16, which
// is widened when it is loaded and rounded to nearest even when it is stored.
type kind struct {
	suffix string
	size   int
}

var kinds = []kind{{"", 4}, {"BF16", 2}}

// load widens the numbers at m, which lies h bytes of float32 after a block's first.
func (s isa) load(k kind, m Mem, h int, v VecVirtual) {
	if k.size == 4 {
		VMOVUPS(m.Offset(h), v)
		return
	}
	VPMOVZXWD(m.Offset(h/2), v)
	VPSLLD(U8(16), v, v)
}

// store rounds v, which it changes, and stores it. There is no need to treat NaN
// apart: one made by the processor, or widened, has zeros in the half that is cut off.
func (s isa) store(k kind, v VecVirtual, m Mem, h int) {
	if k.size == 4 {
		VMOVUPS(v, m.Offset(h))
		return
	}
	odd := s.vector()
	VPSRLD(U8(16), v, odd)
	if s.lanes == 16 {
		VPANDD_BCST(integer(1), odd, odd)
		VPADDD(odd, v, v)
		VPADDD_BCST(integer(0x7fff), v, v)
		VPSRLD(U8(16), v, v)
		VPMOVDW(v, m.Offset(h/2))
		return
	}
	VPAND(integers8(1), odd, odd)
	VPADDD(odd, v, v)
	VPADDD(integers8(0x7fff), v, v)
	VPSRLD(U8(16), v, v)
	VPACKUSDW(v, v, v)
	VPERMQ(U8(0x08), v, v)
	VMOVUPS(v.AsX(), m.Offset(h/2))
}

// integer returns the address of an integer in read-only data.
func integer(x uint32) Mem { return constant(float64(math.Float32frombits(x))) }

var eightOf = map[uint32]Mem{}

// integers8 returns the address of eight integers in read-only data.
func integers8(x uint32) Mem {
	m, ok := eightOf[x]
	if !ok {
		m = GLOBL("i"+hex(x), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(x))
		}
		eightOf[x] = m
	}
	return m
}
