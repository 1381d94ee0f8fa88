// Package conv computes two-dimensional convolutions and their two gradients
// on the processor, in float32 and bfloat16.
//
// Tensors are in the layouts that the rest of the program uses: activations
// [N,H,W,C], kernels [KH,KW,C,K] (HWIO). Nothing is allocated apart from a few
// words per call: the caller gives scratch memory of [ScratchBytes].
//
// Results are the same to the bit for any number of threads. A tap that falls
// into the padding contributes 0·w, so that a NaN or an infinity in the kernel
// reaches the border as it does in a convolution of a zero-padded input.
package conv

import "fmt"

// Shape describes a convolution of x [N,H,W,C] with w [KH,KW,C,K] to
// y [N,OutH,OutW,K]: y[n,i,j,k] = Σ x[n, i·StrideH+kh·DilationH−PadTop, j·StrideW+kw·DilationW−PadLeft, c] · w[kh,kw,c,k].
type Shape struct {
	N, H, W, C                           int
	KH, KW, K                            int
	StrideH, StrideW                     int
	PadTop, PadBottom, PadLeft, PadRight int
	DilationH, DilationW                 int
}

// OutH returns the height of y.
func (s Shape) OutH() int {
	return outSize(s.H+s.PadTop+s.PadBottom, (s.KH-1)*s.DilationH+1, s.StrideH)
}

// OutW returns the width of y.
func (s Shape) OutW() int {
	return outSize(s.W+s.PadLeft+s.PadRight, (s.KW-1)*s.DilationW+1, s.StrideW)
}

// outSize is the number of places at which a window fits.
func outSize(padded, window, stride int) int {
	if stride <= 0 || padded < window {
		return 0
	}
	return (padded-window)/stride + 1
}

// Validate reports a size that is not positive or a negative padding. A shape
// with an empty output is valid.
func (s Shape) Validate() error {
	for _, v := range []int{s.N, s.H, s.W, s.C, s.KH, s.KW, s.K, s.StrideH, s.StrideW, s.DilationH, s.DilationW} {
		if v <= 0 {
			return fmt.Errorf("conv: shape %+v: sizes, strides and dilations must be positive", s)
		}
	}
	if min(s.PadTop, s.PadBottom, s.PadLeft, s.PadRight) < 0 {
		return fmt.Errorf("conv: shape %+v: negative padding", s)
	}
	return nil
}

// FLOP returns the number of multiplications and additions of one pass, taps
// in the padding included: the figure by which rates are quoted.
func (s Shape) FLOP() float64 {
	return 2 * float64(s.N) * float64(s.OutH()) * float64(s.OutW()) * float64(s.KH) * float64(s.KW) * float64(s.C) * float64(s.K)
}

func (s Shape) sizeX() int { return s.N * s.H * s.W * s.C }
func (s Shape) sizeY() int { return s.N * s.OutH() * s.OutW() * s.K }
func (s Shape) sizeW() int { return s.KH * s.KW * s.C * s.K }

// Form says which of the three products of a convolution is meant.
type Form int

// The three forms.
const (
	Forward    Form = iota // y from x and w
	InputGrad              // dx from dy and w
	KernelGrad             // dw from x and dy
)

// String returns the name used in benchmarks.
func (f Form) String() string {
	switch f {
	case Forward:
		return "forward"
	case InputGrad:
		return "inputgrad"
	case KernelGrad:
		return "kernelgrad"
	}
	return fmt.Sprintf("conv.Form(%d)", int(f))
}
