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

// The interpolation points are 0, ±a, ±b and infinity; see ../transform.go.
const (
	a, b   = 5.0 / 8, 3.0 / 2
	aa, bb = a * a, b * b
)

// The scales of the kernel's transform at the points 0, ±a and ±b.
const (
	scale0 = 1 / (aa * bb)
	scaleA = 1 / (2 * aa * (aa - bb))
	scaleB = 1 / (2 * bb * (bb - aa))
)

// inputTransform turns the six values d into Bᵀd, in place of d's registers.
// The constants are inputConstants.
func (s isa) inputTransform(c, d []VecVirtual) []VecVirtual {
	a, b, aa, bb, sum, prod := c[0], c[1], c[2], c[3], c[4], c[5]
	even, odd, o2 := s.vector(), s.vector(), s.vector()
	VFMADD132PS(prod, d[4], d[0]) // d0 = d0·a²b² + d4
	VFNMADD231PS(sum, d[2], d[0])
	VFNMADD231PS(sum, d[3], d[5])
	VFMADD231PS(prod, d[1], d[5])
	VMOVAPS(d[2], even)
	VFNMADD132PS(bb, d[4], even) // even = d4 - b²·d2
	VMOVAPS(d[1], odd)
	VFNMADD132PS(bb, d[3], odd)
	VFNMADD132PS(aa, d[4], d[2])
	VFNMADD132PS(aa, d[3], d[1])
	VMOVAPS(even, o2)
	VFMADD231PS(a, odd, even)
	VFNMADD231PS(a, odd, o2)
	VMOVAPS(d[2], d[4])
	VFMADD231PS(b, d[1], d[2])
	VFNMADD231PS(b, d[1], d[4])
	return []VecVirtual{d[0], even, o2, d[2], d[4], d[5]}
}

func (s isa) inputConstants() []VecVirtual {
	return s.constants(a, b, aa, bb, aa+bb, aa*bb)
}

// outputTransform returns Aᵀm, four values from six.
func (s isa) outputTransform(c, m []VecVirtual) []VecVirtual {
	a, b, aa, bb, aaa, bbb := c[0], c[1], c[2], c[3], c[4], c[5]
	sumA, sumB := s.vector(), s.vector()
	VADDPS(m[2], m[1], sumA)
	VADDPS(m[4], m[3], sumB)
	VSUBPS(m[2], m[1], m[1]) // m1 - m2
	VSUBPS(m[4], m[3], m[3])
	VADDPS(sumA, m[0], m[0])
	VADDPS(sumB, m[0], m[0])
	VFMADD231PS(aaa, m[1], m[5])
	VFMADD231PS(bbb, m[3], m[5])
	VMULPS(a, m[1], m[1])
	VFMADD231PS(b, m[3], m[1])
	VMULPS(aa, sumA, sumA)
	VFMADD231PS(bb, sumB, sumA)
	return []VecVirtual{m[0], m[1], sumA, m[5]}
}

func (s isa) outputConstants() []VecVirtual {
	return s.constants(a, b, aa, bb, a*aa, b*bb)
}

// gradTransform returns A·y, six values from four.
func (s isa) gradTransform(c, y []VecVirtual) []VecVirtual {
	a, b, aa, bb := c[0], c[1], c[2], c[3]
	plusA, plusB, minusA, minusB, oddA, oddB := s.vector(), s.vector(), s.vector(), s.vector(), s.vector(), s.vector()
	VMOVAPS(y[2], plusA)
	VFMADD132PS(aa, y[0], plusA) // y0 + a²·y2
	VMOVAPS(y[2], plusB)
	VFMADD132PS(bb, y[0], plusB)
	VMOVAPS(y[3], oddA)
	VFMADD132PS(aa, y[1], oddA) // y1 + a²·y3
	VMOVAPS(y[3], oddB)
	VFMADD132PS(bb, y[1], oddB)
	VMOVAPS(plusA, minusA)
	VFMADD231PS(a, oddA, plusA)
	VFNMADD231PS(a, oddA, minusA)
	VMOVAPS(plusB, minusB)
	VFMADD231PS(b, oddB, plusB)
	VFNMADD231PS(b, oddB, minusB)
	return []VecVirtual{y[0], plusA, minusA, plusB, minusB, y[3]}
}

