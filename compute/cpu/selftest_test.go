package cpu

import (
	"testing"
	"time"

	"github.com/byol-go/byol/internal/kernel/isa"
)

func TestSelfTestPasses(t *testing.T) {
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		start := time.Now()
		if err := testKernels(); err != nil {
			t.Errorf("%s: %v", level, err)
		}
		t.Logf("%s: %v", level, time.Since(start))
		restore()
	}
}
