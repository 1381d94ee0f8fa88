package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// stripKernel writes a loop over groups of rows, within them over strips of four vectors
// of columns, and within those over the rows. So the sums of a strip stay in registers,
// which in memory would be a chain of stores and loads from row to row, and on AVX-512 its
// vectors too, while what a group reads stays near to the order of memory.
func stripKernel(s simd, k kernel) {
	TEXT(k.name+s.name, NOSPLIT, signature(k, "rows int, c int, stride int, group int"))
	Pragma("noescape")
	b := &strips{simd: s, kernel: k, size: sizes[k.arrays()], pointers: map[string]Register{}}
	for _, p := range k.params {
		b.pointers[p.name] = Load(Param(p.name), GP64())
	}
	rows, left, skip := argument("rows"), GP64(), GP64()
	b.stride = Load(Param("stride"), GP64())
	SHLQ(U8(b.size/2), b.stride) // by 2 for four bytes, 1 for two
	b.c, b.col, b.at, b.group, b.row = argument("c"), GP64(), GP64(), GP64(), GP64()
	MOVQ(rows, left)
	TESTQ(left, left)
	JLE(LabelRef("done"))
	Label("group")
	MOVQ(argument("group"), b.group)
	CMPQ(left, b.group)
	CMOVQLT(left, b.group)
	XORQ(b.col, b.col)
	b.loop("strip", 4, nil)
	b.loop("single", 1, nil)
	if s.wide || k.arrays() == f32 { // else c is a multiple of the vector
		rem := GP64()
		MOVQ(b.c, rem)
		SUBQ(b.col, rem)
		JE(LabelRef("next"))
		b.strip("part", 1, s.partMask(rem))
		Label("next")
	}
	MOVQ(b.group, skip)
	IMULQ(b.stride, skip)
	for _, p := range k.params {
		if p.kind != vector {
			ADDQ(skip, b.pointers[p.name])
		}
	}
	SUBQ(b.group, left)
	JNE(LabelRef("group"))
	Label("done")
	VZEROUPPER()
	RET()
}

// argument returns where a parameter lies.
func argument(name string) Mem {
	a, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return a.Addr
}

type strips struct {
	simd
	kernel
	size     int // of an element of the arrays
	pointers map[string]Register
	stride   Register // in bytes
	c        Mem
	col      GPVirtual // first column of the strip
	at       GPVirtual // bytes from the group's first element to the one at hand
	group    GPVirtual // rows of the group
	row      GPVirtual // rows of it that are left
}

// loop runs strips of whole vectors while there are columns for one.
func (b *strips) loop(label string, vectors int, part Register) {
	JMP(LabelRef(label + "_test"))
	Label(label)
	b.strip(label, vectors, part)
	ADDQ(I32(vectors*b.w), b.col)
	Label(label + "_test")
	next := GP64()
	LEAQ(Mem{Base: b.col, Disp: vectors * b.w}, next)
	CMPQ(next, b.c)
	JLE(LabelRef(label))
}

// strip adds the rows of a group to the sums of some vectors of columns, from col on.
func (b *strips) strip(label string, vectors int, part Register) {
	column := func(p param, i int) Mem {
		return Mem{Base: b.pointers[p.name], Index: b.col, Scale: 4, Disp: 4 * i * b.w}
	}
	kept := make([]map[string]Register, vectors) // what stays in registers
	for i := range kept {
		kept[i] = map[string]Register{}
		for _, p := range b.params {
			if p.kind == vector && (p.out || b.wide) {
				kept[i][p.name] = b.fetch(f32, column(p, i), part)
			}
		}
	}
	MOVQ(b.col, b.at)
	SHLQ(U8(b.size/2), b.at)
	MOVQ(b.group, b.row)
	Label(label + "_row")
	for i := range vectors {
		element := func(p param) Mem {
			return Mem{Base: b.pointers[p.name], Index: b.at, Scale: 1, Disp: b.size * i * b.w}
		}
		var in []Register
		for _, p := range b.params {
			switch r, ok := kept[i][p.name]; {
			case ok:
				in = append(in, r)
			case p.kind == vector:
				in = append(in, b.fetch(f32, column(p, i), part))
			case p.in:
				in = append(in, b.fetch(p.kind, element(p), part))
			}
		}
		out := b.body(b.simd, in)
		for _, p := range b.params {
			switch {
			case p.out && p.kind == vector: // added to in place
				out = out[1:]
			case p.out:
				b.store(p.kind, out[0], element(p), part)
				out = out[1:]
			}
		}
	}
	ADDQ(b.stride, b.at)
	DECQ(b.row)
	JNE(LabelRef(label + "_row"))
	for i := range vectors {
		for _, p := range b.params {
			if p.out && p.kind == vector {
				b.store(f32, kept[i][p.name], column(p, i), part)
			}
		}
	}
}
