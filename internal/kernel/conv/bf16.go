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
	k := kindOf(true)
	if k == bf16 {
		direct(p, s, f, k, first(out), first(in), first(w), &mem)
		return
	}
	wF := unsafe.Slice((*float32)(mem.bytes(4*len(w))), len(w))
	const piece = 1 << 14
	p.For((len(w)+piece-1)/piece, func(part, _ int) {
		lo, hi := part*piece, min(len(w), (part+1)*piece)
		tile.Widen(isa.Current(), wF[lo:hi], w[lo:hi])
	})
	direct(p, s, f, k, first(out), first(in), first(wF), &mem)
}

// KernelGradBF16 is [KernelGradF32] on bfloat16 values; dw is float32.
func KernelGradBF16(p *par.Pool, s Shape, dw []float32, x, dy []uint16, scratch []byte) {
	check(s, KernelGrad, p, true, len(x), len(dw), len(dy), len(scratch))
	mem := newLayout(scratch)
	if ws, _, ok := byWinograd(s, KernelGrad, true); ok && !winogradOff.Load() {
		winograd.KernelGradBF16(p, ws, dw, x, dy, mem.rest())
		return
	}
	direct(p, s, KernelGrad, kindOf(true), first(dw), first(x), first(dy), &mem)
}
