package gemm

import (
	"testing"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
	"golang.org/x/sys/unix"
)

// guarded returns a copy of v that ends at a page that cannot be touched.
func guarded[T any](t *testing.T, v []T) []T {
	t.Helper()
	page := unix.Getpagesize()
	size := len(v) * int(unsafe.Sizeof(v[0]))
	body := (size + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, body+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(mem) })
	if err := unix.Mprotect(mem[body:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	g := unsafe.Slice((*T)(unsafe.Pointer(&mem[body-size])), len(v))
	copy(g, v)
	return g
}

// TestGuardPages multiplies matrices and scratch memory that end at forbidden pages.
func TestGuardPages(t *testing.T) {
	for _, l := range isa.Available() {
		t.Run(l.String(), func(t *testing.T) {
			defer isa.Set(l)()
			for _, size := range [][3]int{{1, 1, 1}, {7, 9, 3}, {13, 33, 31}, {9, 50, 515}, {17, 200, 1024}} {
				for mode := range 4 {
					s := dense(size[0], size[1], size[2], mode&1 != 0, mode&2 != 0)
					a, b, c := guarded(t, values(s.M*s.K, 1)), guarded(t, values(s.K*s.N, 2)), guarded(t, values(s.M*s.N, 3))
					a16, b16, c16 := guarded(t, rounded(a)), guarded(t, rounded(b)), guarded(t, rounded(c))
					F32(nil, s, c, a, b, guarded(t, make([]byte, ScratchBytes(s, 1, false))))
					BF16(nil, s, c, a16, b16, guarded(t, make([]byte, ScratchBytes(s, 1, true))))
					BF16ToBF16(nil, s, c16, a16, b16, guarded(t, make([]byte, ScratchBytes(s, 1, true))))
				}
			}
		})
	}
}
