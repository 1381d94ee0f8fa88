package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func vectors(names ...string) (ps []param) {
	for _, n := range names {
		ps = append(ps, param{name: n, kind: vector, in: true})
	}
	return ps
}

func rowKernels() []kernel {
	dst := output("dst", f32)
	relu := func(s simd, r Register) []Register {
		return one(s.keep(s.compare(nleU, r, s.constant(0)), r))
	}
	affine := func(s simd, x, a, b Register) VecVirtual {
		r := s.reg()
		VMOVAPS(b, r)
		VFMADD231PS(x, a, r)
		return r
	}
	grad := func(s simd, dy, x, a, b, d Register) []Register {
		r := s.reg()
		VMOVAPS(d, r)
		VFMADD231PS(x, b, r)
		VFMADD231PS(dy, a, r)
		return one(r)
	}
	return []kernel{
		{name: "addRows", rows: true, params: join(dst, input("x"), vectors("v")),
			body: func(s simd, in []Register) []Register { return one(s.op2(VADDPS, in[0], in[1])) }},
		{name: "mulRows", rows: true, params: join(dst, input("x"), vectors("v")),
			body: func(s simd, in []Register) []Register { return one(s.op2(VMULPS, in[0], in[1])) }},
		{name: "affineRows", rows: true, params: join(dst, input("x"), vectors("a", "b")),
			body: func(s simd, in []Register) []Register { return one(affine(s, in[0], in[1], in[2])) }},
		{name: "affineReLURows", rows: true, params: join(dst, input("x"), vectors("a", "b")),
			body: func(s simd, in []Register) []Register { return relu(s, affine(s, in[0], in[1], in[2])) }},
		{name: "affineAddRows", rows: true, params: join(dst, input("x", "res"), vectors("a", "b")),
			body: func(s simd, in []Register) []Register {
				return one(s.op2(VADDPS, affine(s, in[0], in[2], in[3]), in[1]))
			}},
		{name: "affineAddReLURows", rows: true, params: join(dst, input("x", "res"), vectors("a", "b")),
			body: func(s simd, in []Register) []Register {
				return relu(s, s.op2(VADDPS, affine(s, in[0], in[2], in[3]), in[1]))
			}},
		{name: "gradRows", rows: true, params: join(dst, input("dy", "x"), vectors("a", "b", "d")),
			body: func(s simd, in []Register) []Register { return grad(s, in[0], in[1], in[2], in[3], in[4]) }},
		{name: "gradReLURows", rows: true, params: join(dst, input("dy", "x", "y"), vectors("a", "b", "d")),
			body: func(s simd, in []Register) []Register {
				dy := s.keep(s.compare(nleU, in[2], s.constant(0)), in[0])
				return grad(s, dy, in[1], in[3], in[4], in[5])
			}},
	}
}

// rowKernel writes a loop over rows of c columns, four rows at a time, so that a vector
// of the columns is loaded once for the four.
func rowKernel(s simd, k kernel) {
	TEXT(k.name+s.name, NOSPLIT, signature(k, "rows int, c int"))
	Pragma("noescape")
	pointers := map[string]Register{}
	for _, p := range k.params {
		pointers[p.name] = Load(Param(p.name), GP64())
	}
	rows := Load(Param("rows"), GP64())
	c := Load(Param("c"), GP64()).(GPVirtual)
	stride, stride3 := GP64(), GP64()
	MOVQ(c, stride)
	SHLQ(U8(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)

	at := func(p string, row int) Mem {
		switch row {
		case 0:
			return Mem{Base: pointers[p]}
		case 3:
			return Mem{Base: pointers[p], Index: stride3, Scale: 1}
		}
		return Mem{Base: pointers[p], Index: stride, Scale: uint8(row)}
	}
	streams := func(f func(p param)) {
		for _, p := range k.params {
			if p.kind != vector {
				f(p)
			}
		}
	}
	step := func(group int, col GPVirtual, part Register) {
		shared := map[string]Register{}
		for _, p := range k.params {
			if p.kind == vector {
				shared[p.name] = s.fetch(f32, Mem{Base: pointers[p.name], Index: col, Scale: 4}, part)
			}
		}
		for row := range group {
			var in []Register
			for _, p := range k.params {
				if p.kind == vector {
					in = append(in, shared[p.name])
				} else if p.in {
					in = append(in, s.fetch(f32, at(p.name, row), part))
				}
			}
			s.store(f32, k.body(s, in)[0], at("dst", row), part)
		}
	}
	block := func(label string, group int) {
		JMP(LabelRef(label + "_test"))
		Label(label)
		col, end := GP64(), GP64()
		XORQ(col, col)
		MOVQ(c, end)
		ANDQ(I32(-s.w), end)
		JE(LabelRef(label + "_part"))
		Label(label + "_cols")
		step(group, col, nil)
		streams(func(p param) { ADDQ(I32(4*s.w), pointers[p.name]) })
		ADDQ(I32(s.w), col)
		CMPQ(col, end)
		JLT(LabelRef(label + "_cols"))
		Label(label + "_part")
		rem := GP64()
		MOVQ(c, rem)
		SUBQ(col, rem)
		JE(LabelRef(label + "_next"))
		step(group, col, s.partMask(rem))
		streams(func(p param) { LEAQ(Mem{Base: pointers[p.name], Index: rem, Scale: 4}, pointers[p.name]) })
		Label(label + "_next")
		if group > 1 { // the pointers are at the end of the first row
			streams(func(p param) { ADDQ(stride3, pointers[p.name]) })
		}
		SUBQ(I32(group), rows)
		Label(label + "_test")
		CMPQ(rows, I32(group))
		JGE(LabelRef(label))
	}
	block("four", 4)
	block("one", 1)
	VZEROUPPER()
	RET()
}
