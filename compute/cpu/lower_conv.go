package cpu

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// convGeneralAttr holds the arguments of ConvGeneral, one entry per spatial axis in each list.
type convGeneralAttr struct {
	axes                           backends.ConvolveAxesConfig
	strides                        []int
	paddings                       [][2]int
	inputDilations                 []int
	kernelDilations                []int
	channelGroups, batchGroupCount int
}

// convCall is a convolution that package conv computes.
type convCall struct {
	conv.Shape
	form conv.Form
}

func (c convCall) describe() string { return c.form.String() }

func init() {
	register(opConv, kernel{eval: evalConv, scratch: func(n *node, threads int) int {
		c := n.attr.(convCall)
		return conv.ScratchBytes(c.Shape, c.form, threads, n.inputs[0].shape().DType == dtypes.BFloat16)
	}})
	// Recorded under this operation, never run: lower replaces it.
	register(backends.OpTypeConvGeneral, kernel{})
}

// ConvGeneral records a convolution: with any strides, paddings, dilations of input and
// kernel, order of axes, and groups of channels or of the batch.
func (b *Builder) ConvGeneral(input, kernel backends.Op, axes backends.ConvolveAxesConfig, strides []int, paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroupCount, batchGroupCount int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeConvGeneral, input, kernel)
	if err != nil {
		return nil, err
	}
	x, w := in[0].shape(), in[1].shape()
	if x.DType != w.DType {
		return nil, fmt.Errorf("ConvGeneral: input %s and kernel %s differ in type", x, w)
	}
	if x.DType == dtypes.Bool {
		return nil, fmt.Errorf("ConvGeneral is not defined for %s", x.DType)
	}
	spatial := max(0, x.Rank()-2)
	ones := func(given []int) []int {
		if len(given) == 0 {
			return slices.Repeat([]int{1}, spatial)
		}
		return slices.Clone(given)
	}
	a := convGeneralAttr{axes: axes.Clone(), strides: ones(strides), paddings: slices.Clone(paddings), inputDilations: ones(inputDilations),
		kernelDilations: ones(kernelDilations), channelGroups: max(1, channelGroupCount), batchGroupCount: max(1, batchGroupCount)}
	if len(paddings) == 0 {
		a.paddings = make([][2]int, spatial)
	}
	shape, err := shapeinference.ConvGeneralOp(x, w, axes, a.strides, a.paddings, a.inputDilations, a.kernelDilations, a.channelGroups, a.batchGroupCount)
	if err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeConvGeneral, a, shape, in...), nil
}

// convView is a convolution as package conv sees it: how each operand has to be
// transposed, and the result back.
type convView struct {
	convCall
	first, second []int // axis order of the operands
	result        []int // axis order of the result: axis i of the output is axis result[i] of the kernel's
	kernel        value // the second operand, without Reverse where the form implies it
}

// lowerConv picks the kernel of a convolution. The gradients that GoMLX's autodiff writes
// as convolutions are recognised: that of the kernel sums over the batch, so its
// "channels" are images and its "kernel" is dy; that of the input has the kernel
// reversed, and dilates dy by the stride.
func lowerConv(r *rewriter, n *node) value {
	a := n.attr.(convGeneralAttr)
	dtype := n.shapes[0].DType
	if v, ok := viewConv(n, a); ok {
		first, second := r.transposed(n.inputs[0], v.first), v.kernel
		if v.form == conv.InputGrad && v.kernel == n.inputs[1] {
			second = r.add(backends.OpTypeReverse, reverseAttr{a.axes.KernelSpatial}, v.kernel.shape(), v.kernel)
		}
		second = r.transposed(second, v.second)
		outType := dtype
		if v.form == conv.KernelGrad {
			outType = dtypes.Float32 // also of bfloat16 operands
		}
		dims := make([]int, len(v.result))
		for i, axis := range v.result {
			dims[axis] = n.shapes[0].Dimensions[i]
		}
		y := r.add(opConv, v.convCall, shapes.Make(outType, dims...), first, second)
		return r.converted(r.transposed(y, v.result), dtype)
	}
	x, w := n.inputs[0], n.inputs[1]
	shape := n.shapes[0]
	if isHalf(dtype) {
		x, w = r.converted(x, dtypes.Float32), r.converted(w, dtypes.Float32)
		shape = shapes.Make(dtypes.Float32, shape.Dimensions...)
	}
	return r.converted(r.add(opConvGeneric, a, shape, x, w), dtype)
}

