package augment

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/isa"
)

// picture is the picture of tools/golden/augment.py.
func picture(w, h, c int) *imaging.Image {
	m := imaging.New(w, h, c)
	for y := range h {
		for x := range w {
			for k := range c {
				v := 128 + 80*((x/5+y/7+k)%3-1) + ((x*(3+k)+y*(5-k))%41 - 20) + (x*x+y*3+k*11)%13
				m.Pix[(y*w+x)*c+k] = uint8(max(0, min(255, v)))
			}
		}
	}
	return m
}

type golden struct {
	Size, Stride int
	Steps        map[string][]float32
	Normalize    []float32
	Chains       []struct {
		Flip, Gray, Solarize                         bool
		Order                                        [4]uint8
		Brightness, Contrast, Saturation, Hue, Sigma float32
		Want                                         []float32
	}
	Crops []struct {
		W, H, Size int
		Box        [4]int
		Filter     string
		Want       []float32
	}
	Fallback [][6]int
	Boxes    []struct {
		W, H      int
		Mean, Std [4]float64
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	data, err := os.ReadFile("testdata/augment.json")
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// compare checks the stored samples, each stride-th of got.
func compare(t *testing.T, name string, got, want []float32, stride int, tol float32) {
	t.Helper()
	worst, at := float32(0), 0
	for k, w := range want {
		if d := float32(math.Abs(float64(got[k*stride] - w))); !(d <= worst) {
			worst, at = d, k
		}
	}
	if !(worst <= tol) || len(want) != (len(got)+stride-1)/stride {
		t.Errorf("%s: sample %d is %v, want %v (%d samples)", name, at*stride, got[at*stride], want[at], len(want))
	}
}

func must(t testing.TB, c Config, size, channels int) *Augmenter {
	t.Helper()
	a, err := New(c, size, channels)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// everyISA runs the test at each level of instructions that the machine has.
func everyISA(t *testing.T, test func(t *testing.T)) {
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) {
			defer isa.Set(level)()
			test(t)
		})
	}
}

// Each step alone, on a picture that the crop leaves as it is, against torchvision.
func TestStepsLikeTorchvision(t *testing.T) {
	g := readGolden(t)
	everyISA(t, func(t *testing.T) {
		for name, want := range g.Steps {
			v := View{W: g.Size, H: g.Size}
			c := Published()
			c.Jitter.Brightness, c.Jitter.Contrast, c.Jitter.Saturation, c.Jitter.Hue = 0, 0, 0, 0
			var step string
			var x float32
			fmt.Sscan(name, &step, &x)
			v.Jitter, v.Order = true, [4]uint8{3, 2, 1, 0}
			switch step {
			case "brightness":
				c.Jitter.Brightness, v.Brightness = 0.4, x
			case "contrast":
				c.Jitter.Contrast, v.Contrast = 0.4, x
			case "saturation":
				c.Jitter.Saturation, v.Saturation = 0.4, x
			case "hue":
				c.Jitter.Hue, v.Hue = 0.5, x
			case "gray":
				v.Gray = true
			case "flip":
				v.Flip = true
			case "blur":
				v.Sigma = x
			case "solarize":
				v.Solarize = true
			default:
				t.Fatalf("golden of an unknown step %q", name)
			}
			dst := make([]float32, g.Size*g.Size*3)
			must(t, c, g.Size, 3).ApplyPixels(dst, picture(g.Size, g.Size, 3), &v, new(Workspace))
			compare(t, name, dst, want, g.Stride, 4e-6)
		}
		dst := make([]float32, g.Size*g.Size*3)
		must(t, Published(), g.Size, 3).Apply(dst, picture(g.Size, g.Size, 3), &View{W: g.Size, H: g.Size}, new(Workspace))
		compare(t, "normalize", dst, g.Normalize, g.Stride, 4e-6)
	})
}

func TestChainsLikeTorchvision(t *testing.T) {
	g := readGolden(t)
	everyISA(t, func(t *testing.T) {
		a, ws := must(t, Published(), g.Size, 3), new(Workspace)
		dst := make([]float32, g.Size*g.Size*3)
		for k, c := range g.Chains {
			v := View{W: g.Size, H: g.Size, Flip: c.Flip, Jitter: true, Brightness: c.Brightness, Contrast: c.Contrast,
				Saturation: c.Saturation, Hue: c.Hue, Order: c.Order, Gray: c.Gray, Sigma: c.Sigma, Solarize: c.Solarize}
			a.Apply(dst, picture(g.Size, g.Size, 3), &v, ws)
			compare(t, fmt.Sprint("chain ", k), dst, c.Want, g.Stride, 5e-5) // the hue's division and 1/std enlarge rounding
		}
	})
}

func TestCropLikePillow(t *testing.T) {
	g := readGolden(t)
	everyISA(t, func(t *testing.T) {
		for _, c := range g.Crops {
			cfg := Published()
			cfg.Crop.Interpolation = c.Filter
			dst := make([]float32, c.Size*c.Size*3)
			v := View{X: c.Box[0], Y: c.Box[1], W: c.Box[2], H: c.Box[3]}
			must(t, cfg, c.Size, 3).ApplyPixels(dst, picture(c.W, c.H, 3), &v, new(Workspace))
			for i, v := range dst { // Pillow's results are whole levels
				dst[i] = float32(math.Round(float64(v * 255)))
			}
			compare(t, fmt.Sprint(c.W, c.H, c.Box, c.Size, c.Filter), dst, c.Want, g.Stride, 1)
		}
	})
}

