package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// column describes a kernel of package reduce that adds to one or two sums per column
// what the rows of one or more arrays give.
type column struct {
	name    string
	sums    []string
	kept    string   // array of rows that the kernel writes, or ""
	streams []string // arrays of rows that it reads
	vector  string   // one value per column, or ""
	group   int      // rows at a time
	// add adds the rows to the sums: rows[i] holds the streams of row i.
	add func(s simd, sums []Register, rows [][]Register, vector Register, keep func(row int, v Register))
}

// tree adds in pairs, into the first element.
func tree(rs []Register) Register {
	for h := 1; h < len(rs); h *= 2 {
		for i := 0; i+h < len(rs); i += 2 * h {
			VADDPS(rs[i+h], rs[i], rs[i])
		}
	}
	return rs[0]
}

// products adds Σ a[i]·b[i] to sum, the products first.
func products(s simd, sum Register, a, b []Register) {
	if len(a) == 1 {
		VFMADD231PS(a[0], b[0], sum)
		return
	}
	q := s.op2(VMULPS, a[0], b[0])
	for i := 1; i < len(a); i++ {
		VFMADD231PS(a[i], b[i], q)
	}
	VADDPS(q, sum, sum)
}

// gradient adds Σ dy and Σ dy·(x−mean), for streams dy, x and, if masked, y.
func gradient(masked bool) func(simd, []Register, [][]Register, Register, func(int, Register)) {
	return func(s simd, sums []Register, rows [][]Register, mean Register, keep func(int, Register)) {
		var dy, x []Register
		for i, in := range rows {
			g := in[0]
			if masked {
				g = s.keep(s.compare(nleU, in[2], s.constant(0)), g)
				keep(i, g)
			}
			VSUBPS(mean, in[1], in[1])
			dy, x = append(dy, g), append(x, in[1])
		}
		products(s, sums[1], dy, x)
		VADDPS(tree(dy), sums[0], sums[0])
	}
}

func columnKernels(s simd) {
	for _, k := range []column{
		{name: "colSum", sums: []string{"s"}, streams: []string{"x"}, group: 8,
			add: func(s simd, sums []Register, rows [][]Register, _ Register, _ func(int, Register)) {
				var x []Register
				for _, in := range rows {
					x = append(x, in[0])
				}
				VADDPS(tree(x), sums[0], sums[0])
			}},
		{name: "colStats", sums: []string{"s1", "s2"}, streams: []string{"x"}, vector: "k", group: 8,
			add: func(s simd, sums []Register, rows [][]Register, k Register, _ func(int, Register)) {
				var d []Register
				for _, in := range rows {
					VSUBPS(k, in[0], in[0])
					d = append(d, in[0])
				}
				products(s, sums[1], d, d)
				VADDPS(tree(d), sums[0], sums[0])
			}},
		{name: "colGrad", sums: []string{"s1", "s2"}, streams: []string{"dy", "x"}, vector: "mean", group: 4, add: gradient(false)},
		{name: "colGradReLU", sums: []string{"s1", "s2"}, streams: []string{"dy", "x", "y"}, vector: "mean", group: 4, add: gradient(true)},
		{name: "colGradReLUKeep", sums: []string{"s1", "s2"}, kept: "kept", streams: []string{"dy", "x", "y"}, vector: "mean", group: 4, add: gradient(true)},
	} {
		columnKernel(s, k)
	}
}

func columnKernel(s simd, k column) {
	arrays := append([]string{}, k.streams...)
	if k.kept != "" {
		arrays = append([]string{k.kept}, arrays...)
	}
	params := append(append([]string{}, k.sums...), arrays...)
	perColumn := append([]string{}, k.sums...)
	if k.vector != "" {
		params, perColumn = append(params, k.vector), append(perColumn, k.vector)
	}
	TEXT(k.name+s.name, NOSPLIT, fmt.Sprintf("func(%s *float32, c int, rows int, stride int)", strings.Join(params, ", ")))
	Pragma("noescape")
	pointers := map[string]GPVirtual{}
	for _, p := range params {
		pointers[p] = Load(Param(p), GP64()).(GPVirtual)
	}
	c := Load(Param("c"), GP64()).(GPVirtual)
	rows := Load(Param("rows"), GP64())
	stride := Load(Param("stride"), GP64())
	stride3, col := GP64(), GP64()
	SHLQ(U8(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)

	block := func(label string, group int) {
		var later map[string]GPVirtual // the arrays four rows on
		step := func(part Register) {
			load := func(p string) Register {
				return s.fetch(f32, Mem{Base: pointers[p], Index: col, Scale: 4}, part)
			}
			at := func(p string, row int) Mem {
				base := pointers[p]
				if row >= 4 {
					base, row = later[p], row-4
				}
				switch row {
				case 0:
					return Mem{Base: base}
				case 3:
					return Mem{Base: base, Index: stride3, Scale: 1}
				}
				return Mem{Base: base, Index: stride, Scale: uint8(row)}
			}
			var sums []Register
			for _, p := range k.sums {
				sums = append(sums, load(p))
			}
			var vector Register
			if k.vector != "" {
				vector = load(k.vector)
			}
			in := make([][]Register, group)
			for row := range in {
				for _, p := range k.streams {
					in[row] = append(in[row], s.fetch(f32, at(p, row), part))
				}
			}
			k.add(s, sums, in, vector, func(row int, v Register) {
				if k.kept != "" {
					s.store(f32, v, at(k.kept, row), part)
				}
			})
			for i, p := range k.sums {
				s.store(f32, sums[i], Mem{Base: pointers[p], Index: col, Scale: 4}, part)
			}
		}
		advance := func(by func(p GPVirtual)) {
			for _, p := range arrays {
				by(pointers[p])
				if later != nil {
					by(later[p])
				}
			}
		}
		if group == 8 {
			later = map[string]GPVirtual{}
			for _, p := range arrays {
				later[p] = GP64()
				LEAQ(Mem{Base: pointers[p], Index: stride, Scale: 4}, later[p])
			}
		}
		JMP(LabelRef(label + "_test"))
		Label(label)
		end := GP64()
		XORQ(col, col)
		MOVQ(c, end)
		ANDQ(I32(-s.w), end)
		JE(LabelRef(label + "_part"))
		Label(label + "_cols")
		step(nil)
		advance(func(p GPVirtual) { ADDQ(I32(4*s.w), p) })
		ADDQ(I32(s.w), col)
		CMPQ(col, end)
		JLT(LabelRef(label + "_cols"))
		Label(label + "_part")
		rem := GP64()
		MOVQ(c, rem)
		SUBQ(col, rem)
		JE(LabelRef(label + "_next"))
		step(s.partMask(rem))
		advance(func(p GPVirtual) { LEAQ(Mem{Base: p, Index: rem, Scale: 4}, p) })
		Label(label + "_next")
		jump := GP64() // from the end of the group's first row to the next group
		MOVQ(c, jump)
		SHLQ(U8(2), jump)
		NEGQ(jump)
		switch group {
		case 1:
			ADDQ(stride, jump)
		default:
			LEAQ(Mem{Base: jump, Index: stride, Scale: uint8(group)}, jump)
		}
		advance(func(p GPVirtual) { ADDQ(jump, p) })
		SUBQ(I32(group), rows)
		Label(label + "_test")
		CMPQ(rows, I32(group))
		JGE(LabelRef(label))
	}
	block("group", k.group)
	block("one", 1)
	VZEROUPPER()
	RET()
}
