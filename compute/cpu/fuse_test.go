package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// randomGraph builds a graph of element-wise operations, broadcasts, sums and reshapes
// over [rows, cols] from three inputs: full, a row and a scalar. The same seed gives the
// same graph.
func randomGraph(seed uint64, in []*graph.Node, half bool) []*graph.Node {
	r := rand.New(rand.NewPCG(seed, 7))
	full, row, scalar := in[0], in[1], in[2]
	if half {
		full = graph.ConvertDType(full, dtypes.BFloat16)
		row, scalar = graph.ConvertDType(row, dtypes.BFloat16), graph.ConvertDType(scalar, dtypes.BFloat16)
	}
	dims := full.Shape().Dimensions
	values := []*graph.Node{full, graph.MulScalar(full, 0.5), graph.Add(full, row)}
	pick := func() *graph.Node { return values[r.IntN(len(values))] }
	operand := func() *graph.Node { // may need broadcasting
		switch r.IntN(6) {
		case 0:
			return row
		case 1:
			return scalar
		case 2:
			return graph.BroadcastToShape(row, full.Shape())
		case 3:
			return graph.BroadcastToDims(scalar, dims...)
		}
		return pick()
	}
	var out []*graph.Node
	for range 14 {
		x := pick()
		var y *graph.Node
		switch r.IntN(14) {
		case 0, 1:
			y = graph.Add(x, operand())
		case 2:
			y = graph.Sub(operand(), x)
		case 3, 4:
			y = graph.Mul(x, operand())
		case 5:
			y = graph.Div(x, graph.AddScalar(graph.Abs(operand()), 1))
		case 6:
			y = graph.Where(graph.LessOrEqual(x, graph.ScalarZero(x.Graph(), x.DType())), graph.ScalarZero(x.Graph(), x.DType()), x)
		case 7:
			y = graph.Where(graph.LessThan(x, operand()), x, pick())
		case 8:
			y = graph.Tanh(x)
		case 9:
			y = graph.Max(x, operand())
		case 10:
			y = graph.Reshape(graph.Neg(graph.Reshape(x, -1)), dims...)
		case 11:
			wide := graph.ConvertDType(x, dtypes.Float32)
			sum := graph.ReduceSum(wide, 0)
			out = append(out, sum, graph.ReduceAllSum(graph.Mul(wide, wide)))
			y = graph.Sub(x, graph.ConvertDType(graph.MulScalar(graph.BroadcastToDims(graph.Reshape(sum, 1, -1), dims...), 1/float64(dims[0])), x.DType()))
		case 12:
			y = graph.Sqrt(graph.Add(graph.Mul(x, x), graph.Mul(x, x)))
		case 13:
			y = graph.Where(graph.LogicalAnd(graph.GreaterThan(x, operand()), graph.LogicalNot(graph.NotEqual(pick(), x))), scalar, x)
			if y.Shape().Rank() == 0 {
				y = x
			}
		}
		values = append(values, y)
	}
	return append(out, values[len(values)-4:]...)
}

// TestPassesAgree compiles random graphs with every pass, without one, and without any.
func TestPassesAgree(t *testing.T) {
	everything := "simplify=off,cse=off,contract=off,relu=off,alias=off,fuse=off,schedule=off,inplace=off,plan=off"
	configs := []string{"threads=1", "threads=3", "simplify=off", "cse=off", "contract=off", "relu=off", "alias=off", "fuse=off", "schedule=off", "inplace=off", "plan=off"}
	backends := map[string]*cpu.Backend{}
	for _, c := range append(configs, everything) {
		backends[c] = newBackend(t, c)
	}
	for seed := range uint64(40) {
		rows, cols := []int{1, 3, 40, 700}[seed%4], []int{1, 5, 16, 130}[seed/4%4]
		dims := [][]int{{rows, cols}, {1, cols}, {}}
		inputs := [][]float64{randoms(seed, rows*cols), randoms(seed+1, cols), randoms(seed+2, 1)}
		for _, half := range []bool{false, true} {
			tol := 2e-5
			if half {
				tol = 0.1 // a rounding to bfloat16 the other way, grown by what follows
			}
			build := func(in []*graph.Node) []*graph.Node { return randomGraph(seed, in, half) }
			want := run(t, backends[everything], dtypes.Float32, inputs, dims, build)
			for _, c := range configs {
				got := run(t, backends[c], dtypes.Float32, inputs, dims, build)
				for i := range want {
					closeTo(t, fmt.Sprintf("seed %d, bfloat16 %v, %s, output %d", seed, half, c, i), got[i], want[i], tol)
				}
			}
		}
	}
}

