package cpu

import (
	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// giveKernels prepares for convolutions whose kernels are constants, as an encoder's are
// once it is trained. A batch norm of inference behind such a convolution becomes part of
// the kernel and a bias, which the convolution adds where it writes, with the residual and
// the ReLU that the norm has taken in before. See givenConv.
func giveKernels(p *program) {
	users := newUsersOf(p)
	constants := constantsOf{}
	p.rewrite(func(r *rewriter, n *node) []value {
		if n.op == opNormApply {
			if g, ok := constants.normed(n, users); ok {
				inputs := append([]value{n.inputs[0].inputs[0]}, n.inputs[3:]...)
				return []value{r.add(opConvGiven, g, n.shapes[0], inputs...)}
			}
		}
		return nil
	})
	p.sweep()
	p.rewrite(func(r *rewriter, n *node) []value {
		if c, ok := forwardConv(n); ok {
			if w := constants.buffer(n.inputs[1]); w != nil {
				bias := make([]float32, c.K)
				return []value{r.add(opConvGiven, &givenConv{convCall: c, w: flat[float32](w), bias: conv.PadBias(bias)}, n.shapes[0], n.inputs[0])}
			}
		}
		return nil
	})
}

// forwardConv returns what a node convolves, if it does so forward and in float32.
func forwardConv(n *node) (convCall, bool) {
	if n.op != opConv || n.inputs[0].shape().DType != dtypes.Float32 {
		return convCall{}, false
	}
	c := n.attr.(convCall)
	return c, c.form == conv.Forward
}

// normed returns the convolution with a norm's part in it, if all that it takes is
// constant: x∗w·a + b is x∗(w·a) + b.
func (c constantsOf) normed(n *node, users usersOf) (*givenConv, bool) {
	x := n.inputs[0]
	call, ok := forwardConv(x.node)
	if !ok || !users.only(x, n) {
		return nil, false
	}
	w, scale, shift := c.buffer(x.inputs[1]), c.buffer(n.inputs[1]), c.buffer(n.inputs[2])
	if w == nil || scale == nil || shift == nil {
		return nil, false
	}
	a := flat[float32](scale)
	folded := make([]float32, len(flat[float32](w)))
	for i, v := range flat[float32](w) { // [KH,KW,C,K]
		folded[i] = v * a[i%len(a)]
	}
	return &givenConv{convCall: call, relu: n.attr.(normApply).relu, w: folded, bias: conv.PadBias(flat[float32](shift))}, true
}

// constantsOf holds the values that were found to be constant, and computed.
type constantsOf map[value]*Buffer

// buffer computes a value that depends on constants alone, or returns nil.
func (c constantsOf) buffer(v value) *Buffer {
	if v.op == backends.OpTypeConstant {
		return v.attr.(*Buffer)
	}
	if known, ok := c[v]; ok {
		return known
	}
	c[v] = nil
	eval := kernels[v.op].eval
	if len(v.inputs) == 0 || len(v.shapes) != 1 || eval == nil {
		return nil
	}
	call := &call{node: v.node}
	for _, in := range v.inputs {
		buf := c.buffer(in)
		if buf == nil {
			return nil
		}
		call.in = append(call.in, buf)
	}
	call.out = []*Buffer{newBuffer(v.shape())}
	if scratch := kernels[v.op].scratch; scratch != nil {
		call.scratch = alignedBytes(scratch(v.node, call.pool.Threads()))
	}
	eval(call)
	c[v] = call.out[0]
	return c[v]
}

// givenConv is the attr of opConvGiven, a convolution by a kernel that is known when the
// program is compiled: max(x∗w + bias + residual, 0), with or without the last two.
// Inputs: x, and the residual.
type givenConv struct {
	convCall
	relu   bool
	w      []float32    // until the first execution
	kernel *conv.Kernel // from then on
	bias   []float32    // of conv.PadBias
}

func (g *givenConv) describe() string {
	if g.relu {
		return "relu"
	}
	return "linear"
}

func init() {
	register(opConvGiven, kernel{
		eval: func(c *call) {
			g := c.attr.(*givenConv)
			if g.kernel == nil {
				g.kernel = conv.NewKernel(c.pool, g.Shape, g.w)
				g.w = nil
			}
			y := flat[float32](c.out[0])
			if len(c.in) == 2 {
				if residual := flat[float32](c.in[1]); &residual[0] != &y[0] {
					copy(y, residual)
				}
			}
			g.kernel.Forward(c.pool, y, flat[float32](c.in[0]), conv.Finish{Bias: g.bias, Add: len(c.in) == 2, ReLU: g.relu}, c.scratch)
		},
		scratch: func(n *node, threads int) int {
			return conv.GivenScratchBytes(n.attr.(*givenConv).Shape, threads)
		},
		// The residual is added where it lies, unless it is what is convolved, too.
		share: func(n *node, _, in int) bool {
			return in == 1 && behindViews(n.inputs[0]) != behindViews(n.inputs[1])
		},
	})
}
