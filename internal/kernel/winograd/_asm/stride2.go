package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A tile of a stride-2 convolution has nine pixels a side: the five that the outer
// taps read and the four between them, which the middle tap reads.
const side = 9

var pairs, singles = []int{0, 2, 4, 6, 8}, []int{1, 3, 5, 7}

// columns emits a loop over the columns of a strip, which transforms certain rows of
// each to values of the strip from first on; a column of the strip is size values.
func (s isa) columns(k kind, label string, args, source Register, rows []int, first, size int, transform func(d []VecVirtual) []VecVirtual) {
	row := make([]GPVirtual, len(rows))
	for i, r := range rows {
		row[i] = field(args, 8*r)
		ADDQ(source, row[i])
	}
	strip := field(args, stripStrip)
	ADDQ(Mem{Base: args, Disp: stripFirst}, strip)
	cols := field(args, stripCols)
	x, ahead := GP64(), field(args, stripAhead)
	XORQ(x, x)
	loop(label, cols, func() {
		for i := range row { // the next row of tiles
			PREFETCHT1(Mem{Base: row[i], Index: ahead, Scale: 1})
		}
		ADDQ(Mem{Base: args, Disp: stripColStride}, ahead)
		for _, h := range s.halves() {
			d := s.vectors(len(row))
			for i := range d {
				s.load(k, Mem{Base: row[i], Index: x, Scale: 1}, h, d[i])
			}
			for i, o := range transform(d) {
				VMOVUPS(o, Mem{Base: strip, Disp: 64*(first+i) + h})
			}
		}
		ADDQ(U32(64*size), strip)
		ADDQ(Mem{Base: args, Disp: stripColStride}, x)
	})
}

// column loads the values of certain columns of a tile in a strip.
func (s isa) column(strip Register, columns []int, size, h int) []VecVirtual {
	d := s.vectors(len(columns))
	for j, col := range columns {
		VMOVUPS(Mem{Base: strip, Disp: 64*size*col + h}, d[j])
	}
	return d
}

// splitStrip emits the transform of a run of tiles that a stride-2 convolution reads.
func splitStrip(s isa, k kind) {
	taking("splitStrip"+k.suffix+s.name, "stripArgs")
	Doc("splitStrip"+k.suffix+s.name+" transforms the 9x9 pixels of each of a run of tiles to 81 values,",
		"16 channels at a time.")
	args := Load(Param("args"), GP64())
	c := s.pairInputConstants()
	pair := func(d []VecVirtual) []VecVirtual { return s.pairInput(c, d) }
	single := func(d []VecVirtual) []VecVirtual { return s.singleInput(c, d) }
	blocks := field(args, stripBlocks)
	source := GP64() // bytes from the first channel
	XORQ(source, source)
	v := field(args, stripV)
	loop("block", blocks, func() {
		s.columns(k, "pairs", args, source, pairs, 0, side, pair)
		s.columns(k, "singles", args, source, singles, len(pairs), side, single)
		strip, offset, tiles := field(args, stripStrip), field(args, stripOffset), field(args, stripTiles)
		loop("tile", tiles, func() {
			to, place, rows, at := GP64(), field(args, stripPlace), GP64(), GP64()
			MOVQ(Mem{Base: offset}, to)
			ADDQ(v, to)
			MOVQ(U32(side), rows)
			Label("row")
			for _, h := range s.halves() {
				put := func(from int, values []VecVirtual) {
					for j, o := range values {
						MOVQ(Mem{Base: place, Disp: 8 * (from + j)}, at)
						VMOVUPS(o, Mem{Base: to, Index: at, Scale: 1, Disp: h})
					}
				}
				put(0, pair(s.column(strip, pairs, side, h))) // first: AVX2 has no room for both
				put(len(pairs), single(s.column(strip, singles, side, h)))
			}
			ADDQ(U32(64), strip)
			ADDQ(U32(8*side), place)
			DECQ(rows)
			JNZ(LabelRef("row"))
			ADDQ(U32(64*side*(side-1)-64*side), strip)
			ADDQ(U32(8), offset)
		})
		ADDQ(U32(16*k.size), source)
		ADDQ(Mem{Base: args, Disp: stripBlockStride}, v)
	})
	VZEROUPPER()
	RET()
}

