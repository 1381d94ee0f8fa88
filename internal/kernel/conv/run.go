package conv

import (
	"fmt"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// ScratchBytes returns how much scratch memory a call needs: form f of shape s
// on a pool of at most threads threads, in bfloat16 or float32. It depends on
// the instruction set in use.
func ScratchBytes(s Shape, f Form, threads int, bf16 bool) int {
	var mem layout
	plan(s, f, max(1, threads), bf16, &mem)
	return mem.total()
}

// plan lays out the scratch memory of a call without running it.
func plan(s Shape, f Form, threads int, bf16 bool, mem *layout) {
	native := bf16 && tile.HasBF16(isa.Current())
	if bf16 && !native {
		mem.bytes(4 * s.sizeX())
		mem.bytes(4 * s.sizeY())
		mem.bytes(4 * s.sizeW())
	}
	if f == KernelGrad {
		newGradPlan(s, threads, native, mem)
	} else {
		newRowsPlan(s, f, threads, native, mem)
	}
}

// ForwardF32 computes y [N,OutH,OutW,K] from x [N,H,W,C] and w [KH,KW,C,K].
func ForwardF32(p *par.Pool, s Shape, y, x, w []float32, scratch []byte) {
	check(s, Forward, p, false, len(x), len(w), len(y), len(scratch))
	mem := newLayout(scratch)
	rows(p, s, Forward, false, first(y), first(x), first(w), &mem)
}

// InputGradF32 computes dx [N,H,W,C] from dy [N,OutH,OutW,K] and w [KH,KW,C,K].
// Pixels of x that no window covers get 0.
func InputGradF32(p *par.Pool, s Shape, dx, dy, w []float32, scratch []byte) {
	check(s, InputGrad, p, false, len(dx), len(w), len(dy), len(scratch))
	mem := newLayout(scratch)
	rows(p, s, InputGrad, false, first(dx), first(dy), first(w), &mem)
}

// KernelGradF32 computes dw [KH,KW,C,K] from x [N,H,W,C] and dy [N,OutH,OutW,K].
func KernelGradF32(p *par.Pool, s Shape, dw, x, dy []float32, scratch []byte) {
	check(s, KernelGrad, p, false, len(x), len(dw), len(dy), len(scratch))
	mem := newLayout(scratch)
	kernel(p, s, false, first(dw), first(x), first(dy), &mem)
}

func rows(p *par.Pool, s Shape, f Form, bf16 bool, out, in, w unsafe.Pointer, mem *layout) {
	plan := newRowsPlan(s, f, p.Threads(), bf16, mem)
	plan.run(p, out, in, w)
}

func kernel(p *par.Pool, s Shape, bf16 bool, dw, x, dy unsafe.Pointer, mem *layout) {
	plan := newGradPlan(s, p.Threads(), bf16, mem)
	plan.run(p, dw, x, dy)
}

// first returns where a slice begins.
func first[T any](v []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(v)) }

// check panics on a slice that does not have its shape's size.
func check(s Shape, f Form, p *par.Pool, bf16 bool, x, w, y, scratch int) {
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
	if want := ScratchBytes(s, f, p.Threads(), bf16); scratch < want {
		panic(fmt.Sprintf("conv: %v: scratch has %d bytes, %+v needs %d", f, scratch, s, want))
	}
}
