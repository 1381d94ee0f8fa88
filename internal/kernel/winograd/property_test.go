package winograd

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

func isFinite(v float32) bool { return v-v == 0 }

// sameBits reports whether a and b are equal to the bit.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// TestSameBitsForAnyThreads covers each way of computing each form.
func TestSameBitsForAnyThreads(t *testing.T) {
	pools := []*par.Pool{par.New(2), par.New(3)}
	defer pools[0].Close()
	defer pools[1].Close()
	sliced, areas, few := square(33, 15, 19, 20), square(7, 7, 64, 72), square(3, 5, 250, 264)
	sliced2, areas2, few2 := halved(65, 15, 19, 20), halved(7, 7, 64, 72), halved(2, 7, 192, 200)
	for _, s := range []Shape{sliced, areas, few, sliced2, areas2, few2} {
		var a arena
		if got, want := s.newKernelGrad(&a, current(), 3).slices > 0, s == sliced || s == sliced2; got != want {
			t.Fatalf("%v: by slices %v, want %v", s, got, want)
		}
		if got, want := s.newForward(&a, current(), 3).few, s == few || s == few2; got != want {
			t.Fatalf("%v: few tiles %v, want %v", s, got, want)
		}
		if got, want := s.newInputGrad(&a, current(), 3).few, s == few || s == few2; got != want {
			t.Fatalf("%v: few tiles of the input's gradient %v, want %v", s, got, want)
		}
		x, w, y := random(s.lenX(), 1), random(s.lenW(), 2), random(s.lenY(), 3)
		for _, level := range isa.Available() {
			restore := isa.Set(level)
			for _, form := range forms {
				want := s.apply(nil, form, x, w, y)
				for _, p := range pools {
					for range 2 {
						if got := s.apply(p, form, x, w, y); !sameBits(got, want) {
							t.Errorf("%v %v %v: %d threads give other bits than one", form, level, s, p.Threads())
						}
					}
				}
			}
			restore()
		}
	}
}

// TestKernelGradInBatches has more transformed tiles than are kept at once.
func TestKernelGradInBatches(t *testing.T) {
	if isa.Current() == isa.Generic {
		t.Skip("takes seconds in Go")
	}
	s := square(86, 8, 256, 256)
	p := par.New(2)
	defer p.Close()
	var a arena
	if f := s.newKernelGrad(&a, current(), 2); f.slices > 0 || f.block >= f.tiles() {
		t.Fatalf("%v does not go in batches", s)
	}
	x, y := random(s.lenX(), 1), random(s.lenY(), 2)
	got := s.apply(p, FormKernelGrad, x, nil, y)
	half := s
	half.N /= 2
	first := half.apply(p, FormKernelGrad, x, nil, y)
	second := half.apply(nil, FormKernelGrad, x[half.lenX():], nil, y[half.lenY():])
	for i := range got {
		if err := math.Abs(float64(got[i]) - float64(first[i]) - float64(second[i])); err > 5e-3 { // of a sum of magnitudes of 3,500
			t.Fatalf("[%d] = %v, but its halves are %v and %v", i, got[i], first[i], second[i])
		}
	}
}

// TestNotANumberReaches sets one input at a time to NaN or an infinity: no result
// that depends on it may be finite, and no other image may notice.
func TestNotANumberReaches(t *testing.T) {
	for _, s := range []Shape{
		{N: 2, H: 6, W: 7, C: 3, K: 18, Stride: 1, PadTop: 1, PadLeft: 1, OutH: 6, OutW: 7},
		{N: 2, H: 10, W: 7, C: 3, K: 18, Stride: 2, PadTop: 1, PadLeft: 1, OutH: 5, OutW: 4},
	} {
		testNotANumbers(t, s)
	}
}

func testNotANumbers(t *testing.T, s Shape) {
	for _, form := range forms {
		for operand := range 3 {
			if [...]int{2, 0, 1}[form] == operand {
				continue // the result
			}
			n := [...]int{s.lenX(), s.lenW(), s.lenY()}[operand]
			for i := 0; i < n; i += 1 + n/23 {
				testNotANumber(t, s, form, operand, i, []float32{float32(math.NaN()), float32(math.Inf(1))}[i%2])
			}
		}
	}
}

