package conv

import (
	"fmt"
	"testing"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// benchShapes are the convolutions of ResNet-18 at 32x32, some of those of a
// quarter of its width, both at batch 64, and some of ResNet-50 at 224x224.
var benchShapes = []Shape{
	square(64, 32, 32, 3, 3, 64, 1, 1),
	square(64, 32, 32, 64, 3, 64, 1, 1),
	square(64, 16, 16, 128, 3, 128, 1, 1),
	square(64, 8, 8, 256, 3, 256, 1, 1),
	square(64, 4, 4, 512, 3, 512, 1, 1),
	square(64, 32, 32, 64, 3, 128, 2, 1),
	square(64, 16, 16, 128, 3, 256, 2, 1),
	square(64, 8, 8, 256, 3, 512, 2, 1),
	square(64, 32, 32, 64, 1, 128, 2, 0),
	square(64, 16, 16, 128, 1, 256, 2, 0),
	square(64, 8, 8, 256, 1, 512, 2, 0),
	square(64, 32, 32, 3, 3, 16, 1, 1),
	square(64, 32, 32, 16, 3, 16, 1, 1),
	square(64, 16, 16, 32, 3, 32, 1, 1),
	square(8, 56, 56, 64, 1, 256, 1, 0),
	square(8, 56, 56, 256, 1, 64, 1, 0),
	square(8, 56, 56, 128, 3, 128, 2, 1),
	square(16, 14, 14, 1024, 1, 256, 1, 0),
	square(16, 14, 14, 256, 1, 1024, 1, 0),
	square(16, 14, 14, 512, 3, 512, 2, 1),
	square(16, 7, 7, 2048, 1, 512, 1, 0),
	square(16, 14, 14, 1024, 1, 2048, 2, 0),
	square(8, 224, 224, 3, 7, 64, 2, 3),
}

func BenchmarkConv(b *testing.B) {
	p := par.New(0)
	defer p.Close()
	for _, bf16 := range []bool{false, true} {
		kind := map[bool]string{false: "f32", true: "bf16"}[bf16]
		for _, s := range benchShapes {
			for _, f := range []Form{Forward, InputGrad, KernelGrad} {
				name := fmt.Sprintf("%s/%v/%dx%dx%dx%d-%d-k%ds%d/%v", kind, f, s.N, s.H, s.W, s.C, s.K, s.KH, s.StrideH, isa.Current())
				b.Run(name, func(b *testing.B) { benchmark(b, p, s, f, bf16) })
			}
		}
	}
}

func benchmark(b *testing.B, p *par.Pool, s Shape, f Form, bf16 bool) {
	x, w, y := values(s.sizeX(), 1), values(s.sizeW(), 2), values(s.sizeY(), 3)
	x16, w16, y16 := rounded(x), rounded(w), rounded(y)
	scratch := make([]byte, ScratchBytes(s, f, p.Threads(), bf16))
	for b.Loop() {
		switch {
		case f == Forward && bf16:
			ForwardBF16(p, s, y16, x16, w16, scratch)
		case f == Forward:
			ForwardF32(p, s, y, x, w, scratch)
		case f == InputGrad && bf16:
			InputGradBF16(p, s, x16, y16, w16, scratch)
		case f == InputGrad:
			InputGradF32(p, s, x, y, w, scratch)
		case bf16:
			KernelGradBF16(p, s, w, x16, y16, scratch)
		default:
			KernelGradF32(p, s, w, x, y, scratch)
		}
	}
	b.ReportMetric(s.FLOP()*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkPeak measures independent multiply-adds on all threads: the figure
// that rates are shares of.
func BenchmarkPeak(b *testing.B) {
	p := par.New(0)
	defer p.Close()
	for _, bf16 := range []bool{false, true} {
		kind := map[bool]string{false: "f32", true: "bf16"}[bf16]
		b.Run(fmt.Sprintf("%s/%v", kind, isa.Current()), func(b *testing.B) {
			var flop float64
			for b.Loop() {
				p.For(p.Threads(), func(part, _ int) {
					if f := tile.Peak(isa.Current(), bf16, 1<<16); part == 0 {
						flop += f * float64(p.Threads())
					}
				})
			}
			b.ReportMetric(flop/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
