package conv

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// square returns a convolution with equal kernel, stride and padding on both axes.
func square(n, h, w, c, kernel, k, stride, pad int) Shape {
	return Shape{N: n, H: h, W: w, C: c, KH: kernel, KW: kernel, K: k, StrideH: stride, StrideW: stride,
		PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad, DilationH: 1, DilationW: 1}
}

var shapes = []Shape{
	square(1, 1, 1, 1, 1, 1, 1, 0),
	square(2, 4, 4, 8, 3, 32, 1, 1),
	square(3, 5, 7, 3, 3, 16, 1, 1),
	square(2, 8, 8, 16, 3, 33, 2, 1),
	square(2, 9, 6, 17, 3, 31, 2, 1),
	square(2, 7, 7, 20, 1, 40, 2, 0),
	square(2, 8, 8, 24, 1, 48, 1, 0),
	square(1, 19, 17, 3, 7, 10, 2, 3),
	square(1, 6, 6, 5, 5, 7, 3, 2),
	square(1, 5, 5, 4, 4, 6, 4, 0),
	square(1, 3, 3, 2, 3, 65, 1, 2),
	square(5, 1, 1, 64, 3, 13, 1, 1),
	square(4, 4, 4, 70, 3, 96, 1, 1),
	square(1, 40, 40, 6, 3, 5, 1, 1),
	square(2, 16, 16, 12, 2, 14, 2, 0),
	square(1, 3, 3, 5, 1, 5, 5, 1),
	square(20, 24, 24, 3, 3, 8, 1, 1), // more steps than chunks of the kernel gradient
	square(1, 4, 5, 1024, 3, 9, 1, 1), // pixels a power of two apart
	square(1, 6, 5, 512, 3, 40, 2, 1),
	square(1, 9, 8, 512, 1, 70, 2, 0),
	square(1, 3, 3, 9, 3, 1024, 2, 1),
	{N: 2, H: 11, W: 9, C: 6, KH: 3, KW: 2, K: 18, StrideH: 1, StrideW: 2, PadTop: 2, PadLeft: 1, PadRight: 3, DilationH: 2, DilationW: 3},
	{N: 1, H: 13, W: 12, C: 4, KH: 3, KW: 3, K: 9, StrideH: 4, StrideW: 6, PadTop: 1, PadBottom: 5, PadLeft: 2, DilationH: 2, DilationW: 4},
	{N: 2, H: 4, W: 5, C: 3, KH: 1, KW: 3, K: 4, StrideH: 2, StrideW: 1, PadLeft: 2, PadRight: 2, DilationH: 1, DilationW: 2},
}

func (s Shape) String() string {
	return fmt.Sprintf("%dx%dx%dx%d-%dx%dx%d-s%d,%d-p%d,%d-d%d,%d", s.N, s.H, s.W, s.C, s.KH, s.KW, s.K,
		s.StrideH, s.StrideW, s.PadTop, s.PadLeft, s.DilationH, s.DilationW)
}

// values are pseudo-random in [-1, 1), and bfloat16 numbers.
func values(n int, seed uint32) []float32 {
	v := make([]float32, n)
	for i := range v {
		seed = seed*1664525 + 1013904223
		v[i] = widen(round(float32(int32(seed)) / (1 << 31)))
	}
	return v
}

