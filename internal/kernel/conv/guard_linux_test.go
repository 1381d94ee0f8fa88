package conv

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded returns a copy of v that ends, or begins, at a page that cannot be
// touched.
func guarded[T any](t *testing.T, v []T, atEnd bool) []T {
	t.Helper()
	page := unix.Getpagesize()
	size := len(v) * int(unsafe.Sizeof(v[0]))
	body := (size + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, body+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(mem) })
	for _, p := range [][]byte{mem[:page], mem[page+body:]} {
		if err := unix.Mprotect(p, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if atEnd {
		at = page + body - size
	}
	g := unsafe.Slice((*T)(unsafe.Pointer(&mem[at])), len(v))
	copy(g, v)
	return g
}

// TestGuardPages runs every form on operands and scratch memory that lie
// against forbidden pages.
func TestGuardPages(t *testing.T) {
	defer SetWinograd(false)()
	for _, s := range []Shape{
		square(1, 5, 5, 3, 3, 5, 1, 1), square(2, 6, 7, 9, 3, 33, 2, 1), square(1, 5, 4, 17, 1, 16, 2, 0),
		square(1, 3, 3, 7, 3, 40, 1, 1), square(1, 4, 4, 512, 3, 15, 1, 1), square(1, 3, 3, 15, 3, 513, 2, 1),
	} {
		eachLevel(t, func(t *testing.T) {
			for _, atEnd := range []bool{false, true} {
				x, w, y := guarded(t, values(s.sizeX(), 1), atEnd), guarded(t, values(s.sizeW(), 2), atEnd), guarded(t, values(s.sizeY(), 3), atEnd)
				x16, w16, y16 := guarded(t, rounded(x), atEnd), guarded(t, rounded(w), atEnd), guarded(t, rounded(y), atEnd)
				scratch := func(f Form, bf16 bool) []byte {
					return guarded(t, make([]byte, ScratchBytes(s, f, 1, bf16)), atEnd)
				}
				ForwardF32(nil, s, y, x, w, scratch(Forward, false))
				InputGradF32(nil, s, x, y, w, scratch(InputGrad, false))
				KernelGradF32(nil, s, w, x, y, scratch(KernelGrad, false))
				ForwardBF16(nil, s, y16, x16, w16, scratch(Forward, true))
				InputGradBF16(nil, s, x16, y16, w16, scratch(InputGrad, true))
				KernelGradBF16(nil, s, w, x16, y16, scratch(KernelGrad, true))
			}
		})
	}
}
