package conv

import (
	"fmt"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/winograd"
)

// ScratchBytes returns how much scratch memory a call needs: form f of shape s
// on a pool of at most threads threads, in float32 or (is16) bfloat16. It depends on
// the instruction set in use.
func ScratchBytes(s Shape, f Form, threads int, is16 bool) int {
	var mem layout
	threads = max(1, threads)
	k := kindOf(is16)
	if k == widened && f != KernelGrad {
		mem.bytes(4 * s.sizeW())
	}
	if f == KernelGrad {
		newGradPlan(s, threads, k, &mem)
	} else {
		newRowsPlan(s, f, threads, k, false, &mem)
	}
	if w, form, ok := byWinograd(s, f, is16); ok {
		return max(mem.total(), winograd.ScratchBytes(w, form, threads)+lineBytes)
	}
	return mem.total()
}

// ForwardF32 computes y [N,OutH,OutW,K] from x [N,H,W,C] and w [KH,KW,C,K].
func ForwardF32(p *par.Pool, s Shape, y, x, w []float32, scratch []byte) {
	check(s, Forward, p, false, len(x), len(w), len(y), len(scratch))
	mem := newLayout(scratch)
	if ws, _, ok := byWinograd(s, Forward, false); ok && !winogradOff.Load() {
		winograd.Forward(p, ws, y, x, w, mem.rest())
		return
	}
	direct(p, s, Forward, f32, first(y), first(x), first(w), &mem)
}

// InputGradF32 computes dx [N,H,W,C] from dy [N,OutH,OutW,K] and w [KH,KW,C,K].
// Pixels of x that no window covers get 0.
func InputGradF32(p *par.Pool, s Shape, dx, dy, w []float32, scratch []byte) {
	check(s, InputGrad, p, false, len(dx), len(w), len(dy), len(scratch))
	mem := newLayout(scratch)
	if ws, _, ok := byWinograd(s, InputGrad, false); ok && !winogradOff.Load() {
		winograd.InputGrad(p, ws, dx, dy, w, mem.rest())
		return
	}
	direct(p, s, InputGrad, f32, first(dx), first(dy), first(w), &mem)
}

// KernelGradF32 computes dw [KH,KW,C,K] from x [N,H,W,C] and dy [N,OutH,OutW,K].
func KernelGradF32(p *par.Pool, s Shape, dw, x, dy []float32, scratch []byte) {
	check(s, KernelGrad, p, false, len(x), len(dw), len(dy), len(scratch))
	mem := newLayout(scratch)
	if ws, _, ok := byWinograd(s, KernelGrad, false); ok && !winogradOff.Load() {
		winograd.KernelGrad(p, ws, dw, x, dy, mem.rest())
		return
	}
	direct(p, s, KernelGrad, f32, first(dw), first(x), first(dy), &mem)
}

// direct computes a form by its definition.
func direct(p *par.Pool, s Shape, f Form, k kind, out, a, b unsafe.Pointer, mem *layout) {
	if f == KernelGrad {
		plan := newGradPlan(s, p.Threads(), k, mem)
		plan.run(p, out, a, b)
		return
	}
	plan := newRowsPlan(s, f, p.Threads(), k, false, mem)
	plan.run(p, out, a, b)
}

// kindOf says how elements are computed with.
func kindOf(is16 bool) kind {
	switch {
	case !is16:
		return f32
	case tile.HasBF16(isa.Current()):
		return bf16
	}
	return widened
}

// first returns where a slice begins.
func first[T any](v []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(v)) }

// check panics on a slice that does not have its shape's size.
func check(s Shape, f Form, p *par.Pool, is16 bool, x, w, y, scratch int) {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	for _, v := range []struct {
		name      string
		got, want int
	}{
		{"x", x, s.sizeX()},
		{"w", w, s.sizeW()},
		{"y", y, s.sizeY()},
	} {
		if v.got < v.want {
			panic(fmt.Sprintf("conv: %v: %s has %d elements, %+v needs %d", f, v.name, v.got, s, v.want))
		}
	}
	if want := ScratchBytes(s, f, p.Threads(), is16); scratch < want {
		panic(fmt.Sprintf("conv: %v: scratch has %d bytes, %+v needs %d", f, scratch, s, want))
	}
}
