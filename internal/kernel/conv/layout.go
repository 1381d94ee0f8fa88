package conv

import "unsafe"

// layout hands out pieces of the scratch memory. Without memory it only counts,
// so that ScratchBytes and the calls cannot disagree.
type layout struct {
	base unsafe.Pointer
	size int
	end  int // bytes from base to the end of the scratch memory
}

const lineBytes = 64

// newLayout starts at the first cache line of scratch.
func newLayout(scratch []byte) layout {
	p := unsafe.Pointer(unsafe.SliceData(scratch))
	skip := -int(uintptr(p)) & (lineBytes - 1)
	return layout{base: unsafe.Add(p, skip), end: len(scratch) - skip}
}

// bytes returns n bytes that begin a cache line, nil while counting.
func (l *layout) bytes(n int) unsafe.Pointer {
	at := l.size
	l.size += (n + lineBytes - 1) &^ (lineBytes - 1)
	if l.base == nil {
		return nil
	}
	return unsafe.Add(l.base, at)
}

// rest returns what is left.
func (l *layout) rest() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(l.base, l.size)), l.end-l.size)
}

// total returns the bytes that scratch must have.
func (l *layout) total() int { return l.size + lineBytes }
