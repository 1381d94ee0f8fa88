package conv

import (
	"fmt"

	"github.com/byol-go/byol/internal/kernel/par"
)

// ScratchBytes returns how much scratch memory a call needs: form f of shape s
// on a pool of at most threads threads, in bfloat16 or float32.
func ScratchBytes(s Shape, f Form, threads int, bf16 bool) int {
	if !bf16 {
		return 64
	}
	out := s.N * s.OutH() * s.OutW() * s.K
	in, kernel := s.N*s.H*s.W*s.C, s.KH*s.KW*s.C*s.K
	return 4*(in+out+kernel) + 64
}

// ForwardF32 computes y [N,OutH,OutW,K] from x [N,H,W,C] and w [KH,KW,C,K].
func ForwardF32(p *par.Pool, s Shape, y, x, w []float32, scratch []byte) {
	check(s, Forward, p, false, len(x), len(w), len(y), len(scratch))
	split(p, s.N*s.OutH()*s.OutW(), func(lo, hi int) { refForward(s, y, x, w, lo, hi) })
}

// InputGradF32 computes dx [N,H,W,C] from dy [N,OutH,OutW,K] and w [KH,KW,C,K].
// Pixels of x that no window covers get 0.
func InputGradF32(p *par.Pool, s Shape, dx, dy, w []float32, scratch []byte) {
	check(s, InputGrad, p, false, len(dx), len(w), len(dy), len(scratch))
	split(p, s.N*s.H*s.W, func(lo, hi int) { refInputGrad(s, dx, dy, w, lo, hi) })
}

// KernelGradF32 computes dw [KH,KW,C,K] from x [N,H,W,C] and dy [N,OutH,OutW,K].
func KernelGradF32(p *par.Pool, s Shape, dw, x, dy []float32, scratch []byte) {
	check(s, KernelGrad, p, false, len(x), len(dw), len(dy), len(scratch))
	split(p, s.KH*s.KW*s.C, func(lo, hi int) { refKernelGrad(s, dw, x, dy, lo, hi) })
}

// split runs body over [0, n) in parts.
func split(p *par.Pool, n int, body func(lo, hi int)) {
	size := max(1, (n+63)/64)
	p.For((n+size-1)/size, func(part, _ int) { body(part*size, min(n, (part+1)*size)) })
}

// check panics on a slice that does not have its shape's size.
func check(s Shape, f Form, p *par.Pool, bf16 bool, x, w, y, scratch int) {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	for _, v := range []struct {
		name      string
		got, want int
	}{
		{"x", x, s.N * s.H * s.W * s.C},
		{"w", w, s.KH * s.KW * s.C * s.K},
		{"y", y, s.N * s.OutH() * s.OutW() * s.K},
	} {
		if v.got < v.want {
			panic(fmt.Sprintf("conv: %v: %s has %d elements, %+v needs %d", f, v.name, v.got, s, v.want))
		}
	}
	if want := ScratchBytes(s, f, p.Threads(), bf16); scratch < want {
		panic(fmt.Sprintf("conv: %v: scratch has %d bytes, %+v needs %d", f, scratch, s, want))
	}
}
