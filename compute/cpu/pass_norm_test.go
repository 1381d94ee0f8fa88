package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// normBlocks is a graph of batch norms as ResNets have them: before a ReLU, before a
// residual sum and a ReLU, and two before one sum. Inputs: x and v [rows, c], then a scale
// and an offset for each of four norms,
// and a matrix [c, c]. Outputs: the result, and the gradients of Σ result·v.
func normBlocks(half bool) func(in []*graph.Node) []*graph.Node {
	return func(in []*graph.Node) []*graph.Node {
		relu := func(x *graph.Node) *graph.Node {
			zero := graph.ScalarZero(x.Graph(), x.DType())
			return graph.Where(graph.LessOrEqual(x, zero), graph.ZerosLike(x), x)
		}
		norm := func(x *graph.Node, i int) *graph.Node {
			wide := graph.ConvertDType(x, in[2].DType())
			y, _, _ := graph.InternalBatchNormForTraining(wide, in[2+2*i], in[3+2*i], 1e-5, -1)
			return graph.ConvertDType(y, x.DType())
		}
		x, w := in[0], in[len(in)-1]
		if half {
			x, w = graph.ConvertDType(x, dtypes.BFloat16), graph.ConvertDType(w, dtypes.BFloat16)
		}
		layer := func(x *graph.Node) *graph.Node { // what is around it goes to memory
			return graph.Reshape(graph.Dot(graph.Reshape(x, -1, w.Shape().Dimensions[0]), w), x.Shape().Dimensions...)
		}
		x = layer(x)
		y := layer(relu(norm(x, 0)))
		y = relu(graph.Add(norm(y, 1), x))
		y = relu(graph.Add(norm(layer(y), 2), norm(layer(graph.MulScalar(y, 0.5)), 3)))
		loss := graph.ReduceAllSum(graph.Mul(graph.ConvertDType(layer(y), in[1].DType()), in[1]))
		return append([]*graph.Node{y}, graph.Gradient(loss, append([]*graph.Node{in[0]}, in[2:len(in)-1]...)...)...)
	}
}

// TestNormPass compares with and without the kernels of batch norm, and looks at which are
// used: nothing is left to do between them.
func TestNormPass(t *testing.T) {
	for _, dims := range [][]int{{500, 24}, {3, 5, 7, 64}, {70, 33}, {4, 30, 3, 3}} {
		c := dims[len(dims)-1]
		n := 1
		for _, d := range dims {
			n *= d
		}
		inputs, shapes := [][]float64{randoms(1, n), randoms(2, n)}, [][]int{dims, dims}
		for i := range 8 {
			inputs, shapes = append(inputs, randoms(uint64(3+i), c)), append(shapes, []int{c})
		}
		inputs, shapes = append(inputs, randoms(11, c*c)), append(shapes, []int{c, c})
		exact := run(t, newBackend(t, "norm=off"), dtypes.Float64, inputs, shapes, normBlocks(false))
		for _, half := range []bool{false, true} {
			want := run(t, newBackend(t, "norm=off"), dtypes.Float32, inputs, shapes, normBlocks(half))
			var first [][]float64
			for _, config := range []string{"threads=1", "threads=2", "threads=3", "inplace=off", "relu=off", "fuse=off"} {
				got := run(t, newBackend(t, config), dtypes.Float32, inputs, shapes, normBlocks(half))
				if first == nil {
					first = got
					ops := lastExecutable.Ops()
					for op, want := range map[string]int{"ChannelStats": 4, "NormApply relu": 3, "NormApply linear": 1, "NormSums sums masked by x": 1,
						"NormSums sums masked kept added": 1, "NormSums sums masked kept": 1, "NormSums sums": 1, "NormGrad grad masked by x": 1, "NormGrad grad": 3} {
						if ops[op] != want {
							t.Errorf("%v, half %v: %d times %q in %v, want %d", dims, half, ops[op], op, ops, want)
						}
					}
				}
				for i := range want {
					name := fmt.Sprintf("%v, half %v, %s, output %d", dims, half, config, i)
					if !half {
						closeTo(t, name, got[i], want[i], 2e-4)
					} else if d, limit := distance(got[i], exact[i]), distance(want[i], exact[i]); !(d < 1.3*limit+0.01) {
						t.Errorf("%s: is off by %v, with element-wise nodes by %v", name, d, limit)
					}
					if config[:7] == "threads" && !slices.Equal(got[i], first[i]) {
						t.Errorf("%s: not the bits of one thread", name)
					}
				}
			}
		}
	}
}

// distance is ‖a−b‖ / ‖b‖.
func distance(a, b []float64) float64 {
	var d, size float64
	for i := range b {
		d += (a[i] - b[i]) * (a[i] - b[i])
		size += b[i] * b[i]
	}
	return math.Sqrt(d / max(size, 1e-30))
}
