package augment

import (
	"fmt"
	"math"
	"testing"
)

func TestDrawIsAFunctionOfItsArguments(t *testing.T) {
	c := Published()
	base := Draw(&c, 1, 2, 3, 0, 40, 30)
	if Draw(&c, 1, 2, 3, 0, 40, 30) != base {
		t.Error("same arguments, another view")
	}
	for name, v := range map[string]View{"seed": Draw(&c, 2, 2, 3, 0, 40, 30), "epoch": Draw(&c, 1, 3, 3, 0, 40, 30),
		"sample": Draw(&c, 1, 2, 4, 0, 40, 30), "view": Draw(&c, 1, 2, 3, 1, 40, 30)} {
		if v.X == base.X && v.Y == base.Y && v.W == base.W && v.H == base.H {
			t.Errorf("another %s, same box", name)
		}
	}
	// One setting does not shift the draws of the others.
	d := c
	d.Jitter.P, d.Flip = PerView{0}, PerView{1}
	v := Draw(&d, 1, 2, 3, 0, 40, 30)
	if v.X != base.X || v.W != base.W || v.Sigma != base.Sigma || v.Gray != base.Gray || !v.Flip || v.Jitter {
		t.Errorf("changing flip and jitter changed %+v to %+v", base, v)
	}
}

// The published numbers must not drift: resumed runs and other platforms rely on
// them. Exact values, as first drawn; a change here breaks resuming.
func TestDrawIsFixed(t *testing.T) {
	c := Published()
	got := fmt.Sprintf("%+v", Draw(&c, 7, 1, 42, 1, 500, 375))
	if got != drawFixed {
		t.Errorf("got  %s\nwant %s", got, drawFixed)
	}
}

func TestProbabilities(t *testing.T) {
	c := Published()
	const n = 4000
	for view := range 2 {
		var flip, jitter, gray, blur, sol int
		orders := map[[4]uint8]int{}
		var brightness, sigma float64
		for s := range n {
			v := Draw(&c, 3, 0, s, view, 32, 32)
			count := func(k *int, is bool) {
				if is {
					*k++
				}
			}
			count(&flip, v.Flip)
			count(&jitter, v.Jitter)
			count(&gray, v.Gray)
			count(&blur, v.Sigma > 0)
			count(&sol, v.Solarize)
			if v.Jitter {
				orders[v.Order]++
				brightness += float64(v.Brightness)
				if v.Brightness < 0.6 || v.Brightness > 1.4 || math.Abs(float64(v.Hue)) > 0.1 || v.Saturation < 0.8 || v.Saturation > 1.2 {
					t.Fatalf("out of range: %+v", v)
				}
			}
			if v.Sigma > 0 {
				sigma += float64(v.Sigma)
				if v.Sigma < 0.1 || v.Sigma > 2 {
					t.Fatalf("out of range: %+v", v)
				}
			}
		}
		for name, x := range map[string][2]float64{"flip": {float64(flip), 0.5}, "jitter": {float64(jitter), 0.8}, "gray": {float64(gray), 0.2},
			"blur": {float64(blur), []float64{1, 0.1}[view]}, "solarize": {float64(sol), []float64{0, 0.2}[view]}} {
			p, dev := x[1], math.Sqrt(x[1]*(1-x[1])/n)
			if d := math.Abs(x[0]/n - p); d > 4*dev || (p == 0 || p == 1) && d != 0 {
				t.Errorf("view %d: %s in %v of the draws, want %v", view, name, x[0]/n, p)
			}
		}
		if len(orders) != 24 {
			t.Errorf("%d orders of the jitter's steps, want all 24", len(orders))
		}
		for o, k := range orders {
			if want := float64(jitter) / 24; math.Abs(float64(k)-want) > 5*math.Sqrt(want) {
				t.Errorf("order %v %d times, want about %.0f", o, k, want)
			}
		}
		if m := brightness / float64(jitter); math.Abs(m-1) > 0.02 {
			t.Errorf("mean brightness %v, want 1", m)
		}
		if m := sigma / float64(blur); math.Abs(m-1.05) > 0.15 {
			t.Errorf("mean sigma %v, want 1.05", m)
		}
	}
}

