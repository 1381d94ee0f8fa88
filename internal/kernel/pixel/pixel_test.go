package pixel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// atEveryLevel runs f once for each instruction set of this machine.
func atEveryLevel(t *testing.T, f func(t *testing.T)) {
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) {
			defer isa.Set(level)()
			f(t)
		})
	}
}

// lengths are those below n around which blocks end, and some larger ones.
func lengths(n int, more ...int) []int {
	var l []int
	for i := range n {
		l = append(l, i)
	}
	return append(l, more...)
}

const guard = 77

// guarded returns n bytes with guard bytes around them, at an odd address.
func guarded(n int) (all, inner []uint8) {
	all = bytes.Repeat([]byte{guard}, n+19)
	return all, all[3 : 3+n : 3+n]
}

func checkGuard(t *testing.T, all []uint8, n int) {
	t.Helper()
	for i, v := range all {
		if (i < 3 || i >= 3+n) && v != guard {
			t.Fatalf("n = %d: wrote outside the slice, at %d", n, i-3)
		}
	}
}

func guardedFloats(n int) (all, inner []float32) {
	all = make([]float32, n+19)
	for i := range all {
		all[i] = guard
	}
	return all, all[3 : 3+n : 3+n]
}

func checkGuardFloats(t *testing.T, all []float32, n int) {
	t.Helper()
	for i, v := range all {
		if (i < 3 || i >= 3+n) && v != guard {
			t.Fatalf("n = %d: wrote outside the slice, at %d", n, i-3)
		}
	}
}

func randomBytes(r *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(r.Uint32())
		if r.IntN(4) == 0 {
			b[i] = uint8(r.IntN(2) * 255)
		}
	}
	return b
}

func randomFloats(r *rand.Rand, n int) []float32 {
	f := make([]float32, n)
	for i := range f {
		f[i] = r.Float32()
		if r.IntN(8) == 0 {
			f[i] = float32(r.IntN(2))
		}
	}
	return f
}

func near(a, b []float32, tolerance float64) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d values, want %d", len(a), len(b))
	}
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		if x != y && !(math.IsNaN(x) && math.IsNaN(y)) && !(math.Abs(x-y) <= tolerance) {
			return fmt.Errorf("value %d: %v, want %v", i, a[i], b[i])
		}
	}
	return nil
}

func TestYCbCrToRGB(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range lengths(70, 257) {
			y, cb, cr := randomBytes(r, n), randomBytes(r, n), randomBytes(r, n)
			all, got := guarded(3 * n)
			want := make([]uint8, 3*n)
			YCbCrToRGB(got, y, cb, cr)
			ycbcrToRGBRef(want, y, cb, cr)
			if !bytes.Equal(got, want) {
				t.Fatalf("n = %d: differs from the reference", n)
			}
			checkGuard(t, all, 3*n)
		}
	})
}

// TestYCbCrFormula compares every colour of a grid with the defining equations.
func TestYCbCrFormula(t *testing.T) {
	for y := 0; y < 256; y += 5 {
		for cb := 0; cb < 256; cb += 5 {
			for cr := 0; cr < 256; cr += 5 {
				var got [3]uint8
				YCbCrToRGB(got[:], []uint8{uint8(y)}, []uint8{uint8(cb)}, []uint8{uint8(cr)})
				l, b, r := float64(y), float64(cb)-128, float64(cr)-128
				for c, v := range []float64{l + 1.402*r, l - .344136*b - .714136*r, l + 1.772*b} {
					if v = min(max(v, 0), 255); math.Abs(float64(got[c])-v) > .51 {
						t.Fatalf("YCbCr %d %d %d, channel %d: %d, want %.2f", y, cb, cr, c, got[c], v)
					}
				}
			}
		}
	}
}

func TestUpsampleH2V2(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range lengths(140, 533) {
			cw := (n + 1) / 2
			a, b := randomBytes(r, cw), randomBytes(r, cw)
			all, got := guarded(n)
			UpsampleH2V2(got, a, b)
			for x := range got { // the triangle filter, written out
				i, other, bias := x/2, x/2-1, 8
				if x%2 == 1 {
					other, bias = i+1, 7
				}
				other = min(max(other, 0), cw-1)
				want := (9*int(a[i]) + 3*int(b[i]) + 3*int(a[other]) + int(b[other]) + bias) >> 4
				if int(got[x]) != want {
					t.Fatalf("n = %d: sample %d is %d, want %d", n, x, got[x], want)
				}
			}
			checkGuard(t, all, n)
		}
	})
}

