package winograd

import (
	"fmt"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// SelfTest compares the kernels of the instruction set in use with the reference,
// in a few milliseconds. A program calls it at the start, for processors on which
// this code was never tested, and lowers the instruction set on an error.
func SelfTest() error {
	k := current()
	for _, s := range []Shape{
		{N: 2, H: 9, W: 14, C: 35, K: 51, PadTop: 1, PadLeft: 1, OutH: 9, OutW: 14},
		{N: 9, H: 16, W: 16, C: 16, K: 32, PadTop: 1, PadLeft: 1, OutH: 16, OutW: 16},
	} {
		x, w, y := pattern(s.lenX()), pattern(s.lenW()), pattern(s.lenY())
		for _, f := range []Form{FormForward, FormInputGrad, FormKernelGrad} {
			got, want := s.compute(k, f, x, w, y), s.compute(kernelsRef, f, x, w, y)
			largest := float32(0)
			for _, v := range want {
				largest = max(largest, v, -v)
			}
			for i, v := range want {
				if d := got[i] - v; !(max(d, -d) <= 1e-4*largest) {
					return fmt.Errorf("winograd: the kernels for %v are wrong on this processor: set %s to a lower instruction set", isa.Current(), isa.EnvVar)
				}
			}
		}
	}
	return nil
}

// compute returns a form's result, computed by certain kernels on one thread.
func (s Shape) compute(k *kernels, form Form, x, w, y []float32) []float32 {
	switch form {
	case FormForward:
		out := make([]float32, s.lenY())
		s.newForward(scratchFor(func(a *arena) { s.newForward(a, k, 1) }), k, 1).run(nil, out, x, w)
		return out
	case FormInputGrad:
		out := make([]float32, s.lenX())
		s.newInputGrad(scratchFor(func(a *arena) { s.newInputGrad(a, k, 1) }), k, 1).run(nil, out, y, w)
		return out
	}
	out := make([]float32, s.lenW())
	s.newKernelGrad(scratchFor(func(a *arena) { s.newKernelGrad(a, k, 1) }), k, 1).run(nil, out, x, y)
	return out
}

// scratchFor returns memory for what layout takes.
func scratchFor(layout func(a *arena)) *arena {
	var a arena
	layout(&a)
	return newArena(make([]byte, a.bytes()))
}

// pattern returns n numbers between -1 and 1 that look random.
func pattern(n int) []float32 {
	v := make([]float32, n)
	state := uint32(1)
	for i := range v {
		state = state*1664525 + 1013904223
		v[i] = float32(int32(state)) / (1 << 31)
	}
	return v
}
