package cpu_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// TestTraceTells: the arithmetic of each node is its own, and what is timed lies within
// the execution.
func TestTraceTells(t *testing.T) {
	b := newBackend(t, "threads=2")
	const n = 64
	exe := compileGraph(t, b, []int{n * n, n * n}, func(in []*graph.Node) []*graph.Node {
		x, y := graph.Reshape(in[0], n, n), graph.Reshape(in[1], n, n)
		x = graph.Dot(x, y)
		return []*graph.Node{graph.Dot(graph.AddScalar(graph.Mul(x, x), 1), y)}
	})
	var nodes []cpu.NodeTiming
	var worked atomic.Int64
	exe.SetTrace(func(n cpu.NodeTiming) { nodes = append(nodes, n) })
	b.ObserveThreads(func(thread int, start, end time.Time) { worked.Add(int64(end.Sub(start))) })
	_, shapes := exe.Inputs()
	args := make([]backends.Buffer, len(shapes))
	for i := range args {
		var err error
		if args[i], _, err = b.NewSharedBuffer(0, shapes[i]); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	if _, err := exe.Execute(args, nil, 0); err != nil {
		t.Fatal(err)
	}
	end := time.Now()
	if len(nodes) != 3 || nodes[0].Op != "MatMul NN" || nodes[2].Op != "MatMul NN" {
		t.Fatalf("nodes %+v", nodes)
	}
	for i, want := range []float64{2 * n * n * n, 2 * n * n, 2 * n * n * n} {
		at := nodes[i]
		if at.FLOP != want || at.Done != want || at.Index != i || at.Start.Before(begin) || at.Start.Add(at.Duration).After(end) {
			t.Errorf("node %d: %+v, want %g FLOP between %v and %v", i, at, want, begin, end)
		}
	}
	if at := nodes[2]; at.Inputs != 2 || len(at.Shapes) != 3 || at.Bytes != 3*n*n*4 {
		t.Errorf("%+v", at)
	}
	if worked.Load() <= 0 {
		t.Error("no thread reported")
	}
	seen := len(nodes)
	exe.SetTrace(nil)
	b.ObserveThreads(nil)
	if _, err := exe.Execute(args, nil, 0); err != nil || len(nodes) != seen {
		t.Errorf("%d nodes after the end of the trace, %v", len(nodes), err)
	}
}
