// Package winograd computes 3x3 convolutions by Winograd's minimal filtering: those of
// stride 1 with a quarter of the multiplications, by F(4x4, 3x3), those of stride 2
// with 9/16 of them, by F(4x4, 2x2) of their phases.
//
// Use it where [Wins] or [WinsBF16] says so; a direct convolution is as good or better for
// narrow layers. The three functions are a training step's three products: the
// output, the gradient of the input and the gradient of the kernel; activations are
// [N,H,W,C], kernels [3,3,C,K], float32 or bfloat16, computed in float32.
//
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// 2015 (arXiv 1509.09308), section 4, with the interpolation points of
// transform.go and stride2.go. Results differ from those of a direct convolution by rounding;
// the tests state the bounds. They are the same to the bit for any number of
// threads.
package winograd

import (
	"fmt"

	"github.com/byol-go/byol/internal/kernel/par"
)

// Shape is a 3x3 convolution of stride 1 or 2:
//
//	y[n,i,j,k] = Σ_{r,s,c} x[n, i·Stride+r-PadTop, j·Stride+s-PadLeft, c] · w[r,s,c,k]
//
// with x [N,H,W,C], zero outside, w [3,3,C,K] and y [N,OutH,OutW,K]. For stride 1
// the padding at the bottom is OutH+2-H-PadTop, that at the right OutW+2-W-PadLeft;
// all four are 0, 1 or 2. For stride 2 PadTop and PadLeft are 1, and there are ⌈H/2⌉
// by ⌈W/2⌉ outputs.
type Shape struct {
	N, H, W, C, K   int
	Stride          int
	PadTop, PadLeft int
	OutH, OutW      int
}

// Form is one of the three products of a convolution.
type Form int

// The forms.
const (
	FormForward    Form = iota // y from x and w: [Forward]
	FormInputGrad              // dx from dy and w: [InputGrad]
	FormKernelGrad             // dw from x and dy: [KernelGrad]
)

// Panics on misuse start with these.
const (
	errShape   = "winograd: not a 3x3 convolution of stride 1 with padding 0 to 2, or of stride 2 with padding 1: "
	errLen     = "winograd: slice is shorter than its shape needs: "
	errScratch = "winograd: scratch is smaller than ScratchBytes says: "
)

// Valid reports whether this package can compute the convolution.
func (s Shape) Valid() bool {
	if min(s.N, s.H, s.W, s.C, s.K, s.OutH, s.OutW) < 1 {
		return false
	}
	if s.Stride == 2 {
		return s.PadTop == 1 && s.PadLeft == 1 && s.OutH == ceil(s.H, 2) && s.OutW == ceil(s.W, 2)
	}
	bottom, right := s.OutH+2-s.H-s.PadTop, s.OutW+2-s.W-s.PadLeft
	for _, pad := range [...]int{s.PadTop, s.PadLeft, bottom, right} {
		if pad < 0 || pad > 2 {
			return false
		}
	}
	return s.Stride == 1
}

func (s Shape) check() {
	if !s.Valid() {
		panic(fmt.Sprintf("%s%+v", errShape, s))
	}
}

// ScratchBytes returns how many bytes of scratch memory a call needs on a pool
// of that many threads, with the instruction set in use. The contents may be
// anything before and after.
func ScratchBytes(s Shape, f Form, threads int) int {
	s.check()
	var a arena
	switch k := current(); f {
	case FormForward:
		s.newForward(&a, k, threads)
	case FormInputGrad:
		s.newInputGrad(&a, k, threads)
	case FormKernelGrad:
		s.newKernelGrad(&a, k, threads)
	}
	return a.bytes()
}

func (s Shape) newForward(a *arena, k *kernels, threads int) *forward {
	return newForward(a, k, s.grid(), s.forward(), threads)
}

// forward describes the forward product.
func (s Shape) forward() reduction {
	r := reduction{c: s.C, k: s.K, tile: elements, ins: 1, outs: 1}
	if s.Stride == 2 {
		r.tile, r.ins = pairTile, splitPhase
	}
	return r
}

