package reduce

import (
	"fmt"
	"testing"
	"time"

	"github.com/byol-go/byol/internal/kernel/par"
)

// BenchmarkBatchNorm times a batch norm with ReLU, forward (statistics and
// normalisation) and backward (sums and the input's gradient), on all threads. The best
// of the runs is reported, since other programs only make them slower.
func BenchmarkBatchNorm(b *testing.B) {
	p := par.New(0)
	defer p.Close()
	for _, shape := range [][2]int{{64 * 32 * 32, 64}, {64 * 16 * 16, 128}, {64 * 8 * 8, 256}, {64 * 4 * 4, 512}, {16 * 56 * 56, 256}, {64, 4096}} {
		rows, c := shape[0], shape[1]
		n := rows * c
		x, y, dy, dx := make([]float32, n), make([]float32, n+16), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], dy[i] = float32(i%1000)*0.01-4, float32(i%777)*0.01-3
		}
		y = y[:n]
		v := make([][]float32, 10)
		for i := range v {
			v[i] = make([]float32, c)
		}
		mean, variance, gamma, beta, scale, shift, s1, s2, a, d := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]
		slope := make([]float32, c)
		for j := range gamma {
			gamma[j] = 1
		}
		scratch := make([]byte, BatchStatsScratchBytes(rows, c)+BatchGradScratchBytes(rows, c))
		b.Run(fmt.Sprintf("%dx%d", rows, c), func(b *testing.B) {
			forward, backward := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				BatchStats(p, mean, variance, x, rows, c, scratch)
				NormCoefficients(scale, shift, mean, variance, gamma, beta, 1e-5)
				AffineReLU(p, y, x, scale, shift)
				forward = min(forward, time.Since(start))
				start = time.Now()
				BatchGradSumsReLU(p, s1, s2, nil, dy, x, y, mean, rows, c, scratch)
				GradCoefficients(a, slope, d, nil, s1, s2, mean, variance, gamma, 1e-5, rows)
				BatchGradApplyReLU(p, dx, dy, x, y, a, slope, d)
				backward = min(backward, time.Since(start))
			}
			b.ReportMetric(float64(forward.Microseconds()), "forward_µs")
			b.ReportMetric(float64(backward.Microseconds()), "backward_µs")
		})
	}
}