// TestMaskOfAnotherValue: x ≤ 0 must not be taken from Where(x ≤ 0, 0, y) unless y is x.
func TestMaskOfAnotherValue(t *testing.T) {
	inputs, dims := [][]float64{randoms(1, 50), randoms(2, 50), randoms(3, 50)}, [][]int{{50}, {50}, {50}}
	build := func(in []*graph.Node) []*graph.Node {
		zero := graph.ScalarZero(in[0].Graph(), in[0].DType())
		mask := graph.LessOrEqual(in[0], zero)
		return []*graph.Node{
			graph.Where(mask, zero, in[1]), graph.Where(mask, in[1], in[2]),
			graph.Where(mask, zero, in[0]), graph.Where(mask, in[2], in[1]), // a ReLU, and its mask once more
		}
	}
	narrow := func(in []*graph.Node) []*graph.Node { // of sums that are still to be rounded
		var half []*graph.Node
		for _, x := range in {
			half = append(half, graph.ConvertDType(x, dtypes.BFloat16))
		}
		return build([]*graph.Node{graph.Add(half[0], half[1]), graph.Sub(half[1], half[2]), graph.Mul(half[2], half[0])})
	}
	for name, build := range map[string]func(in []*graph.Node) []*graph.Node{"float32": build, "bfloat16": narrow} {
		want := run(t, newBackend(t, "relu=off,fuse=off"), dtypes.Float32, inputs, dims, build)
		got := run(t, newBackend(t, ""), dtypes.Float32, inputs, dims, build)
		for i := range want {
			closeTo(t, fmt.Sprint(name, " output ", i), got[i], want[i], 0)
		}
	}
}

// TestBlockPrograms: the passes over memory that training consists of, in instructions.
func TestBlockPrograms(t *testing.T) {
	b := newBackend(t, "")
	const n, c = 8, 4
	relu := func(x *graph.Node) *graph.Node {
		zero := graph.ScalarZero(x.Graph(), x.DType())
		return graph.Where(graph.LessOrEqual(x, zero), zero, x)
	}
	affine := func(x *graph.Node, v []*graph.Node) *graph.Node {
		return graph.Add(graph.Mul(graph.Sub(x, v[0]), v[1]), v[2])
	}
	half := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.BFloat16) }
	wide := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }
	full, row := []int{n, c}, []int{1, c}
	for name, c := range map[string]struct {
		dims  [][]int
		build func(in []*graph.Node) []*graph.Node
		want  []string
	}{
		"norm, ReLU": {[][]int{full, row, row, row}, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{relu(affine(in[0], in[1:]))}
		}, []string{"op muladd relu"}},
		"norm, residual, ReLU": {[][]int{full, row, row, row, full}, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{relu(graph.Add(affine(in[0], in[1:]), in[4]))}
		}, []string{"op muladd op relu"}},
		"sums of the gradient": {[][]int{full, full, full, row}, func(in []*graph.Node) []*graph.Node {
			zero := graph.ScalarZero(in[0].Graph(), in[0].DType())
			d := graph.Where(graph.LessOrEqual(in[0], zero), zero, in[1])
			return []*graph.Node{d, graph.ReduceSum(d, 0), graph.ReduceSum(graph.Mul(d, graph.Sub(in[2], in[3])), 0)}
		}, []string{"relu sum op mulsum"}},
		"bfloat16 norm, ReLU": {[][]int{full, row, row, row}, func(in []*graph.Node) []*graph.Node {
			x := graph.Reverse(half(in[0]), 0) // not element-wise: what is around it is stored
			y := relu(half(affine(wide(x), in[1:])))
			return []*graph.Node{graph.Reverse(y, 0)}
		}, []string{"store", "widen op muladd relu store"}},
		"a product on the right": {[][]int{full, full}, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.Add(in[0], graph.Mul(in[1], in[1]))}
		}, []string{"muladd"}},
		"a product read twice": {[][]int{full, full}, func(in []*graph.Node) []*graph.Node {
			p := graph.Mul(in[0], in[1])
			return []*graph.Node{graph.Sub(graph.Add(p, in[0]), p)}
		}, []string{"op op op"}},
	} {
		var inputs [][]float64
		for i, d := range c.dims {
			inputs = append(inputs, randoms(uint64(i), d[0]*d[1]))
		}
		build := func(in []*graph.Node) []*graph.Node { return c.build(in) }
		g := graph.NewGraph(b, name)
		var in []*graph.Node
		for i, d := range c.dims {
			in = append(in, graph.Parameter(g, fmt.Sprint(i), shapes.Make(dtypes.Float32, d...)))
		}
		g.Compile(build(in)...)
		if got := lastExecutable.Programs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		want := run(t, newBackend(t, "fuse=off"), dtypes.Float32, inputs, c.dims, build)
		got := run(t, b, dtypes.Float32, inputs, c.dims, build)
		for i := range want {
			closeTo(t, fmt.Sprintf("%s, output %d", name, i), got[i], want[i], 1e-5)
		}
	}
}
