package bench

import (
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// Repeat says how often a benchmark runs.
type Repeat struct {
	Warmup, Steps int
	Trace         *trace.Recorder // of Step and Ops; nil for none
}

// Step times the training step of a configuration. With r.Trace it then takes the steps
// that the trace wants in detail.
func Step(c run.Config, r Repeat) (Result, error) {
	t, err := train.NewTrial(c, r.Trace)
	if err != nil {
		return Result{}, err
	}
	defer t.Close()
	result, err := measure("step", t.Pictures, r.Warmup, r.Steps, c.Train.Threads, t.Step)
	if err != nil {
		return result, err
	}
	result.Loss = t.Loss
	return result, record(t, r.Trace)
}

// record takes the steps that a trace wants in detail.
func record(t *train.Trial, r *trace.Recorder) error {
	if r == nil {
		return nil
	}
	r.Tracks("steps", "nodes")
	t.Tracer.Start()
	for last := false; !last; last = r.Step() {
		end := r.Begin("steps", "step")
		err := t.Step()
		end()
		if err != nil {
			return err
		}
	}
	return nil
}
