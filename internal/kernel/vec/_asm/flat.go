package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// body computes the outputs, in the order of the output parameters, from the inputs, in
// the order of the others (slices loaded, scalars and vectors broadcast or loaded).
type body func(s simd, in []Register) []Register

var sizes = map[kind]int{f32: 4, boolean: 1, bf16: 2, vector: 4}

func signature(k kernel, tail string) string {
	var args []string
	for _, p := range k.params {
		if p.kind == scalar {
			args = append(args, p.name+" float32")
		} else {
			args = append(args, p.name+" *"+p.elem())
		}
	}
	return fmt.Sprintf("func(%s, %s)", strings.Join(args, ", "), tail)
}

// flatKernel writes a loop over n elements: unrolled vectors, single vectors, and the
// rest under a mask.
func flatKernel(s simd, k kernel) {
	TEXT(k.name+s.name, NOSPLIT, signature(k, "n int"))
	Pragma("noescape")
	pointers := map[string]Register{}
	scalars := map[string]Register{}
	for _, p := range k.params {
		if p.kind == scalar {
			r := s.reg()
			addr, err := Param(p.name).Resolve()
			if err != nil {
				panic(err)
			}
			VBROADCASTSS(addr.Addr, r)
			scalars[p.name] = r
			continue
		}
		pointers[p.name] = Load(Param(p.name), GP64())
	}
	n := Load(Param("n"), GP64()).(GPVirtual)
	at, limit := GP64(), GP64()
	XORQ(at, at)

	step := func(vectors int, part Register) {
		inputs := make([][]Register, vectors)
		for u := range vectors {
			for _, p := range k.params {
				switch {
				case p.kind == scalar:
					inputs[u] = append(inputs[u], scalars[p.name])
				case p.in:
					size := sizes[p.kind]
					m := Mem{Base: pointers[p.name], Index: at, Scale: uint8(size), Disp: u * s.w * size}
					inputs[u] = append(inputs[u], s.fetch(p.kind, m, part))
				}
			}
		}
		for u := range vectors {
			out := k.body(s, inputs[u])
			for _, p := range k.params {
				if p.out {
					size := sizes[p.kind]
					m := Mem{Base: pointers[p.name], Index: at, Scale: uint8(size), Disp: u * s.w * size}
					s.store(p.kind, out[0], m, part)
					out = out[1:]
				}
			}
		}
	}
	loop := func(label string, vectors int) {
		MOVQ(n, limit)
		ANDQ(I32(-vectors*s.w), limit)
		JMP(LabelRef(label + "_test"))
		Label(label)
		step(vectors, nil)
		ADDQ(I32(vectors*s.w), at)
		Label(label + "_test")
		CMPQ(at, limit)
		JLT(LabelRef(label))
	}
	if k.unroll > 1 {
		loop("unrolled", k.unroll)
	}
	loop("single", 1)
	if s.wide || !k.bytesTail() {
		SUBQ(at, n)
		JE(LabelRef("done"))
		step(1, s.partMask(n))
		Label("done")
	}
	VZEROUPPER()
	RET()
}