// randomColumns returns a table of n columns over a row of size pixels.
func randomColumns(r *rand.Rand, n, size, c, taps int) *Columns {
	t := &Columns{C: c, Taps: taps}
	for range n {
		t.Offsets = append(t.Offsets, int32(r.IntN(size-taps+1)*c))
		for range taps {
			t.Weights = append(t.Weights, Fixed((r.Float64()*3-1)/float64(taps)))
		}
	}
	t.Expand()
	return t
}

func TestResampleRow(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range []int{1, 3} {
			for _, taps := range []int{4, 8, 12} {
				for _, n := range lengths(20, 224) {
					const size = 40
					table := randomColumns(r, n, size, c, taps)
					src := randomBytes(r, size*c+RowPadding)
					src = src[:len(src):len(src)]
					all, got := guarded(c * n)
					allF, gotF := guardedFloats(c * n)
					ResampleRow(got, src, table)
					ResampleRowFloat(gotF, src, table)
					for i := range got {
						sum := 0.0
						for k := range taps {
							sum += float64(table.Weights[i/c*taps+k]) / (1 << Precision) * float64(src[int(table.Offsets[i/c])+k*c+i%c])
						}
						if want := math.Floor(min(max(sum, 0), 255) + .5); float64(got[i]) != min(want, 255) {
							t.Fatalf("%d channels, %d taps, %d columns: sample %d is %d, want %v", c, taps, n, i, got[i], want)
						}
						if want := min(max(sum/255, 0), 1); math.Abs(float64(gotF[i])-want) > 1e-6 {
							t.Fatalf("%d channels, %d taps, %d columns: sample %d is %v, want %v", c, taps, n, i, gotF[i], want)
						}
					}
					checkGuard(t, all, c*n)
					checkGuardFloats(t, allF, c*n)
				}
			}
		}
	})
}

func TestWeightedBytes(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, rows := range []int{1, 2, 5, 9} {
			for _, n := range lengths(75, 672) {
				src := randomBytes(r, rows*n+5)
				offsets, weights := make([]int32, rows), make([]int32, rows)
				for j := range rows {
					offsets[j] = int32(r.IntN(len(src) - n + 1))
					weights[j] = Fixed((r.Float64()*3 - 1) / float64(rows))
				}
				all, got := guarded(n)
				allF, gotF := guardedFloats(n)
				WeightedBytes(got, src, offsets, weights)
				WeightedBytesFloat(gotF, src, offsets, weights)
				for i := range got {
					sum := 0.0
					for j := range rows {
						sum += float64(weights[j]) / (1 << Precision) * float64(src[int(offsets[j])+i])
					}
					if want := min(max(math.Floor(sum+.5), 0), 255); float64(got[i]) != want {
						t.Fatalf("%d rows of %d: sample %d is %d, want %v", rows, n, i, got[i], want)
					}
					if want := min(max(sum/255, 0), 1); math.Abs(float64(gotF[i])-want) > 1e-6 {
						t.Fatalf("%d rows of %d: sample %d is %v, want %v", rows, n, i, gotF[i], want)
					}
				}
				checkGuard(t, all, n)
				checkGuardFloats(t, allF, n)
			}
		}
	})
}

func TestWeightedRows(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, rows := range []int{1, 3, 23} {
			for _, n := range lengths(140, 672) {
				src := randomFloats(r, rows*n+5)
				offsets, weights := make([]int32, rows), randomFloats(r, rows)
				for j := range rows {
					offsets[j] = int32(r.IntN(len(src) - n + 1))
					weights[j] = (weights[j]*3 - 1) / float32(rows)
				}
				all, got := guardedFloats(n)
				want := make([]float32, n)
				WeightedRows(got, src, offsets, weights, 0, 1)
				weightedRowsRef(want, src, offsets, weights, 0, 1, 0)
				if err := near(got, want, 1e-6); err != nil {
					t.Fatalf("%d rows of %d: %v", rows, n, err)
				}
				checkGuardFloats(t, all, n)
			}
		}
	})
}

