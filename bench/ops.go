package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// OpsResult says where the time of a training step goes.
type OpsResult struct {
	Name      string  `json:"name"`
	Machine   Machine `json:"machine"`
	Batch     int     `json:"batch"` // pictures of one step
	Precision string  `json:"precision"`
	Repeats   int     `json:"repeats"`    // steps of each kind, with and without a trace
	PeakBytes int64   `json:"peak_bytes"` // largest resident set of the process so far

	StepS    float64 `json:"step_s"`    // median seconds of a step
	TracedS  float64 `json:"traced_s"`  // the same with every node timed
	NodesS   float64 `json:"nodes_s"`   // sum of the nodes' median times
	BetweenS float64 `json:"between_s"` // median of what the traced steps took besides their nodes
	FloorS   float64 `json:"floor_s"`   // sum of the nodes' floors
	Count

	Kinds []Kind `json:"kinds"` // by time, the largest first
	Nodes []Node `json:"nodes"` // the same
}

// Count is the work of one step.
type Count struct {
	FLOP  float64 `json:"flop"`      // by definition of the operations
	Done  float64 `json:"flop_done"` // by the algorithms chosen: Winograd's products are a quarter
	Bytes float64 `json:"bytes"`     // of all inputs and outputs
}

func (c *Count) add(other Count) {
	c.FLOP, c.Done, c.Bytes = c.FLOP+other.FLOP, c.Done+other.Done, c.Bytes+other.Bytes
}

// Node is one node of the compiled step.
type Node struct {
	Computation string  `json:"computation"` // step, or accumulate
	Index       int     `json:"index"`       // in the order of execution
	Kind        string  `json:"kind"`
	Op          string  `json:"op"`
	Shape       string  `json:"shape"`
	Times       int     `json:"times"`   // executions in a step
	Seconds     float64 `json:"seconds"` // of a step: the median execution, Times times
	FloorS      float64 `json:"floor_s"` // see Machine.Floor
	Share       float64 `json:"share"`   // of the roofline that is reached: FloorS / Seconds
	FLOPS       float64 `json:"flop_per_s"`
	Count
}

// Kind is the sum of the nodes of a kind.
type Kind struct {
	Kind    string  `json:"kind"`
	Nodes   int     `json:"nodes"`
	Seconds float64 `json:"seconds"`
	FloorS  float64 `json:"floor_s"`
	Share   float64 `json:"share"`
	FLOPS   float64 `json:"flop_per_s"`
	Count
}

// nodeKey identifies a node among all computations.
type nodeKey struct{ executable, index int }

// seenNode is a node with its times in all traced steps.
type seenNode struct {
	cpu.NodeTiming
	computation string
	seconds     []float64
}

// opsTrace collects what executables report while it is on.
type opsTrace struct {
	nodes map[nodeKey]*seenNode
	total time.Duration // of all nodes since it was last set to 0
}

// on switches the trace of the executables.
func (t *opsTrace) on(yes bool, executables []*cpu.Executable) {
	for id, e := range executables {
		if !yes {
			e.SetTrace(nil)
			continue
		}
		e.SetTrace(func(n cpu.NodeTiming) {
			t.total += n.Duration
			key := nodeKey{id, n.Index}
			if t.nodes[key] == nil {
				t.nodes[key] = &seenNode{NodeTiming: n, computation: e.Name()}
			}
			t.nodes[key].seconds = append(t.nodes[key].seconds, n.Duration.Seconds())
		})
	}
}

