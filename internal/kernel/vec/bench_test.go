package vec

import (
	"runtime"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

type benchCase struct {
	name  string
	bytes int // read and written per element
	run   func(n int)
}

const benchLarge = 1 << 23 // elements: 32 MiB an array

func benchCases() []benchCase {
	mem := make([][]float32, 4)
	for i := range mem {
		mem[i] = make([]float32, benchLarge+256*4)[256*i:][:benchLarge] // not all at one offset in a page
		for j := range mem[i] {
			mem[i][j] = float32(j%1000)*0.01 - 4
		}
	}
	bools := make([]bool, benchLarge)
	halves := make([]uint16, benchLarge)
	s64, s17, s3 := mem[3][:64], mem[3][:17], mem[3][:3]
	return []benchCase{
		{"copy", 8, func(n int) { copy(mem[0][:n], mem[1]) }},
		{"Add", 12, func(n int) { Add(mem[0][:n], mem[1][:n], mem[2][:n]) }},
		{"MulScalar", 8, func(n int) { MulScalar(mem[0][:n], mem[1][:n], 1.5) }},
		{"Max", 12, func(n int) { Max(mem[0][:n], mem[1][:n], mem[2][:n]) }},
		{"ReLU", 8, func(n int) { ReLU(mem[0][:n], mem[1][:n]) }},
		{"ReLUGrad", 12, func(n int) { ReLUGrad(mem[0][:n], mem[1][:n], mem[2][:n]) }},
		{"Lt", 9, func(n int) { Lt(bools[:n], mem[1][:n], mem[2][:n]) }},
		{"Select", 13, func(n int) { Select(mem[0][:n], bools[:n], mem[1][:n], mem[2][:n]) }},
		{"Div", 12, func(n int) { Div(mem[0][:n], mem[1][:n], mem[2][:n]) }},
		{"Sqrt", 8, func(n int) { Sqrt(mem[0][:n], mem[1][:n]) }},
		{"Exp", 8, func(n int) { Exp(mem[0][:n], mem[1][:n]) }},
		{"Log", 8, func(n int) { Log(mem[0][:n], mem[1][:n]) }},
		{"Tanh", 8, func(n int) { Tanh(mem[0][:n], mem[1][:n]) }},
		{"Logistic", 8, func(n int) { Logistic(mem[0][:n], mem[1][:n]) }},
		{"ToBF16", 6, func(n int) { ToBF16(halves[:n], mem[1][:n]) }},
		{"FromBF16", 6, func(n int) { FromBF16(mem[0][:n], halves[:n]) }},
		{"AffineRows64", 8, func(n int) { AffineRows(mem[0][:n], mem[1][:n], s64, s64) }},
		{"AffineRows512", 8, func(n int) { AffineRows(mem[0][:n], mem[1][:n], mem[3][:512], mem[3][:512]) }},
		{"AffineRows17", 8, func(n int) { AffineRows(mem[0][:n/17*17], mem[1][:n/17*17], s17, s17) }},
		{"AffineRows3", 8, func(n int) { AffineRows(mem[0][:n/3*3], mem[1][:n/3*3], s3, s3) }},
		{"AffineAddReLURows64", 12, func(n int) { AffineAddReLURows(mem[0][:n], mem[1][:n], mem[2][:n], s64, s64) }},
		{"GradReLURows64", 16, func(n int) { GradReLURows(mem[0][:n], mem[1][:n], mem[2][:n], mem[3][:n], s64, s64, s64) }},
		{"Transpose32", 8, func(n int) {
			rows := 32
			if n == benchLarge {
				rows = 4096
			}
			Transpose32(mem[0][:n], mem[1][:n], rows, n/rows)
		}},
	}
}

// BenchmarkVec times the loops on blocks that stay in L1, 2,048 elements as the engine
// runs them.
func BenchmarkVec(b *testing.B) {
	const n = 2048
	for _, k := range benchCases() {
		for _, l := range isa.Available() {
			if l == isa.AVX512BF16 {
				continue // no kernel of its own
			}
			b.Run(k.name+"/"+l.String(), func(b *testing.B) {
				defer isa.Set(l)()
				for b.Loop() {
					k.run(n)
				}
				perSecond := float64(b.N) * n / b.Elapsed().Seconds()
				b.ReportMetric(perSecond/1e9, "Gelem/s")
				b.ReportMetric(perSecond*float64(k.bytes)/1e9, "GB/s")
			})
		}
	}
}

// BenchmarkBandwidth runs each loop in turn with copy on arrays that fit no cache, and
// reports the best of each and their ratio.
func BenchmarkBandwidth(b *testing.B) {
	cases := benchCases()
	copies := cases[0]
	for _, k := range cases {
		for _, l := range isa.Available()[1:] {
			if l == isa.AVX512BF16 {
				continue
			}
			b.Run(k.name+"/"+l.String(), func(b *testing.B) {
				defer isa.Set(l)()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				timed := func(k benchCase) float64 {
					start := clock()
					k.run(benchLarge)
					return float64(k.bytes) * benchLarge / (clock() - start).Seconds() / 1e9
				}
				var best, bestCopy float64
				for b.Loop() {
					bestCopy = max(bestCopy, timed(copies))
					best = max(best, timed(k))
				}
				b.ReportMetric(best, "GB/s")
				b.ReportMetric(best/bestCopy, "of_copy")
			})
		}
	}
}
