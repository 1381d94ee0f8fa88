package winograd

import "unsafe"

// align is a cache line, and a register of the widest instruction set.
const align = 64

// pad is added to strides that would otherwise be large powers of two, so that
// the elements of a tile do not fall into the same cache set.
const pad = align / 4

// arena cuts aligned pieces from scratch memory. The zero arena only counts.
type arena struct {
	real    bool
	scratch []byte
	used    int
}

// newArena returns an arena in scratch, which may begin anywhere.
func newArena(scratch []byte) *arena {
	a := &arena{real: true, scratch: scratch}
	if len(scratch) > 0 {
		a.used = int(-uintptr(unsafe.Pointer(unsafe.SliceData(scratch))) & (align - 1))
	}
	return a
}

// take returns room for n values of T.
func take[T byte | float32 | int | [2]int](a *arena, n int) []T {
	var zero T
	start := a.used
	a.used += (n*int(unsafe.Sizeof(zero)) + align - 1) &^ (align - 1)
	if !a.real {
		return nil
	}
	if a.used > len(a.scratch) {
		panic(errScratch)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(a.scratch[start:]))), n)
}

// bytes returns the size of scratch that a layout needs, wherever it begins.
func (a *arena) bytes() int { return a.used + align }

// aligned returns v from its first cache line on.
func aligned(v []float32) []float32 {
	return v[int(-uintptr(unsafe.Pointer(unsafe.SliceData(v)))&(align-1))/4:]
}
