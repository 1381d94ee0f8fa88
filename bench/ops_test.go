package bench

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/peak"
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/run"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// The large sets take seconds.
func init() { memorySets = memorySets[:2] }

// tiny is a step of some milliseconds.
func tiny(accumulate int) run.Config {
	c := run.Default()
	c.Data.Size, c.Encoder.Width, c.Heads.Hidden, c.Heads.Dim = 16, .0625, 16, 8
	c.Train.Batch, c.Train.Threads, c.Optim.Accumulate = 8, 2, accumulate
	return c
}

// TestOps: every figure of a node appears once in the sums, nodes and what is between
// them make up the traced step, and the arithmetic is that of the network.
func TestOps(t *testing.T) {
	o, err := Ops(tiny(2), Repeat{Warmup: 1, Steps: 3, Trace: trace.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	var nodes, kinds Count
	var seconds float64
	computations := map[string]int{}
	for _, n := range o.Nodes {
		nodes.add(n.Count)
		seconds += n.Seconds
		computations[n.Computation] += n.Times
		if n.Seconds <= 0 || n.Times != 1 || n.Shape == "" || n.Done > n.FLOP {
			t.Errorf("%+v", n)
		}
	}
	for _, k := range o.Kinds {
		kinds.add(k.Count)
	}
	for _, v := range [][2]float64{{nodes.FLOP, kinds.FLOP}, {nodes.FLOP, o.FLOP}, {nodes.Bytes, kinds.Bytes}, {seconds, o.NodesS}} {
		if math.Abs(v[0]-v[1]) > 1e-9*v[0] {
			t.Errorf("sums differ: %v", v)
		}
	}
	if len(computations) != 2 {
		t.Errorf("computations %v, want two: a step and an accumulation", computations)
	}
	if o.BetweenS <= 0 || o.BetweenS >= o.TracedS || o.StepS <= 0 {
		t.Errorf("nodes %g, between %g, traced %g, step %g", o.NodesS, o.BetweenS, o.TracedS, o.StepS)
	}
	one, err := Ops(tiny(1), Repeat{Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Two batches are twice the convolutions and products; the optimiser stays.
	if ratio := o.FLOP / one.FLOP; ratio < 1.7 || ratio > 2.1 {
		t.Errorf("two batches take %.2f times the arithmetic of one", ratio)
	}
	var text bytes.Buffer
	if err := o.Print(&text, true); err != nil || !strings.Contains(text.String(), "between nodes") || strings.Count(text.String(), "#") != len(o.Nodes) {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestSummarise: a node counts with its median, as often as a step runs it.
func TestSummarise(t *testing.T) {
	o := OpsResult{Machine: Machine{Arithmetic: []peak.Arithmetic{{Type: "f32", FLOPS: 10}}, Memory: []peak.Memory{{Bytes: 1, Copy: 1000}}}}
	node := func(op, algorithm string, flop, done float64) cpu.NodeTiming {
		x := shapes.Make(dtypes.BFloat16, 2, 3)
		return cpu.NodeTiming{Op: op, Algorithm: algorithm, FLOP: flop, Done: done, Bytes: 8, Shapes: []shapes.Shape{x, x, shapes.Make(dtypes.Float32), x, x, x}, Inputs: 5}
	}
	o.summarise(map[nodeKey]*seenNode{
		{0, 0}: {NodeTiming: node("Conv forward", "winograd", 40, 10), computation: "step", seconds: []float64{5, 2, 90}},
		{0, 1}: {NodeTiming: node("Fused 12 elements, 3 instructions", "", 20, 20), computation: "step", seconds: []float64{1, 2, 3, 4, 5, 6}},
	}, 3)
	if len(o.Nodes) != 2 || len(o.Kinds) != 2 || o.NodesS != 12 || o.FLOP != 80 || o.Done != 50 || o.FloorS != 5 {
		t.Fatalf("%+v", o)
	}
	first, second := o.Nodes[0], o.Nodes[1]
	if first.Kind != "Fused" || first.Times != 2 || first.Seconds != 7 || first.Share != 4./7 {
		t.Errorf("%+v", first)
	}
	if second.Kind != "Conv forward winograd" || second.Seconds != 5 || second.FLOPS != 8 || second.Share != .2 ||
		second.Shape != "2x3 bf16 · 2x3 bf16 · 2x3 bf16 · 1 more → 2x3 bf16" {
		t.Errorf("%+v", second)
	}
}

// TestEmbedOne: one picture is too few to train on, not to embed.
func TestEmbedOne(t *testing.T) {
	c := tiny(1)
	c.Train.Batch = 1
	if r, err := Embed(c, Repeat{Steps: 1}); err != nil || r.Batch != 1 || r.ImagesPerS <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFloor(t *testing.T) {
	m := Machine{
		Arithmetic: []peak.Arithmetic{{Type: "f32", ISA: "generic", FLOPS: 10}, {Type: "f32", ISA: "avx2", FLOPS: 100, IsPeak: true}},
		Memory:     []peak.Memory{{Bytes: 1000, Read: 50, Write: 40, Copy: 45}, {Bytes: 10000, Read: 5, Write: 4, Copy: 8}},
	}
	for _, c := range []struct{ flop, bytes, want float64 }{
		{200, 0, 2},
		{200, 50, 2},          // bound by arithmetic: 50 bytes take a second
		{200, 500, 10},        // by memory that fits the first set
		{0, 9999, 9999. / 50}, // still below the second
		{0, 80000, 10000},
	} {
		if got := m.Floor(c.flop, false, c.bytes); got != c.want {
			t.Errorf("%g FLOP, %g bytes: %g s, want %g", c.flop, c.bytes, got, c.want)
		}
	}
	if m.Peak(true) != 100 {
		t.Errorf("bfloat16 without instructions: %g", m.Peak(true))
	}
	m.Arithmetic = append(m.Arithmetic, peak.Arithmetic{Type: "bf16", FLOPS: 300, IsPeak: true})
	if m.Peak(true) != 300 || m.Peak(false) != 100 {
		t.Errorf("peaks %g and %g", m.Peak(true), m.Peak(false))
	}
}

func TestSweep(t *testing.T) {
	tasks := append(convTasks(2, 8, 16, 3, 1), matMulTask(gemm.Shape{M: 8, N: 32, K: 16, TransA: true}))
	for _, bf16 := range []bool{false, true} {
		r, err := Sweep(context.Background(), tasks, bf16, 2)
		if err != nil || len(r.Rates) != len(tasks) || r.Left != 0 {
			t.Fatalf("%v, %+v", err, r)
		}
		last := 0.0
		seen := map[string]bool{}
		for _, k := range r.Rates {
			if k.Share < last || k.Seconds <= 0 || k.FLOPS <= 0 {
				t.Errorf("%+v after a share of %g", k, last)
			}
			last = k.Share
			seen[k.Kernel] = true
		}
		if len(seen) != 4 || !seen["matmul TN"] || !seen["conv inputgrad"] {
			t.Errorf("kernels %v", seen)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Sweep(ctx, tasks, false, 1); err == nil {
		t.Error("cancelled: no error")
	}
}

func TestSweepGrid(t *testing.T) {
	grid := SweepGrid()
	forms := map[conv.Form]int{}
	products := 0
	for _, task := range grid {
		if task.MatMul != nil {
			products++
			if err := task.MatMul.Validate(); err != nil {
				t.Error(err)
			}
			continue
		}
		forms[task.Form]++
		if err := task.Conv.Validate(); err != nil || task.Conv.OutH() < 1 {
			t.Errorf("%+v: %v", task.Conv, err)
		}
	}
	if products != 72 || forms[conv.Forward] != forms[conv.KernelGrad] || forms[conv.InputGrad] == 0 || forms[conv.Forward] < 300 {
		t.Errorf("%d products, forms %v", products, forms)
	}
	for _, n := range []int{1, 2, 7, 36, len(grid)} {
		seen := map[int]bool{}
		for k := range n {
			seen[spread(k, n)] = true
		}
		if len(seen) != n {
			t.Errorf("spread visits %d of %d", len(seen), n)
		}
	}
	t.Logf("%d tasks", len(grid))
}
