package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// columnKernels are the row kernels of package reduce: they add to one or two sums per
// column what the rows of one or more arrays give.
func columnKernels() []kernel {
	sums := func(names ...string) (ps []param) {
		for _, n := range names {
			ps = append(ps, param{name: n, kind: vector, in: true, out: true})
		}
		return ps
	}
	// gradient adds dy and dy·(x−mean)
	gradient := func(s simd, s1, s2, dy, x, mean Register) {
		d := s.op2(VSUBPS, x, mean)
		VFMADD231PS(dy, d, s2)
		VADDPS(dy, s1, s1)
	}
	positive := func(s simd, y, dy Register) Register {
		return s.keep(s.compare(nleU, y, s.zero()), dy)
	}
	return []kernel{
		{name: "colSum", params: join(sums("s"), input("x")), body: func(s simd, in []Register) []Register {
			VADDPS(in[1], in[0], in[0])
			return in[:1]
		}},
		{name: "colStats", params: join(sums("s1", "s2"), input("x"), vectors("k")), body: func(s simd, in []Register) []Register {
			d := s.op2(VSUBPS, in[2], in[3])
			VADDPS(d, in[0], in[0])
			VFMADD231PS(d, d, in[1])
			return in[:2]
		}},
		{name: "colGrad", params: join(sums("s1", "s2"), input("dy", "x"), vectors("mean")),
			body: func(s simd, in []Register) []Register {
				gradient(s, in[0], in[1], in[2], in[3], in[4])
				return in[:2]
			}},
		{name: "colGradReLU", params: join(sums("s1", "s2"), input("dy", "x", "y"), vectors("mean")),
			body: func(s simd, in []Register) []Register {
				gradient(s, in[0], in[1], positive(s, in[4], in[2]), in[3], in[5])
				return in[:2]
			}},
		{name: "colGradReLUKeep", params: join(sums("s1", "s2"), output("kept", f32), input("dy", "x", "y"), vectors("mean")),
			body: func(s simd, in []Register) []Register {
				dy := positive(s, in[4], in[2])
				gradient(s, in[0], in[1], dy, in[3], in[5])
				return []Register{in[0], in[1], dy}
			}},
		{name: "colGradAddReLUKeep", params: join(sums("s1", "s2"), output("kept", f32), input("dy", "dz", "x", "y"), vectors("mean")),
			body: func(s simd, in []Register) []Register {
				dy := positive(s, in[5], s.op2(VADDPS, in[2], in[3]))
				gradient(s, in[0], in[1], dy, in[4], in[6])
				return []Register{in[0], in[1], dy}
			}},
		{name: "colGradAffineReLU", params: join(sums("s1", "s2"), input("dy", "x"), vectors("mean", "a", "b")),
			body: func(s simd, in []Register) []Register {
				gradient(s, in[0], in[1], positive(s, s.affine(in[3], in[5], in[6]), in[2]), in[3], in[4])
				return in[:2]
			}},
	}
}
