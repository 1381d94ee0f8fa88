package imaging

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"testing"
)

// photograph returns a JPEG of 400 x 533 pixels, 4:2:0; BYOL_BENCH_JPEG names a
// real one to take instead.
func photograph(tb testing.TB) []byte {
	if path := os.Getenv("BYOL_BENCH_JPEG"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		return data
	}
	small := testPicture(50, 67)
	m, err := Resize(small, 400, 533, Bicubic)
	if err != nil {
		tb.Fatal(err)
	}
	src := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(src.Pix[4*i:4*i+3], m.Pix[3*i:3*i+3])
		src.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, src, &jpeg.Options{Quality: 85}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkDecode times decoding, and decoding with two crops of 224 pixels.
func BenchmarkDecode(b *testing.B) {
	data := photograph(b)
	b.Run("jpeg/std/400x533", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jpeg/400x533", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(data, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jpeg+views/400x533/2x224", func(b *testing.B) {
		var r Resizer
		m := &Image{}
		view := make([]float32, 224*224*3)
		for b.Loop() {
			if err := DecodeInto(m, data, Options{}); err != nil {
				b.Fatal(err)
			}
			for _, side := range []int{m.W * 9 / 10, m.W / 2} {
				if err := r.View(view, m, 10, 10, side, side, 224, 224, Bicubic, false); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkView times one crop-resize of a decoded picture.
func BenchmarkView(b *testing.B) {
	for _, c := range []struct {
		name         string
		w, h, cw, ch int
		size         int
	}{
		{"32x32/crop24x20/32x32", 32, 32, 24, 20, 32},
		{"400x533/crop300x280/224x224", 400, 533, 300, 280, 224},
		{"400x533/crop120x150/224x224", 400, 533, 120, 150, 224},
		{"400x533/crop200x250/224x224", 400, 533, 200, 250, 224},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := testPicture(c.w, c.h)
			var r Resizer
			view := make([]float32, c.size*c.size*3)
			b.ReportAllocs()
			for b.Loop() {
				if err := r.View(view, m, 3, 2, c.cw, c.ch, c.size, c.size, Bicubic, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
