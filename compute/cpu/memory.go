package cpu

import (
	"runtime"
	"runtime/debug"
)

// largeArena is the size from which an arena lies outside the Go heap. There it does not
// count as live memory, which lets the collector wait until as much again is garbage, and
// it can have large pages.
const largeArena = 1 << 20

// arena is the memory of an executable's values.
type arena struct {
	bytes   []byte // 64-byte aligned, zero at first
	cleanup runtime.Cleanup
	mapped  bool
}

// newArena allocates an arena, which is freed with its owner if not before.
func newArena(owner *Executable, n int) *arena {
	if n >= 64*largeArena {
		debug.FreeOSMemory() // what came before, a state on its way here say, need not add to the peak
	}
	if n >= largeArena {
		if b, err := mapMemory(n); err == nil {
			return &arena{b, runtime.AddCleanup(owner, unmapMemory, b), true}
		}
	}
	return &arena{bytes: alignedBytes(n)}
}

// free gives the memory back. Nothing may use it any more.
func (a *arena) free() {
	if a != nil && a.mapped {
		a.cleanup.Stop()
		unmapMemory(a.bytes)
	}
}
