package winograd

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// layers are the 3x3 convolutions of ResNet-18 at 32x32, and of the same net at a
// quarter of the width: those of stride 1, then those of stride 2.
var layers = []Shape{
	square(64, 32, 64, 64), square(64, 16, 128, 128), square(64, 8, 256, 256), square(64, 4, 512, 512),
	square(64, 32, 16, 16), square(64, 16, 32, 32), square(64, 8, 64, 64), square(64, 4, 128, 128),
	halved(64, 32, 64, 128), halved(64, 16, 128, 256), halved(64, 8, 256, 512),
	halved(64, 32, 16, 32), halved(64, 16, 32, 64), halved(64, 8, 64, 128),
}

// BenchmarkWinograd reports direct-equivalent GFLOP/s, 2·N·OutH·OutW·9·C·K over the time:
// of the median call and of the best, at batch 64. BYOL_BENCH_THREADS sets the
// threads, which are GOMAXPROCS otherwise. peak is the tile product on data in the
// first-level cache, true operations.
func BenchmarkWinograd(b *testing.B) {
	threads, _ := strconv.Atoi(os.Getenv("BYOL_BENCH_THREADS"))
	p := par.New(threads)
	defer p.Close()
	for _, level := range []isa.Level{isa.AVX2, isa.AVX512} {
		if level > isa.Current() {
			continue
		}
		b.Run(fmt.Sprint("peak/", level), func(b *testing.B) {
			defer isa.Set(level)()
			benchmarkPeak(b, p)
		})
		for _, size := range []int{4, 2} {
			kind := map[int]string{4: "", 2: "-bf16"}[size]
			for _, form := range forms {
				for _, s := range layers {
					name := fmt.Sprintf("%v%s/%dx%dx%dx%d-%d-s%d/%v", form, kind, s.N, s.H, s.W, s.C, s.K, s.Stride, level)
					b.Run(name, func(b *testing.B) {
						defer isa.Set(level)()
						benchmarkForm(b, p, s, form, size)
					})
				}
			}
		}
	}
}

func benchmarkForm(b *testing.B, p *par.Pool, s Shape, form Form, size int) {
	x, w, y := pattern(s.lenX(), size), pattern(s.lenW(), size), pattern(s.lenY(), size)
	dw := make([]float32, s.lenW())
	scratch := make([]byte, ScratchBytes(s, form, p.Threads()))
	report(b, p.Threads(), 2*9*float64(s.N*s.OutH*s.OutW)*float64(s.C*s.K), func() {
		switch form {
		case FormForward:
			forwardOf(p, s, y, x, w, scratch)
		case FormInputGrad:
			inputGradOf(p, s, x, y, w, scratch)
		case FormKernelGrad:
			kernelGradOf(p, s, dw, x, y, scratch)
		}
	})
}

func benchmarkPeak(b *testing.B, p *par.Pool) {
	const blocks, repeats = 4, 2000
	k := current()
	work := make([][]float32, p.Threads())
	for i := range work {
		work[i] = make([]float32, 1<<16)
	}
	report(b, p.Threads(), float64(p.Threads()*repeats*2*16*blocks*k.panel*k.width), func() {
		p.For(p.Threads(), func(part, _ int) {
			v := work[part]
			for range repeats {
				k.fullWide(blocks, &v[0], &v[8192], &v[16384], false, &v[8192])
			}
		})
	})
}

// report times the calls of f one by one. On Linux it also gives the rate of the
// median processor time, which a busy machine disturbs less.
func report(b *testing.B, threads int, flop float64, f func()) {
	f()
	var times, busy []time.Duration
	for b.Loop() {
		start, cpu := time.Now(), processorTime()
		f()
		times = append(times, time.Since(start))
		busy = append(busy, processorTime()-cpu)
	}
	slices.Sort(times)
	slices.Sort(busy)
	if t := busy[len(busy)/2]; t > 0 {
		b.ReportMetric(flop*float64(threads)/float64(t.Nanoseconds()), "busy-GFLOP/s")
	}
	b.ReportMetric(flop/float64(times[len(times)/2].Nanoseconds()), "GFLOP/s")
	b.ReportMetric(flop/float64(times[0].Nanoseconds()), "best-GFLOP/s")
}
