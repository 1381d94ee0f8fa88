// Command asm writes the assembly of package winograd for amd64.
//
// Run `go generate` in the package's directory after a change. The micro-kernels
// exist once per instruction set, AVX2 with FMA and AVX-512, from the same code:
// isa holds what differs. Every function works on full tiles and full vectors of
// 16 channels; Go cuts the edges.
package main

import (
	"go/token"
	"go/types"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elements is the number of points of a transformed 6x6 tile.
const elements = 36

// isa is an instruction set.
type isa struct {
	name   string
	lanes  int // float32s in a register
	vector func() VecVirtual
}

var sets = []isa{
	{"AVX2", 8, YMM},
	{"AVX512", 16, ZMM},
}

// bytes returns the size of a register.
func (s isa) bytes() int { return 4 * s.lanes }

// halves lists the byte offsets at which registers cover 16 channels.
func (s isa) halves() []int {
	if s.lanes == 16 {
		return []int{0}
	}
	return []int{0, 32}
}

func (s isa) vectors(n int) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = s.vector()
	}
	return v
}

// constants broadcasts numbers that the whole function keeps in registers.
func (s isa) constants(values ...float64) []VecVirtual {
	v := s.vectors(len(values))
	for i, x := range values {
		VBROADCASTSS(constant(x), v[i])
	}
	return v
}

var constantOf = map[uint32]Mem{}

// constant returns the address of a float32 in read-only data.
func constant(x float64) Mem {
	bits := math.Float32bits(float32(x))
	m, ok := constantOf[bits]
	if !ok {
		m = ConstData("c"+hex(bits), U32(bits))
		constantOf[bits] = m
	}
	return m
}

func hex(x uint32) string {
	const digits = "0123456789abcdef"
	var b [8]byte
	for i := range b {
		b[7-i] = digits[x>>(4*i)&15]
	}
	return string(b[:])
}

// taking starts a function whose one argument points at a struct of package
// winograd. avo resolves types by evaluating source, here outside any package,
// so the struct's name is made known to the universe; its fields are not needed.
func taking(name, structName string) {
	if types.Universe.Lookup(structName) == nil {
		t := types.NewTypeName(token.NoPos, nil, structName, nil)
		types.NewNamed(t, types.NewStruct(nil, nil), nil)
		types.Universe.Insert(t)
	}
	TEXT(name, NOSPLIT, "func(args *"+structName+")")
	Pragma("noescape")
}

// field loads a 64-bit field of the argument struct.
func field(args Register, offset int) GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: args, Disp: offset}, r)
	return r
}

// loop runs body for a counter that goes from n down to 1, not at all for n < 1.
func loop(label string, n GPVirtual, body func()) {
	TESTQ(n, n)
	JLE(LabelRef(label + "End"))
	Label(label)
	body()
	DECQ(n)
	JNZ(LabelRef(label))
	Label(label + "End")
}

func main() {
	ConstraintExpr("amd64,!purego")
	for _, s := range sets {
		products(s)
		for _, k := range kinds {
			inputStrip(s, k)
			outputTiles(s, k, nil)
			gradTiles(s, k)
			weights(s, k)
			splitStrip(s, k)
			pairStrip(s, k)
			pairOutput(s, k, nil)
			pairGrad(s, k)
			splitWeights(s, k)
		}
		for i := range endings {
			outputTiles(s, kinds[0], &endings[i])
			pairOutput(s, kinds[0], &endings[i])
		}
		kernelOut(s)
		splitKernelOut(s)
		addTo(s)
	}
	fetchPixels()
	for _, k := range kinds {
		transpose(k)
	}
	Generate()
}
