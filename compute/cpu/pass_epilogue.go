package cpu

import (
	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// absorbIntoConvs has a convolution do to each part of its result, while that is in the
// caches, what else would take the whole through memory again: in training, gather the
// statistics of the batch norm that follows; in inference, where they are known, apply that
// norm, with residual sum and ReLU.
func absorbIntoConvs(p *program) {
	users := newUsersOf(p)
	stats := map[*node][]value{} // by channel statistics: their results
	p.rewrite(func(r *rewriter, n *node) []value {
		switch n.op {
		case opConv:
			for _, user := range users.users[value{n, 0}] {
				if user.op == opChannelStats && isForward(n) && user.attr.(channelStats).axis == n.shapes[0].Rank()-1 {
					call := n.attr.(convCall)
					call.stats = true
					out := r.addMulti(opConv, call, append([]shapes.Shape{n.shapes[0]}, user.shapes...), n.inputs...)
					stats[user] = out[1:]
					return out[:1]
				}
			}
		case opChannelStats:
			return stats[n]
		case opNormApply:
			x := n.inputs[0]
			if x.op != opConv || !isForward(x.node) || !users.only(x, n) {
				return nil
			}
			call := x.attr.(convCall)
			call.norm, call.relu = true, n.attr.(normApply).relu
			return []value{r.add(opConv, call, n.shapes[0], append(append([]value{}, x.inputs...), n.inputs[1:]...)...)}
		}
		return nil
	})
}

// isForward reports whether a node is a convolution with nothing in it yet.
func isForward(n *node) bool {
	call := n.attr.(convCall)
	return call.form == conv.Forward && !call.norm && !call.stats
}

// statsRows is how many pixels make a block of the statistics: at least 64, and such that a
// convolution writes most blocks in one part. It depends on no number of threads.
func (c convCall) statsRows(is16 bool) int {
	const least, tile = 64, 4
	if conv.AlgorithmOf(c.Shape, c.form, is16).Name == "direct" {
		return least
	}
	rows := c.OutH() * c.OutW()
	if c.OutH()%tile == 0 {
		rows = tile * c.OutW()
	}
	return (least + rows - 1) / rows * rows
}

// forwardThen runs a convolution and what is absorbed in it.
func forwardThen[T reduce.Element](c *call, forward func(p *par.Pool, s conv.Shape, y, x, w []T, scratch []byte, then conv.Then)) {
	call, y := c.attr.(convCall), flat[T](c.out[0])
	scratch := c.scratch
	var then conv.Then
	var stats *reduce.PartStats
	switch {
	case call.norm:
		then = applyNorm(y, call.relu, c.in[2:])
	case call.stats:
		is16 := c.out[0].shape.DType == dtypes.BFloat16
		own := roundUp(conv.ScratchBytes(call.Shape, call.form, c.pool.Threads(), is16), align)
		stats = reduce.NewPartStats(len(y)/call.K, call.K, call.statsRows(is16), scratch[own:])
		scratch = scratch[:own]
		then = func(first, pixels, c0, c1 int) { reduce.AddStats(stats, y, first, pixels, c0, c1) }
	}
	forward(c.pool, call.Shape, y, flat[T](c.in[0]), flat[T](c.in[1]), scratch, then)
	if stats != nil {
		reduce.FinishStats(c.pool, stats, flat[float32](c.out[1]), flat[float32](c.out[2]), y)
	}
}

// applyNorm returns the norm of y; in are its scale, shift and perhaps residual.
func applyNorm[T reduce.Element](y []T, relu bool, in []*Buffer) conv.Then {
	scale, shift := flat[float32](in[0]), flat[float32](in[1])
	var residual []T
	if len(in) > 2 {
		residual = flat[T](in[2])
	}
	return func(first, pixels, c0, c1 int) {
		reduce.AffinePart(y, residual, scale, shift, relu, first, pixels, c0, c1)
	}
}
