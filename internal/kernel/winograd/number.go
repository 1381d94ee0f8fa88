package winograd

import (
	"fmt"
	"math"
	"unsafe"
)

// numbers are an image or a kernel: float32, or bfloat16 in its 16 bits. All is
// computed in float32; bfloat16 is widened when loaded, which is exact, and rounded
// to nearest even when stored.
type numbers struct {
	first unsafe.Pointer
	len   int
	size  int // bytes of a number
}

func float32s(v []float32) numbers {
	return numbers{unsafe.Pointer(unsafe.SliceData(v)), len(v), 4}
}

func bfloat16s(v []uint16) numbers {
	return numbers{unsafe.Pointer(unsafe.SliceData(v)), len(v), 2}
}

// at returns the address of a number.
func (n numbers) at(i int) unsafe.Pointer {
	if uint(i) >= uint(n.len) {
		panic(fmt.Sprintf("winograd: index %d of %d numbers", i, n.len))
	}
	return unsafe.Add(n.first, i*n.size)
}

// bytes returns count numbers from i on, as they are stored.
func (n numbers) bytes(i, count int) []byte {
	n.at(i + count - 1)
	return unsafe.Slice((*byte)(n.at(i)), count*n.size)
}

// load returns the number of so many bytes at p.
func load(p unsafe.Pointer, size int) float32 {
	if size == 4 {
		return *(*float32)(p)
	}
	return math.Float32frombits(uint32(*(*uint16)(p)) << 16)
}

// store sets the number of so many bytes at p to v.
func store(p unsafe.Pointer, size int, v float32) {
	if size == 4 {
		*(*float32)(p) = v
		return
	}
	bits := math.Float32bits(v)
	if v != v {
		*(*uint16)(p) = uint16(bits>>16) | 0x40 // NaN must not become infinite
		return
	}
	*(*uint16)(p) = uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
