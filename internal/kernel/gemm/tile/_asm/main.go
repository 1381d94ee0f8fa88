// Command asm generates the assembly of package tile and its Go stubs:
//
//	go run . ASSEMBLY STUBS
package main

import (
	"log"
	"os"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// x is the context that every instruction of this generator goes to.
var x = build.NewContext()

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: asm ASSEMBLY STUBS")
	}
	x.ConstraintExpr("amd64,!purego")
	maskTable()
	for _, v := range []vector{avx2, avx512, avx512bf16} {
		for _, n := range []int{2, 1} {
			rows(v, n, stored)
			cols(v, n)
		}
	}
	for _, n := range []int{2, 1} {
		rows(avx512bf16, n, rounded)
		rows(avx2, n, finished)
		rows(avx512, n, finished)
	}
	moves()
	for _, v := range []vector{avx2, avx512, avx512bf16} {
		peak(v)
	}

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
	cfg := printer.Config{Name: "tile/_asm", Argv: []string{"asm"}, Pkg: "tile"}
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

// Neither avo nor Go's assembler knows the instructions of AVX512_BF16. They
// are written as a known instruction with the same operands, and replaced by
// their bytes once registers are assigned.

// dot adds the products of the pairs of rm and v to acc: VDPBF16PS acc, v, rm.
func dot(rm, v, acc operand.Op) { x.VFMADD231PD(rm, v, acc) }

// roundPairs rounds 16 float32 to bfloat16: VCVTNEPS2BF16 to, from.
func roundPairs(from, to operand.Op) { x.VCVTQQ2PS(from, to) }

func encode(f *ir.Function) {
	var nodes []ir.Node
	replaced := false
	for _, n := range f.Nodes {
		in, ok := n.(*ir.Instruction)
		if !ok {
			nodes = append(nodes, n)
			continue
		}
		var b []byte
		switch in.Opcode {
		case "VFMADD231PD":
			b = evex(id(in.Operands[2]), id(in.Operands[1]), id(in.Operands[0]), 0x52)
		case "VCVTQQ2PS":
			b = evex(id(in.Operands[1]), 0, id(in.Operands[0]), 0x72)
		default:
			nodes = append(nodes, n)
			continue
		}
		replaced = true
		nodes = append(nodes,
			&ir.Instruction{Opcode: "LONG", Operands: []operand.Op{
				operand.U32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)}},
			&ir.Instruction{Opcode: "WORD", Operands: []operand.Op{operand.U16(uint16(b[4]) | uint16(b[5])<<8)}})
	}
	f.Nodes = nodes
	if replaced {
		f.ISA = append(f.ISA, "AVX512_BF16")
	}
}

// evex encodes op reg, v, rm on 512-bit registers: map 0F38, prefix F3, W 0.
func evex(r, v, rm int, op byte) []byte {
	inverted := func(x, bit int) byte { return 1 - byte(x>>bit)&1 }
	p0 := inverted(r, 3)<<7 | inverted(rm, 4)<<6 | inverted(rm, 3)<<5 | inverted(r, 4)<<4 | 2
	p1 := byte(^v&15)<<3 | 4 | 2
	p2 := byte(2<<5) | inverted(v, 4)<<3
	return []byte{0x62, p0, p1, p2, op, 0xC0 | byte(r&7)<<3 | byte(rm&7)}
}

func id(op operand.Op) int { return int(op.(reg.Physical).PhysicalIndex()) }
