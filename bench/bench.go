// Package bench measures this machine: training steps, embedding and the data path.
package bench

import (
	"runtime"
	"slices"
	"time"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/machine"
)

// Result is what a benchmark prints with --json.
type Result struct {
	Name       string  `json:"name"`
	ImagesPerS float64 `json:"images_per_s"` // pictures a second at the median time
	StepS      float64 `json:"step_s"`       // median seconds of one repetition
	MinS       float64 `json:"min_s"`
	MaxS       float64 `json:"max_s"`
	Batch      int     `json:"batch"`      // pictures of one repetition
	Repeats    int     `json:"repeats"`    // timed repetitions, after the warm-up
	PeakBytes  int64   `json:"peak_bytes"` // largest resident set of the process so far
	Threads    int     `json:"threads"`
	ISA        string  `json:"isa"`
	Loss       float64 `json:"loss,omitempty"` // of the last step: same seed, same bits

	// Of calls of an encoder: seconds from a batch's pictures to its vectors.
	LatencyP50 float64 `json:"latency_p50_s,omitempty"`
	LatencyP95 float64 `json:"latency_p95_s,omitempty"`
}

// measure calls f warmup+repeats times and times the later ones.
func measure(name string, pictures, warmup, repeats, threads int, f func() error) (Result, error) {
	times := make([]float64, 0, repeats)
	for i := range warmup + repeats {
		start := time.Now()
		if err := f(); err != nil {
			return Result{}, err
		}
		if i >= warmup {
			times = append(times, time.Since(start).Seconds())
		}
	}
	return summary(name, pictures, threads, times), nil
}

// summary describes repetitions that took so long; it sorts their times.
func summary(name string, pictures, threads int, times []float64) Result {
	slices.Sort(times)
	median := (times[(len(times)-1)/2] + times[len(times)/2]) / 2
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return Result{
		Name: name, ImagesPerS: float64(pictures) / median, StepS: median, MinS: times[0], MaxS: times[len(times)-1],
		Batch: pictures, Repeats: len(times), PeakBytes: machine.PeakBytes(), Threads: threads, ISA: isa.Current().String(),
	}
}