// viewConv finds the form in which package conv can compute the convolution, if any.
func viewConv(n *node, a convGeneralAttr) (convView, bool) {
	dtype, spatial := n.shapes[0].DType, len(a.strides)
	x, w := n.inputs[0].shape(), n.inputs[1].shape()
	if dtype != dtypes.Float32 && dtype != dtypes.BFloat16 || spatial > 2 || a.channelGroups != 1 || a.batchGroupCount != 1 ||
		x.Size() == 0 || w.Size() == 0 || n.shapes[0].Size() == 0 {
		return convView{}, false
	}
	plain := slices.Max(a.inputDilations) == 1
	kernel, reversed := unreversed(n.inputs[1], a.axes.KernelSpatial)
	if reversed || !plain {
		if v, ok := viewInputGrad(n, a, kernel); ok {
			return v, true
		}
	}
	if !plain {
		return convView{}, false
	}
	forward, forwardOK := viewForward(n, a)
	grad, gradOK := viewKernelGrad(n, a)
	// Both are right; the one that moves less is meant. Where the layout does not tell,
	// the kernel's window is smaller than the output.
	moved, gradMoved := forward.moved(n), grad.moved(n)
	window, places := product(dimsOf(w, a.axes.KernelSpatial)), product(dimsOf(n.shapes[0], a.axes.OutputSpatial))
	if gradOK && (!forwardOK || gradMoved < moved || gradMoved == moved && window > places) {
		return grad, true
	}
	return forward, forwardOK
}

// moved counts the elements that have to be transposed for the view.
func (v convView) moved(n *node) int {
	total := 0
	for i, perm := range [][]int{v.first, v.second, v.result} {
		size := n.shapes[0].Size()
		if i < 2 {
			size = n.inputs[i].shape().Size()
		}
		if !isIdentity(perm) {
			total += size
		}
	}
	return total
}

// unreversed returns the value whose spatial axes v reverses, if it does so.
func unreversed(v value, spatial []int) (value, bool) {
	if v.op != backends.OpTypeReverse {
		return v, false
	}
	reversed := v.attr.(reverseAttr).axes
	for axis, dim := range v.shape().Dimensions {
		if dim > 1 && slices.Contains(reversed, axis) != slices.Contains(spatial, axis) {
			return v, false
		}
	}
	return v.inputs[0], true
}

// order lists axes: first, the spatial ones, last.
func order(first int, spatial []int, last ...int) []int {
	return append(append([]int{first}, spatial...), last...)
}

// axis2 reads entry i of a list over two spatial axes from one over one or two: a missing height has one row.
func axis2(list []int, i, missing int) int {
	if i -= 2 - len(list); i < 0 {
		return missing
	}
	return list[i]
}

func dimsOf(s shapes.Shape, axes []int) []int {
	dims := make([]int, len(axes))
	for i, axis := range axes {
		dims[i] = s.Dimensions[axis]
	}
	return dims
}

func viewForward(n *node, a convGeneralAttr) (convView, bool) {
	x, w, ax := n.inputs[0].shape(), n.inputs[1].shape(), a.axes
	in, window := dimsOf(x, ax.InputSpatial), dimsOf(w, ax.KernelSpatial)
	low, high := paddingLists(a.paddings)
	s := conv.Shape{
		N: x.Dimensions[ax.InputBatch], H: axis2(in, 0, 1), W: axis2(in, 1, 1), C: x.Dimensions[ax.InputChannels],
		KH: axis2(window, 0, 1), KW: axis2(window, 1, 1), K: w.Dimensions[ax.KernelOutputChannels],
		StrideH: axis2(a.strides, 0, 1), StrideW: axis2(a.strides, 1, 1),
		DilationH: axis2(a.kernelDilations, 0, 1), DilationW: axis2(a.kernelDilations, 1, 1),
		PadTop: axis2(low, 0, 0), PadBottom: axis2(high, 0, 0), PadLeft: axis2(low, 1, 0), PadRight: axis2(high, 1, 0),
	}
	v := convView{
		convCall: convCall{s, conv.Forward},
		first:    order(ax.InputBatch, ax.InputSpatial, ax.InputChannels),
		second:   append(slices.Clone(ax.KernelSpatial), ax.KernelInputChannels, ax.KernelOutputChannels),
		result:   inverse(order(ax.OutputBatch, ax.OutputSpatial, ax.OutputChannels)),
		kernel:   n.inputs[1],
	}
	return v, s.Validate() == nil
}

