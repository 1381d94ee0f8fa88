package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// TestGivenKernels compares convolutions by constant kernels, with all that follows them
// in a ResNet, with and without their pass: equal up to rounding, the same bits for any
// number of threads, and again in a second execution.
func TestGivenKernels(t *testing.T) {
	const side, c = 9, 24
	dims := [][]int{{2, side, side, c}, {3, 3, c, c}}
	inputs := [][]float64{randoms(1, 2*side*side*c), randoms(2, 9*c*c)}
	build := func(in []*graph.Node) []*graph.Node {
		g, seed := in[0].Graph(), uint64(10)
		constant := func(scale float64, dims ...int) *graph.Node {
			n := 1
			for _, d := range dims {
				n *= d
			}
			seed++
			v := randoms(seed, n)
			for i := range v {
				v[i] *= scale
			}
			return graph.ConstTensor(g, tensorOf(dtypes.Float32, v, dims))
		}
		conv := func(x, w *graph.Node, stride int) *graph.Node {
			pad := w.Shape().Dimensions[0] / 2
			return graph.Convolve(x, w).Strides(stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
		}
		norm := func(x *graph.Node) *graph.Node {
			k := x.Shape().Dimensions[3]
			return graph.InternalBatchNormForInference(x, constant(1, k), constant(1, k), constant(1, k), graph.Square(constant(1, k)), 1e-2, -1)
		}
		relu := func(x *graph.Node) *graph.Node {
			zero := graph.ScalarZero(g, x.DType())
			return graph.Where(graph.LessOrEqual(x, zero), zero, x)
		}
		layer := func(x *graph.Node, size, k, stride int) *graph.Node {
			in := x.Shape().Dimensions[3]
			return norm(conv(x, constant(0.1, size, size, in, k), stride))
		}
		x := relu(layer(in[0], 3, c, 1))
		x = relu(graph.Add(layer(x, 3, c, 1), x)) // the residual is what is convolved
		x = relu(graph.Add(layer(relu(layer(x, 1, 8, 1)), 3, c, 1), x))
		kept := relu(graph.Add(layer(relu(layer(x, 3, 40, 2)), 3, 40, 1), layer(x, 1, 40, 2)))
		y := relu(graph.Add(layer(relu(layer(kept, 1, 16, 1)), 1, 40, 1), kept)) // whose residual is a result
		twice := conv(y, constant(0.1, 3, 3, 40, c), 1)                          // not the norm's alone
		y = graph.Add(norm(twice), twice)
		return []*graph.Node{kept, y, norm(conv(in[0], in[1], 1))}
	}
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		var first [][]float64
		want := run(t, newBackend(t, "given=off"), dtypes.Float32, inputs, dims, build)
		for _, config := range []string{"threads=1", "threads=2", "inplace=off", "plan=off"} {
			got := run(t, newBackend(t, config), dtypes.Float32, inputs, dims, build)
			ops := lastExecutable.Ops()
			if ops["ConvGiven relu"] != 8 || ops["ConvGiven linear"] != 2 || ops["Conv forward"] != 1 {
				t.Errorf("%v %s: %v", level, config, ops)
			}
			for i := range want {
				closeTo(t, fmt.Sprintf("%v %s, output %d", level, config, i), got[i], want[i], 1e-5)
			}
			if first == nil {
				first = got
			}
			for i := range first {
				if !slices.Equal(got[i], first[i]) {
					t.Errorf("%v %s: output %d has not the bits of one thread", level, config, i)
				}
			}
		}
		restore()
	}
}
