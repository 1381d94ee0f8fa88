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
		{N: 2, H: 9, W: 14, C: 35, K: 51, Stride: 1, PadTop: 1, PadLeft: 1, OutH: 9, OutW: 14},
		{N: 2, H: 9, W: 14, C: 35, K: 51, Stride: 2, PadTop: 1, PadLeft: 1, OutH: 5, OutW: 7},
		{N: 9, H: 16, W: 16, C: 16, K: 32, Stride: 1, PadTop: 1, PadLeft: 1, OutH: 16, OutW: 16},
	} {
		for _, f := range []Form{FormForward, FormInputGrad, FormKernelGrad} {
			for size, tolerance := range map[int]float32{4: 1e-4, 2: 1e-2} {
				if !closeTo(s.pattern(k, f, size), s.pattern(kernelsRef, f, size), tolerance) {
					return fmt.Errorf("winograd: the kernels for %v are wrong on this processor: set %s to a lower instruction set", isa.Current(), isa.EnvVar)
				}
			}
		}
	}
	return nil
}

// closeTo reports whether no difference is above a share of the largest number of want.
func closeTo(got, want numbers, share float32) bool {
	largest := float32(0)
	for i := range want.len {
		v := load(want.at(i), want.size)
		largest = max(largest, v, -v)
	}
	for i := range want.len {
		d := load(got.at(i), got.size) - load(want.at(i), want.size)
		if !(max(d, -d) <= share*largest) {
			return false
		}
	}
	return true
}

// pattern returns a form's result for a pattern of numbers of so many bytes,
// computed by certain kernels on one thread.
func (s Shape) pattern(k *kernels, form Form, size int) numbers {
	x, w, y := pattern(s.lenX(), size), pattern(s.lenW(), size), pattern(s.lenY(), size)
	switch form {
	case FormForward:
		a := scratchFor(func(a *arena) { s.newForward(a, k, 1) })
		s.newForward(a, k, 1).run(nil, y, x, w)
		return y
	case FormInputGrad:
		a := scratchFor(func(a *arena) { s.newInputGrad(a, k, 1) })
		s.newInputGrad(a, k, 1).run(nil, x, y, w)
		return x
	}
	dw := make([]float32, s.lenW())
	a := scratchFor(func(a *arena) { s.newKernelGrad(a, k, 1) })
	s.newKernelGrad(a, k, 1).run(nil, dw, x, y)
	return float32s(dw)
}

// scratchFor returns memory for what layout takes.
func scratchFor(layout func(a *arena)) *arena {
	var a arena
	layout(&a)
	return newArena(make([]byte, a.bytes()))
}

// pattern returns n numbers between -1 and 1 that look random.
func pattern(n, size int) numbers {
	v := float32s(make([]float32, n))
	v.size = size
	state := uint32(1)
	for i := range n {
		state = state*1664525 + 1013904223
		store(v.at(i), size, float32(int32(state))/(1<<31))
	}
	return v
}
