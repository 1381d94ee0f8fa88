package cpu_test

import (
	"runtime"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// TestArenaIsNoGarbage runs a computation with a large arena, which the Go heap does not
// hold where the system gives memory, and finalises it twice.
func TestArenaIsNoGarbage(t *testing.T) {
	const n = 4 << 20
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{n}, func(in []*graph.Node) []*graph.Node {
		sorted := graph.Reverse(in[0], 0) // in memory of its own: neither view nor fused
		return []*graph.Node{graph.ReduceAllSum(graph.Mul(graph.Reverse(graph.AddScalar(sorted, 1), 0), in[0]))}
	})
	if exe.ArenaBytes() < 4*n {
		t.Fatalf("an arena of %d bytes: the test wants a larger one", exe.ArenaBytes())
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i % 2)
	}
	in := vector(t, b, x...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 {
		out, err := exe.Execute([]backends.Buffer{in}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, data(t, b, out[0]), n)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; runtime.GOOS != "windows" && grown > n {
		t.Errorf("the Go heap gave %d bytes", grown)
	}
	exe.Finalize()
	exe.Finalize()
	if _, err := exe.Execute([]backends.Buffer{in}, nil, 0); err == nil {
		t.Error("a finalised executable runs")
	}
}
