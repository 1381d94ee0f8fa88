package imaging

import (
	"bytes"
	"testing"
)

// TestOrient places every pixel by the definition in EXIF 2.32: orientation n says
// where the stored row 0 and column 0 are shown.
func TestOrient(t *testing.T) {
	m := testPicture(3, 2)
	stored := func(x, y int) []uint8 { return m.Pix[(y*3+x)*3 : (y*3+x)*3+3] }
	for orientation, at := range map[int]func(x, y int) []uint8{ // shown (x, y)
		1: func(x, y int) []uint8 { return stored(x, y) },
		2: func(x, y int) []uint8 { return stored(2-x, y) },
		3: func(x, y int) []uint8 { return stored(2-x, 1-y) },
		4: func(x, y int) []uint8 { return stored(x, 1-y) },
		5: func(x, y int) []uint8 { return stored(y, x) },
		6: func(x, y int) []uint8 { return stored(y, 1-x) },
		7: func(x, y int) []uint8 { return stored(2-y, 1-x) },
		8: func(x, y int) []uint8 { return stored(2-y, x) },
	} {
		for _, c := range []int{3, 1} {
			src := m
			if c == 1 {
				src = ToGray(m)
			}
			out := Orient(src, orientation)
			w, h := 3, 2
			if orientation >= 5 {
				w, h = 2, 3
			}
			if out.W != w || out.H != h || out.C != c {
				t.Fatalf("orientation %d: %d x %d x %d", orientation, out.W, out.H, out.C)
			}
			for y := range h {
				for x := range w {
					want := at(x, y)
					if c == 1 {
						want = []uint8{luma(want[0], want[1], want[2])}
					}
					if got := out.Row(y)[x*c : x*c+c]; !bytes.Equal(got, want) {
						t.Errorf("orientation %d, %d channels: pixel (%d, %d) is %v, want %v", orientation, c, x, y, got, want)
					}
				}
			}
		}
	}
	if Orient(m, 1) != m || Orient(m, 0) != m || Orient(m, 9) != m {
		t.Error("an orientation that changes nothing should return its argument")
	}
}

func TestShorterSideAndCenterCrop(t *testing.T) {
	for _, c := range []struct{ w, h, s, wantW, wantH int }{ // torchvision's Resize(s)
		{400, 300, 256, 341, 256}, {300, 400, 256, 256, 341}, {50, 50, 36, 36, 36}, {1000, 1, 32, 32000, 32}, {37, 29, 8, 10, 8},
	} {
		if w, h := ShorterSideSize(c.w, c.h, c.s); w != c.wantW || h != c.wantH {
			t.Errorf("%d x %d to %d: %d x %d, want %d x %d", c.w, c.h, c.s, w, h, c.wantW, c.wantH)
		}
	}
	m := testPicture(37, 29)
	small, err := ShorterSide(m, 16, Bicubic)
	if err != nil || small.W != 20 || small.H != 16 {
		t.Fatalf("ShorterSide: %v", err)
	}
	if same, _ := ShorterSide(m, 29, Bicubic); same != m {
		t.Error("a picture that has the size should be left alone")
	}
	// 37-16 = 21: half is 10.5, which rounds to the even 10; 29-16 = 13: 6.5 to 6.
	crop, err := CenterCrop(m, 16, 16)
	if err != nil || !bytes.Equal(crop.Row(0), m.Row(6)[30:78]) {
		t.Errorf("CenterCrop took other pixels (%v)", err)
	}
	if _, err := CenterCrop(m, 38, 5); err == nil {
		t.Error("a crop larger than the picture: want an error")
	}
}

func TestCropErrors(t *testing.T) {
	m := testPicture(5, 4)
	for _, c := range [][4]int{{-1, 0, 2, 2}, {0, 0, 6, 2}, {4, 3, 2, 1}, {0, 0, 0, 1}} {
		if _, err := Crop(m, c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("crop %v of 5 x 4: want an error", c)
		}
		var r Resizer
		if err := r.View(make([]float32, 12), m, c[0], c[1], c[2], c[3], 2, 2, Bicubic, false); err == nil {
			t.Errorf("view of %v of 5 x 4: want an error", c)
		}
	}
	if _, err := ResizeRegion(m, Region{0, 0, 5.5, 4}, 2, 2, Box); err == nil {
		t.Error("a region outside the picture: want an error")
	}
}

// TestViewEverywhere compares views of crops at every corner and size with Resize
// of the crop: the paths that read beyond a row's end, tiny crops, gray.
func TestViewEverywhere(t *testing.T) {
	var r Resizer
	for _, gray := range []bool{false, true} {
		m := testPicture(19, 11)
		if gray {
			m = ToGray(m)
		}
		for _, f := range []Filter{Bicubic, Bilinear, Lanczos} {
			for cw := 1; cw <= 19; cw += 3 {
				for ch := 1; ch <= 11; ch += 5 {
					for _, at := range [][2]int{{0, 0}, {19 - cw, 11 - ch}} {
						for _, size := range [][2]int{{1, 1}, {7, 9}, {24, 5}} {
							w, h := size[0], size[1]
							crop, err := Crop(m, at[0], at[1], cw, ch)
							if err != nil {
								t.Fatal(err)
							}
							want, err := Resize(crop, w, h, f)
							if err != nil {
								t.Fatal(err)
							}
							got := make([]float32, w*h*m.C)
							if err := r.View(got, m, at[0], at[1], cw, ch, w, h, f, false); err != nil {
								t.Fatal(err)
							}
							for i, v := range got {
								if d := v*255 - float32(want.Pix[i]); d > .501 || d < -.501 {
									t.Fatalf("%v of %d x %d at %v to %v: sample %d is %v, want %d", f, cw, ch, at, size, i, v*255, want.Pix[i])
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestViewAllocatesNothing(t *testing.T) {
	m := testPicture(64, 48)
	var r Resizer
	view := make([]float32, 32*32*3)
	n := 0
	draw := func() {
		n++ // crops of many shapes, as augmentation draws them
		if err := r.View(view, m, n%5, n%3, 20+n%30, 45-n%25, 32, 32, Bicubic, n%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	for range 150 { // buffers grow to the largest
		draw()
	}
	if got := testing.AllocsPerRun(100, draw); got != 0 {
		t.Errorf("%v allocations a view", got)
	}
}
