package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

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

// Offsets of the fields of stripArgs, after nine addresses of rows.
const (
	stripStrip = 72 + 8*iota
	stripFirst
	stripCols
	stripColStride
	stripBlocks
	stripV
	stripBlockStride
	stripStride
	stripTiles
	stripOffset
	stripPlace
	stripAhead
)

// prefetchedTiles is how many tiles ahead the pixels of an image are fetched into the
// cache: memory takes longer than a tile.
const prefetchedTiles = 4

// inputStrip emits the transform of a run of tiles of one tile row. Each column
// of the run is transformed once, into the strip, although tiles overlap by two.
func inputStrip(s isa, k kind) {
	taking("inputStrip"+k.suffix+s.name, "stripArgs")
	Doc("inputStrip" + k.suffix + s.name + " sets v = BᵀdB for a run of tiles, 16 channels at a time.")
	args := Load(Param("args"), GP64())
	c := s.inputConstants()
	blocks := field(args, stripBlocks)
	source := GP64() // bytes from the first channel
	XORQ(source, source)
	v := field(args, stripV)

	loop("block", blocks, func() {
		var row [6]GPVirtual
		for i := range row {
			row[i] = field(args, 8*i)
			ADDQ(source, row[i])
		}
		strip := field(args, stripStrip)
		ADDQ(Mem{Base: args, Disp: stripFirst}, strip)
		cols := field(args, stripCols)
		x, ahead := GP64(), field(args, stripAhead)
		XORQ(x, x)
		loop("column", cols, func() {
			for i := 2; i < 6; i++ { // what the next row of tiles reads and this one does not
				PREFETCHT1(Mem{Base: row[i], Index: ahead, Scale: 1})
			}
			ADDQ(Mem{Base: args, Disp: stripColStride}, ahead)
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
			ADDQ(Mem{Base: args, Disp: stripColStride}, x)
		})
		MOVQ(Mem{Base: args, Disp: stripStrip}, strip)
		stride := field(args, stripStride)
		three, five := times3(stride), times5(stride)
		offset := field(args, stripOffset)
		tiles := field(args, stripTiles)
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
		ADDQ(Mem{Base: args, Disp: stripBlockStride}, v)
	})
	VZEROUPPER()
	RET()
}

// ending is what an inverse transform does to the pixels before it stores them.
type ending struct {
	suffix string
	add    bool // what is stored there already
}

var endings = []ending{{"Set", false}, {"Add", true}}

// doc returns the documentation of a function that does so after what is said first.
func (f *ending) doc(first string) []string {
	switch {
	case f == nil:
		return []string{first + "."}
	case f.add:
		return []string{first + ",", "with the bias and what is there added, but to no less than the floor."}
	}
	return []string{first + ",", "with the bias added, but to no less than the floor."}
}

// storeFinished finishes v and stores it. A NaN stays one: VMAXPS returns its second
// operand, which Go writes first, if one is.
func (s isa) storeFinished(f *ending, args Register, k kind, v VecVirtual, m Mem, h int) {
	if f != nil {
		bias, floor := GP64(), s.vector()
		MOVQ(Mem{Base: args, Disp: 64}, bias)
		VADDPS(Mem{Base: bias, Disp: h}, v, v)
		if f.add {
			VADDPS(m.Offset(h), v, v)
		}
		VBROADCASTSS(Mem{Base: args, Disp: 72}, floor)
		VMAXPS(v, floor, v)
	}
	s.store(k, v, m, h)
}

// outputName returns a function's name.
func outputName(name string, s isa, k kind, f *ending) string {
	if f != nil {
		name += f.suffix
	}
	return name + k.suffix + s.name
}

