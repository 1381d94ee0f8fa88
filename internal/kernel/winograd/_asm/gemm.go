package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// products emits the tile products of an instruction set: for the convolution
// (rows are tiles, the sum runs over channels) and for the kernel gradient (rows
// are input channels, the sum runs over tiles).
func products(s isa) {
	if s.lanes == 16 {
		for _, rows := range []int{12, 8} {
			for _, cols := range []int{32, 16} {
				product(s, rows, cols, 12)
			}
		}
		laneProduct(s)
		gradProduct(s, 8, 32)
		gradProduct(s, 16, 16)
		return
	}
	for _, rows := range []int{6, 4} {
		product(s, rows, 16, 6)
		gradProduct(s, rows, 16)
	}
}

// product emits c[r][n] (+)= Σ_k a[k/16][r][k%16]·b[k][n], k < 16·blocks, where
// consecutive blocks of a are panel rows apart. The C tile stays in registers.
func product(s isa, rows, cols, panel int) {
	name := fmt.Sprintf("product%dx%d%s", rows, cols, s.name)
	TEXT(name, NOSPLIT, "func(blocks int, a, b, c *float32, accumulate bool, next *float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s sets c[r][n] = Σ_k a[k/16][r][k%%16]·b[k][n] for r < %d, n < %d and", name, rows, cols),
		fmt.Sprintf("k < 16·blocks, on top of c if accumulate; a is [blocks][%d][16], b is", panel),
		fmt.Sprintf("[16·blocks][%d], a row of c is 36·32 floats. It prefetches what follows a, and", cols),
		"from next on one cache line for two values of k.")
	blocks := Load(Param("blocks"), GP64()).(GPVirtual)
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	c := Load(Param("c"), GP64())
	next := Load(Param("next"), GP64())
	ahead := GP64()
	IMUL3Q(U32(64*panel), blocks, ahead)
	ADDQ(a, ahead)
	rowStride := elements * 32 * 4
	acc := s.accumulators(rows, cols)
	initialise(s, acc, c, rowStride)

	loop("block", blocks, func() {
		four := GP64()
		MOVQ(U32(4), four)
		Label("four")
		for k := range 4 {
			if k%2 == 0 {
				PREFETCHT0(Mem{Base: next, Disp: 64 * (k / 2)})
			}
			if 4*k < panel { // a block of a is panel lines, for 16 values of k
				PREFETCHT0(Mem{Base: ahead, Disp: 64 * k})
			}
			step(s, acc, Mem{Base: b, Disp: k * cols * 4}, func(r int) Mem { return Mem{Base: a, Disp: 64*r + 4*k} })
		}
		ADDQ(U32(128), next)
		ADDQ(U32(16*panel), ahead)
		ADDQ(U32(4*cols*4), b)
		ADDQ(U32(16), a)
		DECQ(four)
		JNZ(LabelRef("four"))
		ADDQ(U32(64*panel-64), a)
	})
	finish(s, acc, c, rowStride)
}

