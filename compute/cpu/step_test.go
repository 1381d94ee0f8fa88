package cpu_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// byolStep compiles a step of BYOL and returns a function that runs it, which donates
// the state, and returns the loss.
func byolStep(tb testing.TB, config string, c method.Config, batch, size int) (*cpu.Executable, func() float32) {
	tb.Helper()
	backend := newBackend(tb, config)
	b, err := method.NewBYOL(c)
	if err != nil {
		tb.Fatal(err)
	}
	specs := b.Specs()
	g := graph.NewGraph(backend, "step")
	var state []*graph.Node
	for _, s := range specs {
		state = append(state, graph.Parameter(g, s.Name, shapes.Make(dtypes.Float32, s.Shape...)))
	}
	view := shapes.Make(dtypes.Float32, batch, size, size, 3)
	v1, v2 := graph.Parameter(g, "view1", view), graph.Parameter(g, "view2", view)
	rate, tau := graph.Parameter(g, "rate", shapes.Make(dtypes.Float32)), graph.Parameter(g, "tau", shapes.Make(dtypes.Float32))
	out, metrics := b.Step(state, method.Batch{View1: v1, View2: v2}, method.Scalars{Rate: rate, Tau: tau})
	start := time.Now()
	g.Compile(append(out, metrics.Loss)...)
	exe := lastExecutable
	tb.Logf("compiled in %v, peak %d MB", time.Since(start).Round(time.Millisecond), exe.PeakBytes()>>20)
	now := nn.Tensors(specs, b.Init(1))
	pixels := func(seed uint32) *tensors.Tensor {
		v := make([]float32, view.Size())
		for i := range v {
			seed = seed*1664525 + 1013904223
			v[i] = float32(seed>>8)/(1<<23) - 1
		}
		return tensors.FromFlatDataAndDimensions(v, view.Dimensions...)
	}
	p1, p2 := pixels(1), pixels(2)
	r, t := tensors.FromValue(float32(0.05)), tensors.FromValue(float32(0.99))
	return exe, func() float32 {
		inputs := make([]any, 0, len(now)+4)
		for _, s := range now {
			d, err := graph.DonateTensorBuffer(s, backend, 0)
			if err != nil {
				tb.Fatal(err)
			}
			inputs = append(inputs, d)
		}
		results := g.Run(append(inputs, p1, p2, r, t)...)
		now = results[:len(results)-1]
		return tensors.ToScalar[float32](results[len(results)-1])
	}
}

func cifarConfig() method.Config {
	c := method.DefaultConfig()
	c.Encoder = encoder.Config{Arch: "resnet18", Stem: encoder.StemCIFAR}
	return c
}

// TestStepSpeed is the measurement behind the speed claims. BYOL_STEP=1 runs it;
// BYOL_STEP_PRECISION=bf16, BYOL_STEP_WIDTH, BYOL_STEP_ARCH with _SIZE and _BATCH, and
// BYOL_STEP_CONFIG (of the backend) change what is run.
func TestStepSpeed(t *testing.T) {
	if os.Getenv("BYOL_STEP") == "" {
		t.Skip("set BYOL_STEP=1")
	}
	batch, size, c := 64, 32, cifarConfig()
	set := func(name string, to any) {
		if v := os.Getenv("BYOL_STEP_" + name); v != "" {
			fmt.Sscan(v, to)
		}
	}
	set("BATCH", &batch)
	set("SIZE", &size)
	set("WIDTH", &c.Encoder.Width)
	set("ARCH", &c.Encoder.Arch)
	set("HIDDEN", &c.Heads.Hidden)
	set("DIM", &c.Heads.Dim)
	if size > 64 {
		c.Encoder.Stem = encoder.StemImageNet
	}
	if os.Getenv("BYOL_STEP_PRECISION") == "bf16" {
		c.Compute = dtypes.BFloat16
	}
	exe, step := byolStep(t, os.Getenv("BYOL_STEP_CONFIG"), c, batch, size)
	step()
	type sum struct {
		d time.Duration
		n int
		f float64
		b int
	}
	for i := range 3 {
		if i == 2 {
			sums := map[string]sum{}
			exe.SetTrace(func(n cpu.NodeTiming) {
				s := sums[n.Op]
				sums[n.Op] = sum{s.d + n.Duration, s.n + 1, s.f + n.FLOP, s.b + n.Bytes}
			})
			defer func() {
				for op, s := range sums {
					fmt.Printf("%-24s %4d %8.1f ms %8.1f GFLOP/s %8.1f GB/s\n", op, s.n, s.d.Seconds()*1e3, s.f/s.d.Seconds()/1e9, float64(s.b)/s.d.Seconds()/1e9)
				}
			}()
		}
		start := time.Now()
		loss := step()
		d := time.Since(start)
		fmt.Printf("step %d: loss %.6f, %v, %.2f images/s\n", i, loss, d.Round(time.Millisecond), float64(batch)/d.Seconds())
	}
}

