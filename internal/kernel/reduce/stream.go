package reduce

import "unsafe"

// streamBytes is the size from which a result is written past the caches: it will have
// left them before it is read, and not loading its lines first saves a third to a
// quarter of the memory traffic.
const streamBytes = 16 << 20

// lineLen is the number of float32 in a cache line.
const lineLen = 16

// streams says whether y [rows, c] should be written past the caches: it is large, its
// rows are whole cache lines, and it is not also an operand, whose lines are there.
func streams[T Element](y []T, c int, operands ...[]T) bool {
	if unsafe.Sizeof(*new(T)) != 4 {
		return false // there are no such kernels on bfloat16
	}
	if 4*len(y) < streamBytes || c == 0 || c%lineLen != 0 || uintptr(unsafe.Pointer(&y[0]))%(4*lineLen) != 0 || !canStream() {
		return false
	}
	for _, x := range operands {
		if len(x) != len(y) || &x[0] == &y[0] {
			return false
		}
	}
	return true
}