func testNotANumber(t *testing.T, s Shape, form Form, operand, at int, value float32) {
	t.Helper()
	operands := [3][]float32{random(s.lenX(), 1), random(s.lenW(), 2), random(s.lenY(), 3)}
	operands[operand][at] = value
	reached := make(map[int]bool)
	s.each(func(xi, wi, yi int) {
		for k := range s.K {
			if i := [3]int{xi, wi + k, yi + k}; i[operand] == at {
				reached[i[[...]int{2, 0, 1}[form]]] = true
			}
		}
	})
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		got := s.apply(nil, form, operands[0], operands[1], operands[2])
		restore()
		for i, v := range got {
			if reached[i] && isFinite(v) {
				t.Errorf("%v %v: operand %d [%d] = %v, but result [%d] = %v", form, level, operand, at, value, i, v)
			}
			image := len(got) / s.N
			ofOther := form != FormKernelGrad && operand != 1 && i/image != at*s.N/len(operands[operand])
			if ofOther && !isFinite(v) {
				t.Errorf("%v %v: operand %d [%d] = %v made result [%d] of another image %v", form, level, operand, at, value, i, v)
			}
		}
	}
}

// rounded returns v as bfloat16, and what that is as float32.
func rounded(v []float32) (half []uint16, exact []float32) {
	half, exact = make([]uint16, len(v)), make([]float32, len(v))
	for i, x := range v {
		store(unsafe.Pointer(&half[i]), 2, x)
		exact[i] = load(unsafe.Pointer(&half[i]), 2)
	}
	return half, exact
}

// applyBF16 runs a form on bfloat16 and returns the result as float32.
func (s Shape) applyBF16(form Form, x, w, y []uint16) []float32 {
	scratch := make([]byte, ScratchBytes(s, form, 1))
	var out []uint16
	switch form {
	case FormForward:
		out = make([]uint16, s.lenY())
		ForwardBF16(nil, s, out, x, w, scratch)
	case FormInputGrad:
		out = make([]uint16, s.lenX())
		InputGradBF16(nil, s, out, y, w, scratch)
	case FormKernelGrad:
		dw := make([]float32, s.lenW())
		KernelGradBF16(nil, s, dw, x, y, scratch)
		return dw
	}
	wide := make([]float32, len(out))
	for i := range out {
		wide[i] = load(unsafe.Pointer(&out[i]), 2)
	}
	return wide
}

// TestBF16IsRoundedFloat32 wants the very bits of the float32 result, rounded.
func TestBF16IsRoundedFloat32(t *testing.T) {
	for _, s := range append(shapes(), square(2, 5, 264, 250)) {
		x, xWide := rounded(random(s.lenX(), 1))
		w, wWide := rounded(random(s.lenW(), 2))
		y, yWide := rounded(random(s.lenY(), 3))
		for _, level := range isa.Available() {
			restore := isa.Set(level)
			for _, form := range forms {
				want := s.apply(nil, form, xWide, wWide, yWide)
				if form != FormKernelGrad {
					_, want = rounded(want)
				}
				if got := s.applyBF16(form, x, w, y); !sameBits(got, want) {
					t.Errorf("%v %v %v: not the float32 result, rounded", form, level, s)
				}
			}
			restore()
		}
	}
}

// TestBF16KeepsNaN has NaNs of every kind among the inputs.
func TestBF16KeepsNaN(t *testing.T) {
	s := square(1, 8, 16, 32)
	w, _ := rounded(random(s.lenW(), 2))
	for _, bits := range []uint16{0x7fff, 0xffff, 0x7f81, 0x7fc0, 0x7f80} {
		x, _ := rounded(random(s.lenX(), 1))
		x[0] = bits
		for _, level := range isa.Available() {
			restore := isa.Set(level)
			if got := s.applyBF16(FormForward, x, w, nil); isFinite(got[0]) {
				t.Errorf("%v: %#x gives %v", level, bits, got[0])
			}
			restore()
		}
	}
}

func TestMisusePanics(t *testing.T) {
	s := square(1, 4, 16, 16)
	x, w, y := random(s.lenX(), 1), random(s.lenW(), 2), random(s.lenY(), 3)
	scratch := make([]byte, ScratchBytes(s, FormForward, 1))
	wide := s
	wide.OutW = 9
	for _, c := range []struct {
		want string
		call func()
	}{
		{errShape, func() { Forward(nil, wide, y, x, w, scratch) }},
		{errLen, func() { Forward(nil, s, y[1:], x, w, scratch) }},
		{errLen, func() { InputGrad(nil, s, x[1:], y, w, scratch) }},
		{errLen, func() { KernelGrad(nil, s, w, x, y[1:], scratch) }},
		{errScratch, func() { Forward(nil, s, y, x, w, scratch[:len(scratch)/2]) }},
		{errScratch, func() { Forward(nil, s, y, x, w, nil) }},
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, c.want) {
					t.Errorf("recovered %q, want %q", r, c.want)
				}
			}()
			c.call()
		}()
	}
}