func widen(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func round(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func rounded(v []float32) []uint16 {
	r := make([]uint16, len(v))
	for i, f := range v {
		r[i] = round(f)
	}
	return r
}

// exact returns a product in float64 and the sum of the absolute terms.
func exact(s Shape, f Form, a, b []float32) (out, sum []float64) {
	outH, outW := s.OutH(), s.OutW()
	size := map[Form]int{Forward: s.sizeY(), InputGrad: s.sizeX(), KernelGrad: s.sizeW()}[f]
	out, sum = make([]float64, size), make([]float64, size)
	for m := range s.N * outH * outW {
		n, oy, ox := m/(outH*outW), m/outW%outH, m%outW
		for t := range s.KH * s.KW {
			iy := oy*s.StrideH + t/s.KW*s.DilationH - s.PadTop
			ix := ox*s.StrideW + t%s.KW*s.DilationW - s.PadLeft
			if iy < 0 || iy >= s.H || ix < 0 || ix >= s.W {
				continue
			}
			for c := range s.C {
				for k := range s.K {
					x, w, y := ((n*s.H+iy)*s.W+ix)*s.C+c, (t*s.C+c)*s.K+k, m*s.K+k
					var v float64
					var to int
					switch f {
					case Forward:
						v, to = float64(a[x])*float64(b[w]), y
					case InputGrad:
						v, to = float64(a[y])*float64(b[w]), x
					case KernelGrad:
						v, to = float64(a[x])*float64(b[y]), w
					}
					out[to] += v
					sum[to] += math.Abs(v)
				}
			}
		}
	}
	return out, sum
}

// operands of a form, with the number of terms of its sums.
func operands(s Shape, f Form) (a, b []float32, terms int) {
	x, w, y := values(s.sizeX(), 1), values(s.sizeW(), 2), values(s.sizeY(), 3)
	switch f {
	case Forward:
		return x, w, s.KH * s.KW * s.C
	case InputGrad:
		return y, w, s.KH * s.KW * s.K
	}
	return x, y, s.N * s.OutH() * s.OutW()
}

// calculate runs a form on a pool and returns its result as float32.
func calculate(p *par.Pool, s Shape, f Form, bf16 bool, a, b []float32) []float32 {
	scratch := make([]byte, ScratchBytes(s, f, p.Threads(), bf16))
	for i := range scratch {
		scratch[i] = 0xff // NaN: whatever is not written shows
	}
	size := map[Form]int{Forward: s.sizeY(), InputGrad: s.sizeX(), KernelGrad: s.sizeW()}[f]
	out := make([]float32, size)
	for i := range out {
		out[i] = float32(math.NaN())
	}
	if !bf16 {
		map[Form]func(*par.Pool, Shape, []float32, []float32, []float32, []byte){
			Forward: ForwardF32, InputGrad: InputGradF32, KernelGrad: KernelGradF32}[f](p, s, out, a, b, scratch)
		return out
	}
	if f == KernelGrad {
		KernelGradBF16(p, s, out, rounded(a), rounded(b), scratch)
		return out
	}
	out16 := make([]uint16, size)
	map[Form]func(*par.Pool, Shape, []uint16, []uint16, []uint16, []byte){
		Forward: ForwardBF16, InputGrad: InputGradBF16}[f](p, s, out16, rounded(a), rounded(b), scratch)
	for i, v := range out16 {
		out[i] = widen(v)
	}
	return out
}

func eachLevel(t *testing.T, body func(t *testing.T)) {
	for _, l := range isa.Available() {
		t.Run(l.String(), func(t *testing.T) {
			defer isa.Set(l)()
			body(t)
		})
	}
}

func TestAgainstFloat64(t *testing.T) {
	defer SetWinograd(false)()
	pools := []*par.Pool{nil, par.New(2), par.New(3)}
	for _, s := range shapes {
		for _, f := range []Form{Forward, InputGrad, KernelGrad} {
			a, b, terms := operands(s, f)
			want, sum := exact(s, f, a, b)
			eachLevel(t, func(t *testing.T) {
				for _, bf16 := range []bool{false, true} {
					got := calculate(pools[0], s, f, bf16, a, b)
					for i, v := range got {
						bound := float64(terms) * 0x1p-24 * sum[i]
						if bf16 && f != KernelGrad {
							bound += 0x1p-8 * (math.Abs(want[i]) + bound)
						}
						if d := math.Abs(float64(v) - want[i]); !(d <= bound) {
							t.Fatalf("%v %v bf16=%v: element %d is %v, want %v ± %v", f, s, bf16, i, v, want[i], bound)
						}
					}
					for _, p := range pools[1:] {
						for i, v := range calculate(p, s, f, bf16, a, b) {
							if math.Float32bits(v) != math.Float32bits(got[i]) {
								t.Fatalf("%v %v bf16=%v: element %d is %v on %d threads, %v on one", f, s, bf16, i, v, p.Threads(), got[i])
							}
						}
					}
				}
			})
		}
	}
}

// TestNaNAndInf compares where NaN and infinities come out with the reference.
func TestNaNAndInf(t *testing.T) {
	defer SetWinograd(false)()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, s := range []Shape{square(2, 7, 6, 9, 3, 35, 1, 1), square(1, 9, 9, 16, 3, 20, 2, 1), square(2, 6, 5, 130, 1, 20, 2, 0)} {
		for _, f := range []Form{Forward, InputGrad, KernelGrad} {
			a, b, _ := operands(s, f)
			a[len(a)/3], a[len(a)-1], b[len(b)/2], b[0] = nan, -inf, inf, nan
			want := make([]float32, map[Form]int{Forward: s.sizeY(), InputGrad: s.sizeX(), KernelGrad: s.sizeW()}[f])
			switch f {
			case Forward:
				refForward(s, want, a, b, 0, s.N*s.OutH()*s.OutW())
			case InputGrad:
				refInputGrad(s, want, a, b, 0, s.N*s.H*s.W)
			case KernelGrad:
				refKernelGrad(s, want, a, b, 0, s.KH*s.KW*s.C)
			}
			eachLevel(t, func(t *testing.T) {
				for _, bf16 := range []bool{false, true} {
					for i, v := range calculate(nil, s, f, bf16, a, b) {
						w := want[i]
						if (v != v) != (w != w) || math.IsInf(float64(v), 0) != math.IsInf(float64(w), 0) || v*w < 0 && math.IsInf(float64(w), 0) {
							t.Fatalf("%v %v bf16=%v: element %d is %v, want %v", f, s, bf16, i, v, w)
						}
					}
				}
			})
		}
	}
}

// TestMisuse expects a named panic instead of memory that is not the caller's.
func TestMisuse(t *testing.T) {
	s := square(1, 4, 4, 2, 3, 2, 1, 1)
	bad := s
	bad.StrideH = 0
	scratch := make([]byte, ScratchBytes(s, Forward, 1, false))
	v := make([]float32, 64)
	for name, call := range map[string]func(){
		"stride":  func() { ForwardF32(nil, bad, v, v, v, scratch) },
		"x":       func() { ForwardF32(nil, s, v, v[:31], v, scratch) },
		"w":       func() { ForwardF32(nil, s, v, v, v[:35], scratch) },
		"y":       func() { ForwardF32(nil, s, v[:31], v, v, scratch) },
		"scratch": func() { ForwardF32(nil, s, v, v, v, scratch[:8]) },
	} {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.HasPrefix(r, "conv: ") {
					t.Errorf("%s: recovered %v", name, r)
				}
			}()
			call()
		}()
	}
}

