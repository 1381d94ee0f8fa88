package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func input(names ...string) (ps []param) {
	for _, n := range names {
		ps = append(ps, param{name: n, kind: f32, in: true})
	}
	return ps
}

func scalars(names ...string) (ps []param) {
	for _, n := range names {
		ps = append(ps, param{name: n, kind: scalar})
	}
	return ps
}

func output(name string, k kind) []param { return []param{{name: name, kind: k, out: true}} }

func join(lists ...[]param) (ps []param) {
	for _, l := range lists {
		ps = append(ps, l...)
	}
	return ps
}

func one(r Register) []Register { return []Register{r} }

// extreme gives a where a pred b or a is NaN, else b: VMAXPS and VMINPS return the
// second operand if either is NaN, so only a NaN in a has to be put back.
func extreme(f func(...Op)) body {
	return func(s simd, in []Register) []Register {
		r := s.op2(f, in[0], in[1])
		nan := s.compare(unord, in[0], in[0])
		if s.wide {
			VMOVAPS(in[0], nan, r)
			return one(r)
		}
		return one(s.choose(nan, in[0], r))
	}
}

func same(_ simd, in []Register) []Register { return in }

func binaryKernels() (ks []kernel) {
	arithmetic := func(f func(...Op)) body {
		return func(s simd, in []Register) []Register { return one(s.op2(f, in[0], in[1])) }
	}
	for _, op := range []struct {
		name, title string
		b           body
		reversed    bool
	}{
		{"add", "", arithmetic(VADDPS), false},
		{"sub", "Sub", arithmetic(VSUBPS), true},
		{"mul", "", arithmetic(VMULPS), false},
		{"div", "Div", arithmetic(VDIVPS), true},
		{"max", "", extreme(VMAXPS), false},
		{"min", "", extreme(VMINPS), false},
	} {
		name := op.name
		if name == "max" || name == "min" {
			name += "imum" // not to hide the builtin
		}
		ks = append(ks,
			kernel{name: name, params: join(output("dst", f32), input("a", "b")), unroll: 4, body: op.b},
			kernel{name: op.name + "Scalar", params: join(output("dst", f32), input("a"), scalars("s")), unroll: 4, body: op.b})
		if op.reversed {
			ks = append(ks, kernel{name: "scalar" + op.title, params: join(output("dst", f32), scalars("s"), input("b")), unroll: 4, body: op.b})
		}
	}
	return ks
}

func compareKernels() (ks []kernel) {
	for _, op := range []struct {
		name string
		pred int
	}{{"eq", eqO}, {"ne", neU}, {"lt", ltO}, {"le", leO}, {"gt", gtO}, {"ge", geO}} {
		b := func(s simd, in []Register) []Register { return one(s.compare(op.pred, in[0], in[1])) }
		ks = append(ks,
			kernel{name: op.name, params: join(output("dst", boolean), input("a", "b")), unroll: 4, body: b},
			kernel{name: op.name + "Scalar", params: join(output("dst", boolean), input("a"), scalars("s")), unroll: 4, body: b})
	}
	return ks
}

func combineKernels() []kernel {
	cond := []param{{name: "cond", kind: boolean, in: true}}
	pick := func(s simd, in []Register) []Register { return one(s.choose(in[0], in[1], in[2])) }
	dst := output("dst", f32)
	updated := func(name string) []param { return []param{{name: name, kind: f32, in: true, out: true}} }
	return []kernel{
		{name: "selectVV", params: join(dst, cond, input("a", "b")), unroll: 4, body: pick},
		{name: "selectVS", params: join(dst, cond, input("a"), scalars("s")), unroll: 4, body: pick},
		{name: "selectSV", params: join(dst, cond, scalars("s"), input("b")), unroll: 4, body: pick},
		{name: "selectSS", params: join(dst, cond, scalars("s", "t")), unroll: 4, body: pick},
		{name: "reluGrad", params: join(dst, input("x", "dy")), unroll: 4, body: func(s simd, in []Register) []Register {
			return one(s.keep(s.compare(nleU, in[0], s.zero()), in[1]))
		}},
		{name: "mulAdd", params: join(dst, input("a", "b", "c")), unroll: 4, body: func(s simd, in []Register) []Register {
			VFMADD231PS(in[0], in[1], in[2])
			return one(in[2])
		}},
		{name: "takeEqual", params: join(updated("dst"), input("x", "y"), updated("rem")), unroll: 2,
			body: func(s simd, in []Register) []Register {
				equal := s.compare(eqU, in[1], in[2])
				sum := s.op2(VADDPS, in[0], in[3])
				return []Register{s.choose(equal, sum, in[0]), s.choose(equal, s.zero(), in[3])}
			}},
		{name: "toBF16", params: join(output("dst", bf16), input("src")), unroll: 4, body: same},
		{name: "fromBF16", params: join(dst, []param{{name: "src", kind: bf16, in: true}}), unroll: 4, body: same},
	}
}
