package reduce

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/vec"
)

// BenchmarkBandwidth runs each kernel on one thread in turn with Sum, which only reads,
// on arrays that fit no cache, and reports the best of each and their ratio.
func BenchmarkBandwidth(b *testing.B) {
	const n = 1 << 23 // elements: 32 MiB an array
	mem := make([][]float32, 4)
	for i := range mem {
		mem[i] = make([]float32, n+256*4)[256*i:][:n] // not all at one offset in a page
		for j := range mem[i] {
			mem[i][j] = float32(j%1000)*0.01 - 4
		}
	}
	x, dy, y, out := mem[0], mem[1], mem[2], mem[3]
	scratch := make([]byte, 1<<24)
	type benchCase struct {
		name  string
		bytes int
		run   func(rows, c int)
	}
	v := make([][]float32, 6)
	for i := range v {
		v[i] = make([]float32, 4096)
	}
	cases := []benchCase{
		{"SumOverRows", 4, func(rows, c int) { SumOverRows(nil, v[0][:c], x[:rows*c], rows, c, scratch) }},
		{"BatchStats", 4, func(rows, c int) { BatchStats(nil, v[0][:c], v[1][:c], x[:rows*c], rows, c, scratch) }},
		{"AffineReLU", 8, func(rows, c int) { AffineReLU(nil, out[:rows*c], x[:rows*c], v[0][:c], v[1][:c]) }},
		{"AffineAddReLU", 12, func(rows, c int) {
			AffineAddReLU(nil, out[:rows*c], x[:rows*c], y[:rows*c], v[0][:c], v[1][:c])
		}},
		{"GradSumsReLU", 12, func(rows, c int) {
			BatchGradSumsReLU(nil, v[0][:c], v[1][:c], nil, dy[:rows*c], x[:rows*c], y[:rows*c], v[2][:c], rows, c, scratch)
		}},
		{"GradSumsReLUKeep", 16, func(rows, c int) {
			BatchGradSumsReLU(nil, v[0][:c], v[1][:c], out[:rows*c], dy[:rows*c], x[:rows*c], y[:rows*c], v[2][:c], rows, c, scratch)
		}},
		{"GradApply", 12, func(rows, c int) {
			BatchGradApply(nil, out[:rows*c], dy[:rows*c], x[:rows*c], v[0][:c], v[1][:c], v[2][:c])
		}},
		{"GradApplyInPlace", 12, func(rows, c int) {
			BatchGradApply(nil, dy[:rows*c], dy[:rows*c], x[:rows*c], v[0][:c], v[1][:c], v[2][:c])
		}},
	}
	half, half2 := make([]uint16, n), make([]uint16, n)
	vec.ToBF16(half, x)
	cases = append(cases,
		benchCase{"BatchStatsBF16", 2, func(rows, c int) { BatchStats(nil, v[0][:c], v[1][:c], half[:rows*c], rows, c, scratch) }},
		benchCase{"AffineReLUBF16", 4, func(rows, c int) { AffineReLU(nil, half2[:rows*c], half[:rows*c], v[0][:c], v[1][:c]) }},
		benchCase{"GradSumsReLUBF16", 6, func(rows, c int) {
			BatchGradSumsReLU(nil, v[0][:c], v[1][:c], nil, half2[:rows*c], half[:rows*c], half2[:rows*c], v[2][:c], rows, c, scratch)
		}})
	for _, l := range isa.Available()[1:] {
		if l == isa.AVX512BF16 {
			continue
		}
		for _, k := range cases {
			for _, c := range []int{3, 17, 64, 512, 2048} {
				b.Run(fmt.Sprintf("%s/%d/%v", k.name, c, l), func(b *testing.B) {
					defer isa.Set(l)()
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					rows := n / c
					var best, bestSum float64
					for b.Loop() {
						start := clock()
						Sum(nil, x, scratch)
						bestSum = max(bestSum, 4*n/(clock()-start).Seconds()/1e9)
						start = clock()
						k.run(rows, c)
						best = max(best, float64(k.bytes*rows*c)/(clock()-start).Seconds()/1e9)
					}
					b.ReportMetric(best, "GB/s")
					b.ReportMetric(bestSum, "Sum_GB/s")
					b.ReportMetric(best/bestSum, "of_Sum")
				})
			}
		}
	}
}
