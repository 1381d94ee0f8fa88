package cpu_test

import (
	"sync"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// compileGraph compiles a graph of float32 parameters of the given sizes.
func compileGraph(tb testing.TB, b *cpu.Backend, sizes []int, build func(in []*graph.Node) []*graph.Node) *cpu.Executable {
	tb.Helper()
	g := graph.NewGraph(b, tb.Name())
	var in []*graph.Node
	for i, n := range sizes {
		in = append(in, graph.Parameter(g, string(rune('a'+i)), shapes.Make(dtypes.Float32, n)))
	}
	g.Compile(build(in)...)
	if err := lastExecutable.CheckPlan(); err != nil {
		tb.Error(err)
	}
	return lastExecutable
}

func vector(tb testing.TB, b *cpu.Backend, v ...float32) backends.Buffer {
	tb.Helper()
	buf, err := b.BufferFromFlatData(0, v, shapes.Make(dtypes.Float32, len(v)))
	if err != nil {
		tb.Fatal(err)
	}
	return buf
}

// data returns a buffer's own elements.
func data(tb testing.TB, b *cpu.Backend, buf backends.Buffer) []float32 {
	tb.Helper()
	v, err := b.BufferData(buf)
	if err != nil {
		tb.Fatal(err)
	}
	return v.([]float32)
}

func equal(tb testing.TB, got []float32, want ...float32) {
	tb.Helper()
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			tb.Fatalf("got %v, want %v", got, want)
		}
	}
}

// step is a state p, m and a gradient: m ← m/2 + g, p ← p − m.
func momentumStep(in []*graph.Node) []*graph.Node {
	m := graph.Add(graph.MulScalar(in[1], 0.5), in[2])
	return []*graph.Node{graph.Sub(in[0], m), m}
}

func TestDonatedMemoryIsReused(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2, 2}, momentumStep)
	if exe.PeakBytes() != exe.ArenaBytes() {
		t.Errorf("peak %d bytes besides an arena of %d: results should take the state's place", exe.PeakBytes(), exe.ArenaBytes())
	}
	p, m, g := vector(t, b, 1, 2), vector(t, b, 4, 8), vector(t, b, 1, 1)
	pAt, mAt := &data(t, b, p)[0], &data(t, b, m)[0]
	for range 3 {
		out, err := exe.Execute([]backends.Buffer{p, m, g}, []bool{true, true, false}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.BufferShape(p); err == nil {
			t.Error("a donated buffer is still valid")
		}
		p, m = out[0], out[1]
	}
	if &data(t, b, p)[0] != pAt || &data(t, b, m)[0] != mAt {
		t.Error("results are not where the donated state was")
	}
	equal(t, data(t, b, m), 2.25, 2.75) // 4 → 3 → 2.5 → 2.25
	equal(t, data(t, b, p), 1-3-2.5-2.25, 2-5-3.5-2.75)
	equal(t, data(t, b, g), 1, 1)
}

func TestUndonatedInputsStay(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2, 2}, momentumStep)
	p, m, g := vector(t, b, 1, 2), vector(t, b, 4, 8), vector(t, b, 1, 1)
	for _, donate := range [][]bool{nil, {false, false, false}} {
		if _, err := exe.Execute([]backends.Buffer{p, m, g}, donate, 0); err != nil {
			t.Fatal(err)
		}
		equal(t, data(t, b, p), 1, 2)
		equal(t, data(t, b, m), 4, 8)
	}
	// Given twice, or shared with the caller, a buffer is not written to even if donated.
	out, err := exe.Execute([]backends.Buffer{p, g, g}, []bool{false, true, false}, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, data(t, b, out[1]), 1.5, 1.5)
	shared, flat, err := b.NewSharedBuffer(0, shapes.Make(dtypes.Float32, 2))
	if err != nil {
		t.Fatal(err)
	}
	copy(flat.([]float32), []float32{6, 6})
	if _, err := exe.Execute([]backends.Buffer{p, shared, m}, []bool{false, true, false}, 0); err != nil {
		t.Fatal(err)
	}
	equal(t, flat.([]float32), 6, 6)
}

