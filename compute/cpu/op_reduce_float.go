package cpu

import (
	"sync"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// float32Reductions are the kernels for float32: over rows [rows, c] to [c], and over columns [rows, c] to [rows].
var float32Reductions = map[backends.OpType]struct {
	overRows, overCols func(p *par.Pool, dst, x []float32, rows, c int, scratch []byte)
}{
	backends.OpTypeAdd: {reduce.SumOverRows, reduce.SumOverCols},
	backends.OpTypeMul: {reduce.ProdOverRows, reduce.ProdOverCols},
	backends.OpTypeMax: {reduce.MaxOverRows, reduce.MaxOverCols},
	backends.OpTypeMin: {reduce.MinOverRows, reduce.MinOverCols},
}

// reduceScratch is what reduceFloat32 needs: the same for whole arrays as for each thread's.
func reduceScratch(n *node, threads int) int {
	shape := n.inputs[0].shape()
	if computeType(shape.DType) != dtypes.Float32 || shape.Size() == 0 {
		return 0
	}
	most := 0
	for i, g := range reduceGroups(shape.Dimensions, n.attr.(reduceAttr).axes) {
		if i == 0 && shape.DType != dtypes.Float32 {
			g.rows = ceilDiv(g.rows, halfRows(g))
		}
		if g.inner == 1 {
			most = max(most, reduce.OverColsScratchBytes(g.outer, g.rows))
		} else {
			most = max(most, threads*roundUp(reduce.OverRowsScratchBytes(g.rows, g.inner), align))
		}
	}
	return most
}

// reduceFloat32 reduces x [outer, rows, inner] to dst [outer, inner]. Many arrays are
// spread over the threads whole, few ones in parts: the result is the same.
func reduceFloat32(pool *par.Pool, op backends.OpType, dst, x []float32, g reduceGroup, scratch []byte) bool {
	f, ok := float32Reductions[op]
	switch {
	case !ok:
		return false
	case g.inner == 1:
		f.overCols(pool, dst, x, g.outer, g.rows, scratch)
		return true
	case g.rows <= fewRows:
		combineRows(pool, float32Binary[op], dst, x, g)
		return true
	}
	slab := g.rows * g.inner
	if g.outer < 4*pool.Threads() && slab > partLen {
		for o := range g.outer {
			f.overRows(pool, dst[o*g.inner:][:g.inner], x[o*slab:][:slab], g.rows, g.inner, scratch)
		}
		return true
	}
	perPart := max(1, partLen/slab)
	step := roundUp(reduce.OverRowsScratchBytes(g.rows, g.inner), align)
	pool.For(ceilDiv(g.outer, perPart), func(part, worker int) {
		for o := part * perPart; o < min((part+1)*perPart, g.outer); o++ {
			f.overRows(nil, dst[o*g.inner:][:g.inner], x[o*slab:][:slab], g.rows, g.inner, scratch[worker*step:][:step])
		}
	})
	return true
}

// fewRows is the number of rows that are combined one after the other, without partial results.
const fewRows = 16

// combineRows sets each row of dst [outer, inner] to that array's few rows of x combined in order.
func combineRows(pool *par.Pool, combine func(dst, x, y []float32), dst, x []float32, g reduceGroup) {
	width := min(g.inner, blockLen)
	stripes := ceilDiv(g.inner, width)
	items := g.outer * stripes
	perPart := max(1, partLen/(g.rows*width))
	pool.For(ceilDiv(items, perPart), func(part, _ int) {
		for item := part * perPart; item < min((part+1)*perPart, items); item++ {
			o, lo := item/stripes, item%stripes*width
			n := min(width, g.inner-lo)
			to, from := dst[o*g.inner+lo:][:n], x[o*g.rows*g.inner+lo:]
			copy(to, from)
			for r := 1; r < g.rows; r++ {
				combine(to, to, from[r*g.inner:][:n])
			}
		}
	})
}

// halfRows is how many rows of half floats are widened and reduced at a time.
func halfRows(g reduceGroup) int { return min(g.rows, max(1, partLen/g.inner)) }

// halfScratch is a stretch of rows in float32, and what reducing it needs.
type halfScratch struct {
	rows []float32
	work []byte
}

var halfPool = sync.Pool{New: func() any { return new(halfScratch) }}

// reduceHalf reduces stretches of rows of half floats x [outer, rows, inner], which stay
// in the cache, and returns the partial results in float32 with what is left to reduce.
func reduceHalf(pool *par.Pool, op backends.OpType, x *Buffer, g reduceGroup) (*Buffer, reduceGroup) {
	stretch := halfRows(g)
	left := reduceGroup{g.outer, ceilDiv(g.rows, stretch), g.inner}
	partial := newBuffer(shapes.Make(dtypes.Float32, left.outer, left.rows, left.inner))
	widen := convertSpan(x.shape.DType, dtypes.Float32)
	f := float32Reductions[op]
	items := left.outer * left.rows
	perPart := max(1, partLen/(stretch*g.inner))
	pool.For(ceilDiv(items, perPart), func(part, _ int) {
		s := halfPool.Get().(*halfScratch)
		defer halfPool.Put(s)
		if need := stretch * g.inner; len(s.rows) < need {
			s.rows = make([]float32, need)
		}
		if need := max(reduce.OverRowsScratchBytes(stretch, g.inner), reduce.OverColsScratchBytes(1, stretch)); len(s.work) < need {
			s.work = make([]byte, need)
		}
		for item := part * perPart; item < min((part+1)*perPart, items); item++ {
			o, first := item/left.rows, item%left.rows*stretch
			n := min(stretch, g.rows-first)
			rows := s.rows[:n*g.inner]
			widen(bytesOf(rows), [3][]byte{x.bytes[2*(o*g.rows+first)*g.inner:][:2*len(rows)]})
			if dst := flat[float32](partial)[item*g.inner:][:g.inner]; g.inner == 1 {
				f.overCols(nil, dst, rows, 1, n, s.work)
			} else {
				f.overRows(nil, dst, rows, n, g.inner, s.work)
			}
		}
	})
	return partial, left
}
