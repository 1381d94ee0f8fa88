// Package reduce holds the kernels that sum: reductions of whole arrays, rows and
// columns, batch normalisation with its gradient and pooling.
//
// Every function splits its work into parts by the shape alone, writes one partial
// result per part and combines them in the order of the parts, in float64. So the
// result is the same to the bit on any number of threads. Inside a part, float32 lanes
// are summed in a fixed tree; sums and maxima give the same bits on every instruction
// set, those with products differ by the rounding of fused multiply-adds.
//
// Arrays are row-major float32. A batch of feature maps [N,H,W,C] is [rows, C] with
// rows = N·H·W. Partial results live in scratch that the caller provides: each function
// that takes scratch names the function that gives its size in bytes. A slice that does
// not fit its shape, or scratch that is too small, panics.
package reduce

import (
	"unsafe"
)

// The panics of this package, all of them mistakes of the caller.
const (
	shapeMismatch = "reduce: slice length does not fit the shape"
	scratchSmall  = "reduce: scratch is smaller than the function asks for"
)

// part is the number of elements that one part of a reduction reads: 128 KiB, which
// fits the L2 cache of any processor this runs on beside another thread's.
const part = 1 << 15

// carve cuts n elements of T from scratch, which it returns shortened.
func carve[T float32 | float64](scratch []byte, n int) ([]T, []byte) {
	if n == 0 {
		return nil, scratch
	}
	size := int(unsafe.Sizeof(*new(T)))
	skip := 0
	if len(scratch) > 0 {
		skip = int(-uintptr(unsafe.Pointer(&scratch[0])) & uintptr(size-1))
	}
	if len(scratch) < skip+n*size {
		panic(scratchSmall)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&scratch[skip])), n), scratch[skip+n*size:]
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