// TestStepDeterminism: one and three threads give the same losses to the bit.
func TestStepDeterminism(t *testing.T) {
	c := cifarConfig()
	c.Encoder.Width = 0.125
	c.Heads.Hidden, c.Heads.Dim = 64, 16
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		exe, step := byolStep(t, fmt.Sprintf("threads=%d", threads), c, 8, 16)
		if err := exe.CheckPlan(); err != nil {
			t.Error(err)
		}
		var got []float32
		for range 3 {
			got = append(got, step())
		}
		if want == nil {
			want = got
			t.Log(want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%d threads, step %d: loss %v, one thread %v", threads, i, got[i], want[i])
			}
		}
	}
}

// TestStepMemory prints what a step is planned to need; run it with BYOL_STEP=1.
func TestStepMemory(t *testing.T) {
	if os.Getenv("BYOL_STEP") == "" {
		t.Skip("set BYOL_STEP=1")
	}
	for _, config := range []string{"", "schedule=off", "fuse=off", "inplace=off"} {
		exe, _ := byolStep(t, config, cifarConfig(), 64, 32)
		fmt.Printf("%-14s peak %d MB\n%s\n", config, exe.PeakBytes()>>20, exe.Describe())
	}
}

// TestStepUsesFastKernels looks at what a step is compiled to: gradients of convolutions
// are recognised, nothing is transposed, reversed, converted or compared on its own, and
// one view's activations are alive at a time.
func TestStepUsesFastKernels(t *testing.T) {
	for _, compute := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		c := cifarConfig()
		c.Encoder.Width = 0.25
		c.Heads.Hidden, c.Heads.Dim = 128, 32
		c.Compute = compute
		exe, _ := byolStep(t, "", c, 32, 32)
		if err := exe.CheckPlan(); err != nil {
			t.Error(err)
		}
		ops := exe.Ops()
		t.Log(ops)
		// 20 convolutions, forward in 2 views and 2 networks; backward in 2 views, without
		// the gradient of the picture.
		if ops["Conv forward"] != 80 || ops["Conv kernelgrad"] != 40 || ops["Conv inputgrad"] != 38 {
			t.Errorf("%s: convolutions %v", compute, ops)
		}
		for _, op := range []string{"ConvGeneric", "MatMulPlain", "Transpose", "Reverse", "BroadcastInDim", "Where", "LessOrEqual", "ConvertDType", "Add", "Mul"} {
			if ops[op] != 0 {
				t.Errorf("%s: %d times %s", compute, ops[op], op)
			}
		}
		naive, _ := byolStep(t, "schedule=off,fuse=off,inplace=off,relu=off,plan=off", c, 32, 32)
		if got, all := exe.PeakBytes(), naive.PeakBytes(); got > all/10 {
			t.Errorf("%s: %d bytes planned, %d without the passes: want a tenth", compute, got, all)
		}
	}
}