func (s isa) gradConstants() []VecVirtual { return s.constants(a, b, aa, bb) }

// weightTransform returns G·w, six values from three.
func (s isa) weightTransform(c, w []VecVirtual) []VecVirtual {
	o := s.vectors(5)
	oddA, oddB := s.vector(), s.vector()
	VMULPS(c[0], w[0], o[0])
	VMULPS(c[1], w[0], o[1])
	VFMADD231PS(c[2], w[2], o[1]) // (w0 + a²·w2)·scaleA
	VMULPS(c[3], w[1], oddA)
	VMULPS(c[4], w[0], o[3])
	VFMADD231PS(c[5], w[2], o[3])
	VMULPS(c[6], w[1], oddB)
	VSUBPS(oddA, o[1], o[2])
	VADDPS(oddA, o[1], o[1])
	VSUBPS(oddB, o[3], o[4])
	VADDPS(oddB, o[3], o[3])
	return append(o, w[2])
}

// kernelTransform returns Gᵀm, three values from six.
func (s isa) kernelTransform(c, m []VecVirtual) []VecVirtual {
	sumA, sumB := s.vector(), s.vector()
	VADDPS(m[2], m[1], sumA)
	VADDPS(m[4], m[3], sumB)
	VSUBPS(m[2], m[1], m[1])
	VSUBPS(m[4], m[3], m[3])
	VMULPS(c[0], m[0], m[0])
	VFMADD231PS(c[1], sumA, m[0])
	VFMADD231PS(c[4], sumB, m[0])
	VFMADD231PS(c[2], sumA, m[5])
	VFMADD231PS(c[5], sumB, m[5])
	VMULPS(c[3], m[1], m[1])
	VFMADD231PS(c[6], m[3], m[1])
	return []VecVirtual{m[0], m[1], m[5]}
}

func (s isa) weightConstants() []VecVirtual {
	return s.constants(scale0, scaleA, scaleA*aa, scaleA*a, scaleB, scaleB*bb, scaleB*b)
}

// multiples returns the addresses base, base+stride, ... base+5·stride; three
// and five hold three and five strides (five may be nil for four addresses).
func multiples(base, stride, three, five Register) []Mem {
	m := []Mem{
		{Base: base},
		{Base: base, Index: stride, Scale: 1},
		{Base: base, Index: stride, Scale: 2},
		{Base: base, Index: three, Scale: 1},
		{Base: base, Index: stride, Scale: 4},
	}
	if five == nil {
		return m[:4]
	}
	return append(m, Mem{Base: base, Index: five, Scale: 1})
}

func times3(r Register) GPVirtual {
	t := GP64()
	LEAQ(Mem{Base: r, Index: r, Scale: 2}, t)
	return t
}

func times5(r Register) GPVirtual {
	t := GP64()
	LEAQ(Mem{Base: r, Index: r, Scale: 4}, t)
	return t
}

