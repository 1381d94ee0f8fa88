package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// ForwardBF16 is [ForwardF32] on bfloat16 values in their 16 bits; sums are
// float32, rounded to nearest even at the end. Processors with AVX512_BF16
// treat subnormal values as zero; others compute in float32,
// where Winograd's algorithm serves too.
func ForwardBF16(p *par.Pool, s Shape, y, x, w []uint16, scratch []byte) {
	check(s, Forward, p, true, len(x), len(w), len(y), len(scratch))
	rowsBF16(p, s, Forward, y[:s.sizeY()], x[:s.sizeX()], w[:s.sizeW()], scratch)
}

// InputGradBF16 is [InputGradF32] on bfloat16 values, with the remarks of
// [ForwardBF16].
func InputGradBF16(p *par.Pool, s Shape, dx, dy, w []uint16, scratch []byte) {
	check(s, InputGrad, p, true, len(dx), len(w), len(dy), len(scratch))
	rowsBF16(p, s, InputGrad, dx[:s.sizeX()], dy[:s.sizeY()], w[:s.sizeW()], scratch)
}

func rowsBF16(p *par.Pool, s Shape, f Form, out, in, w []uint16, scratch []byte) {
	mem := newLayout(scratch)
	if tile.HasBF16(isa.Current()) {
		direct(p, s, f, true, first(out), first(in), first(w), &mem)
		return
	}
	inF, wF := widened(p, in, &mem), widened(p, w, &mem)
	outF := floats(&mem, len(out))
	float32s(p, s, f, outF, inF, wF, mem)
	pieces(p, len(out), func(lo, hi int) { tile.Narrow(isa.Current(), out[lo:hi], outF[lo:hi]) })
}

// KernelGradBF16 is [KernelGradF32] on bfloat16 values; dw is float32.
func KernelGradBF16(p *par.Pool, s Shape, dw []float32, x, dy []uint16, scratch []byte) {
	check(s, KernelGrad, p, true, len(x), len(dw), len(dy), len(scratch))
	mem := newLayout(scratch)
	if tile.HasBF16(isa.Current()) {
		direct(p, s, KernelGrad, true, first(dw), first(x), first(dy), &mem)
		return
	}
	xF, yF := widened(p, x[:s.sizeX()], &mem), widened(p, dy[:s.sizeY()], &mem)
	float32s(p, s, KernelGrad, dw, xF, yF, mem)
}

// floats returns scratch memory for n values.
func floats(mem *layout, n int) []float32 {
	return unsafe.Slice((*float32)(mem.bytes(4*n)), n)
}

// widened returns a float32 copy of v.
func widened(p *par.Pool, v []uint16, mem *layout) []float32 {
	f := floats(mem, len(v))
	pieces(p, len(v), func(lo, hi int) { tile.Widen(isa.Current(), f[lo:hi], v[lo:hi]) })
	return f
}

// pieces runs body over [0, n) in parts.
func pieces(p *par.Pool, n int, body func(lo, hi int)) {
	const size = 1 << 14
	p.For((n+size-1)/size, func(part, _ int) { body(part*size, min(n, (part+1)*size)) })
}
