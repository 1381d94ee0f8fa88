package pixel

import (
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// BenchmarkStep times each step on a picture of 224 x 224 pixels.
func BenchmarkStep(b *testing.B) {
	const h, w, n = 224, 224, 224 * 224
	r := rand.New(rand.NewPCG(1, 1))
	px := randomFloats(r, 3*n)
	out := make([]float32, 3*n)
	kernel := make([]float32, 23)
	GaussianKernel(kernel, 1)
	scratch, offsets := make([]float32, BlurScratch(h, w, 3, 23)), make([]int32, 23)
	y, cb, cr, rgb := randomBytes(r, n), randomBytes(r, n), randomBytes(r, n), make([]uint8, 3*n)
	table := randomColumns(r, w, 400, 3, 8)
	row := randomBytes(r, 1204)
	rows8, weights8 := []int32{0, 1200, 2400, 3600, 4800, 6000, 7200, 8400}, make([]int32, 8)
	src8 := randomBytes(r, 9700)
	for _, s := range []struct {
		name string
		f    func()
	}{
		{"ycbcr", func() { YCbCrToRGB(rgb, y, cb, cr) }},
		{"upsample", func() { UpsampleH2V2(y, cb[:n/2], cr[:n/2]) }},
		{"columns", func() {
			for range h {
				ResampleRow(rgb, row, table)
			}
		}},
		{"rows", func() {
			for range h {
				WeightedBytesFloat(out[:3*w], src8, rows8, weights8)
			}
		}},
		{"blur", func() { Blur(out, px, scratch, offsets, h, w, 3, kernel) }},
		{"brightness", func() { Blend(out, px, 1.2, 0) }},
		{"meangray", func() { MeanGray(px) }},
		{"saturation", func() { BlendGray(out, px, 1.2) }},
		{"hue", func() { Hue(out, px, .1) }},
		{"solarize", func() { Solarize(out, px, .5) }},
		{"normalize", func() { Normalize(out, px, &[3]float32{1, 2, 3}, &[3]float32{}) }},
	} {
		for _, level := range isa.Available() {
			if level > isa.AVX2 {
				break
			}
			b.Run(s.name+"/u8f32/224x224x3/"+level.String(), func(b *testing.B) {
				defer isa.Set(level)()
				for b.Loop() {
					s.f()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpixel/s")
			})
		}
	}
}
