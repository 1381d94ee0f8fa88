// Command asm generates the assembly of package peak and its Go stubs:
//
//	go run . ASSEMBLY STUBS
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// x is the context that every instruction of this generator goes to.
var x = build.NewContext()

// vectors of an instruction set.
type vectors struct {
	name  string
	bytes int
}

var (
	avx2   = vectors{"AVX2", 32}
	avx512 = vectors{"AVX512", 64}
)

func (v vectors) alloc() reg.VecVirtual {
	if v.bytes == 32 {
		return x.YMM()
	}
	return x.ZMM()
}

func (v vectors) zero(r reg.VecVirtual) {
	if v.bytes == 32 {
		x.VXORPS(r, r, r)
	} else {
		x.VPXORD(r, r, r)
	}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: asm ASSEMBLY STUBS")
	}
	x.ConstraintExpr("amd64,!purego")
	for _, v := range []vectors{avx2, avx512} {
		multiplyAdd("multiplyAdd"+v.name, v, func(a, b, acc operand.Op) { x.VFMADD231PS(a, b, acc) })
		load(v)
		store(v, false)
		store(v, true)
		move(v, false)
		move(v, true)
	}
	multiplyAdd("dotPairsAVX512BF16", avx512, dot)

	file, err := x.Result()
	if err != nil {
		build.LogError(log.Default(), err, 0)
		os.Exit(1)
	}
	if err := pass.Compile.Execute(file); err != nil {
		log.Fatal(err)
	}
	for _, f := range file.Functions() {
		encode(f)
	}
	cfg := printer.Config{Name: "peak/_asm", Argv: []string{"asm"}, Pkg: "peak"}
	for i, p := range []printer.Printer{printer.NewGoAsm(cfg), printer.NewStubs(cfg)} {
		text, err := p.Print(file)
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(os.Args[i+1], text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func function(name, signature string, doc ...string) {
	x.Function(name)
	x.Attributes(attr.NOSPLIT)
	x.Pragma("noescape")
	x.SignatureExpr(signature)
	x.Doc(doc...)
}

// loop writes body until count, which body lowers by step, is 0.
func loop(name string, count reg.GPVirtual, step int, body func()) {
	x.Label(name + "_loop")
	body()
	if step == 1 {
		x.DECQ(count)
	} else {
		x.SUBQ(operand.U32(step), count)
	}
	x.JNE(operand.LabelRef(name + "_loop"))
	x.VZEROUPPER()
	x.RET()
}

// multiplyAdd writes a loop of 12 multiply-adds that do not depend on each other: more
// than any processor has in flight (two units, five cycles at most).
func multiplyAdd(name string, v vectors, op func(a, b, acc operand.Op)) {
	function(name, "func(n int)", name+" does 12 independent multiply-adds of a register, n > 0 times.")
	count := x.GP64()
	x.Load(x.Param("n"), count)
	a, b := v.alloc(), v.alloc()
	v.zero(a)
	v.zero(b)
	var acc []reg.VecVirtual
	for range 12 {
		r := v.alloc()
		v.zero(r)
		acc = append(acc, r)
	}
	loop(name, count, 1, func() {
		for _, r := range acc {
			op(a, b, r)
		}
	})
}

// unrolled is how many registers a turn of the memory loops moves.
const unrolled = 8

func load(v vectors) {
	name := "load" + v.name
	function(name, "func(p *byte, n int)", fmt.Sprintf("%s reads n > 0 bytes, a multiple of %d.", name, unrolled*v.bytes))
	p, count := x.GP64(), x.GP64()
	x.Load(x.Param("p"), p)
	x.Load(x.Param("n"), count)
	var acc []reg.VecVirtual
	for range unrolled {
		r := v.alloc()
		v.zero(r)
		acc = append(acc, r)
	}
	loop(name, count, unrolled*v.bytes, func() {
		for i, r := range acc {
			x.VADDPS(operand.Mem{Base: p, Disp: i * v.bytes}, r, r)
		}
		x.ADDQ(operand.U32(unrolled*v.bytes), p)
	})
}

// put stores a register, past the caches if stream.
func put(stream bool, r reg.VecVirtual, m operand.Mem) {
	if stream {
		x.VMOVNTDQ(r, m)
		return
	}
	x.VMOVUPS(r, m)
}

// past says in a comment where a store goes.
func past(stream bool) string {
	if stream {
		return ", past the caches; p is aligned"
	}
	return ""
}

func store(v vectors, stream bool) {
	name := "store" + v.name
	if stream {
		name = "streamStore" + v.name
	}
	function(name, "func(p *byte, n int)", fmt.Sprintf("%s writes n > 0 bytes, a multiple of %d%s.", name, unrolled*v.bytes, past(stream)))
	p, count, r := x.GP64(), x.GP64(), v.alloc()
	x.Load(x.Param("p"), p)
	x.Load(x.Param("n"), count)
	v.zero(r)
	loop(name, count, unrolled*v.bytes, func() {
		for i := range unrolled {
			put(stream, r, operand.Mem{Base: p, Disp: i * v.bytes})
		}
		x.ADDQ(operand.U32(unrolled*v.bytes), p)
	})
}

func move(v vectors, stream bool) {
	name := "move" + v.name
	if stream {
		name = "streamMove" + v.name
	}
	function(name, "func(p, q *byte, n int)", fmt.Sprintf("%s copies n > 0 bytes, a multiple of %d, from q to p%s.", name, unrolled*v.bytes, past(stream)))
	p, q, count := x.GP64(), x.GP64(), x.GP64()
	x.Load(x.Param("p"), p)
	x.Load(x.Param("q"), q)
	x.Load(x.Param("n"), count)
	loop(name, count, unrolled*v.bytes, func() {
		var regs []reg.VecVirtual
		for i := range unrolled {
			r := v.alloc()
			x.VMOVUPS(operand.Mem{Base: q, Disp: i * v.bytes}, r)
			regs = append(regs, r)
		}
		for i, r := range regs {
			put(stream, r, operand.Mem{Base: p, Disp: i * v.bytes})
		}
		x.ADDQ(operand.U32(unrolled*v.bytes), p)
		x.ADDQ(operand.U32(unrolled*v.bytes), q)
	})
}

// dot stands for VDPBF16PS, which neither avo nor Go's assembler knows: encode replaces
// it by its bytes once registers are assigned.
func dot(a, b, acc operand.Op) { x.VFMADD231PD(a, b, acc) }

// encode writes VDPBF16PS acc, b, a for every stand-in: EVEX, map 0F38, prefix F3, W 0,
// 512 bits, opcode 52.
func encode(f *ir.Function) {
	inverted := func(x, bit int) byte { return 1 - byte(x>>bit)&1 }
	id := func(op operand.Op) int { return int(op.(reg.Physical).PhysicalIndex()) }
	var nodes []ir.Node
	for _, n := range f.Nodes {
		in, ok := n.(*ir.Instruction)
		if !ok || in.Opcode != "VFMADD231PD" {
			nodes = append(nodes, n)
			continue
		}
		a, b, acc := id(in.Operands[0]), id(in.Operands[1]), id(in.Operands[2])
		p0 := inverted(acc, 3)<<7 | inverted(a, 4)<<6 | inverted(a, 3)<<5 | inverted(acc, 4)<<4 | 2
		p1 := byte(^b&15)<<3 | 4 | 2
		p2 := byte(2<<5) | inverted(b, 4)<<3
		last := 0xC0 | byte(acc&7)<<3 | byte(a&7)
		nodes = append(nodes,
			&ir.Instruction{Opcode: "LONG", Operands: []operand.Op{operand.U32(0x62 | uint32(p0)<<8 | uint32(p1)<<16 | uint32(p2)<<24)}},
			&ir.Instruction{Opcode: "WORD", Operands: []operand.Op{operand.U16(0x52 | uint16(last)<<8)}})
	}
	f.Nodes = nodes
}