// TestWins holds the rule against what was measured, at batch 64 if not said otherwise.
func TestWins(t *testing.T) {
	all := forms
	rows := []Form{FormForward, FormInputGrad}
	for _, c := range []struct {
		shape      Shape
		forms      []Form
		wins, bf16 bool // bf16: on a processor that multiplies bfloat16
	}{
		{square(64, 32, 64, 64), all, true, true},
		{square(64, 16, 128, 128), all, true, true},
		{square(64, 8, 256, 256), all, true, true},
		{square(64, 4, 512, 512), all, true, true},
		{square(64, 32, 16, 16), all, true, true},
		{square(64, 16, 32, 32), all, true, true},
		{square(64, 8, 64, 64), all, true, true},
		{square(64, 4, 128, 128), all, true, true},
		{square(16, 7, 512, 512), all, true, true},
		{square(1, 16, 64, 64), all, true, true},
		{square(64, 32, 24, 24), all, true, false},
		{square(64, 3, 128, 128), rows, true, false},
		{square(64, 3, 128, 128), []Form{FormKernelGrad}, true, true},
		{square(64, 32, 3, 64), all, false, false},
		{square(64, 32, 8, 8), all, false, false},
		{square(64, 2, 128, 128), all, false, false},
		{square(64, 2, 512, 512), all, false, false},
		{square(64, 1, 128, 128), all, false, false},
		{square(2, 4, 512, 512), all, false, false},
		{square(1, 3, 64, 64), all, false, false},
		{halved(64, 32, 64, 128), all, true, false},
		{halved(64, 16, 128, 256), rows, true, false},
		{halved(64, 8, 256, 512), rows, true, false},
		{halved(64, 32, 16, 32), all, true, false},
		{halved(64, 32, 3, 64), all, false, false},
		{halved(64, 4, 128, 256), all, false, false},
		{halved(1, 8, 256, 512), all, false, false},
	} {
		for _, form := range c.forms {
			if got := Wins(c.shape, form); got != c.wins {
				t.Errorf("Wins(%v, %v) = %v", c.shape, form, got)
			}
			if got := WinsBF16(c.shape, form); isa.Current() == isa.AVX512BF16 && got != c.bf16 {
				t.Errorf("WinsBF16(%v, %v) = %v", c.shape, form, got)
			}
		}
	}
}

func TestSelfTest(t *testing.T) {
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		if err := SelfTest(); err != nil {
			t.Error(err)
		}
		restore()
	}
}

// TestSelfTestNotices breaks one kernel at a time.
func TestSelfTestNotices(t *testing.T) {
	k := current()
	right := *k
	defer func() { *k = right }()
	if k == kernelsRef {
		t.Skip("nothing to compare the reference with")
	}
	for name, spoil := range map[string]func(){
		"output": func() {
			k.float32.stride1.output = func(a *tileArgs) { a.tiles--; right.float32.stride1.output(a) }
		},
		"input": func() {
			k.float32.strips[sourceTile] = func(a *stripArgs) { a.cols = max(a.cols-1, 0); right.float32.strips[sourceTile](a) }
		},
		"rounding": func() {
			k.bfloat16.stride1.output = func(a *tileArgs) { a.tiles--; right.bfloat16.stride1.output(a) }
		},
		"gradient": func() {
			k.float32.stride1.grad = func(a *tileArgs) { right.float32.stride1.grad(a); *a.m = 1 }
		},
		"split input": func() {
			k.float32.strips[sourceSplit] = func(a *stripArgs) { a.cols = max(a.cols-1, 0); right.float32.strips[sourceSplit](a) }
		},
		"pair input": func() {
			k.float32.strips[sourcePair] = func(a *stripArgs) { a.cols = max(a.cols-1, 0); right.float32.strips[sourcePair](a) }
		},
		"pair output": func() {
			k.float32.stride2.output = func(a *tileArgs) { a.tiles--; right.float32.stride2.output(a) }
		},
		"pair gradient": func() {
			k.float32.stride2.grad = func(a *tileArgs) { right.float32.stride2.grad(a); *a.m = 1 }
		},
		"split kernel": func() {
			k.splitKernelOut = func(a *weightArgs) { right.splitKernelOut(a); *a.to = 1 }
		},
	} {
		*k = right
		spoil()
		if SelfTest() == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