// TestColour compares the vector code of the colour steps with the references.
func TestColour(t *testing.T) {
	steps := []struct {
		name     string
		run, ref func(dst, src []float32)
	}{
		{"affine", func(d, s []float32) { Affine(d, s, 1.4, -.3) }, func(d, s []float32) { affineRef(d, s, 1.4, -.3) }},
		{"blendGray", func(d, s []float32) { BlendGray(d, s, 1.2) }, func(d, s []float32) { blendGrayRef(d, s, 1.2) }},
		{"gray", Gray, func(d, s []float32) { blendGrayRef(d, s, 0) }},
		{"hue", func(d, s []float32) { Hue(d, s, -.07) }, func(d, s []float32) { hueRef(d, s, -.07) }},
		{"solarize", func(d, s []float32) { Solarize(d, s, .5) }, func(d, s []float32) { solarizeRef(d, s, .5) }},
		{"normalize", func(d, s []float32) { Normalize(d, s, &[3]float32{4, 5, 6}, &[3]float32{-1, -2, -3}) },
			func(d, s []float32) { normalizeRef(d, s, &[3]float32{4, 5, 6}, &[3]float32{-1, -2, -3}) }},
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, s := range steps {
			for _, n := range lengths(40, 1024) {
				src := randomFloats(r, 3*n)
				all, got := guardedFloats(3 * n)
				want := make([]float32, 3*n)
				s.run(got, src)
				s.ref(want, src)
				if err := near(got, want, 4e-6); err != nil {
					t.Fatalf("%s of %d pixels: %v", s.name, n, err)
				}
				checkGuardFloats(t, all, 3*n)
				s.run(src, src) // in place
				if err := near(src, got, 0); err != nil {
					t.Fatalf("%s of %d pixels in place: %v", s.name, n, err)
				}
			}
			if s.name == "hue" {
				continue // undefined for what is no colour
			}
			for i := range 24 { // extremes in every lane
				for _, v := range []float32{inf, -inf, nan, -0.0} {
					src := randomFloats(r, 48)
					src[i], src[i+24] = v, v
					got, want := make([]float32, 48), make([]float32, 48)
					s.run(got, src)
					s.ref(want, src)
					if err := near(got, want, 4e-6); err != nil {
						t.Fatalf("%s with %v at %d: %v", s.name, v, i, err)
					}
				}
			}
		}
	})
}

func TestMeanGray(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(13, 14))
		for _, n := range lengths(40, 1023, 1024, 5000) {
			src := randomFloats(r, 3*n)
			sum := 0.0
			for i := 0; i < len(src); i += 3 {
				sum += GrayR*float64(src[i]) + GrayG*float64(src[i+1]) + GrayB*float64(src[i+2])
			}
			if got := float64(MeanGray(src)); n > 0 && math.Abs(got-sum/float64(n)) > 1e-6 {
				t.Fatalf("mean of %d pixels: %v, want %v", n, got, sum/float64(n))
			}
		}
	})
}

// goldenPicture is picture() of tools/golden/pixel.py: [17,13,3].
func goldenPicture() []float32 {
	v := make([]float32, 17*13*3)
	s := uint32(7)
	for i := range v {
		s = s*1664525 + 1013904223
		v[i] = float32(float64(s>>24) / 255)
	}
	for i := 0; i < 60; i += 3 {
		v[i+1], v[i+2] = v[i], v[i]
	}
	for i := 60; i < 90; i += 3 {
		v[i+1] = v[i]
	}
	for i := 90; i < 99; i++ {
		v[i] = float32(i % 2)
	}
	return v
}

