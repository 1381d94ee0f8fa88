package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// features runs a small ResNet in evaluation mode.
func features(t *testing.T, config string, compute dtypes.DType) []float32 {
	e, err := encoder.New(encoder.Config{Arch: "resnet50", Stem: encoder.StemCIFAR, Width: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.NewGraph(newBackend(t, config), "features")
	var state []*graph.Node
	var args []any
	for i, s := range e.Specs() {
		v := nn.Init(s, 1)
		if len(s.Shape) == 1 { // so that no norm is the identity
			for k := range v {
				v[k] += float32((k*7+i)%5)/20 - 0.05
			}
		}
		state = append(state, graph.Parameter(g, s.Name, shapes.Make(dtypes.Float32, s.Shape...)))
		args = append(args, nn.Tensors([]nn.Spec{s}, [][]float32{v})[0])
	}
	dims := []int{2, 12, 20, 3}
	pixels := tensorOf(dtypes.Float32, randoms(1, 2*12*20*3), dims)
	x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, dims...))
	y := e.Forward(nn.NewScope(e.Specs(), state, false, compute), x)
	g.Compile(graph.ConvertDType(y, dtypes.Float32))
	if err := lastExecutable.CheckPlan(); err != nil {
		t.Error(err)
	}
	return tensors.MustCopyFlatData[float32](g.Run(append(args, pixels)...)[0])
}

// TestEpiloguePass holds inference to the same bits with norms inside convolutions and
// after them, on any number of threads, and to no norm outside.
func TestEpiloguePass(t *testing.T) {
	for _, compute := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		want := features(t, "epilogue=off", compute)
		if ops := lastExecutable.Ops(); ops["NormApply relu"] == 0 {
			t.Errorf("%s: without the pass: %v", compute, ops)
		}
		for _, config := range []string{"threads=1", "threads=2", "threads=3", "plan=off"} {
			got := features(t, config, compute)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: features %v, without the pass %v", compute, config, got[:3], want[:3])
			}
			if ops := lastExecutable.Ops(); ops["NormApply relu"]+ops["NormApply linear"] != 0 || ops["Conv forward norm relu"] != 49 || ops["Conv forward norm"] != 4 {
				t.Error(fmt.Sprint(compute, ": ", ops))
			}
		}
	}
}

// TestStatisticsInConvs compares batch norms whose statistics the convolution gathers with
// those that take them in a pass: the same but for rounding, and the same bits on any
// number of threads.
func TestStatisticsInConvs(t *testing.T) {
	for _, c := range []struct{ n, h, w, c, kernel, k, stride int }{
		{3, 12, 20, 32, 3, 72, 1}, {5, 14, 14, 64, 3, 64, 1}, {4, 7, 7, 256, 3, 256, 1}, {2, 16, 16, 48, 3, 64, 2},
		{6, 9, 9, 24, 1, 200, 1}, {2, 16, 16, 3, 3, 16, 1}, {9, 4, 4, 512, 1, 40, 1}, {2, 1, 1, 8, 1, 8, 1},
	} {
		dims := [][]int{{c.n, c.h, c.w, c.c}, {c.kernel, c.kernel, c.c, c.k}, {c.k}, {c.k}}
		var inputs [][]float64
		for i, d := range dims {
			size := 1
			for _, n := range d {
				size *= n
			}
			inputs = append(inputs, randoms(uint64(i), size))
		}
		for i := range inputs[1] { // so that results are near 1
			inputs[1][i] /= math.Sqrt(float64(c.kernel * c.kernel * c.c))
		}
		for _, half := range []bool{false, true} {
			build := func(in []*graph.Node) []*graph.Node {
				x, w := in[0], in[1]
				if half {
					x, w = graph.ConvertDType(x, dtypes.BFloat16), graph.ConvertDType(w, dtypes.BFloat16)
				}
				y := graph.ConvertDType(graph.Convolve(x, w).Strides(c.stride).PadSame().Done(), dtypes.Float32)
				y, mean, variance := graph.InternalBatchNormForTraining(y, in[2], in[3], 1e-5, -1)
				return []*graph.Node{graph.ConvertDType(y, x.DType()), mean, variance}
			}
			want := run(t, newBackend(t, "epilogue=off"), dtypes.Float32, inputs, dims, build)
			var first [][]float64
			for threads := 1; threads <= 3; threads++ {
				got := run(t, newBackend(t, fmt.Sprint("threads=", threads)), dtypes.Float32, inputs, dims, build)
				if ops := lastExecutable.Ops(); ops["Conv forward stats"] != 1 || ops["ChannelStats"] != 0 {
					t.Errorf("%v: %v", c, ops)
				}
				for i := range want {
					tol := 2e-6
					if half && i == 0 {
						tol = 0x1p-8 // a rounding to bfloat16 may go the other way
					}
					closeTo(t, fmt.Sprintf("%v, half %v, %d threads, result %d", c, half, threads, i), got[i], want[i], tol)
					if first != nil && !slices.Equal(got[i], first[i]) {
						t.Errorf("%v, half %v, %d threads: result %d has other bits", c, half, threads, i)
					}
				}
				first = got
			}
		}
	}
}