// outputTiles emits the inverse transform of tiles, 16 channels of each; f may be nil.
func outputTiles(s isa, k kind, f *ending) {
	name := outputName("outputTiles", s, k, f)
	taking(name, "tileArgs")
	Doc(f.doc(name + " sets the 4x4 pixels of each tile to AᵀmA, 16 channels")...)
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
		ADDQ(Mem{Base: offset, Disp: 16*prefetchedTiles + 8}, next)
		// The lines of a tile must be in the cache before they can be written.
		for i := range 4 {
			for _, at := range multiples(next, colStride, three, nil) {
				PREFETCHT0(at)
			}
			if i < 3 {
				ADDQ(rowStride, next)
			}
		}
		if s.lanes == 16 {
			s.outputInRegisters(f, args, k, c, from, to, rowStride, multiples(to, colStride, three, nil))
		} else {
			s.outputThroughMemory(f, args, k, c, tmp, from, to, rowStride, colStride, three)
		}
		ADDQ(U32(16), offset)
	})
	VZEROUPPER()
	RET()
}

// outputThroughMemory transforms the columns of m to tmp and the rows of that to y.
func (s isa) outputThroughMemory(f *ending, args Register, k kind, c []VecVirtual, tmp, from, to, rowStride, colStride, three GPVirtual) {
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
				s.storeFinished(f, args, k, out[j], at, h)
			}
			if i < 3 {
				ADDQ(rowStride, p)
			}
		}
	}
}

// outputInRegisters does the same with 32 registers: it transforms the columns in
// pairs of points of either sign, whose sums and differences are all that the rows need.
func (s isa) outputInRegisters(f *ending, args Register, k kind, c []VecVirtual, from, to, rowStride GPVirtual, at []Mem) {
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
		s.storeFinished(f, args, k, first[i], rebase(at[0], p), 0)
		VMULPS(aa, sumA[i], sumA[i])
		VFMADD231PS(bb, sumB[i], sumA[i])
		s.storeFinished(f, args, k, sumA[i], rebase(at[2], p), 0)
		if i < 3 {
			ADDQ(rowStride, p)
		}
	}
	last = column(5)
	MOVQ(to, p)
	for i := range 4 {
		VFMADD231PS(aaa, difA[i], last[i])
		VFMADD231PS(bbb, difB[i], last[i])
		s.storeFinished(f, args, k, last[i], rebase(at[3], p), 0)
		VMULPS(a, difA[i], difA[i])
		VFMADD231PS(b, difB[i], difA[i])
		s.storeFinished(f, args, k, difA[i], rebase(at[1], p), 0)
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
		ADDQ(Mem{Base: offset, Disp: 16*prefetchedTiles + 8}, next)
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

// prefetchTaps asks for the taps of the row of a kernel eight rows on.
func prefetchTaps(from, fromRow, tap, threeTaps GPVirtual) {
	p := GP64()
	LEAQ(Mem{Base: from, Index: fromRow, Scale: 8}, p)
	for j := range 3 {
		PREFETCHT0(Mem{Base: p})
		PREFETCHT0(Mem{Base: p, Index: threeTaps, Scale: 1})
		PREFETCHT0(Mem{Base: p, Index: threeTaps, Scale: 2})
		if j < 2 {
			ADDQ(tap, p)
		}
	}
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
	fromRow := field(args, 32)
	loop("row", rows, func() {
		prefetchTaps(from, fromRow, tap, threeTaps)
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
		ADDQ(fromRow, from)
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

// fetchPixels emits prefetches of a tile's pixels to the second-level cache.
func fetchPixels() {
	TEXT("fetchPixelsAVX2", NOSPLIT, "func(pixels *byte, rowStride, colStride, lines int)")
	Pragma("noescape")
	Doc("fetchPixelsAVX2 asks for lines of 64 bytes of each of 4x4 pixels.")
	pixels := Load(Param("pixels"), GP64())
	rowStride, colStride := Load(Param("rowStride"), GP64()), Load(Param("colStride"), GP64())
	lines := Load(Param("lines"), GP64()).(GPVirtual)
	three := times3(colStride)
	loop("line", lines, func() {
		row := GP64()
		MOVQ(pixels, row)
		for i := range 4 {
			for _, at := range multiples(row, colStride, three, nil) {
				PREFETCHT1(at)
			}
			if i < 3 {
				ADDQ(rowStride, row)
			}
		}
		ADDQ(U32(64), pixels)
	})
	RET()
}
