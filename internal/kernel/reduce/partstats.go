package reduce

import (
	"sync/atomic"

	"github.com/byol-go/byol/internal/kernel/par"
)

// PartStats is [BatchStats] of an array that is handed over part by part, in any order and
// by several threads, as a kernel writes it. The rows are cut into blocks of a given
// number; what a part covers of a block is summed by whoever hands over all of its rows,
// and what comes in pieces is summed at the end. So the result depends on the block alone,
// not on the parts.
type PartStats struct {
	grid
	sum1, sum2 []float64 // [blocks, c], see BatchStats
	shift      []float32 // [blocks, c]
	done       []int32   // [blocks] columns that are summed
}

// newPartGrid cuts rows into blocks of blockRows.
func newPartGrid(rows, c, blockRows int) grid {
	g := newGrid(rows, c)
	g.blockRows = blockRows
	g.blocks = ceilDiv(rows, blockRows)
	return g
}

// PartStatsScratchBytes is the scratch of NewPartStats.
func PartStatsScratchBytes(rows, c, blockRows int) int {
	blocks := ceilDiv(rows, blockRows)
	return (8+8+4)*blocks*c + 4*blocks + 8
}

// NewPartStats begins with the statistics of an array [rows, c], neither 0.
func NewPartStats(rows, c, blockRows int, scratch []byte) *PartStats {
	s := &PartStats{grid: newPartGrid(rows, c, blockRows)}
	n := s.blocks * c
	s.sum1, scratch = carve[float64](scratch, n)
	s.sum2, scratch = carve[float64](scratch, n)
	s.shift, scratch = carve[float32](scratch, n)
	s.done, _ = carve[int32](scratch, s.blocks)
	clear(s.done)
	return s
}

// AddStats takes columns [c0, c1) of rows [first, first+rows) of x, the whole array.
func AddStats[T Element](s *PartStats, x []T, first, rows, c0, c1 int) {
	if s.copies > 1 && (c0 > 0 || c1 < s.c) {
		return // narrow rows are summed several at once: at the end
	}
	for k := ceilDiv(first, s.blockRows); k < s.blocks; k++ {
		lo, hi := k*s.blockRows, min((k+1)*s.blockRows, s.rows)
		if hi > first+rows {
			return
		}
		addBlock(s, x, k, lo, hi, c0, c1)
		atomic.AddInt32(&s.done[k], int32(c1-c0))
	}
}

// addBlock sums columns [c0, c1) of block k, which is rows [lo, hi).
func addBlock[T Element](s *PartStats, x []T, k, lo, hi, c0, c1 int) {
	for ; c0 < c1; c0 += panelCols {
		end := min(c0+panelCols, c1)
		a, b := k*s.c+c0, k*s.c+end
		blockStats(s.sum1[a:b], s.sum2[a:b], s.shift[a:b], x[lo*s.c+c0:], hi-lo, s.c, s.copies)
	}
}

// FinishStats sets mean[c] and the biased variance[c] once all parts of x are handed over.
func FinishStats[T Element](p *par.Pool, s *PartStats, mean, variance []float32, x []T) {
	if len(mean) != s.c || len(variance) != s.c || len(x) != s.rows*s.c {
		panic(shapeMismatch)
	}
	p.For(s.blocks, func(k, _ int) {
		if int(s.done[k]) != s.c {
			addBlock(s, x, k, k*s.blockRows, min((k+1)*s.blockRows, s.rows), 0, s.c)
		}
	})
	s.joinStats(p, mean, variance, s.sum1, s.sum2, s.shift)
}
