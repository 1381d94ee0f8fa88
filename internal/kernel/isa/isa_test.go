package isa

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for _, l := range []Level{Generic, NEON, AVX2, AVX512, AVX512BF16} {
		got, err := Parse(l.String())
		if err != nil || got != l {
			t.Errorf("Parse(%q) = %v, %v", l, got, err)
		}
	}
	if _, err := Parse("sse"); err == nil {
		t.Error("Parse(sse): want an error")
	}
}

func TestSetNeverExceedsDetected(t *testing.T) {
	restore := Set(AVX512BF16)
	if Current() != Detected() {
		t.Errorf("Current() = %v, want %v", Current(), Detected())
	}
	inner := Set(Generic)
	if Current() != Generic {
		t.Errorf("Current() = %v, want generic", Current())
	}
	inner()
	restore()
	defer Set(NEON)()
	if want := Available()[min(1, len(Available())-1)]; Current() != Generic && Current() != want || Current() == NEON != (Detected() == NEON) {
		t.Errorf("capped to NEON: %v, of %v", Current(), Available())
	}
	t.Logf("this machine: %v; the tests run: %v", Detected(), Available())
}

// TestTrustLowers: a level whose kernels are found wrong is left.
func TestTrustLowers(t *testing.T) {
	if Detected() < AVX2 {
		t.Skip("this machine has the generic kernels only")
	}
	defer Set(AVX2)()
	tries := 0
	Trust(func() error {
		tries++
		return errors.New("wrong")
	})
	if tries != 1 || Current() != Generic {
		t.Errorf("%d tries, then %s: want 1, generic", tries, Current())
	}
}