// inputStrip emits the transform of a run of tiles of one tile row. Each column
// of the run is transformed once, into the strip, although tiles overlap by two.
func inputStrip(s isa, k kind) {
	taking("inputStrip"+k.suffix+s.name, "stripArgs")
	Doc("inputStrip" + k.suffix + s.name + " sets v = BᵀdB for a run of tiles, 16 channels at a time.")
	args := Load(Param("args"), GP64())
	c := s.inputConstants()
	blocks := field(args, 80)
	source := GP64() // bytes from the first channel
	XORQ(source, source)
	v := field(args, 88)

	loop("block", blocks, func() {
		var row [6]GPVirtual
		for i := range row {
			row[i] = field(args, 8*i)
			ADDQ(source, row[i])
		}
		strip := field(args, 48)
		ADDQ(Mem{Base: args, Disp: 56}, strip)
		cols := field(args, 64)
		x, ahead := GP64(), GP64()
		XORQ(x, x)
		MOVQ(Mem{Base: args, Disp: 72}, ahead)
		SHLQ(U8(3), ahead)
		loop("column", cols, func() {
			for i := range row { // eight columns ahead
				PREFETCHT0(Mem{Base: row[i], Index: ahead, Scale: 1})
			}
			ADDQ(Mem{Base: args, Disp: 72}, ahead)
			for _, h := range s.halves() {
				d := s.vectors(6)
				for i := range d {
					s.load(k, Mem{Base: row[i], Index: x, Scale: 1}, h, d[i])
				}
				for i, o := range s.inputTransform(c, d) {
					VMOVUPS(o, Mem{Base: strip, Disp: 64*i + h})
				}
			}
			ADDQ(U32(6*64), strip)
			ADDQ(Mem{Base: args, Disp: 72}, x)
		})
		MOVQ(Mem{Base: args, Disp: 48}, strip)
		stride := field(args, 104)
		three, five := times3(stride), times5(stride)
		offset := field(args, 120)
		tiles := field(args, 112)
		loop("tile", tiles, func() {
			to := GP64()
			MOVQ(Mem{Base: offset}, to)
			ADDQ(v, to)
			for i := range 6 {
				for _, h := range s.halves() {
					d := s.vectors(6)
					for j := range d {
						VMOVUPS(Mem{Base: strip, Disp: 64*(6*j+i) + h}, d[j])
					}
					out := s.inputTransform(c, d)
					for j, m := range multiples(to, stride, three, five) {
						VMOVUPS(out[j], m.Offset(h))
					}
				}
				if i < 5 {
					LEAQ(Mem{Base: to, Index: three, Scale: 2}, to)
				}
			}
			ADDQ(U32(4*6*64), strip)
			ADDQ(U32(8), offset)
		})
		ADDQ(U32(16*k.size), source)
		ADDQ(Mem{Base: args, Disp: 96}, v)
	})
	VZEROUPPER()
	RET()
}