// viewKernelGrad reads the convolution as dw from x and dy: its input is x with batch and
// channels exchanged, its kernel dy, its output spatial axes the window.
func viewKernelGrad(n *node, a convGeneralAttr) (convView, bool) {
	x, dy, dw, ax := n.inputs[0].shape(), n.inputs[1].shape(), n.shapes[0], a.axes
	in, window, out := dimsOf(x, ax.InputSpatial), dimsOf(dw, ax.OutputSpatial), dimsOf(dy, ax.KernelSpatial)
	low, _ := paddingLists(a.paddings)
	s := conv.Shape{
		N: x.Dimensions[ax.InputChannels], H: axis2(in, 0, 1), W: axis2(in, 1, 1), C: x.Dimensions[ax.InputBatch],
		KH: axis2(window, 0, 1), KW: axis2(window, 1, 1), K: dy.Dimensions[ax.KernelOutputChannels],
		StrideH: axis2(a.kernelDilations, 0, 1), StrideW: axis2(a.kernelDilations, 1, 1),
		DilationH: axis2(a.strides, 0, 1), DilationW: axis2(a.strides, 1, 1),
		PadTop: axis2(low, 0, 0), PadLeft: axis2(low, 1, 0),
	}
	ok := padToOutput(&s, axis2(out, 0, 1), axis2(out, 1, 1))
	return convView{
		convCall: convCall{s, conv.KernelGrad},
		first:    order(ax.InputChannels, ax.InputSpatial, ax.InputBatch),
		second:   order(ax.KernelInputChannels, ax.KernelSpatial, ax.KernelOutputChannels),
		result:   inverse(append(slices.Clone(ax.OutputSpatial), ax.OutputBatch, ax.OutputChannels)),
		kernel:   n.inputs[1],
	}, ok
}

// viewInputGrad reads the convolution as dx from dy and the kernel before its reversal.
func viewInputGrad(n *node, a convGeneralAttr, kernel value) (convView, bool) {
	dy, w, dx, ax := n.inputs[0].shape(), n.inputs[1].shape(), n.shapes[0], a.axes
	in, window, out := dimsOf(dx, ax.OutputSpatial), dimsOf(w, ax.KernelSpatial), dimsOf(dy, ax.InputSpatial)
	if slices.Max(a.strides) != 1 {
		return convView{}, false
	}
	low, _ := paddingLists(a.paddings)
	s := conv.Shape{
		N: dy.Dimensions[ax.InputBatch], H: axis2(in, 0, 1), W: axis2(in, 1, 1), C: w.Dimensions[ax.KernelOutputChannels],
		KH: axis2(window, 0, 1), KW: axis2(window, 1, 1), K: dy.Dimensions[ax.InputChannels],
		StrideH: axis2(a.inputDilations, 0, 1), StrideW: axis2(a.inputDilations, 1, 1),
		DilationH: axis2(a.kernelDilations, 0, 1), DilationW: axis2(a.kernelDilations, 1, 1),
	}
	s.PadTop = s.DilationH*(s.KH-1) - axis2(low, 0, 0)
	s.PadLeft = s.DilationW*(s.KW-1) - axis2(low, 1, 0)
	ok := padToOutput(&s, axis2(out, 0, 1), axis2(out, 1, 1))
	return convView{
		convCall: convCall{s, conv.InputGrad},
		first:    order(ax.InputBatch, ax.InputSpatial, ax.InputChannels),
		second:   append(slices.Clone(ax.KernelSpatial), ax.KernelOutputChannels, ax.KernelInputChannels),
		result:   inverse(order(ax.OutputBatch, ax.OutputSpatial, ax.OutputChannels)),
		kernel:   kernel,
	}, ok
}

// padToOutput sets the padding at the end so that the output has the given size, which
// fails if it would have to be negative.
func padToOutput(s *conv.Shape, outH, outW int) bool {
	s.PadBottom = max(0, (outH-1)*s.StrideH+s.DilationH*(s.KH-1)+1-s.H-s.PadTop)
	s.PadRight = max(0, (outW-1)*s.StrideW+s.DilationW*(s.KW-1)+1-s.W-s.PadLeft)
	return s.Validate() == nil && s.OutH() == outH && s.OutW() == outW
}

func paddingLists(paddings [][2]int) (low, high []int) {
	for _, p := range paddings {
		low, high = append(low, p[0]), append(high, p[1])
	}
	return low, high
}

func evalConv(c *call) {
	call := c.attr.(convCall)
	a, b, out := c.in[0], c.in[1], c.out[0]
	if a.shape.DType == dtypes.BFloat16 {
		switch call.form {
		case conv.Forward:
			conv.ForwardBF16(c.pool, call.Shape, flat[uint16](out), flat[uint16](a), flat[uint16](b), c.scratch)
		case conv.InputGrad:
			conv.InputGradBF16(c.pool, call.Shape, flat[uint16](out), flat[uint16](a), flat[uint16](b), c.scratch)
		case conv.KernelGrad:
			conv.KernelGradBF16(c.pool, call.Shape, flat[float32](out), flat[uint16](a), flat[uint16](b), c.scratch)
		}
		return
	}
	switch call.form {
	case conv.Forward:
		conv.ForwardF32(c.pool, call.Shape, flat[float32](out), flat[float32](a), flat[float32](b), c.scratch)
	case conv.InputGrad:
		conv.InputGradF32(c.pool, call.Shape, flat[float32](out), flat[float32](a), flat[float32](b), c.scratch)
	case conv.KernelGrad:
		conv.KernelGradF32(c.pool, call.Shape, flat[float32](out), flat[float32](a), flat[float32](b), c.scratch)
	}
}
