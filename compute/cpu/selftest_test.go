package cpu

import (
	"errors"
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

func TestSelfTestLowers(t *testing.T) {
	if isa.Detected() < isa.AVX2 {
		t.Skip("this machine has the generic kernels only")
	}
	defer isa.Set(isa.AVX2)()
	tries := 0
	trustOrLower(func() error {
		tries++
		return errors.New("wrong")
	})
	if tries != 1 || isa.Current() != isa.Generic {
		t.Errorf("%d tries, then %s: want 1, generic", tries, isa.Current())
	}
}
