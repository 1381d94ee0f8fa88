package cpu_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// naiveDot is DotGeneral by its definition: indices in the order batch, lhs, rhs, contracted.
func naiveDot(l, r []float64, ld, rd, lc, lb, rc, rb []int) []float64 {
	free := func(rank int, used ...[]int) (axes []int) {
		taken := map[int]bool{}
		for _, u := range used {
			for _, a := range u {
				taken[a] = true
			}
		}
		for a := range rank {
			if !taken[a] {
				axes = append(axes, a)
			}
		}
		return axes
	}
	lf, rf := free(len(ld), lc, lb), free(len(rd), rc, rb)
	var out []float64
	li, ri := make([]int, len(ld)), make([]int, len(rd))
	offset := func(at, dims []int) int {
		o := 0
		for i := range dims {
			o = o*dims[i] + at[i]
		}
		return o
	}
	// each runs body for every index of axes, of both operands if they share them.
	var each func(la, ra []int, body func())
	each = func(la, ra []int, body func()) {
		if len(la) == 0 && len(ra) == 0 {
			body()
			return
		}
		n := 0
		if len(la) > 0 {
			n = ld[la[0]]
		} else {
			n = rd[ra[0]]
		}
		for i := range n {
			var la2, ra2 []int
			if len(la) > 0 {
				li[la[0]], la2 = i, la[1:]
			}
			if len(ra) > 0 {
				ri[ra[0]], ra2 = i, ra[1:]
			}
			each(la2, ra2, body)
		}
	}
	each(lb, rb, func() {
		each(lf, nil, func() {
			each(nil, rf, func() {
				sum := 0.0
				each(lc, rc, func() { sum += l[offset(li, ld)] * r[offset(ri, rd)] })
				out = append(out, sum)
			})
		})
	})
	return out
}

func TestDotGeneral(t *testing.T) {
	b := newBackend(t, "threads=2")
	for i, c := range []struct{ ld, rd, lc, lb, rc, rb []int }{
		{ld: []int{3, 5}, rd: []int{5, 4}, lc: []int{1}, rc: []int{0}},
		{ld: []int{5, 3}, rd: []int{5, 4}, lc: []int{0}, rc: []int{0}},
		{ld: []int{3, 5}, rd: []int{4, 5}, lc: []int{1}, rc: []int{1}},
		{ld: []int{5, 3}, rd: []int{4, 5}, lc: []int{0}, rc: []int{1}},
		{ld: []int{7}, rd: []int{7}, lc: []int{0}, rc: []int{0}},
		{ld: []int{2, 3}, rd: []int{4}},
		{ld: []int{2, 3, 5}, rd: []int{2, 5, 4}, lc: []int{2}, lb: []int{0}, rc: []int{1}, rb: []int{0}},
		{ld: []int{3, 2, 5}, rd: []int{5, 4, 2}, lc: []int{2}, lb: []int{1}, rc: []int{0}, rb: []int{2}},
		{ld: []int{2, 3, 5, 4}, rd: []int{4, 5, 6}, lc: []int{2, 3}, rc: []int{1, 0}},
		{ld: []int{2, 3, 5, 4}, rd: []int{4, 3, 6, 2}, lc: []int{3}, lb: []int{0, 1}, rc: []int{0}, rb: []int{3, 1}},
		{ld: []int{2, 1, 3}, rd: []int{3, 1, 2}, lc: []int{0, 1}, rc: []int{2, 1}},
		{ld: []int{70, 40, 8}, rd: []int{70, 8, 50}, lc: []int{2}, lb: []int{0}, rc: []int{1}, rb: []int{0}},
	} {
		size := func(dims []int) int {
			n := 1
			for _, d := range dims {
				n *= d
			}
			return n
		}
		l, r := randoms(uint64(i), size(c.ld)), randoms(uint64(i)+50, size(c.rd))
		want := naiveDot(l, r, c.ld, c.rd, c.lc, c.lb, c.rc, c.rb)
		build := func(half dtypes.DType) func(in []*graph.Node) []*graph.Node {
			return func(in []*graph.Node) []*graph.Node {
				if half != dtypes.InvalidDType {
					in = []*graph.Node{graph.ConvertDType(in[0], half), graph.ConvertDType(in[1], half)}
				}
				return []*graph.Node{graph.DotGeneral(in[0], c.lc, c.lb, in[1], c.rc, c.rb)}
			}
		}
		for dtype, tol := range map[dtypes.DType]float64{dtypes.Float32: 1e-6, dtypes.Float64: 1e-14} {
			got := run(t, b, dtype, [][]float64{l, r}, [][]int{c.ld, c.rd}, build(dtypes.InvalidDType))
			closeTo(t, fmt.Sprintf("case %d %s", i, dtype), got[0], want, tol)
		}
		for _, half := range []dtypes.DType{dtypes.BFloat16, dtypes.Float16} {
			got := run(t, b, dtypes.Float32, [][]float64{l, r}, [][]int{c.ld, c.rd}, build(half))
			closeTo(t, fmt.Sprintf("case %d %s", i, half), got[0], want, 2e-2)
		}
	}
}