// outputTiles emits the inverse transform of tiles, 16 channels of each.
func outputTiles(s isa, k kind) {
	taking("outputTiles"+k.suffix+s.name, "tileArgs")
	Doc("outputTiles" + k.suffix + s.name + " sets the 4x4 pixels of each tile to AᵀmA, 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.outputConstants()
	tmp := field(args, 0)
	offset := field(args, 24)
	tiles := field(args, 32)
	rowStride, colStride := field(args, 40), field(args, 48)
	three := times3(colStride)
	loop("tile", tiles, func() {
		from, to, next := field(args, 8), field(args, 16), field(args, 16)
		ADDQ(Mem{Base: offset}, from)
		ADDQ(Mem{Base: offset, Disp: 8}, to)
		ADDQ(Mem{Base: offset, Disp: 24}, next)
		// The lines of the next tile must be in the cache before they can be written.
		for i := range 4 {
			for _, at := range multiples(next, colStride, three, nil) {
				PREFETCHT0(at)
			}
			if i < 3 {
				ADDQ(rowStride, next)
			}
		}
		if s.lanes == 16 {
			s.outputInRegisters(k, c, from, to, rowStride, multiples(to, colStride, three, nil))
		} else {
			s.outputThroughMemory(k, c, tmp, from, to, rowStride, colStride, three)
		}
		ADDQ(U32(16), offset)
	})
	VZEROUPPER()
	RET()
}

// outputThroughMemory transforms the columns of m to tmp and the rows of that to y.
func (s isa) outputThroughMemory(k kind, c []VecVirtual, tmp, from, to, rowStride, colStride, three GPVirtual) {
	for _, h := range s.halves() {
		for j := range 6 {
			m := s.vectors(6)
			for i := range m {
				VMOVUPS(Mem{Base: from, Disp: (6*i+j)*128 + h}, m[i])
			}
			for i, o := range s.outputTransform(c, m) {
				VMOVUPS(o, Mem{Base: tmp, Disp: (6*i + j) * s.bytes()})
			}
		}
		p := GP64()
		MOVQ(to, p)
		for i := range 4 {
			m := s.vectors(6)
			for j := range m {
				VMOVUPS(Mem{Base: tmp, Disp: (6*i + j) * s.bytes()}, m[j])
			}
			out := s.outputTransform(c, m)
			for j, at := range multiples(p, colStride, three, nil) {
				s.store(k, out[j], at, h)
			}
			if i < 3 {
				ADDQ(rowStride, p)
			}
		}
	}
}

// outputInRegisters does the same with 32 registers: it transforms the columns in
// pairs of points of either sign, whose sums and differences are all that the rows need.
func (s isa) outputInRegisters(k kind, c []VecVirtual, from, to, rowStride GPVirtual, at []Mem) {
	a, b, aa, bb, aaa, bbb := c[0], c[1], c[2], c[3], c[4], c[5]
	column := func(j int) []VecVirtual {
		m := s.vectors(6)
		for i := range m {
			VMOVUPS(Mem{Base: from, Disp: (6*i + j) * 128}, m[i])
		}
		return s.outputTransform(c, m)
	}
	pair := func(j int) (sum, dif []VecVirtual) {
		sum, dif = column(j), column(j+1)
		for i := range sum {
			plus := s.vector()
			VADDPS(dif[i], sum[i], plus)
			VSUBPS(dif[i], sum[i], dif[i])
			sum[i] = plus
		}
		return sum, dif
	}
	sumA, difA := pair(1)
	sumB, difB := pair(3)
	first, last := column(0), []VecVirtual(nil)
	// Columns 0 and 2 of y use the sums, which frees registers for column 5 of m.
	p := GP64()
	MOVQ(to, p)
	for i := range 4 {
		VADDPS(sumA[i], first[i], first[i])
		VADDPS(sumB[i], first[i], first[i])
		s.store(k, first[i], rebase(at[0], p), 0)
		VMULPS(aa, sumA[i], sumA[i])
		VFMADD231PS(bb, sumB[i], sumA[i])
		s.store(k, sumA[i], rebase(at[2], p), 0)
		if i < 3 {
			ADDQ(rowStride, p)
		}
	}
	last = column(5)
	MOVQ(to, p)
	for i := range 4 {
		VFMADD231PS(aaa, difA[i], last[i])
		VFMADD231PS(bbb, difB[i], last[i])
		s.store(k, last[i], rebase(at[3], p), 0)
		VMULPS(a, difA[i], difA[i])
		VFMADD231PS(b, difB[i], difA[i])
		s.store(k, difA[i], rebase(at[1], p), 0)
		if i < 3 {
			ADDQ(rowStride, p)
		}
	}
}

// rebase returns m with another base.
func rebase(m Mem, base Register) Mem {
	m.Base = base
	return m
}

// gradTiles emits the transform of the output's gradient, 16 channels of each tile.
func gradTiles(s isa, k kind) {
	taking("gradTiles"+k.suffix+s.name, "tileArgs")
	Doc("gradTiles" + k.suffix + s.name + " sets z = A·dy·Aᵀ for the 4x4 pixels of each tile, 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.gradConstants()
	tmp := field(args, 0)
	offset := field(args, 24)
	tiles := field(args, 32)
	rowStride, colStride := field(args, 40), field(args, 48)
	threeRows := times3(rowStride)
	stride := field(args, 56)
	three, five := times3(stride), times5(stride)
	loop("tile", tiles, func() {
		next := field(args, 16)
		ADDQ(Mem{Base: offset, Disp: 24}, next)
		for j := range 4 {
			for _, at := range multiples(next, rowStride, threeRows, nil) {
				PREFETCHT0(at)
			}
			if j < 3 {
				ADDQ(colStride, next)
			}
		}
		for _, h := range s.halves() {
			to, from := field(args, 8), field(args, 16)
			ADDQ(Mem{Base: offset}, to)
			ADDQ(Mem{Base: offset, Disp: 8}, from)
			for j := range 4 {
				y := s.vectors(4)
				for i, at := range multiples(from, rowStride, threeRows, nil) {
					s.load(k, at, h, y[i])
				}
				if j < 3 {
					ADDQ(colStride, from)
				}
				for i, o := range s.gradTransform(c, y) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (4*i + j) * s.bytes()})
				}
			}
			for i := range 6 {
				y := s.vectors(4)
				for j := range y {
					VMOVUPS(Mem{Base: tmp, Disp: (4*i + j) * s.bytes()}, y[j])
				}
				out := s.gradTransform(c, y)
				for j, at := range multiples(to, stride, three, five) {
					VMOVUPS(out[j], at.Offset(h))
				}
				if i < 5 {
					LEAQ(Mem{Base: to, Index: three, Scale: 2}, to)
				}
			}
		}
		ADDQ(U32(16), offset)
	})
	VZEROUPPER()
	RET()
}

