// Command _asm generates the vector code of package pixel:
//
//	go run . -out ../pixel_amd64.s -stubs ../pixel_stubs_amd64.go -pkg pixel
//
// All kernels are AVX2 with FMA. They see whole blocks only; the Go side checks
// lengths and finishes the ends with the reference.
package main

import (
	"math"
	"strconv"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

//go:generate go run . -out ../pixel_amd64.s -stubs ../pixel_stubs_amd64.go -pkg pixel

func main() {
	ConstraintExpr("amd64,!purego")
	ycbcr()
	upsample()
	idct()
	rows()
	columns()
	weighted()
	affine()
	solarize()
	normalize()
	sumGray()
	blendGray()
	hue()
	Generate()
}

// begin starts a kernel: its Go signature and what it does.
func begin(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

// end leaves a kernel; without VZEROUPPER later SSE code would be slow.
func end() {
	VZEROUPPER()
	RET()
}

// f32 is a constant for broadcasting; i32 and bytes likewise.
func f32(v float32) Mem {
	name := "f32_" + strings.NewReplacer("-", "m", ".", "_", "+", "p").Replace(strconv.FormatFloat(float64(v), 'g', -1, 32))
	return global(name, func() { DATA(0, U32(math.Float32bits(v))) })
}

func i32(v int32) Mem {
	return global("i32_"+strings.Replace(strconv.Itoa(int(v)), "-", "m", 1), func() { DATA(0, I32(v)) })
}

var globals = map[string]Mem{}

func global(name string, fill func()) Mem {
	if m, ok := globals[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	fill()
	globals[name] = m
	return m
}

// table32 is a constant of dwords, table8 one of bytes.
func table32(name string, v ...uint32) Mem {
	return global(name, func() {
		for i, x := range v {
			DATA(4*i, U32(x))
		}
	})
}

func table8(name string, v ...byte) Mem {
	return global(name, func() {
		for i, x := range v {
			DATA(i, U8(x))
		}
	})
}

// broadcastF and broadcastI fill a register with a constant.
func broadcastF(v float32) VecVirtual {
	y := YMM()
	VBROADCASTSS(f32(v), y)
	return y
}

func broadcastI(v int32) VecVirtual {
	y := YMM()
	VPBROADCASTD(i32(v), y)
	return y
}

// param loads a float32 argument into all lanes.
func param(name string) VecVirtual {
	x, y := XMM(), YMM()
	Load(Param(name), x)
	VBROADCASTSS(x, y)
	return y
}

func zero() VecVirtual {
	y := YMM()
	VPXOR(y, y, y)
	return y
}

// unit clips y to [0,1]; NaN becomes 0, since MAXPS gives its second source then.
func unit(y, zero, one VecVirtual) {
	VMAXPS(zero, y, y)
	VMINPS(one, y, y)
}

// loop runs body while n, counted down by step, has at least step left.
func loop(label string, n Register, step int, body func()) {
	Label(label)
	CMPQ(n, I32(int32(step)))
	JL(LabelRef(label + "_end"))
	body()
	SUBQ(I32(int32(step)), n)
	JMP(LabelRef(label))
	Label(label + "_end")
}