// pairStrip emits the transform of a run of tiles of a stride-2 output's gradient.
func pairStrip(s isa, k kind) {
	taking("pairStrip"+k.suffix+s.name, "stripArgs")
	Doc("pairStrip"+k.suffix+s.name+" transforms the 5x5 pixels of each of a run of tiles to 25 values,",
		"16 channels at a time.")
	args := Load(Param("args"), GP64())
	c := s.pairInputConstants()
	pair := func(d []VecVirtual) []VecVirtual { return s.pairInput(c, d) }
	blocks := field(args, stripBlocks)
	source := GP64()
	XORQ(source, source)
	v := field(args, stripV)
	all := []int{0, 1, 2, 3, 4}
	loop("block", blocks, func() {
		s.columns(k, "column", args, source, all, 0, 5, pair)
		strip, offset, tiles := field(args, stripStrip), field(args, stripOffset), field(args, stripTiles)
		stride := field(args, stripStride)
		three, five := times3(stride), times5(stride)
		loop("tile", tiles, func() {
			to := GP64()
			MOVQ(Mem{Base: offset}, to)
			ADDQ(v, to)
			for i := range 5 {
				for _, h := range s.halves() {
					out := pair(s.column(strip, all, 5, 64*i+h))
					for j, o := range out {
						VMOVUPS(o, multiples(to, stride, three, five)[j].Offset(h))
					}
				}
				if i < 4 {
					ADDQ(five, to)
				}
			}
			ADDQ(U32(4*5*64), strip)
			ADDQ(U32(8), offset)
		})
		ADDQ(U32(16*k.size), source)
		ADDQ(Mem{Base: args, Disp: stripBlockStride}, v)
	})
	VZEROUPPER()
	RET()
}

// pairOutput emits the inverse transform of tiles of 25 values, 16 channels of each; f may be nil.
func pairOutput(s isa, k kind, f *ending) {
	name := outputName("pairOutput", s, k, f)
	taking(name, "tileArgs")
	Doc(f.doc(name + " transforms 25 values of each tile to its 4x4 pixels, 16 channels")...)
	args := Load(Param("args"), GP64())
	c := s.pairOutputConstants()
	tmp := field(args, 0)
	offset, tiles := field(args, 24), field(args, 32)
	rowStride, colStride := field(args, 40), field(args, 48)
	three := times3(colStride)
	loop("tile", tiles, func() {
		from, to, next := field(args, 8), field(args, 16), field(args, 16)
		ADDQ(Mem{Base: offset}, from)
		ADDQ(Mem{Base: offset, Disp: 8}, to)
		ADDQ(Mem{Base: offset, Disp: 16*prefetchedTiles + 8}, next)
		for i := range 4 { // as in outputTiles
			for _, at := range multiples(next, colStride, three, nil) {
				PREFETCHT0(at)
			}
			if i < 3 {
				ADDQ(rowStride, next)
			}
		}
		for _, h := range s.halves() {
			var columns [5][]VecVirtual // with 32 registers, tmp is not needed
			for j := range 5 {
				m := s.vectors(5)
				for i := range m {
					VMOVUPS(Mem{Base: from, Disp: (5*i+j)*128 + h}, m[i])
				}
				columns[j] = s.pairOutput(c, m)
				if s.lanes < 16 {
					for i, o := range columns[j] {
						VMOVUPS(o, Mem{Base: tmp, Disp: (5*i + j) * s.bytes()})
					}
				}
			}
			p := GP64()
			MOVQ(to, p)
			for i := range 4 {
				m := s.vectors(5)
				for j := range m {
					if s.lanes == 16 {
						m[j] = columns[j][i]
					} else {
						VMOVUPS(Mem{Base: tmp, Disp: (5*i + j) * s.bytes()}, m[j])
					}
				}
				out := s.pairOutput(c, m)
				for j, at := range multiples(p, colStride, three, nil) {
					s.storeFinished(f, args, k, out[j], at, h)
				}
				if i < 3 {
					ADDQ(rowStride, p)
				}
			}
		}
		ADDQ(U32(16), offset)
	})
	VZEROUPPER()
	RET()
}