// laneProduct emits the product of 16 channels by 16, for any number of tiles: b is held
// in registers, four rows of c are summed at a time.
func laneProduct(s isa) {
	const rows = 4
	TEXT("laneProduct"+s.name, NOSPLIT, "func(tiles int, a, b, c *float32)")
	Pragma("noescape")
	Doc("laneProduct"+s.name+" sets c[r][n] = Σ_k a[r][k]·b[k][n] for n < 16, k < 16 and r < tiles, which is a",
		"multiple of 4 above 0; a row of c is 36·32 floats.")
	tiles := Load(Param("tiles"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	c := Load(Param("c"), GP64())
	w := s.vectors(16)
	for k := range w {
		VMOVUPS(Mem{Base: b, Disp: 64 * k}, w[k])
	}
	Label("rows")
	acc := s.vectors(rows)
	for r := range acc {
		VMULPS_BCST(Mem{Base: a, Disp: 64 * r}, w[0], acc[r])
	}
	for k := 1; k < 16; k++ {
		for r := range acc {
			VFMADD231PS_BCST(Mem{Base: a, Disp: 64*r + 4*k}, w[k], acc[r])
		}
	}
	for r := range acc {
		VMOVUPS(acc[r], Mem{Base: c, Disp: elements * 32 * 4 * r})
	}
	ADDQ(U32(64*rows), a)
	ADDQ(U32(elements*32*4*rows), c)
	SUBQ(U32(rows), tiles)
	JNZ(LabelRef("rows"))
	VZEROUPPER()
	RET()
}

// gradProduct emits c[r][n] (+)= Σ_t a[t][r]·b[t][n]; a row of a is 16 floats.
func gradProduct(s isa, rows, cols int) {
	name := fmt.Sprintf("gradProduct%dx%d%s", rows, cols, s.name)
	TEXT(name, NOSPLIT, "func(n int, a, b, c *float32, accumulate bool, next *float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s sets c[r][k] = Σ_t a[t][r]·b[t][k] for r < %d, k < %d and t < n, on", name, rows, cols),
		fmt.Sprintf("top of c if accumulate; a is [n][16], b is [n][%d], c is [%d][%d]; n is even.", cols, rows, cols),
		"It prefetches the tile after c, and from next on one cache line for two values of t.")
	n := Load(Param("n"), GP64()).(GPVirtual)
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	c := Load(Param("c"), GP64())
	next := Load(Param("next"), GP64())
	acc := s.accumulators(rows, cols)
	initialise(s, acc, c, cols*4)
	for line := 0; line < rows*cols*4; line += 64 {
		PREFETCHT0(Mem{Base: c, Disp: rows*cols*4 + line})
	}
	SHRQ(U8(1), n)
	loop("tile", n, func() {
		PREFETCHT0(Mem{Base: next})
		ADDQ(U32(64), next)
		for t := range 2 {
			step(s, acc, Mem{Base: b, Disp: t * cols * 4}, func(r int) Mem { return Mem{Base: a, Disp: 64*t + 4*r} })
		}
		ADDQ(U32(2*cols*4), b)
		ADDQ(U32(128), a)
	})
	finish(s, acc, c, cols*4)
}

// accumulators returns the registers of a rows x cols tile.
func (s isa) accumulators(rows, cols int) [][]VecVirtual {
	acc := make([][]VecVirtual, rows)
	for r := range acc {
		acc[r] = s.vectors(cols / s.lanes)
	}
	return acc
}

// step adds the product of a column of a, whose rows at gives, and a row of b.
func step(s isa, acc [][]VecVirtual, b Mem, at func(row int) Mem) {
	row := s.vectors(len(acc[0]))
	for j := range row {
		VMOVUPS(b.Offset(j*s.bytes()), row[j])
	}
	for r := range acc {
		x := s.vector()
		VBROADCASTSS(at(r), x)
		for j := range row {
			VFMADD231PS(row[j], x, acc[r][j])
		}
	}
}

// initialise loads the tile from c if accumulate is set and zeroes it otherwise.
func initialise(s isa, acc [][]VecVirtual, c Register, stride int) {
	flag := Load(Param("accumulate"), GP8())
	TESTB(flag, flag)
	JNZ(LabelRef("load"))
	for r := range acc {
		for _, v := range acc[r] {
			if s.lanes == 16 {
				VPXORD(v, v, v)
			} else {
				VXORPS(v, v, v)
			}
		}
	}
	JMP(LabelRef("start"))
	Label("load")
	for r := range acc {
		for j, v := range acc[r] {
			VMOVUPS(Mem{Base: c, Disp: r*stride + j*s.bytes()}, v)
		}
	}
	Label("start")
}

// finish stores the tile.
func finish(s isa, acc [][]VecVirtual, c Register, stride int) {
	for r := range acc {
		for j, v := range acc[r] {
			VMOVUPS(v, Mem{Base: c, Disp: r*stride + j*s.bytes()})
		}
	}
	VZEROUPPER()
	RET()
}