func TestEmptyOutput(t *testing.T) {
	s := square(1, 2, 2, 3, 3, 4, 1, 0) // the window fits nowhere
	if s.OutH() != 0 || s.OutW() != 0 {
		t.Fatalf("output %dx%d", s.OutH(), s.OutW())
	}
	eachLevel(t, func(t *testing.T) {
		for _, f := range []Form{Forward, InputGrad, KernelGrad} {
			a, b, _ := operands(s, f)
			for i, v := range calculate(nil, s, f, false, a, b) {
				if v != 0 {
					t.Fatalf("%v: element %d is %v, want 0", f, i, v)
				}
			}
		}
	})
}

// TestWinogradWithinItsBound goes through the facade with and without Winograd's
// algorithm; the scratch memory of either serves both.
func TestWinogradWithinItsBound(t *testing.T) {
	for _, s := range []Shape{square(3, 17, 16, 32, 3, 32, 1, 1), square(4, 32, 31, 32, 3, 48, 2, 1)} {
		for _, f := range []Form{Forward, InputGrad, KernelGrad} {
			testWinograd(t, s, f)
		}
	}
}

func testWinograd(t *testing.T, s Shape, f Form) {
	a, b, _ := operands(s, f)
	want, sum := exact(s, f, a, b)
	eachLevel(t, func(t *testing.T) {
		for _, bf16 := range []bool{false, true} {
			if _, _, ok := byWinograd(s, f, bf16); !ok {
				if bf16 && isa.Current() == isa.AVX512BF16 {
					continue // direct products are faster here
				}
				t.Fatalf("%v %v does not go by Winograd", f, s)
			}
			var results [2][]float32
			for i, on := range []bool{false, true} {
				restore := SetWinograd(on)
				results[i] = calculate(nil, s, f, bf16, a, b)
				restore()
			}
			same := true
			for i, v := range results[1] {
				same = same && v == results[0][i]
				bound := 1e-5 * sum[i]
				if bf16 && f != KernelGrad {
					bound += 0x1p-8 * (math.Abs(want[i]) + bound)
				}
				if d := math.Abs(float64(v) - want[i]); !(d <= bound) {
					t.Fatalf("%v: element %d is %v, want %v ± %v", f, i, v, want[i], bound)
				}
			}
			if same {
				t.Errorf("%v: the switch changes nothing", f)
			}
		}
	})
}

func TestWinogradRule(t *testing.T) {
	for _, c := range []struct {
		s    Shape
		want bool
	}{
		{square(64, 8, 8, 64, 3, 64, 1, 1), true},
		{square(64, 8, 8, 64, 3, 64, 2, 1), true},
		{square(64, 7, 7, 64, 3, 64, 2, 1), true},
		{square(64, 7, 9, 64, 3, 64, 2, 1), false}, // most of every second tile unused
		{square(64, 8, 8, 64, 3, 64, 2, 0), false}, // only padding 1
		{square(64, 9, 9, 64, 3, 64, 3, 1), false},
		{square(64, 8, 8, 64, 1, 64, 1, 0), false},
		{square(64, 1, 1, 64, 3, 64, 1, 1), false}, // most of a tile unused
		{square(64, 8, 8, 3, 3, 64, 1, 1), false},  // too few channels
		{square(64, 8, 8, 64, 3, 64, 1, 3), false}, // more padding than taps
	} {
		if _, _, got := byWinograd(c.s, Forward, false); got != c.want {
			t.Errorf("%v: %v, want %v", c.s, got, c.want)
		}
	}
}