// Ops measures the machine, then times every node of the training step of a
// configuration on a synthetic batch. Steps with and without a trace take turns. The
// configuration need not be resolved; its backend must be "cpu".
func Ops(c run.Config, r Repeat) (OpsResult, error) {
	t, err := train.NewTrial(c, r.Trace)
	if err != nil {
		return OpsResult{}, err
	}
	defer t.Close()
	for range r.Warmup {
		if err := t.Step(); err != nil {
			return OpsResult{}, err
		}
	}
	limits := MeasureMachine(c.Train.Threads)
	nodes := opsTrace{nodes: map[nodeKey]*seenNode{}}
	var plain, traced, between []float64
	for range r.Steps {
		for _, on := range []bool{false, true} {
			nodes.on(on, t.Tracer.Executables())
			nodes.total = 0
			start := time.Now()
			if err := t.Step(); err != nil {
				return OpsResult{}, err
			}
			took := time.Since(start)
			if on {
				traced = append(traced, took.Seconds())
				between = append(between, (took - nodes.total).Seconds())
			} else {
				plain = append(plain, took.Seconds())
			}
		}
	}
	if len(t.Tracer.Executables()) == 0 {
		return OpsResult{}, fmt.Errorf("train.backend is %q: only cpu tells of its nodes", c.Train.Backend)
	}
	nodes.on(false, t.Tracer.Executables())
	limits.again(true)
	result := OpsResult{
		Name: "ops", Machine: limits, Batch: t.Pictures, Precision: t.Config.Train.Precision, Repeats: r.Steps,
		PeakBytes: machine.PeakBytes(), StepS: median(plain), TracedS: median(traced), BetweenS: median(between),
	}
	result.summarise(nodes.nodes, r.Steps)
	return result, record(t, r.Trace)
}

// summarise fills in nodes, kinds and sums from what the traced steps reported.
func (o *OpsResult) summarise(seen map[nodeKey]*seenNode, steps int) {
	kinds := map[string]*Kind{}
	for key, s := range seen {
		n := Node{Computation: s.computation, Index: key.index, Kind: kindOf(s.NodeTiming), Op: s.Op, Shape: shapeOf(s.NodeTiming), Times: len(s.seconds) / steps}
		times := float64(n.Times)
		n.Seconds = times * median(s.seconds)
		n.Count = Count{times * s.FLOP, times * s.Done, times * float64(s.Bytes)}
		n.FloorS = times * o.Machine.Floor(s.Done, s.BF16, float64(s.Bytes))
		n.Share, n.FLOPS = n.FloorS/n.Seconds, n.FLOP/n.Seconds
		o.Nodes = append(o.Nodes, n)
		k := kinds[n.Kind]
		if k == nil {
			k = &Kind{Kind: n.Kind}
			kinds[n.Kind] = k
		}
		k.Nodes++
		k.Seconds += n.Seconds
		k.FloorS += n.FloorS
		k.add(n.Count)
		o.NodesS += n.Seconds
		o.FloorS += n.FloorS
		o.add(n.Count)
	}
	for _, k := range kinds {
		k.Share, k.FLOPS = k.FloorS/k.Seconds, k.FLOP/k.Seconds
		o.Kinds = append(o.Kinds, *k)
	}
	slices.SortFunc(o.Kinds, func(a, b Kind) int { return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Kind, b.Kind)) })
	slices.SortFunc(o.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Computation, b.Computation), a.Index-b.Index)
	})
}

// kindOf names operation, form and algorithm, without numbers that only one node has.
func kindOf(n cpu.NodeTiming) string {
	words := strings.Fields(n.Op)
	for i, w := range words {
		if _, err := strconv.Atoi(w); err == nil {
			words = words[:i]
			break
		}
	}
	if n.Algorithm != "" {
		words = append(words, n.Algorithm)
	}
	return strings.Join(words, " ")
}

// shapeOf writes the shapes of a node: "64x32x32x64 · 3x3x64x64 → 64x32x32x64". Scalars
// are left out, and what is more than three of a kind is counted.
func shapeOf(n cpu.NodeTiming) string {
	return shapeList(n.Shapes[:n.Inputs]) + " → " + shapeList(n.Shapes[n.Inputs:])
}

func shapeList(list []shapes.Shape) string {
	var texts []string
	for _, s := range list {
		if s.Size() == 1 {
			continue
		}
		dims := make([]string, s.Rank())
		for i, d := range s.Dimensions {
			dims[i] = strconv.Itoa(d)
		}
		text := strings.Join(dims, "x")
		if s.DType == dtypes.BFloat16 {
			text += " bf16"
		}
		texts = append(texts, text)
	}
	const most = 3
	if len(texts) > most {
		texts = append(texts[:most], fmt.Sprintf("%d more", len(texts)-most))
	}
	if len(texts) == 0 {
		return "scalar"
	}
	return strings.Join(texts, " · ")
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
