package reduce

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/byol-go/byol/internal/kernel/par"
)

// BenchmarkNorm times every pass of a batch norm on all threads, over arrays that lie in
// memory (the smaller ones in the caches). The best of the runs is reported, since other
// programs only make them slower, as the rate of the bytes that the pass reads and writes.
func BenchmarkNorm(b *testing.B) {
	for _, shape := range [][2]int{{64 * 32 * 32, 16}, {64 * 32 * 32, 64}, {64 * 16 * 16, 32}, {64 * 16 * 16, 128}, {64 * 8 * 8, 64}, {64 * 8 * 8, 256}, {64 * 4 * 4, 128}, {64 * 4 * 4, 512}, {64, 4096}} {
		b.Run(fmt.Sprintf("f32/%dx%d", shape[0], shape[1]), func(b *testing.B) {
			benchmarkNorm(b, shape[0], shape[1], func(v float32) float32 { return v })
		})
		b.Run(fmt.Sprintf("bf16/%dx%d", shape[0], shape[1]), func(b *testing.B) {
			benchmarkNorm(b, shape[0], shape[1], func(v float32) uint16 { return uint16(math.Float32bits(v) >> 16) })
		})
	}
}

func benchmarkNorm[T Element](b *testing.B, rows, c int, convert func(float32) T) {
	p := par.New(0)
	defer p.Close()
	n := rows * c
	arrays := make([][]T, 5)
	for k := range arrays {
		arrays[k] = make([]T, n)
		for i := range arrays[k] {
			arrays[k][i] = convert(float32((i*(2*k+7))%1000)*0.01 - 4)
		}
	}
	x, y, dy, dz, kept := arrays[0], arrays[1], arrays[2], arrays[3], arrays[4]
	v := make([][]float32, 6)
	for i := range v {
		v[i] = make([]float32, c)
		for j := range v[i] {
			v[i][j] = 0.5
		}
	}
	scratch := make([]byte, BatchStatsScratchBytes(rows, c)+BatchGradScratchBytes(rows, c))
	for _, pass := range []struct {
		name   string
		arrays int // read and written
		run    func()
	}{
		{"stats", 1, func() { BatchStats(p, v[0], v[1], x, rows, c, scratch) }},
		{"apply", 2, func() { AffineReLU(p, kept, x, v[2], v[3]) }},
		{"applyAdd", 3, func() { AffineAddReLU(p, kept, x, y, v[2], v[3]) }},
		{"sums", 2, func() { BatchGradSums(p, v[0], v[1], dy, x, v[2], rows, c, scratch) }},
		{"sumsByX", 2, func() { BatchGradSumsAffineReLU(p, v[0], v[1], dy, x, v[2], v[3], v[4], rows, c, scratch) }},
		{"sumsKeptAdded", 5, func() { BatchGradSumsAddReLU(p, v[0], v[1], kept, dy, dz, x, y, v[2], rows, c, scratch) }},
		{"grad", 3, func() { BatchGradApply(p, kept, dy, x, v[2], v[3], v[4]) }},
		{"gradByX", 3, func() { BatchGradApplyAffineReLU(p, kept, dy, x, v[2], v[3], v[4], v[2], v[3]) }},
	} {
		b.Run(pass.name, func(b *testing.B) {
			best := time.Hour
			for b.Loop() {
				start := time.Now()
				pass.run()
				best = min(best, time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(best.Nanoseconds())/1e3, "µs")
			b.ReportMetric(float64(pass.arrays*n)*size[T]()/float64(best.Nanoseconds()), "GB/s")
		})
	}
}

// size returns the bytes of an element.
func size[T Element]() float64 {
	var x []T
	if _, half := any(x).([]uint16); half {
		return 2
	}
	return 4
}