// weights emits the transform of kernel rows: 16 output channels of each input channel.
func weights(s isa, k kind) {
	taking("weights"+k.suffix+s.name, "weightArgs")
	Doc("weights" + k.suffix + s.name + " sets u = G·w·Gᵀ for rows of 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.weightConstants()
	tmp := field(args, 0)
	from, to := field(args, 8), field(args, 16)
	rows := field(args, 24)
	tap, stride := field(args, 48), field(args, 56)
	threeTaps := times3(tap)
	three, five := times3(stride), times5(stride)
	loop("row", rows, func() {
		for _, h := range s.halves() {
			p := GP64()
			MOVQ(from, p)
			for j := range 3 {
				w := s.vectors(3)
				s.load(k, Mem{Base: p}, h, w[0])
				s.load(k, Mem{Base: p, Index: threeTaps, Scale: 1}, h, w[1])
				s.load(k, Mem{Base: p, Index: threeTaps, Scale: 2}, h, w[2])
				for i, o := range s.weightTransform(c, w) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (3*i + j) * s.bytes()})
				}
				if j < 2 {
					ADDQ(tap, p)
				}
			}
			MOVQ(to, p)
			for i := range 6 {
				w := s.vectors(3)
				for j := range w {
					VMOVUPS(Mem{Base: tmp, Disp: (3*i + j) * s.bytes()}, w[j])
				}
				out := s.weightTransform(c, w)
				for j, at := range multiples(p, stride, three, five) {
					VMOVUPS(out[j], at.Offset(h))
				}
				if i < 5 {
					LEAQ(Mem{Base: p, Index: three, Scale: 2}, p)
				}
			}
		}
		ADDQ(Mem{Base: args, Disp: 32}, from)
		ADDQ(Mem{Base: args, Disp: 40}, to)
	})
	VZEROUPPER()
	RET()
}

// kernelOut emits the inverse transform of the kernel's gradient.
func kernelOut(s isa) {
	taking("kernelOut"+s.name, "weightArgs")
	Doc("kernelOut" + s.name + " sets dw = Gᵀ·d·G for rows of 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.weightConstants()
	tmp := field(args, 0)
	from, to := field(args, 8), field(args, 16)
	rows := field(args, 24)
	tap, stride := field(args, 48), field(args, 56)
	threeTaps := times3(tap)
	six := times3(stride)
	ADDQ(six, six)
	three, five := times3(six), times5(six)
	loop("row", rows, func() {
		for _, h := range s.halves() {
			p := GP64()
			MOVQ(from, p)
			for j := range 6 {
				m := s.vectors(6)
				for i, at := range multiples(p, six, three, five) {
					VMOVUPS(at.Offset(h), m[i])
				}
				for i, o := range s.kernelTransform(c, m) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (6*i + j) * s.bytes()})
				}
				if j < 5 {
					ADDQ(stride, p)
				}
			}
			MOVQ(to, p)
			for i := range 3 {
				m := s.vectors(6)
				for j := range m {
					VMOVUPS(Mem{Base: tmp, Disp: (6*i + j) * s.bytes()}, m[j])
				}
				out := s.kernelTransform(c, m)
				VMOVUPS(out[0], Mem{Base: p, Disp: h})
				VMOVUPS(out[1], Mem{Base: p, Index: tap, Scale: 1, Disp: h})
				VMOVUPS(out[2], Mem{Base: p, Index: tap, Scale: 2, Disp: h})
				if i < 2 {
					ADDQ(threeTaps, p)
				}
			}
		}
		ADDQ(Mem{Base: args, Disp: 32}, from)
		ADDQ(Mem{Base: args, Disp: 40}, to)
	})
	VZEROUPPER()
	RET()
}

