package cpu

import (
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

const (
	// partLen is the number of elements that one part of an element-wise kernel computes.
	partLen = 1 << 15
	// blockLen is the number of elements for which a broadcast element is repeated in scratch memory.
	blockLen = 1 << 10
	// shortRun is the length of the innermost axis below which several rows are computed at once.
	shortRun = 128
)

// elementwise runs f over the whole output, spreading parts of fixed size over the
// threads. Operands of another shape than the output's are broadcast: scalars, and axes of size 1.
func elementwise(c *call, f span) {
	out := c.out[0]
	n := out.shape.Size()
	if n == 0 {
		return
	}
	dims, strides, same := broadcastPlan(out.shape, c.in)
	outSize := out.shape.DType.Size()
	var sizes [3]int
	for i, in := range c.in {
		sizes[i] = in.shape.DType.Size()
	}
	run := dims[len(dims)-1]
	step, part := partLen, broadcastRuns
	if !same && run < shortRun && len(dims) > 1 {
		step, part = partLen/run*run, broadcastRows
	}
	c.pool.For(ceilDiv(n, step), func(p, _ int) {
		lo, hi := p*step, min((p+1)*step, n)
		if !same {
			part(c, f, lo, hi, dims, strides, sizes)
			return
		}
		var args [3][]byte
		for i, in := range c.in {
			args[i] = in.bytes[lo*sizes[i] : hi*sizes[i]]
		}
		f(out.bytes[lo*outSize:hi*outSize], args)
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

// broadcastRuns computes the output elements lo to hi along the innermost axis, where it is long.
func broadcastRuns(c *call, f span, lo, hi int, dims []int, strides [][]int, sizes [3]int) {
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
		for i := range c.in {
			offset[i] = offsetOf(lo, dims, strides[i])
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

// broadcastRows computes the output elements lo to hi, both multiples of the innermost
// axis, where that is short: an operand that is broadcast along one of the last two axes
// is written out for as many rows as a block holds.
func broadcastRows(c *call, f span, lo, hi int, dims []int, strides [][]int, sizes [3]int) {
	out := c.out[0]
	outSize := out.shape.DType.Size()
	last := len(dims) - 1
	run, rows := dims[last], dims[last-1]
	most := min(blockLen/run, rows)
	var blocks [3][]byte
	var filled [3]struct{ offset, rows int } // what each block holds, if the same rows may come again
	for i := range c.in {
		if strides[i][last] != 1 || strides[i][last-1] != run {
			blocks[i] = make([]byte, most*run*sizes[i])
		}
	}
	for lo < hi {
		row := lo / run % rows
		k := min(most, rows-row, (hi-lo)/run)
		var args [3][]byte
		for i, in := range c.in {
			offset := offsetOf(lo, dims, strides[i])
			if blocks[i] == nil {
				args[i] = in.bytes[offset*sizes[i]:][:k*run*sizes[i]]
				continue
			}
			if again := strides[i][last-1] == 0 && filled[i].offset == offset && filled[i].rows >= k; !again {
				tileFunc(sizes[i])(blocks[i], in.bytes, tile{rows: k, cols: run, dstRow: run, dstCol: 1,
					srcAt: offset, srcRow: strides[i][last-1], srcCol: strides[i][last]})
				filled[i].offset, filled[i].rows = offset, k
			}
			args[i] = blocks[i][:k*run*sizes[i]]
		}
		f(out.bytes[lo*outSize:(lo+k*run)*outSize], args)
		lo += k * run
	}
}

// repeat fills dst with copies of one element.
func repeat(dst, element []byte) {
	for n := copy(dst, element); n > 0 && n < len(dst); {
		n += copy(dst[n:], dst[:n])
	}
}
