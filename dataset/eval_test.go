package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"testing"

	"github.com/byol-go/byol/imaging"
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

func TestPreprocessLikeTorchvision(t *testing.T) {
	var g struct {
		Stride int
		Cases  []struct {
			W, H, Channels, Size int
			Want                 []float32
		}
	}
	data, err := os.ReadFile("testdata/preprocess.json")
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range g.Cases {
		mean, std := []float64{.485, .456, .406}, []float64{.229, .224, .225}
		if c.Channels == 1 {
			mean, std = []float64{.449}, []float64{.226}
		}
		p, err := NewPreprocess(c.Size, c.Channels, mean, std)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, p.Len())
		if err := p.Apply(dst, picture(c.W, c.H, c.Channels)); err != nil {
			t.Fatal(err)
		}
		for k, want := range c.Want {
			if d := math.Abs(float64(dst[k*g.Stride] - want)); !(d < 1e-5) {
				t.Errorf("%dx%d to %d: sample %d is %v, want %v", c.W, c.H, c.Size, k*g.Stride, dst[k*g.Stride], want)
				break
			}
		}
	}
}

func TestPreprocessChannels(t *testing.T) {
	three, err := NewPreprocess(16, 3, []float64{0, 0, 0}, []float64{1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, three.Len())
	if err := three.Apply(dst, picture(16, 16, 1)); err != nil || dst[0] != dst[2] {
		t.Errorf("gray to RGB: %v %v", dst[:3], err)
	}
	one, err := NewPreprocess(16, 1, []float64{.4, .5, .6}, []float64{.2, .2, .2})
	if err != nil {
		t.Fatal(err)
	}
	m := picture(16, 16, 3)
	if err := one.Apply(dst[:256], m); err != nil || math.Abs(float64(dst[0])-(float64(gray(m.Pix[0], m.Pix[1], m.Pix[2]))/255-.5)/.2) > 1e-5 {
		t.Errorf("RGB to gray: %v %v", dst[0], err)
	}
	for _, std := range [][]float64{{1, 0, 1}, {1}, {1, 1}} {
		if _, err := NewPreprocess(16, 3, []float64{0, 0, 0}, std); err == nil {
			t.Errorf("deviations %v accepted", std)
		}
	}
	if err := one.Apply(dst, m); err == nil {
		t.Error("a dst of another size accepted")
	}
}

func TestEvalLoader(t *testing.T) {
	dir := garden(t, 10, 0, 3, 9)
	for _, workers := range []int{1, 3} {
		s := opened(t, dir, Options{})
		p, err := NewPreprocess(12, 3, []float64{0, 0, 0}, []float64{1. / 255, 1. / 255, 1. / 255})
		if err != nil {
			t.Fatal(err)
		}
		l, err := NewEvalLoader(s, p, 4, workers)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for {
			b, err := l.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for r := range b.N {
				first := b.Pixels[r*p.Len()]
				if math.Abs(float64(first)-float64(b.Index[r])) > 1e-3 || b.Name[r] != s.Name(b.Index[r]) || b.Label[r] != -1 {
					t.Errorf("row %d: picture %d %s %d begins with %v", r, b.Index[r], b.Name[r], b.Label[r], first)
				}
			}
			for _, v := range b.Pixels[b.N*p.Len():] {
				if v != 0 {
					t.Fatal("rows beyond N are not zero")
				}
			}
			rows = append(rows, fmt.Sprint(b.Index))
		}
		equal(t, "batches", rows, []string{"[1 2]", "[4 5 6 7]", "[8]"})
		equal(t, "bad", len(s.Bad()), 3)
	}
}
