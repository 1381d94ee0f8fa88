package cpu

import (
	"slices"

	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// poolCall is the max-pooling of float32 [N,H,W,C], or its gradient.
type poolCall struct{ reduce.Pool2D }

func init() {
	register(opMaxPool, kernel{eval: func(c *call) {
		reduce.MaxPool(c.pool, flat[float32](c.out[0]), flat[float32](c.in[0]), c.attr.(poolCall).Pool2D)
	}})
	// Inputs: x, y = MaxPool(x), dy.
	register(opMaxPoolGrad, kernel{
		eval: func(c *call) {
			reduce.MaxPoolGrad(c.pool, flat[float32](c.out[0]), flat[float32](c.in[2]), flat[float32](c.in[0]), flat[float32](c.in[1]),
				c.attr.(poolCall).Pool2D, c.scratch)
		},
		scratch: func(n *node, threads int) int {
			return reduce.MaxPoolGradScratchBytes(threads, n.attr.(poolCall).Pool2D)
		},
	})
}

// poolLowering replaces max-pooling windows over height and width and their gradients.
// The gradient needs the pooled values, which are shared with the forward pass.
type poolLowering map[poolKey]value

type poolKey struct {
	x    value
	call poolCall
}

// window returns what replaces a ReduceWindow, if it is a max-pooling.
func (p poolLowering) window(r *rewriter, n *node) []value {
	a := n.attr.(reduceWindowAttr)
	if a.op != backends.OpTypeMax || slices.Max(append(slices.Clone(a.baseDilations), a.windowDilations...)) > 1 {
		return nil
	}
	call, ok := poolOf(n.inputs[0], a.window, a.strides, a.paddings)
	if !ok {
		return nil
	}
	return []value{p.pooled(r, n.inputs[0], call)}
}

// scatter returns what replaces a SelectAndScatterMax, if it is the gradient of a max-pooling.
func (p poolLowering) scatter(r *rewriter, n *node) []value {
	a := n.attr.(selectAndScatterAttr)
	call, ok := poolOf(n.inputs[0], a.window, a.strides, a.paddings)
	if !ok {
		return nil
	}
	x, dy := n.inputs[0], n.inputs[1]
	return []value{r.add(opMaxPoolGrad, call, n.shapes[0], x, p.pooled(r, x, call), dy)}
}

func (p poolLowering) pooled(r *rewriter, x value, call poolCall) value {
	key := poolKey{x, call}
	if y, ok := p[key]; ok {
		return y
	}
	shape := x.shape().Clone()
	shape.Dimensions[1], shape.Dimensions[2] = call.OutH(), call.OutW()
	p[key] = r.add(opMaxPool, call, shape, x)
	return p[key]
}

// poolOf reads windows over axes 1 and 2 of four. Windows that lie in the padding
// altogether are left to the general kernel.
func poolOf(x value, window, strides []int, pad [][2]int) (poolCall, bool) {
	s := x.shape()
	if s.DType != dtypes.Float32 || s.Rank() != 4 || s.Size() == 0 {
		return poolCall{}, false
	}
	for _, axis := range []int{0, 3} {
		if window[axis] != 1 || strides[axis] != 1 || pad[axis] != [2]int{} {
			return poolCall{}, false
		}
	}
	for _, axis := range []int{1, 2} {
		if min(pad[axis][0], pad[axis][1]) < 0 || max(pad[axis][0], pad[axis][1]) >= window[axis] {
			return poolCall{}, false
		}
	}
	d := s.Dimensions
	return poolCall{reduce.Pool2D{N: d[0], H: d[1], W: d[2], C: d[3], KernelH: window[1], KernelW: window[2], StrideH: strides[1], StrideW: strides[2],
		PadTop: pad[1][0], PadBottom: pad[1][1], PadLeft: pad[2][0], PadRight: pad[2][1]}}, true
}
