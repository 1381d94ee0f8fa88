package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// normOf normalises x [outer, C, inner] channel by channel, and returns the loss Σ y·v.
func normOf(x, scale, offset, v []float64, outer, c, inner int, eps float64) (y, mean, variance []float64, loss float64) {
	y, mean, variance = make([]float64, len(x)), make([]float64, c), make([]float64, c)
	at := func(o, ch, i int) int { return (o*c+ch)*inner + i }
	for ch := range c {
		n := float64(outer * inner)
		for o := range outer {
			for i := range inner {
				mean[ch] += x[at(o, ch, i)] / n
			}
		}
		for o := range outer {
			for i := range inner {
				d := x[at(o, ch, i)] - mean[ch]
				variance[ch] += d * d / n
			}
		}
		for o := range outer {
			for i := range inner {
				k := at(o, ch, i)
				y[k] = (x[k]-mean[ch])/math.Sqrt(variance[ch]+eps)*scale[ch] + offset[ch]
				loss += y[k] * v[k]
			}
		}
	}
	return y, mean, variance, loss
}

func TestBatchNorm(t *testing.T) {
	for _, config := range []string{"threads=2", "threads=2,norm=off"} {
		t.Run(config, func(t *testing.T) { testBatchNorm(t, newBackend(t, config)) })
	}
}

func testBatchNorm(t *testing.T, b *cpu.Backend) {
	const eps = 1e-3
	for i, c := range []struct {
		dims []int
		axis int
		mean float64 // of x: large ones cancel in a careless variance
	}{
		{dims: []int{4, 3, 5, 6}, axis: 3}, {dims: []int{4, 6, 3, 5}, axis: 1}, {dims: []int{30, 17}, axis: -1},
		{dims: []int{7, 40}, axis: 0}, {dims: []int{300, 16}, axis: 1, mean: 1000},
	} {
		axis := (c.axis + len(c.dims)) % len(c.dims)
		outer, inner := 1, 1
		for a, d := range c.dims {
			if a < axis {
				outer *= d
			}
			if a > axis {
				inner *= d
			}
		}
		channels := c.dims[axis]
		n := outer * channels * inner
		x, v := randoms(uint64(i), n), randoms(uint64(i)+1, n)
		for k := range x {
			x[k] += c.mean
		}
		scale, offset := randoms(uint64(i)+2, channels), randoms(uint64(i)+3, channels)
		y, mean, variance, _ := normOf(x, scale, offset, v, outer, channels, inner, eps)
		derivative := func(p []float64) []float64 {
			d := make([]float64, len(p))
			for k := range p {
				const h = 1e-4
				old := p[k]
				p[k] = old + h
				_, _, _, high := normOf(x, scale, offset, v, outer, channels, inner, eps)
				p[k] = old - h
				_, _, _, low := normOf(x, scale, offset, v, outer, channels, inner, eps)
				p[k] = old
				d[k] = (high - low) / (2 * h)
			}
			return d
		}
		want := [][]float64{y, mean, variance, derivative(scale), derivative(offset), y}
		if n < 1000 {
			want = append(want, derivative(x))
		}
		dims := [][]int{c.dims, {channels}, {channels}, c.dims}
		build := func(in []*graph.Node) []*graph.Node {
			y, mean, variance := graph.InternalBatchNormForTraining(in[0], in[1], in[2], eps, c.axis)
			g := graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[3])), in[0], in[1], in[2])
			again := graph.InternalBatchNormForInference(in[0], in[1], in[2], mean, variance, eps, c.axis)
			return []*graph.Node{y, mean, variance, g[1], g[2], again, g[0]}
		}
		inputs := [][]float64{x, scale, offset, v}
		for dtype, tol := range map[dtypes.DType]float64{dtypes.Float32: 2e-4, dtypes.Float64: 1e-7} {
			if dtype == dtypes.Float32 && c.mean == 0 {
				tol = 1e-5
			}
			got := run(t, b, dtype, inputs, dims, build)
			for k := range want {
				closeTo(t, fmt.Sprintf("case %d %s result %d", i, dtype, k), got[k], want[k], tol)
			}
		}
		// A bfloat16 array widened takes another way to the statistics.
		got := run(t, b, dtypes.Float32, inputs, dims, func(in []*graph.Node) []*graph.Node {
			wide := graph.ConvertDType(graph.ConvertDType(in[0], dtypes.BFloat16), dtypes.Float32)
			_, mean, variance := graph.InternalBatchNormForTraining(wide, in[1], in[2], eps, c.axis)
			return []*graph.Node{wide, mean, variance}
		})
		_, mean, variance, _ = normOf(got[0], scale, offset, v, outer, channels, inner, eps)
		closeTo(t, fmt.Sprintf("case %d bfloat16 mean", i), got[1], mean, 1e-5)
		closeTo(t, fmt.Sprintf("case %d bfloat16 variance", i), got[2], variance, 1e-4)
	}
}

// TestMaxPool compares the fast kernels, float32 in [N,H,W,C], with the general ones;
// many values are equal, so that the choice among them shows.
func TestMaxPool(t *testing.T) {
	b := newBackend(t, "threads=2")
	for i, c := range []struct {
		h, w, window, stride int
		pad                  [][2]int
	}{
		{h: 8, w: 7, window: 3, stride: 2, pad: [][2]int{{1, 1}, {1, 1}}},
		{h: 6, w: 6, window: 2, stride: 2},
		{h: 5, w: 9, window: 3, stride: 1, pad: [][2]int{{0, 2}, {1, 0}}},
	} {
		dims := []int{2, c.h, c.w, 5}
		x := randoms(uint64(i), 2*c.h*c.w*5)
		for k := range x {
			x[k] = math.Round(x[k])
		}
		build := func(in []*graph.Node) []*graph.Node {
			pool := graph.MaxPool(in[0]).Window(c.window).Strides(c.stride)
			if c.pad != nil {
				pool.PaddingPerDim(c.pad)
			}
			y := pool.Done()
			return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, y)), in[0])[0]}
		}
		want := run(t, b, dtypes.Float64, [][]float64{x}, [][]int{dims}, build)
		got := run(t, b, dtypes.Float32, [][]float64{x}, [][]int{dims}, build)
		if ops := lastExecutable.Ops(); ops["MaxPool"] != 1 || ops["MaxPoolGrad"] != 1 {
			t.Errorf("case %d: %v", i, ops)
		}
		for k := range want {
			closeTo(t, fmt.Sprintf("case %d result %d", i, k), got[k], want[k], 0)
		}
	}
}
