package cpu

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// dotGeneralAttr pairs the axes of the two operands: the i-th entries of both lists belong together.
type dotGeneralAttr struct {
	lhsContract, lhsBatch []int
	rhsContract, rhsBatch []int
}

// matMulCall is a batch of matrix products of equal shape, one after the other in memory.
type matMulCall struct {
	gemm.Shape
	batch int
}

// FLOP returns the arithmetic of all products.
func (m matMulCall) FLOP() float64 { return float64(m.batch) * m.Shape.FLOP() }

func (m matMulCall) describe() string {
	t := func(b bool) string {
		if b {
			return "T"
		}
		return "N"
	}
	return t(m.TransA) + t(m.TransB)
}

// spread reports whether the threads share out the products of the batch rather than the parts of each.
func (m matMulCall) spread() bool { return m.batch > 1 && m.Shape.FLOP() < 1e7 }

func init() {
	register(backends.OpTypeDot, kernel{})        // never run: lower replaces it
	register(backends.OpTypeDotGeneral, kernel{}) // the same
	register(opMatMulPlain, kernel{eval: evalMatMulPlain})
	register(opMatMul, kernel{eval: evalMatMul, scratch: func(n *node, threads int) int {
		m, bf16 := n.attr.(matMulCall), n.inputs[0].shape().DType == dtypes.BFloat16
		if m.spread() {
			return threads * roundUp(gemm.ScratchBytes(m.Shape, 1, bf16), align)
		}
		return gemm.ScratchBytes(m.Shape, threads, bf16)
	}})
}

// Dot records the product of vectors and matrices: the last axis of lhs with the first of rhs.
func (b *Builder) Dot(lhs, rhs backends.Op) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeDot, lhs, rhs)
	if err != nil {
		return nil, err
	}
	l, r := in[0].shape().Rank(), in[1].shape().Rank()
	if l < 1 || l > 2 || r < 1 || r > 2 {
		return nil, fmt.Errorf("Dot of %s and %s is not defined: want vectors or matrices", in[0].shape(), in[1].shape())
	}
	return b.dot(backends.OpTypeDot, in, dotGeneralAttr{lhsContract: []int{l - 1}, rhsContract: []int{0}})
}

// DotGeneral records a sum of products over the contracting axes, for every index of the
// batch axes. The result's axes are the batch's, the rest of lhs, the rest of rhs.
func (b *Builder) DotGeneral(lhs backends.Op, lhsContract, lhsBatch []int, rhs backends.Op, rhsContract, rhsBatch []int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeDotGeneral, lhs, rhs)
	if err != nil {
		return nil, err
	}
	a := dotGeneralAttr{slices.Clone(lhsContract), slices.Clone(lhsBatch), slices.Clone(rhsContract), slices.Clone(rhsBatch)}
	return b.dot(backends.OpTypeDotGeneral, in, a)
}

// dot checks the axes and records the node.
func (b *Builder) dot(op backends.OpType, in []value, a dotGeneralAttr) (backends.Op, error) {
	l, r := in[0].shape(), in[1].shape()
	if l.DType != r.DType || l.DType == dtypes.Bool {
		return nil, fmt.Errorf("%s is not defined for %s and %s", op, l, r)
	}
	if len(a.lhsContract) != len(a.rhsContract) || len(a.lhsBatch) != len(a.rhsBatch) {
		return nil, fmt.Errorf("%s: axes %+v do not pair", op, a)
	}
	for s, shape := range []shapes.Shape{l, r} {
		axes := slices.Concat(a.lhsContract, a.lhsBatch)
		if s == 1 {
			axes = slices.Concat(a.rhsContract, a.rhsBatch)
		}
		for i, axis := range axes {
			if axis < 0 || axis >= shape.Rank() || slices.Contains(axes[:i], axis) {
				return nil, fmt.Errorf("%s: axes %v are not distinct axes of %s", op, axes, shape)
			}
		}
	}
	lhsAxes, rhsAxes := slices.Concat(a.lhsContract, a.lhsBatch), slices.Concat(a.rhsContract, a.rhsBatch)
	for i := range lhsAxes {
		if l.Dimensions[lhsAxes[i]] != r.Dimensions[rhsAxes[i]] {
			return nil, fmt.Errorf("%s: axis %d of %s and axis %d of %s differ in size", op, lhsAxes[i], l, rhsAxes[i], r)
		}
	}
	dims := slices.Concat(dimsOf(l, a.lhsBatch), dimsOf(l, otherAxes(l.Rank(), lhsAxes)), dimsOf(r, otherAxes(r.Rank(), rhsAxes)))
	return b.add(op, a, shapes.Make(l.DType, dims...), in...), nil
}

// otherAxes lists the axes below rank that are not among axes.
func otherAxes(rank int, axes []int) []int {
	var rest []int
	for axis := range rank {
		if !slices.Contains(axes, axis) {
			rest = append(rest, axis)
		}
	}
	return rest
}