// pairGrad emits the transform of a stride-2 output's gradient for the kernel's.
func pairGrad(s isa, k kind) {
	taking("pairGrad"+k.suffix+s.name, "tileArgs")
	Doc("pairGrad" + k.suffix + s.name + " transforms the 4x4 pixels of each tile to 25 values, 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.pairGradConstants()
	tmp := field(args, 0)
	offset, tiles := field(args, 24), field(args, 32)
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
				for i, o := range s.pairGrad(c, y) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (4*i + j) * s.bytes()})
				}
			}
			for i := range 5 {
				y := s.vectors(4)
				for j := range y {
					VMOVUPS(Mem{Base: tmp, Disp: (4*i + j) * s.bytes()}, y[j])
				}
				out := s.pairGrad(c, y)
				for j, o := range out {
					VMOVUPS(o, multiples(to, stride, three, five)[j].Offset(h))
				}
				if i < 4 {
					ADDQ(five, to)
				}
			}
		}
		ADDQ(U32(16), offset)
	})
	VZEROUPPER()
	RET()
}

// splitWeights emits the transform of kernel rows of a stride-2 convolution.
func splitWeights(s isa, k kind) {
	taking("splitWeights"+k.suffix+s.name, "weightArgs")
	Doc("splitWeights" + k.suffix + s.name + " transforms 3x3 taps to 81 values for rows of 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.splitWeightConstants()
	tmp := field(args, 0)
	from, to := field(args, 8), field(args, 16)
	rows := field(args, 24)
	tap := field(args, 48)
	threeTaps := times3(tap)
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
				for i, o := range s.splitWeights(c, w) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (3*i + j) * s.bytes()})
				}
				if j < 2 {
					ADDQ(tap, p)
				}
			}
			place, at := field(args, 64), GP64()
			for i := range side {
				w := s.vectors(3)
				for j := range w {
					VMOVUPS(Mem{Base: tmp, Disp: (3*i + j) * s.bytes()}, w[j])
				}
				for j, o := range s.splitWeights(c, w) {
					MOVQ(Mem{Base: place, Disp: 8 * (side*i + j)}, at)
					VMOVUPS(o, Mem{Base: to, Index: at, Scale: 1, Disp: h})
				}
			}
		}
		ADDQ(fromRow, from)
		ADDQ(Mem{Base: args, Disp: 40}, to)
	})
	VZEROUPPER()
	RET()
}

// splitKernelOut emits the inverse transform of a stride-2 kernel's gradient.
func splitKernelOut(s isa) {
	taking("splitKernelOut"+s.name, "weightArgs")
	Doc("splitKernelOut" + s.name + " transforms 81 values to 3x3 taps for rows of 16 channels.")
	args := Load(Param("args"), GP64())
	c := s.splitWeightConstants()
	tmp := field(args, 0)
	from, to := field(args, 8), field(args, 16)
	rows := field(args, 24)
	tap, stride := field(args, 48), field(args, 56)
	threeTaps := times3(tap)
	nine := GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 8}, nine)
	three, five := times3(nine), times5(nine)
	loop("row", rows, func() {
		for _, h := range s.halves() {
			p, upper := GP64(), GP64()
			MOVQ(from, p)
			for j := range side {
				m := s.vectors(side)
				LEAQ(Mem{Base: p, Index: five, Scale: 1}, upper)
				for i := range m {
					at := multiples(p, nine, three, nil)
					switch {
					case i < 4:
						VMOVUPS(at[i].Offset(h), m[i])
					case i == 4:
						VMOVUPS(Mem{Base: p, Index: nine, Scale: 4, Disp: h}, m[i])
					default:
						VMOVUPS(multiples(upper, nine, three, nil)[i-5].Offset(h), m[i])
					}
				}
				for i, o := range s.splitTaps(c, m) {
					VMOVUPS(o, Mem{Base: tmp, Disp: (side*i + j) * s.bytes()})
				}
				if j < side-1 {
					ADDQ(stride, p)
				}
			}
			MOVQ(to, p)
			for i := range 3 {
				m := s.vectors(side)
				for j := range m {
					VMOVUPS(Mem{Base: tmp, Disp: (side*i + j) * s.bytes()}, m[j])
				}
				out := s.splitTaps(c, m)
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
