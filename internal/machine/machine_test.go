package machine

import (
	"runtime"
	"testing"
)

func TestMemory(t *testing.T) {
	before := PeakBytes()
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	if after := PeakBytes(); before <= 0 || after < before+32<<20 {
		t.Errorf("peak %d before and %d after taking 64 MiB", before, after)
	}
	runtime.KeepAlive(block)
	if available, ok := AvailableBytes(); runtime.GOOS == "linux" && (!ok || available <= 0) {
		t.Errorf("available: %d, %v", available, ok)
	}
}