// lowerDot lays the operands out as matrices, transposing only where gemm cannot read
// them as they are.
func lowerDot(r *rewriter, n *node) value {
	a := n.attr.(dotGeneralAttr)
	lhs, rhs := n.inputs[0], n.inputs[1]
	dtype := n.shapes[0].DType
	fast := dtype == dtypes.Float32 || dtype == dtypes.BFloat16
	if dtype == dtypes.Float16 {
		lhs, rhs = r.converted(lhs, dtypes.Float32), r.converted(rhs, dtypes.Float32)
		fast = true
	}
	// The contracting axes in the order that lhs has them in memory.
	byLHS := make([]int, len(a.lhsContract))
	for i := range byLHS {
		byLHS[i] = i
	}
	slices.SortFunc(byLHS, func(i, j int) int { return a.lhsContract[i] - a.lhsContract[j] })
	var lc, rc []int
	for _, i := range byLHS {
		lc, rc = append(lc, a.lhsContract[i]), append(rc, a.rhsContract[i])
	}
	lf := otherAxes(lhs.shape().Rank(), slices.Concat(lc, a.lhsBatch))
	rf := otherAxes(rhs.shape().Rank(), slices.Concat(rc, a.rhsBatch))
	m := matMulCall{batch: product(dimsOf(lhs.shape(), a.lhsBatch))}
	m.M, m.N, m.K = product(dimsOf(lhs.shape(), lf)), product(dimsOf(rhs.shape(), rf)), product(dimsOf(lhs.shape(), lc))
	lhs, m.TransA = matrix(r, lhs, a.lhsBatch, lf, lc)
	rhs, m.TransB = matrix(r, rhs, a.rhsBatch, rc, rf)
	m.LDA, m.LDB, m.LDC = m.K, m.N, m.N
	if m.TransA {
		m.LDA = m.M
	}
	if m.TransB {
		m.LDB = m.K
	}
	op := opMatMul
	if !fast || n.shapes[0].Size() == 0 || m.K == 0 {
		op = opMatMulPlain
	}
	y := r.add(op, m, shapes.Make(lhs.shape().DType, n.shapes[0].Dimensions...), lhs, rhs)
	return r.converted(y, dtype)
}

// matrix brings v into the order batch, rows, columns, or batch, columns, rows, which is
// the transposed matrix. Axes of size 1 do not count.
func matrix(r *rewriter, v value, batch, rows, cols []int) (value, bool) {
	inOrder := func(axes []int) bool {
		last := -1
		for _, axis := range axes {
			if v.shape().Dimensions[axis] == 1 {
				continue
			}
			if axis < last {
				return false
			}
			last = axis
		}
		return true
	}
	switch want := slices.Concat(batch, rows, cols); {
	case inOrder(want):
		return v, false
	case inOrder(slices.Concat(batch, cols, rows)):
		return v, true
	default:
		return r.transposed(v, want), false
	}
}

func evalMatMul(c *call) {
	m := c.attr.(matMulCall)
	if c.in[0].shape.DType == dtypes.BFloat16 {
		a, b, out := flat[uint16](c.in[0]), flat[uint16](c.in[1]), flat[uint16](c.out[0])
		m.each(c, func(w worker, i int) {
			gemm.BF16ToBF16(w.pool, m.Shape, out[i*m.M*m.N:], a[i*m.M*m.K:], b[i*m.K*m.N:], w.scratch)
		})
		return
	}
	a, b, out := flat[float32](c.in[0]), flat[float32](c.in[1]), flat[float32](c.out[0])
	m.each(c, func(w worker, i int) {
		gemm.F32(w.pool, m.Shape, out[i*m.M*m.N:], a[i*m.M*m.K:], b[i*m.K*m.N:], w.scratch)
	})
}

func evalMatMulPlain(c *call) {
	m := c.attr.(matMulCall)
	switch c.out[0].shape.DType {
	case dtypes.Float32:
		matMulLoops[float32](c, m)
	case dtypes.Float64:
		matMulLoops[float64](c, m)
	case dtypes.Int8:
		matMulLoops[int8](c, m)
	case dtypes.Int16:
		matMulLoops[int16](c, m)
	case dtypes.Int32:
		matMulLoops[int32](c, m)
	case dtypes.Int64:
		matMulLoops[int64](c, m)
	case dtypes.Uint8:
		matMulLoops[uint8](c, m)
	case dtypes.Uint16, dtypes.BFloat16: // bfloat16 only when there is nothing to sum
		matMulLoops[uint16](c, m)
	case dtypes.Uint32:
		matMulLoops[uint32](c, m)
	case dtypes.Uint64:
		matMulLoops[uint64](c, m)
	case dtypes.Complex64:
		matMulLoops[complex64](c, m)
	case dtypes.Complex128:
		matMulLoops[complex128](c, m)
	default:
		panic(fmt.Sprintf("a matrix product is not defined for %s", c.out[0].shape.DType))
	}
}

// matMulLoops computes one row of a result at a time.
func matMulLoops[T number](c *call, m matMulCall) {
	a, b, out := flat[T](c.in[0]), flat[T](c.in[1]), flat[T](c.out[0])
	aRow, aCol, bRow, bCol := m.LDA, 1, m.LDB, 1
	if m.TransA {
		aRow, aCol = 1, m.LDA
	}
	if m.TransB {
		bRow, bCol = 1, m.LDB
	}
	c.pool.For(m.batch*m.M, func(row, _ int) {
		i := row / max(1, m.M)
		a, b, out := a[i*m.M*m.K:], b[i*m.K*m.N:], out[row*m.N:(row+1)*m.N]
		clear(out)
		for k := range m.K {
			x := a[row%m.M*aRow+k*aCol]
			for j := range out {
				out[j] += x * b[k*bRow+j*bCol]
			}
		}
	})
}

// worker is what one product of a batch may use.
type worker struct {
	pool    *par.Pool
	scratch []byte
}

// each calls f for every product of the batch.
func (m matMulCall) each(c *call, f func(w worker, i int)) {
	if !m.spread() {
		for i := range m.batch {
			f(worker{c.pool, c.scratch}, i)
		}
		return
	}
	size := len(c.scratch) / c.pool.Threads()
	c.pool.For(m.batch, func(i, w int) { f(worker{nil, c.scratch[w*size : (w+1)*size]}, i) })
}
