package winograd

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// guarded returns n bytes with a page that must not be touched before and after
// them; they end where the page after begins, or begin where the page before ends.
func guarded(t *testing.T, n int, atEnd bool) []byte {
	t.Helper()
	page := unix.Getpagesize()
	size := ceil(n, page) * page
	mem, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	for _, guard := range [][]byte{mem[:page], mem[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	if atEnd {
		return mem[page+size-n : page+size]
	}
	return mem[page : page+n]
}

// guardedPattern returns n numbers between guard pages.
func guardedPattern(t *testing.T, n, size int, atEnd bool) numbers {
	t.Helper()
	mem := guarded(t, size*n, atEnd)
	copy(mem, pattern(n, size).bytes(0, n))
	return numbers{unsafe.Pointer(&mem[0]), n, size}
}

// TestStaysInBounds would crash if a kernel read or wrote beyond a slice's ends.
func TestStaysInBounds(t *testing.T) {
	for _, s := range []Shape{
		square(1, 4, 16, 16), square(1, 5, 3, 5), square(2, 9, 33, 17), square(3, 8, 64, 64), square(9, 16, 17, 48),
		halved(1, 8, 16, 16), halved(1, 5, 3, 5), halved(2, 17, 33, 17), halved(9, 32, 17, 48),
		{N: 2, H: 7, W: 70, C: 16, K: 16, Stride: 1, OutH: 5, OutW: 68},
	} {
		for _, atEnd := range []bool{true, false} {
			dw := guardedPattern(t, s.lenW(), 4, atEnd)
			for _, size := range []int{4, 2} {
				x := guardedPattern(t, s.lenX(), size, atEnd)
				w := guardedPattern(t, s.lenW(), size, atEnd)
				y := guardedPattern(t, s.lenY(), size, atEnd)
				for _, level := range isa.Available() {
					restore := isa.Set(level)
					for _, form := range forms {
						scratch := guarded(t, ScratchBytes(s, form, 1), atEnd)
						switch form {
						case FormForward:
							forwardOf(nil, s, y, x, w, scratch)
						case FormInputGrad:
							inputGradOf(nil, s, x, y, w, scratch)
						case FormKernelGrad:
							kernelGradOf(nil, s, unsafe.Slice((*float32)(dw.first), dw.len), x, y, scratch)
						}
					}
					restore()
				}
			}
		}
	}
}
