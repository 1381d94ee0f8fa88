package imaging

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// testPicture is picture() of tools/golden/imaging.py.
func testPicture(w, h int) *Image {
	m := New(w, h, 3)
	s := uint32(1)
	for y := range h {
		for x := range w {
			for c := range 3 {
				s = s*1664525 + 1013904223
				v := x*255/max(w-1, 1)*(c+1) + y*255/max(h-1, 1)*(3-c) + int(s>>26)
				m.Pix[(y*w+x)*3+c] = uint8(v / 4 % 256)
			}
		}
	}
	return m
}

// testStripes is stripes() of tools/golden/imaging.py.
func testStripes(w, h int) *Image {
	m := New(w, h, 3)
	for i := range m.Pix {
		x, y := i/3%w, i/3/w
		m.Pix[i] = uint8((x/3 + y/2) % 2 * 255)
	}
	return m
}

// atEveryLevel runs f once for each instruction set of this machine.
func atEveryLevel(t *testing.T, f func(t *testing.T)) {
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) {
			defer isa.Set(level)()
			f(t)
		})
	}
}

func readGolden(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// difference returns the largest and the mean absolute difference.
func difference(a, b []uint8) (largest int, mean float64) {
	if len(a) != len(b) {
		return 256, 256
	}
	total := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		if d < 0 {
			d = -d
		}
		largest = max(largest, d)
		total += d
	}
	return largest, float64(total) / float64(len(a))
}

// TestDecodeGolden compares every format with what Pillow decodes, to the bit.
func TestDecodeGolden(t *testing.T) {
	var cases []struct {
		Name    string
		File    []byte
		W, H    int
		RGB     []byte
		GrayCRC uint32
	}
	readGolden(t, "testdata/decode.json", &cases)
	atEveryLevel(t, func(t *testing.T) {
		m := &Image{} // one for all: nothing of one picture may show in the next
		for _, c := range cases {
			err := DecodeInto(m, c.File, Options{})
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			if m.W != c.W || m.H != c.H || m.C != 3 {
				t.Errorf("%s: %d x %d x %d, want %d x %d x 3", c.Name, m.W, m.H, m.C, c.W, c.H)
				continue
			}
			if d, mean := difference(m.Pix, c.RGB); d > 0 {
				t.Errorf("%s: off by up to %d, %.3f on average", c.Name, d, mean)
			}
			if m, err = Decode(c.File, Options{Channels: 1}); err != nil || m.C != 1 || crc32.ChecksumIEEE(m.Pix) != c.GrayCRC {
				t.Errorf("%s: the gray picture differs (%v)", c.Name, err)
			}
			info, err := DecodeConfig(c.File, Options{})
			if err != nil || info.W != c.W || info.H != c.H {
				t.Errorf("%s: DecodeConfig: %+v, %v", c.Name, info, err)
			}
		}
	})
}

// TestResizeGolden compares Resize with Pillow to the bit, and Resizer.View
// within a level.
func TestResizeGolden(t *testing.T) {
	var cases []struct {
		Kind   string
		W, H   int
		Ow, Oh int
		Filter string
		Box    []float64
		Crop   []int
		C      int
		Pix    []byte
	}
	readGolden(t, "testdata/resize.json", &cases)
	var r Resizer
	for _, c := range cases {
		m := testPicture(c.W, c.H)
		if c.Kind == "stripes" {
			m = testStripes(c.W, c.H)
		}
		if c.C == 1 {
			m = ToGray(m)
		}
		f, err := ParseFilter(c.Filter)
		if err != nil {
			t.Fatal(err)
		}
		crop := []int{0, 0, c.W, c.H}
		if c.Crop != nil {
			crop = c.Crop
		}
		src, err := Crop(m, crop[0], crop[1], crop[2], crop[3])
		if err != nil {
			t.Fatal(err)
		}
		box := src.Whole()
		if c.Box != nil {
			box = Region{c.Box[0], c.Box[1], c.Box[2], c.Box[3]}
		}
		got, err := ResizeRegion(src, box, c.Ow, c.Oh, f)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := difference(got.Pix, c.Pix); d != 0 {
			t.Errorf("%s %dx%d %v %v to %dx%d %s: off by up to %d", c.Kind, c.W, c.H, c.Box, c.Crop, c.Ow, c.Oh, c.Filter, d)
		}
		if c.Box != nil {
			continue
		}
		for _, flip := range []bool{false, true} {
			view := make([]float32, c.Ow*c.Oh*c.C)
			if err := r.View(view, m, crop[0], crop[1], crop[2], crop[3], c.Ow, c.Oh, f, flip); err != nil {
				t.Fatal(err)
			}
			want := &Image{W: c.Ow, H: c.Oh, C: c.C, Pix: c.Pix}
			if flip {
				want = Orient(want, 2) // mirrored
			}
			worst := float32(0)
			for i, v := range view {
				worst = max(worst, v*255-float32(want.Pix[i]), float32(want.Pix[i])-v*255)
			}
			if worst > 0.501 {
				t.Errorf("view of %s %v to %dx%d %s flip %v: off by up to %.3f levels", c.Kind, crop, c.Ow, c.Oh, c.Filter, flip, worst)
			}
		}
	}
}
