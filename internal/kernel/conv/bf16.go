package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/winograd"
)

// ForwardBF16 is [ForwardF32] on bfloat16 values in their 16 bits; sums are
// float32, rounded to nearest even at the end. Direct products on processors with
// AVX512_BF16 treat subnormal values as zero; everything else computes in float32.
func ForwardBF16(p *par.Pool, s Shape, y, x, w []uint16, scratch []byte) {
	check(s, Forward, p, true, len(x), len(w), len(y), len(scratch))
	if ws, _, ok := byWinograd(s, Forward, true); ok && !winogradOff.Load() {
		mem := newLayout(scratch)
		winograd.ForwardBF16(p, ws, y, x, w, mem.rest())
		return
	}
	directRows(p, s, Forward, y[:s.sizeY()], x[:s.sizeX()], w[:s.sizeW()], scratch)
}

// InputGradBF16 is [InputGradF32] on bfloat16 values, with the remarks of
// [ForwardBF16].
func InputGradBF16(p *par.Pool, s Shape, dx, dy, w []uint16, scratch []byte) {
	check(s, InputGrad, p, true, len(dx), len(w), len(dy), len(scratch))
	if ws, _, ok := byWinograd(s, InputGrad, true); ok && !winogradOff.Load() {
		mem := newLayout(scratch)
		winograd.InputGradBF16(p, ws, dx, dy, w, mem.rest())
		return
	}
	directRows(p, s, InputGrad, dx[:s.sizeX()], dy[:s.sizeY()], w[:s.sizeW()], scratch)
}

func directRows(p *par.Pool, s Shape, f Form, out, in, w []uint16, scratch []byte) {
	mem := newLayout(scratch)
	if tile.HasBF16(isa.Current()) {
		direct(p, s, f, true, first(out), first(in), first(w), &mem)
		return
	}
	inF, wF := widened(p, in, &mem), widened(p, w, &mem)
	outF := floats(&mem, len(out))
	direct(p, s, f, false, first(outF), first(inF), first(wF), &mem)
	pieces(p, len(out), func(lo, hi int) { tile.Narrow(isa.Current(), out[lo:hi], outF[lo:hi]) })
}

// KernelGradBF16 is [KernelGradF32] on bfloat16 values; dw is float32.
func KernelGradBF16(p *par.Pool, s Shape, dw []float32, x, dy []uint16, scratch []byte) {
	check(s, KernelGrad, p, true, len(x), len(dw), len(dy), len(scratch))
	mem := newLayout(scratch)
	if ws, _, ok := byWinograd(s, KernelGrad, true); ok && !winogradOff.Load() {
		winograd.KernelGradBF16(p, ws, dw, x, dy, mem.rest())
		return
	}
	if tile.HasBF16(isa.Current()) {
		direct(p, s, KernelGrad, true, first(dw), first(x), first(dy), &mem)
		return
	}
	xF, yF := widened(p, x[:s.sizeX()], &mem), widened(p, dy[:s.sizeY()], &mem)
	direct(p, s, KernelGrad, false, first(dw), first(xF), first(yF), &mem)
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
