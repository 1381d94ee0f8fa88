package cpu_test

import (
	"fmt"
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
