package optim

import (
	"fmt"
	"math"
)

// The shapes of a rate after its warm-up.
const (
	Cosine   = "cosine"   // to 0, by half a period
	Constant = "constant" // at the peak
)

// Schedule gives the rate of every step of a run.
type Schedule struct {
	Peak   float64 // the rate after the warm-up
	Warmup int     // steps of linear rise from 0
	Steps  int     // K, the whole run
	Shape  string  // Cosine or Constant
}

// Validate checks names and ranges.
func (s Schedule) Validate() error {
	switch {
	case s.Shape != Cosine && s.Shape != Constant:
		return fmt.Errorf("optim: unknown schedule %q: want cosine or constant", s.Shape)
	case !(s.Peak >= 0):
		return fmt.Errorf("optim: rate %v: want at least 0", s.Peak)
	case s.Steps < 1 || s.Warmup < 0 || s.Warmup > s.Steps:
		return fmt.Errorf("optim: warm-up of %d steps in a run of %d", s.Warmup, s.Steps)
	}
	return nil
}

// Rate returns the rate of step k = 0 … Steps−1: Peak·k/Warmup during the
// warm-up, so 0 at the first step if there is one, then along the shape.
func (s Schedule) Rate(k int) float64 {
	switch {
	case k < s.Warmup:
		return s.Peak * float64(k) / float64(s.Warmup)
	case s.Shape == Constant:
		return s.Peak
	}
	part := float64(k-s.Warmup) / float64(s.Steps-s.Warmup)
	return s.Peak * (1 + math.Cos(math.Pi*min(part, 1))) / 2
}

// Tau returns the target's decay rate at step k of steps, rising from base to 1:
// 1 − (1−base)·(cos(πk/K)+1)/2 (BYOL, section 3.3).
func Tau(base float64, k, steps int) float64 {
	return 1 - (1-base)*(math.Cos(math.Pi*float64(k)/float64(steps))+1)/2
}

// ScaleRate returns the rate for a batch, given that for 256 images.
func ScaleRate(base float64, batch int) float64 { return base * float64(batch) / 256 }