// newInputGrad lays out the forward product of dy with w turned by 180 degrees and
// its channels swapped, which is dx.
func (s Shape) newInputGrad(a *arena, k *kernels, threads int) *forward {
	r := reduction{c: s.K, k: s.C, flip: true, tile: elements, ins: 1, outs: 1}
	if s.Stride == 2 {
		r.tile, r.outs = pairTile, splitPhase
		g := newGrid(sourcePair, s.N, s.OutH, s.OutW, 0, 0, s.OutH, s.OutW)
		return newInputGrad2(a, k, g, r, s.H, s.W, threads)
	}
	g := newGrid(sourceTile, s.N, s.OutH, s.OutW, 2-s.PadTop, 2-s.PadLeft, s.H, s.W)
	return newForward(a, k, g, r, threads)
}

func (s Shape) newKernelGrad(a *arena, k *kernels, threads int) *kernelGrad {
	return newKernelGrad(a, k, s.grid(), s.C, s.K, threads)
}

func (s Shape) grid() grid {
	from := sourceTile
	if s.Stride == 2 {
		from = sourceSplit
	}
	return newGrid(from, s.N, s.H, s.W, s.PadTop, s.PadLeft, s.OutH, s.OutW)
}

func (s Shape) lenX() int { return s.N * s.H * s.W * s.C }
func (s Shape) lenW() int { return 9 * s.C * s.K }
func (s Shape) lenY() int { return s.N * s.OutH * s.OutW * s.K }

// checkLen panics if there are too few numbers.
func (s Shape) checkLen(x, w, y int) {
	if x < s.lenX() || w < s.lenW() || y < s.lenY() {
		panic(fmt.Sprintf("%s%+v: input %d, kernel %d, output %d", errLen, s, x, w, y))
	}
}

// Forward computes y [N,OutH,OutW,K] from x [N,H,W,C] and w [3,3,C,K].
func Forward(p *par.Pool, s Shape, y, x, w []float32, scratch []byte) {
	forwardOf(p, s, float32s(y), float32s(x), float32s(w), scratch)
}

// ForwardBF16 is [Forward] on bfloat16 numbers in their 16 bits. It computes in
// float32 and rounds to nearest even at the end.
func ForwardBF16(p *par.Pool, s Shape, y, x, w []uint16, scratch []byte) {
	forwardOf(p, s, bfloat16s(y), bfloat16s(x), bfloat16s(w), scratch)
}

func forwardOf(p *par.Pool, s Shape, y, x, w numbers, scratch []byte) {
	s.check()
	s.checkLen(x.len, w.len, y.len)
	s.newForward(newArena(scratch), current(), p.Threads()).run(p, y, x, w)
}

// InputGrad computes dx [N,H,W,C] from dy [N,OutH,OutW,K] and w [3,3,C,K].
func InputGrad(p *par.Pool, s Shape, dx, dy, w []float32, scratch []byte) {
	inputGradOf(p, s, float32s(dx), float32s(dy), float32s(w), scratch)
}

// InputGradBF16 is [InputGrad] on bfloat16 numbers, as [ForwardBF16].
func InputGradBF16(p *par.Pool, s Shape, dx, dy, w []uint16, scratch []byte) {
	inputGradOf(p, s, bfloat16s(dx), bfloat16s(dy), bfloat16s(w), scratch)
}

func inputGradOf(p *par.Pool, s Shape, dx, dy, w numbers, scratch []byte) {
	s.check()
	s.checkLen(dx.len, w.len, dy.len)
	s.newInputGrad(newArena(scratch), current(), p.Threads()).run(p, dx, dy, w)
}

// KernelGrad computes dw [3,3,C,K] from x [N,H,W,C] and dy [N,OutH,OutW,K].
func KernelGrad(p *par.Pool, s Shape, dw, x, dy []float32, scratch []byte) {
	kernelGradOf(p, s, dw, float32s(x), float32s(dy), scratch)
}

// KernelGradBF16 is [KernelGrad] on bfloat16 numbers in their 16 bits; dw is float32.
func KernelGradBF16(p *par.Pool, s Shape, dw []float32, x, dy []uint16, scratch []byte) {
	kernelGradOf(p, s, dw, bfloat16s(x), bfloat16s(dy), scratch)
}

func kernelGradOf(p *par.Pool, s Shape, dw []float32, x, dy numbers, scratch []byte) {
	s.check()
	s.checkLen(x.len, len(dw), dy.len)
	s.newKernelGrad(newArena(scratch), current(), p.Threads()).run(p, dw, x, dy)
}
