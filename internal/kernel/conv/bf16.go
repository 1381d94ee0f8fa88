package conv

import (
	"math"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/par"
)

// ForwardBF16 is [ForwardF32] on bfloat16 values in their 16 bits; sums are
// float32, rounded to nearest even at the end.
func ForwardBF16(p *par.Pool, s Shape, y, x, w []uint16, scratch []byte) {
	check(s, Forward, p, true, len(x), len(w), len(y), len(scratch))
	xf, scratch := widen(x, scratch)
	wf, scratch := widen(w, scratch)
	yf, scratch := take(len(y), scratch)
	ForwardF32(p, s, yf, xf, wf, scratch)
	narrow(y, yf)
}

// InputGradBF16 is [InputGradF32] on bfloat16 values.
func InputGradBF16(p *par.Pool, s Shape, dx, dy, w []uint16, scratch []byte) {
	check(s, InputGrad, p, true, len(dx), len(w), len(dy), len(scratch))
	yf, scratch := widen(dy, scratch)
	wf, scratch := widen(w, scratch)
	xf, scratch := take(len(dx), scratch)
	InputGradF32(p, s, xf, yf, wf, scratch)
	narrow(dx, xf)
}

// KernelGradBF16 is [KernelGradF32] on bfloat16 values; dw is float32.
func KernelGradBF16(p *par.Pool, s Shape, dw []float32, x, dy []uint16, scratch []byte) {
	check(s, KernelGrad, p, true, len(x), len(dw), len(dy), len(scratch))
	xf, scratch := widen(x, scratch)
	yf, scratch := widen(dy, scratch)
	KernelGradF32(p, s, dw, xf, yf, scratch)
}

func take(n int, scratch []byte) ([]float32, []byte) {
	if n == 0 {
		return nil, scratch
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(scratch))), n), scratch[4*n:]
}

func widen(v []uint16, scratch []byte) ([]float32, []byte) {
	f, rest := take(len(v), scratch)
	for i, b := range v {
		f[i] = math.Float32frombits(uint32(b) << 16)
	}
	return f, rest
}

// narrow rounds to nearest even; NaN stays NaN.
func narrow(dst []uint16, src []float32) {
	for i, f := range src {
		b := math.Float32bits(f)
		if f != f {
			dst[i] = uint16(b>>16) | 0x40
			continue
		}
		dst[i] = uint16((b + 0x7fff + b>>16&1) >> 16)
	}
}
