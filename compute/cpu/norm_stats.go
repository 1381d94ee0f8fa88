package cpu

import (
	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// channelStats is the attr of opChannelStats, whose results are the mean and the biased
// variance of the input over all axes but one.
type channelStats struct{ axis int }

func init() {
	register(opChannelStats, kernel{eval: evalChannelStats, scratch: func(n *node, _ int) int {
		if _, c, inner := n.attr.(channelStats).split(n.inputs[0].shape().Dimensions); inner == 1 && n.inputs[0].shape().DType != dtypes.Float64 {
			return reduce.BatchStatsScratchBytes(n.inputs[0].shape().Size()/max(1, c), c)
		}
		return 0
	}})
}

// split returns the sizes before, of and after the channel axis.
func (s channelStats) split(dims []int) (outer, channels, inner int) {
	return product(dims[:s.axis]), dims[s.axis], product(dims[s.axis+1:])
}

func evalChannelStats(c *call) {
	outer, channels, inner := c.attr.(channelStats).split(c.in[0].shape.Dimensions)
	if c.in[0].shape.DType == dtypes.Float64 {
		statLoops(c, outer, channels, inner, flat[float64](c.in[0]), flat[float64](c.out[0]), flat[float64](c.out[1]))
		return
	}
	if c.in[0].shape.DType == dtypes.BFloat16 { // of the last axis
		reduce.BatchStats(c.pool, flat[float32](c.out[0]), flat[float32](c.out[1]), flat[uint16](c.in[0]), outer, channels, c.scratch)
		return
	}
	x, mean, variance := flat[float32](c.in[0]), flat[float32](c.out[0]), flat[float32](c.out[1])
	if inner == 1 && len(x) > 0 {
		reduce.BatchStats(c.pool, mean, variance, x, outer, channels, c.scratch)
		return
	}
	statLoops(c, outer, channels, inner, x, mean, variance)
}

// statLoops computes one channel at a time, in float64: first the mean, then the squares about it.
func statLoops[T float](c *call, outer, channels, inner int, x, mean, variance []T) {
	c.pool.For(channels, func(ch, _ int) {
		run := func(o int) []T { return x[(o*channels+ch)*inner:][:inner] }
		n, sum, squares := float64(outer*inner), 0.0, 0.0
		for o := range outer {
			for _, v := range run(o) {
				sum += float64(v)
			}
		}
		m := sum / n
		for o := range outer {
			for _, v := range run(o) {
				squares += (float64(v) - m) * (float64(v) - m)
			}
		}
		mean[ch], variance[ch] = T(m), T(squares/n)
	})
}
