package cpu

import (
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

const (
	// partLen is the number of elements that one part of an element-wise kernel computes.
	partLen = 1 << 15
	// blockLen is the number of elements for which a broadcast element is repeated in scratch memory.
	blockLen = 1 << 10
)

// elementwise runs f over the whole output, spreading parts of fixed size over the
// threads. Operands of another shape than the output's are broadcast: scalars, and axes of size 1.
func elementwise(c *call, f span) {
	out := c.out[0]
	n := out.shape.Size()
	dims, strides, same := broadcastPlan(out.shape, c.in)
	outSize := out.shape.DType.Size()
	var sizes [3]int
	for i, in := range c.in {
		sizes[i] = in.shape.DType.Size()
	}
	parts := (n + partLen - 1) / partLen
	c.pool.For(parts, func(part, _ int) {
		lo, hi := part*partLen, min((part+1)*partLen, n)
		if same {
			var args [3][]byte
			for i, in := range c.in {
				args[i] = in.bytes[lo*sizes[i] : hi*sizes[i]]
			}
			f(out.bytes[lo*outSize:hi*outSize], args)
			return
		}
		broadcastPart(c, f, lo, hi, dims, strides, sizes)
	})
}

// broadcastPlan merges the axes of the output as far as every operand's memory allows.
// strides[i] holds the i-th operand's stride for each axis left, in elements, 0 where it
// is broadcast. The innermost stride is 0 or 1. Same says that nothing is broadcast.
func broadcastPlan(out shapes.Shape, in []*Buffer) (dims []int, strides [][]int, same bool) {
	same = true
	strides = make([][]int, len(in))
	for i, b := range in {
		strides[i] = broadcastStrides(b.shape, out)
		same = same && b.shape.Size() == out.Size()
	}
	dims, strides = mergeAxes(out.Dimensions, strides...)
	return dims, strides, same
}

// broadcastStrides returns an operand's stride for each axis of the output.
func broadcastStrides(in, out shapes.Shape) []int {
	strides := make([]int, out.Rank())
	if in.Rank() != out.Rank() { // a scalar
		return strides
	}
	step := 1
	for axis := out.Rank() - 1; axis >= 0; axis-- {
		if in.Dimensions[axis] != 1 {
			strides[axis] = step
		}
		step *= in.Dimensions[axis]
	}
	return strides
}

// broadcastPart computes the output elements lo to hi.
func broadcastPart(c *call, f span, lo, hi int, dims []int, strides [][]int, sizes [3]int) {
	out := c.out[0]
	outSize := out.shape.DType.Size()
	last := len(dims) - 1
	run := dims[last]
	filled := [3]int{-1, -1, -1} // the element repeated in each operand's block
	var blocks [3][]byte
	for i := range c.in {
		if strides[i][last] == 0 {
			blocks[i] = make([]byte, min(blockLen, run, hi-lo)*sizes[i])
		}
	}
	for lo < hi {
		var offset [3]int
		rest := lo
		for axis := last; axis >= 0; axis-- {
			at := rest % dims[axis]
			rest /= dims[axis]
			for i := range c.in {
				offset[i] += at * strides[i][axis]
			}
		}
		n := min(run-lo%run, hi-lo)
		for i := range c.in {
			if blocks[i] == nil {
				continue
			}
			n = min(n, len(blocks[i])/sizes[i])
			if filled[i] != offset[i] {
				filled[i] = offset[i]
				repeat(blocks[i], c.in[i].bytes[offset[i]*sizes[i]:][:sizes[i]])
			}
		}
		var args [3][]byte
		for i := range c.in {
			if blocks[i] != nil {
				args[i] = blocks[i][:n*sizes[i]]
			} else {
				args[i] = c.in[i].bytes[offset[i]*sizes[i]:][:n*sizes[i]]
			}
		}
		f(out.bytes[lo*outSize:(lo+n)*outSize], args)
		lo += n
	}
}

// repeat fills dst with copies of one element.
func repeat(dst, element []byte) {
	for n := copy(dst, element); n > 0 && n < len(dst); {
		n += copy(dst[n:], dst[:n])
	}
}