// The paper's jitter against its formulas, written for one pixel in float64.
func TestPaperJitter(t *testing.T) {
	c := Published()
	c.Jitter.Style = Paper
	const size = 8
	img := picture(size, size, 3)
	v := View{W: size, H: size, Jitter: true, Brightness: 0.2, Contrast: 1.3, Order: [4]uint8{0, 1, 2, 3}, Saturation: 1.1, Hue: 0.07}
	got := make([]float32, size*size*3)
	must(t, c, size, 3).ApplyPixels(got, img, &v, new(Workspace))
	x := make([]float64, len(got))
	var mean [3]float64
	for i, p := range img.Pix {
		x[i] = float64(p)/255 + 0.2
		mean[i%3] += x[i] / (size * size)
	}
	for p := 0; p < len(x); p += 3 {
		var px [3]float64
		for k := range px {
			px[k] = 1.3*(x[p+k]-mean[k]) + mean[k]
		}
		hi, lo := max(px[0], px[1], px[2]), min(px[0], px[1], px[2])
		if hi <= 0 {
			continue
		}
		s, h := (hi-lo)/hi, 0.0
		switch hi {
		case lo:
		case px[0]:
			h = (px[1] - px[2]) / (hi - lo)
		case px[1]:
			h = 2 + (px[2]-px[0])/(hi-lo)
		default:
			h = 4 + (px[0]-px[1])/(hi-lo)
		}
		s = max(0, min(1, s*1.1))
		h = math.Mod(h+6*0.07+6, 6)
		f := h - math.Floor(h)
		a, b, d := hi*(1-s), hi*(1-s*f), hi*(1-s*(1-f))
		want := [][3]float64{{hi, d, a}, {b, hi, a}, {a, hi, d}, {a, b, hi}, {d, a, hi}, {hi, a, b}}[int(h)]
		for k, w := range want {
			if w = max(0, min(1, w)); math.Abs(w-float64(got[p+k])) > 2e-5 {
				t.Fatalf("pixel %d channel %d: %v, want %v", p/3, k, got[p+k], w)
			}
		}
	}
}

// Colour steps leave gray pictures alone; the others treat them as they treat the
// channels of a gray picture in colour.
func TestGrayPictures(t *testing.T) {
	one := picture(40, 30, 1)
	three := imaging.ToRGB(one)
	v := View{X: 3, Y: 2, W: 30, H: 25, Flip: true, Jitter: true, Brightness: 0.8, Contrast: 1.2, Saturation: 1.2, Hue: 0.1,
		Order: [4]uint8{3, 1, 2, 0}, Gray: true, Sigma: 1, Solarize: true}
	const size = 24
	got, want := make([]float32, size*size), make([]float32, size*size*3)
	must(t, Published(), size, 1).ApplyPixels(got, one, &v, new(Workspace))
	must(t, Published(), size, 3).ApplyPixels(want, three, &v, new(Workspace))
	for i, g := range got {
		// A sample at the threshold of solarize may fall to either side of it, and
		// torchvision's gray weights sum to .9999.
		if d := math.Abs(float64(g - want[3*i])); d > 2e-3 && math.Abs(float64(1-g-want[3*i])) > 2e-3 {
			t.Fatalf("pixel %d: %v in gray, %v in colour", i, g, want[3*i])
		}
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	a, ws := must(t, Published(), 32, 3), new(Workspace)
	img, dst := picture(60, 50, 3), make([]float32, 32*32*3)
	n := 0
	view := func() {
		v := a.Draw(1, 0, n%50, n%2, img.W, img.H)
		a.Apply(dst, img, &v, ws)
		n++
	}
	for range 100 {
		view() // the buffers grow to what the largest crop needs
	}
	n = 0
	if allocs := testing.AllocsPerRun(99, view); allocs > 0 {
		t.Errorf("%v allocations a view", allocs)
	}
}

func TestApplyPanicsOnMisuse(t *testing.T) {
	a := must(t, Published(), 16, 3)
	for name, f := range map[string]func(){
		"box outside": func() { a.Apply(make([]float32, 768), picture(20, 20, 3), &View{X: 10, W: 11, H: 5}, new(Workspace)) },
		"short dst":   func() { a.Apply(make([]float32, 767), picture(20, 20, 3), &View{W: 5, H: 5}, new(Workspace)) },
		"gray":        func() { a.Apply(make([]float32, 768), picture(20, 20, 1), &View{W: 5, H: 5}, new(Workspace)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkTwoViews(b *testing.B) {
	for _, s := range []struct{ src, size int }{{32, 32}, {400, 224}} {
		b.Run(fmt.Sprint(s.size), func(b *testing.B) {
			c := Published()
			if s.size == 32 {
				c.Blur.P = PerView{0} // as in the small-data recipes and the peers' script
			}
			img, dst := picture(s.src, s.src, 3), make([]float32, s.size*s.size*3)
			view := must(b, c, s.size, 3).Worker(1)
			for n := 0; b.Loop(); n++ {
				view(dst, img, 0, n, 0)
				view(dst, img, 0, n, 1)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
