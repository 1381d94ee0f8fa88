package cpu_test

import (
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// benchmarkGraph runs a graph over [rows, 64] float32 operands and vectors [1, 64], all
// ones, and reports the bytes of operands and results per second.
func benchmarkGraph(b *testing.B, full, vectors int, build func(full, vec []*graph.Node) []*graph.Node) {
	const rows, cols = 64 * 32 * 32, 64
	backend := newBackend(b, "")
	g := graph.NewGraph(backend, b.Name())
	var f, v []*graph.Node
	bytes := 0
	input := func(dims ...int) *graph.Node {
		shape := shapes.Make(dtypes.Float32, dims...)
		bytes += int(shape.Memory())
		return graph.Parameter(g, b.Name()+string(rune('a'+len(f)+len(v))), shape)
	}
	for range full {
		f = append(f, input(rows, cols))
	}
	for range vectors {
		v = append(v, input(1, cols))
	}
	out := build(f, v)
	g.Compile(out...)
	exe := lastExecutable
	_, in := exe.Inputs()
	var args []backends.Buffer
	for _, s := range in {
		buf, _, err := backend.NewSharedBuffer(0, s)
		if err != nil {
			b.Fatal(err)
		}
		args = append(args, buf)
	}
	for _, s := range exe.Outputs() {
		bytes += int(s.Memory())
	}
	b.SetBytes(int64(bytes))
	b.ResetTimer()
	for range b.N {
		if _, err := exe.Execute(args, nil, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// sumOf keeps a result from leaving the arena.
func sumOf(x *graph.Node) []*graph.Node { return []*graph.Node{graph.ReduceSum(x, 0)} }

func BenchmarkCopy(b *testing.B) {
	src, dst := make([]byte, 64<<18), make([]byte, 64<<18)
	pool := par.New(0)
	defer pool.Close()
	b.SetBytes(2 * int64(len(src)))
	for range b.N {
		pool.For(64, func(part, _ int) { copy(dst[part<<18:][:1<<18], src[part<<18:]) })
	}
}

func BenchmarkNormReLU(b *testing.B) {
	benchmarkGraph(b, 1, 3, func(f, v []*graph.Node) []*graph.Node {
		y := graph.Add(graph.Mul(graph.Sub(f[0], v[0]), v[1]), v[2])
		return []*graph.Node{graph.Where(graph.LessOrEqual(y, graph.ScalarZero(y.Graph(), y.DType())), graph.ScalarZero(y.Graph(), y.DType()), y)}
	})
}

func BenchmarkNormReLUSums(b *testing.B) {
	benchmarkGraph(b, 3, 1, func(f, v []*graph.Node) []*graph.Node {
		zero := graph.ScalarZero(f[0].Graph(), f[0].DType())
		d := graph.Where(graph.LessOrEqual(f[0], zero), zero, f[1])
		return append(sumOf(d), sumOf(graph.Mul(d, graph.Sub(f[2], v[0])))...)
	})
}