// TestTorchvision compares each step with torchvision's on float tensors.
func TestTorchvision(t *testing.T) {
	data, err := os.ReadFile("testdata/torchvision.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Step   string
		Factor float64
		Taps   int
		Out    []float32
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	const h, w = 17, 13
	atEveryLevel(t, func(t *testing.T) {
		for _, c := range cases {
			src := goldenPicture()
			got := make([]float32, len(src))
			f := float32(c.Factor)
			switch c.Step {
			case "brightness":
				Blend(got, src, f, 0)
			case "contrast":
				Blend(got, src, f, MeanGray(src))
			case "saturation":
				BlendGray(got, src, f)
			case "hue":
				Hue(got, src, f)
			case "gray":
				Gray(got, src)
			case "blur":
				kernel := make([]float32, c.Taps)
				GaussianKernel(kernel, c.Factor)
				Blur(got, src, make([]float32, BlurScratch(h, w, 3, c.Taps)), make([]int32, c.Taps), h, w, 3, kernel)
			case "solarize":
				Solarize(got, src, f)
			case "normalize":
				var scale, shift [3]float32
				for i, mean := range []float32{.485, .456, .406} {
					std := []float32{.229, .224, .225}[i]
					scale[i], shift[i] = 1/std, -mean/std
				}
				Normalize(got, src, &scale, &shift)
			default:
				t.Fatalf("unknown step %q", c.Step)
			}
			if err := near(got, c.Out, 5e-6); err != nil {
				t.Errorf("%s %v %d: %v", c.Step, c.Factor, c.Taps, err)
			}
		}
	})
}

// TestMisusePanics: lengths that do not fit are named, not read past.
func TestMisusePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"ycbcr":     func() { YCbCrToRGB(make([]uint8, 5), make([]uint8, 2), make([]uint8, 2), make([]uint8, 2)) },
		"upsample":  func() { UpsampleH2V2(make([]uint8, 5), make([]uint8, 2), make([]uint8, 2)) },
		"hue":       func() { Hue(make([]float32, 4), make([]float32, 4), 0) },
		"rows":      func() { WeightedBytes(make([]uint8, 4), make([]uint8, 5), []int32{2}, []int32{1}) },
		"floatrows": func() { WeightedRows(make([]float32, 4), make([]float32, 5), []int32{-1}, []float32{1}, 0, 1) },
		"row": func() {
			c := &Columns{C: 3, Taps: 4, Offsets: []int32{0}, Weights: make([]int32, 4), Expanded: make([]int32, 16)}
			ResampleRow(make([]uint8, 3), make([]uint8, 12), c)
		},
		"blur": func() {
			Blur(make([]float32, 9), make([]float32, 9), make([]float32, 99), make([]int32, 9), 1, 3, 3, make([]float32, 3))
		},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || len(fmt.Sprint(r)) < 6 || fmt.Sprint(r)[:6] != "pixel:" {
					t.Errorf("%s: recovered %v, want a panic of this package", name, r)
				}
			}()
			f()
		}()
	}
}

// TestIDCT compares the vector code with the reference to the bit, and the
// reference with the defining sum (ITU-T T.81, A.3.3).
func TestIDCT(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 16))
		for trial := range 400 {
			var coef [64]int16
			var quant [64]int32
			for i := range quant {
				quant[i] = 1 + r.Int32N(40)
			}
			for range 1 + trial%20 {
				i := r.IntN(64)
				coef[i] = int16((r.IntN(2000) - 1000) / int(quant[i]))
			}
			if trial%40 == 39 { // what only a damaged file holds
				for i := range coef {
					coef[i], quant[i] = int16(r.Uint32()), r.Int32N(65536)
				}
			}
			const stride = 11
			all, got := guarded(7*stride + 8)
			want := make([]uint8, len(got))
			IDCT(got, stride, &coef, &quant)
			idctRef(want, stride, &coef, &quant)
			for y := range 8 {
				if !bytes.Equal(got[y*stride:y*stride+8], want[y*stride:y*stride+8]) {
					t.Fatalf("trial %d: row %d is %v, want %v", trial, y, got[y*stride:y*stride+8], want[y*stride:y*stride+8])
				}
				for x := range 8 {
					if got[y*stride+x] != exactIDCT(&coef, &quant, x, y) && trial%40 != 39 {
						d := int(got[y*stride+x]) - int(exactIDCT(&coef, &quant, x, y))
						if d < -1 || d > 1 {
							t.Fatalf("trial %d: sample (%d, %d) is off by %d", trial, x, y, d)
						}
					}
				}
			}
			checkGuard(t, all, len(got))
			for y := range 7 {
				for x := 8; x < stride; x++ {
					if got[y*stride+x] != guard {
						t.Fatalf("wrote between the rows")
					}
				}
			}
			flat := [64]int16{0: coef[0]}
			IDCT(got, stride, &flat, &quant)
			IDCTFlat(want, stride, int32(coef[0]), quant[0])
			if trial%40 != 39 && got[0] != want[0] {
				t.Fatalf("flat block: %d, want %d", want[0], got[0])
			}
		}
	})
}

func exactIDCT(coef *[64]int16, quant *[64]int32, x, y int) uint8 {
	sum := 0.0
	for v := range 8 {
		for u := range 8 {
			if coef[8*v+u] == 0 {
				continue
			}
			c := 0.25 * float64(coef[8*v+u]) * float64(quant[8*v+u])
			if u == 0 {
				c /= math.Sqrt2
			}
			if v == 0 {
				c /= math.Sqrt2
			}
			sum += c * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*y+1)*float64(v)*math.Pi/16)
		}
	}
	return uint8(min(max(math.Round(sum+128), 0), 255))
}

func TestSelfTest(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		if err := selfTest(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkSelfTest(b *testing.B) {
	for b.Loop() {
		if err := selfTest(); err != nil {
			b.Fatal(err)
		}
	}
}
