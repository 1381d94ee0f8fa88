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
		return one(s.keep(s.compare(nleU, r, s.zero()), r))
	}
	affine := simd.affine
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
				dy := s.keep(s.compare(nleU, in[2], s.zero()), in[0])
				return grad(s, dy, in[1], in[3], in[4], in[5])
			}},
		{name: "gradAffineReLURows", rows: true, params: join(dst, input("dy", "x"), vectors("a", "b", "d", "scale", "shift")),
			body: func(s simd, in []Register) []Register {
				dy := s.keep(s.compare(nleU, s.affine(in[1], in[5], in[6]), s.zero()), in[0])
				return grad(s, dy, in[1], in[2], in[3], in[4])
			}},
	}
}

// affine returns x·a + b.
func (s simd) affine(x, a, b Register) VecVirtual {
	r := s.reg()
	VMOVAPS(b, r)
	VFMADD231PS(x, a, r)
	return r
}

// rowKernel writes a loop over rows of c columns that are stride elements apart. Memory
// is read strictly in order: taking several rows at once would load the vectors of the
// columns less often, but halves the bandwidth of arrays that come from memory.
func rowKernel(s simd, k kernel) {
	TEXT(k.name+s.name, NOSPLIT, signature(k, "rows int, c int, stride int"))
	Pragma("noescape")
	pointers := map[string]Register{}
	for _, p := range k.params {
		pointers[p.name] = Load(Param(p.name), GP64())
	}
	rows := Load(Param("rows"), GP64())
	c := Load(Param("c"), GP64()).(GPVirtual)
	stride := Load(Param("stride"), GP64())
	size := sizes[k.arrays()]
	SHLQ(U8(size/2), stride) // by 2 for four bytes, 1 for two
	whole, unrolled, rem, col := GP64(), GP64(), GP64(), GP64()
	const vectors = 4
	MOVQ(c, unrolled)
	ANDQ(I32(-vectors*s.w), unrolled)
	MOVQ(c, whole)
	ANDQ(I32(-s.w), whole)
	var part Register
	parts := !k.stream && (s.wide || k.arrays() == f32) // else c is a multiple of the vector
	if parts {
		MOVQ(c, rem)
		SUBQ(whole, rem)
		part = s.partMask(rem)
	}

	step := func(i int, part Register) {
		at := func(p param) Mem {
			size := sizes[p.kind]
			return Mem{Base: pointers[p.name], Index: col, Scale: uint8(size), Disp: size * i * s.w}
		}
		var in []Register
		for _, p := range k.params {
			if p.in {
				in = append(in, s.fetch(p.kind, at(p), part))
			}
		}
		out := k.body(s, in)
		for _, p := range k.params {
			if p.out && k.stream {
				VMOVNTPS(out[0], at(p))
			} else if p.out {
				s.store(p.kind, out[0], at(p), part)
			}
			if p.out {
				out = out[1:]
			}
		}
	}
	TESTQ(rows, rows)
	JE(LabelRef("done"))
	Label("row")
	XORQ(col, col)
	CMPQ(col, unrolled)
	JE(LabelRef("single_test"))
	Label("unrolled")
	for i := range vectors {
		step(i, nil)
	}
	ADDQ(I32(vectors*s.w), col)
	CMPQ(col, unrolled)
	JLT(LabelRef("unrolled"))
	JMP(LabelRef("single_test"))
	Label("single")
	step(0, nil)
	ADDQ(I32(s.w), col)
	Label("single_test")
	CMPQ(col, whole)
	JLT(LabelRef("single"))
	if parts {
		TESTQ(rem, rem)
		JE(LabelRef("next"))
		step(0, part)
		Label("next")
	}
	for _, p := range k.params {
		if p.kind != vector {
			ADDQ(stride, pointers[p.name])
		}
	}
	DECQ(rows)
	JNE(LabelRef("row"))
	if k.stream {
		SFENCE() // the streamed lines are not ordered with what follows
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// arrays returns the kind of the arrays of rows, which is the same for all.
func (k kernel) arrays() kind {
	for _, p := range k.params {
		if p.kind == bf16 {
			return bf16
		}
	}
	return f32
}