// TestContract takes gradients of DotGeneral, which GoMLX writes as sums of broadcast
// products, with and without the pass.
func TestContract(t *testing.T) {
	on, off := newBackend(t, ""), newBackend(t, "contract=off")
	for i, c := range []struct{ ld, rd, lc, lb, rc, rb []int }{
		{ld: []int{3, 5}, rd: []int{5, 4}, lc: []int{1}, rc: []int{0}},
		{ld: []int{2, 3, 5}, rd: []int{2, 5, 4}, lc: []int{2}, lb: []int{0}, rc: []int{1}, rb: []int{0}},
		{ld: []int{3, 2, 5}, rd: []int{5, 4, 2}, lc: []int{2}, lb: []int{1}, rc: []int{0}, rb: []int{2}},
		{ld: []int{2, 3, 5, 4}, rd: []int{4, 5, 6, 2}, lc: []int{2, 3}, rc: []int{1, 0}},
		{ld: []int{7}, rd: []int{7}, lc: []int{0}, rc: []int{0}},
		{ld: []int{2, 1, 3}, rd: []int{3, 1, 2}, lc: []int{0, 1}, rc: []int{2, 1}},
	} {
		n := func(dims []int) int {
			size := 1
			for _, d := range dims {
				size *= d
			}
			return size
		}
		inputs, dims := [][]float64{randoms(uint64(i), n(c.ld)), randoms(uint64(i)+9, n(c.rd))}, [][]int{c.ld, c.rd}
		build := func(in []*graph.Node) []*graph.Node {
			y := graph.DotGeneral(in[0], c.lc, c.lb, in[1], c.rc, c.rb)
			return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, y)), in[0], in[1])
		}
		want := run(t, off, dtypes.Float64, inputs, dims, build)
		got := run(t, on, dtypes.Float64, inputs, dims, build)
		for k := range want {
			closeTo(t, fmt.Sprintf("case %d gradient %d", i, k), got[k], want[k], 1e-13)
		}
		if ops := lastExecutable.Ops(); i < 4 && ops["MatMulPlain"] != 3 {
			t.Errorf("case %d: %v", i, ops)
		}
	}
}

// TestContractOrder: the axes of the result stand in the product's order, whichever
// operand they come from.
func TestContractOrder(t *testing.T) {
	inputs, dims := [][]float64{randoms(1, 4*5), randoms(2, 3*4)}, [][]int{{1, 4, 5}, {3, 4, 1}}
	build := func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.ReduceSum(graph.Mul(in[0], in[1]), 1)} // [3,5], 5 of the first operand
	}
	want := run(t, newBackend(t, "contract=off"), dtypes.Float64, inputs, dims, build)
	got := run(t, newBackend(t, ""), dtypes.Float64, inputs, dims, build)
	closeTo(t, "sum", got[0], want[0], 1e-14)
	if ops := lastExecutable.Ops(); ops["MatMulPlain"] != 1 {
		t.Error(ops)
	}
}
