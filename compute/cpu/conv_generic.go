package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

func init() { register(opConvGeneric, kernel{eval: evalConvGeneric}) }

// number is a Go type that holds elements for arithmetic.
type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 | ~complex64 | ~complex128
}

// evalConvGeneric computes any convolution by plain loops.
func evalConvGeneric(c *call) {
	g := newConvLoops(c)
	switch c.out[0].shape.DType {
	case dtypes.Float32:
		convLoops[float32](c, g)
	case dtypes.Float64:
		convLoops[float64](c, g)
	case dtypes.Int8:
		convLoops[int8](c, g)
	case dtypes.Int16:
		convLoops[int16](c, g)
	case dtypes.Int32:
		convLoops[int32](c, g)
	case dtypes.Int64:
		convLoops[int64](c, g)
	case dtypes.Uint8:
		convLoops[uint8](c, g)
	case dtypes.Uint16:
		convLoops[uint16](c, g)
	case dtypes.Uint32:
		convLoops[uint32](c, g)
	case dtypes.Uint64:
		convLoops[uint64](c, g)
	case dtypes.Complex64:
		convLoops[complex64](c, g)
	case dtypes.Complex128:
		convLoops[complex128](c, g)
	default:
		panic(fmt.Sprintf("ConvGeneral is not defined for %s", c.out[0].shape.DType))
	}
}

// convLoop holds the sizes and strides (in elements) that the loops need.
type convLoop struct {
	convGeneralAttr
	in, window, taps           []int // spatial sizes of input and kernel; taps is the kernel's number of places
	x, w, out                  []int // stride of each axis
	outDims                    []int
	groupIn, groupOut, batches int // input and output channels of a group, images of a batch group
}

func newConvLoops(c *call) convLoop {
	a := c.attr.(convGeneralAttr)
	x, w, y := c.in[0].shape, c.in[1].shape, c.out[0].shape
	outChannels := y.Dimensions[a.axes.OutputChannels]
	g := convLoop{
		convGeneralAttr: a,
		in:              dimsOf(x, a.axes.InputSpatial), window: dimsOf(w, a.axes.KernelSpatial),
		x: rowMajor(x.Dimensions), w: rowMajor(w.Dimensions), out: rowMajor(y.Dimensions), outDims: y.Dimensions,
		groupIn:  w.Dimensions[a.axes.KernelInputChannels],
		groupOut: outChannels / (a.channelGroups * a.batchGroupCount),
		batches:  x.Dimensions[a.axes.InputBatch] / a.batchGroupCount,
	}
	g.taps = []int{product(g.window)}
	return g
}

// convLoops computes every output element on its own, taps in their order.
func convLoops[T number](c *call, g convLoop) {
	x, w, out := flat[T](c.in[0]), flat[T](c.in[1]), flat[T](c.out[0])
	const part = 256
	c.pool.For((len(out)+part-1)/part, func(k, _ int) {
		at := make([]int, len(g.outDims))
		for i := k * part; i < min(len(out), (k+1)*part); i++ {
			rest := i
			for axis := range at {
				at[axis] = rest / g.out[axis]
				rest %= g.out[axis]
			}
			out[i] = convAt(g, x, w, at)
		}
	})
}

// convAt sums one output element, whose coordinates are at.
func convAt[T number](g convLoop, x, w []T, at []int) T {
	ax := g.axes
	channel := at[ax.OutputChannels]
	group := channel / g.groupOut
	xBase, wBase := at[ax.OutputBatch]*g.x[ax.InputBatch], channel*g.w[ax.KernelOutputChannels]
	if g.batchGroupCount > 1 {
		xBase += group * g.batches * g.x[ax.InputBatch]
	} else {
		xBase += group * g.groupIn * g.x[ax.InputChannels]
	}
	var sum T
	for tap := range g.taps[0] {
		xi, wi, inside := xBase, wBase, true
		rest := tap
		for s := len(g.window) - 1; s >= 0 && inside; s-- {
			k := rest % g.window[s]
			rest /= g.window[s]
			// Position in the input with its zeros inserted.
			pos := at[ax.OutputSpatial[s]]*g.strides[s] + k*g.kernelDilations[s] - g.paddings[s][0]
			d := g.inputDilations[s]
			inside = pos >= 0 && pos%d == 0 && pos/d < g.in[s]
			xi += pos / d * g.x[ax.InputSpatial[s]]
			wi += k * g.w[ax.KernelSpatial[s]]
		}
		if !inside {
			continue
		}
		for range g.groupIn {
			sum += x[xi] * w[wi]
			xi += g.x[ax.InputChannels]
			wi += g.w[ax.KernelInputChannels]
		}
	}
	return sum
}