// addTo emits dst[i] += src[i] for blocks of 16.
func addTo(s isa) {
	TEXT("addTo"+s.name, NOSPLIT, "func(dst, src *float32, blocks int)")
	Pragma("noescape")
	Doc("addTo" + s.name + " sets dst[i] += src[i] for i < 16·blocks.")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	blocks := Load(Param("blocks"), GP64()).(GPVirtual)
	loop("block", blocks, func() {
		for _, h := range s.halves() {
			v := s.vector()
			VMOVUPS(Mem{Base: dst, Disp: h}, v)
			VADDPS(Mem{Base: src, Disp: h}, v, v)
			VMOVUPS(v, Mem{Base: dst, Disp: h})
		}
		ADDQ(U32(64), dst)
		ADDQ(U32(64), src)
	})
	VZEROUPPER()
	RET()
}

// transpose emits the transposition of 16x16 numbers, as four of 8x8.
func transpose(k kind) {
	avx2 := sets[0]
	name := "transpose" + k.suffix + avx2.name
	TEXT(name, NOSPLIT, "func(dst *float32, src *byte, stride int)")
	Pragma("noescape")
	Doc(name + " sets dst[j][i] = src[i][j] for 16x16 numbers; rows of src are stride bytes apart.")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64()).(GPVirtual)
	three := times3(stride)
	next := GP64()
	LEAQ(Mem{Base: src, Index: stride, Scale: 8}, next)
	for bi, from := range []Register{src, next} {
		for bj := range 2 {
			lower := GP64()
			LEAQ(Mem{Base: from, Index: stride, Scale: 4}, lower)
			v := make([]VecVirtual, 8)
			for i := range v {
				v[i] = YMM()
				base := Register(from)
				if i >= 4 {
					base = lower
				}
				avx2.load(k, multiples(base, stride, three, nil)[i%4], 32*bj, v[i])
			}
			for j, row := range transpose8(v) {
				VMOVUPS(row, Mem{Base: dst, Disp: 64*(8*bj+j) + 32*bi})
			}
		}
	}
	VZEROUPPER()
	RET()
}

// transpose8 returns the columns of eight rows of eight.
func transpose8(v []VecVirtual) []VecVirtual {
	pairs := make([]VecVirtual, 8)
	for i := 0; i < 8; i += 2 {
		lo, hi := YMM(), YMM()
		VUNPCKLPS(v[i+1], v[i], lo)
		VUNPCKHPS(v[i+1], v[i], hi)
		pairs[i], pairs[i+1] = lo, hi
	}
	quads := make([]VecVirtual, 8) // quads[4h+c]: column c of rows 4h..4h+3, in both 128-bit lanes
	for h := range 2 {
		for c := range 4 {
			q := YMM()
			lo, hi := pairs[4*h+c/2], pairs[4*h+2+c/2]
			VSHUFPS(U8(0x44+0xAA*(c%2)), hi, lo, q)
			quads[4*h+c] = q
		}
	}
	out := make([]VecVirtual, 8)
	for c := range 4 {
		out[c], out[c+4] = YMM(), YMM()
		VPERM2F128(U8(0x20), quads[4+c], quads[c], out[c])
		VPERM2F128(U8(0x31), quads[4+c], quads[c], out[c+4])
	}
	return out
}