func TestCropStaysInside(t *testing.T) {
	c := Published()
	for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 90}, {3, 5}, {32, 32}, {1000, 7}, {640, 480}} {
		for s := range 300 {
			v := Draw(&c, 9, 0, s, 0, size[0], size[1])
			if v.X < 0 || v.Y < 0 || v.W < 1 || v.H < 1 || v.X+v.W > size[0] || v.Y+v.H > size[1] {
				t.Fatalf("%v: box %+v", size, v)
			}
		}
	}
}

func TestCropLikeTorchvision(t *testing.T) {
	g := readGolden(t)
	c := Published()
	c.Crop.Scale = []float64{1, 1}
	for _, f := range g.Fallback {
		v := Draw(&c, 1, 0, 0, 0, f[0], f[1])
		if got := [6]int{f[0], f[1], v.X, v.Y, v.W, v.H}; got != f {
			t.Errorf("fallback %v, want %v", got, f)
		}
	}
	c = Published()
	for _, b := range g.Boxes {
		const n = 40000
		var sum, square [4]float64
		for s := range n {
			v := Draw(&c, 5, 0, s, 0, b.W, b.H)
			for k, x := range [4]float64{float64(v.W*v.H) / float64(b.W*b.H), math.Log(float64(v.W) / float64(v.H)),
				(float64(v.X) + float64(v.W)/2) / float64(b.W), (float64(v.Y) + float64(v.H)/2) / float64(b.H)} {
				sum[k] += x
				square[k] += x * x
			}
		}
		for k := range sum {
			mean := sum[k] / n
			std := math.Sqrt(square[k]/n - mean*mean)
			// Both sides are samples of 40,000: five deviations of a difference.
			if tol := 5 * b.Std[k] * math.Sqrt(2./n); math.Abs(mean-b.Mean[k]) > tol || math.Abs(std-b.Std[k]) > tol {
				t.Errorf("%dx%d quantity %d: mean %.4f deviation %.4f, torchvision %.4f %.4f", b.W, b.H, k, mean, std, b.Mean[k], b.Std[k])
			}
		}
	}
}

func TestExpAndLn(t *testing.T) {
	for x := -3.0; x < 3; x += 0.0137 {
		if e := exp(x); math.Abs(e/math.Exp(x)-1) > 1e-14 {
			t.Errorf("exp(%v) = %v, want %v", x, e, math.Exp(x))
		}
		if y := math.Exp(x); math.Abs(ln(y)-x) > 2e-15*max(1, math.Abs(x)) {
			t.Errorf("ln(%v) = %v, want %v", y, ln(y), x)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := Published().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"probability": func(c *Config) { c.Flip = PerView{1.5} },
		"NaN":         func(c *Config) { c.Blur.P = PerView{math.NaN()} },
		"scale":       func(c *Config) { c.Crop.Scale = []float64{0.5, 0.2} },
		"ratio":       func(c *Config) { c.Crop.Ratio = []float64{0, 1} },
		"hue":         func(c *Config) { c.Jitter.Hue = 0.6 },
		"style":       func(c *Config) { c.Jitter.Style = "pil" },
		"filter":      func(c *Config) { c.Crop.Interpolation = "nearest" },
		"std":         func(c *Config) { c.Normalize.Std = []float64{1, 0, 1} },
	} {
		c := Published()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

const drawFixed = `{X:94 Y:1 W:386 H:373 Flip:true Jitter:true Brightness:0.9387755 Contrast:0.9582495 Saturation:0.96857756 Hue:0.03435605 Order:[0 2 3 1] Gray:false Sigma:0 Solarize:false}`