// TestResultsAreTheCallersOwn returns an input, a constant, and a value twice.
func TestResultsAreTheCallersOwn(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2}, func(in []*graph.Node) []*graph.Node {
		sum := graph.Add(in[0], in[1])
		return []*graph.Node{in[0], graph.Const(in[0].Graph(), []float32{7, 8}), sum, graph.Identity(sum), graph.Reshape(sum, 2, 1), graph.Reshape(in[1], 1, 2)}
	})
	a, c := vector(t, b, 1, 2), vector(t, b, 3, 4)
	for range 2 { // the second time, nothing of the first may have changed
		out, err := exe.Execute([]backends.Buffer{a, c}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]float32{{1, 2}, {7, 8}, {4, 6}, {4, 6}, {4, 6}, {3, 4}} {
			got := data(t, b, out[i])
			equal(t, got, want...)
			got[0], got[1] = -1, -1
		}
		equal(t, data(t, b, a), 1, 2)
	}
	at := &data(t, b, a)[0]
	out, err := exe.Execute([]backends.Buffer{a, c}, []bool{true, true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if &data(t, b, out[0])[0] != at {
		t.Error("a donated input that is a result was copied")
	}
	equal(t, data(t, b, out[2]), 4, 6)
}

func TestExecuteConcurrently(t *testing.T) {
	b := newBackend(t, "threads=3")
	const n = 100_000
	exe := compileGraph(t, b, []int{n, n}, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.ReduceAllSum(graph.Mul(graph.Add(in[0], in[1]), in[0]))}
	})
	var wg sync.WaitGroup
	for k := range 4 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(k)
		}
		wg.Go(func() {
			in := []backends.Buffer{vector(t, b, x...), vector(t, b, x...)}
			for range 5 {
				out, err := exe.Execute(in, nil, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if got := data(t, b, out[0])[0]; got != float32(2*k*k*n) {
					t.Errorf("got %v, want %v", got, 2*k*k*n)
				}
			}
		})
	}
	wg.Wait()
}

func TestExecuteRefuses(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2, 2}, momentumStep)
	v := vector(t, b, 1, 2)
	for name, in := range map[string][]backends.Buffer{
		"few": {v, v}, "shape": {v, v, vector(t, b, 1, 2, 3)}, "nil": {v, v, nil}, "foreign": {v, v, "buffer"},
	} {
		if _, err := exe.Execute(in, nil, 0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	exe.Finalize()
	if _, err := exe.Execute([]backends.Buffer{v, v, v}, nil, 0); err == nil {
		t.Error("finalized: no error")
	}
}

func TestTrace(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2, 2}, momentumStep)
	var seen []cpu.NodeTiming
	exe.SetTrace(func(n cpu.NodeTiming) { seen = append(seen, n) })
	v := vector(t, b, 1, 2)
	if _, err := exe.Execute([]backends.Buffer{v, v, v}, nil, 0); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Bytes < 5*8 { // one fused node; 3 operands and 2 results, and constants
		t.Errorf("trace: %+v", seen)
	}
}

// TestDonatedInputReadLater: a result must not take the place of an input, or of one
// that is given twice, that is read after it.
func TestDonatedInputReadLater(t *testing.T) {
	b := newBackend(t, "")
	exe := compileGraph(t, b, []int{2, 2}, func(in []*graph.Node) []*graph.Node {
		first := graph.MulScalar(in[0], 10)
		return []*graph.Node{first, graph.Dot(in[0], first), graph.Dot(in[1], first)}
	})
	for _, twice := range []bool{false, true} {
		p, q := vector(t, b, 1, 2), vector(t, b, 1, 2)
		if twice {
			q = p
		}
		out, err := exe.Execute([]backends.Buffer{p, q}, []bool{true, false}, 0)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, data(t, b, out[0]), 10, 20)
		equal(t, data(t, b, out[1]), 50)
		equal(t, data(t, b, out[2]), 50)
	}
	// The second input is read last by a product after the first result is written.
	exe = compileGraph(t, b, []int{2, 2}, func(in []*graph.Node) []*graph.Node {
		first := graph.MulScalar(in[0], 10)
		return []*graph.Node{first, graph.Dot(in[1], first)}
	})
	p := vector(t, b, 1, 2)
	out, err := exe.Execute([]backends.Buffer{p, p}, []bool{true, false}, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, data(t, b, out[1]), 50)
}

// TestScheduleFreesEarly: sums that are recorded last run as soon as they can.
func TestScheduleFreesEarly(t *testing.T) {
	const n = 1 << 10
	peak := func(config string) int {
		return compileGraph(t, newBackend(t, config), []int{n}, func(in []*graph.Node) []*graph.Node {
			var squares []*graph.Node
			for i := range 8 { // matrices of n×n
				v := graph.AddScalar(in[0], float64(i))
				squares = append(squares, graph.Dot(graph.Reshape(v, n, 1), graph.Reshape(v, 1, n)))
			}
			total := squares[0]
			for _, s := range squares[1:] {
				total = graph.Dot(total, s)
			}
			return []*graph.Node{graph.ReduceAllSum(total)}
		}).PeakBytes()
	}
	if on, off := peak(""), peak("schedule=off"); on > off/2 {
		t.Errorf("%d bytes planned, %d in the recorded order", on, off)
	}
}
