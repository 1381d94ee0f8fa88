package train

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/run"
)

// Trial is a training step on a synthetic batch, without pictures or augmentation, that can
// be taken again and again: what a step costs does not depend on what it is shown.
type Trial struct {
	Config   run.Config // resolved
	Pictures int        // of a step
	Loss     float64    // of the last step
	Tracer   *compute.Tracer

	backend compute.Backend
	stepper *Stepper
	batches []Batch
	goLimit int64 // the Go runtime's limit on memory before, if the trial set one
}

// trialClasses is how many the synthetic labels have, for methods that use labels.
const trialClasses = 10

// NewTrial prepares the step of a configuration, which need not be resolved; its size is 32
// pixels if none is set. What is compiled for it can be recorded into r.
func NewTrial(c run.Config, r *trace.Recorder) (_ *Trial, err error) {
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	t := &Trial{Pictures: c.Train.Batch * c.Optim.Accumulate}
	if err := c.Resolve(run.Source{Images: t.Pictures, Channels: 3, Classes: trialClasses}); err != nil {
		return nil, err
	}
	t.Config = c
	m, err := NewMethod(c)
	if err != nil {
		return nil, err
	}
	if t.backend, err = compute.New(c.Train.Backend, c.Train.Threads); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	bound, _ := c.Train.MemoryBytes()
	t.goLimit = limitMemory(t.backend, bound, stateBytes(m), 0)
	t.Tracer = compute.Trace(t.backend, r)
	shape := ViewShape(c)
	if t.stepper, err = NewStepper(t.backend, m, shape); err != nil {
		return nil, err
	}
	t.stepper.SetState(m.Init(c.Train.Seed))
	t.batches = make([]Batch, c.Optim.Accumulate)
	random := rand.New(rand.NewPCG(c.Train.Seed, 1))
	for i := range t.batches {
		t.batches[i].Label = make([]int32, c.Train.Batch)
		for k := range t.batches[i].Label {
			t.batches[i].Label[k] = int32(k % trialClasses)
		}
		for v := range t.batches[i].Views {
			view := make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
			for k := range view {
				view[k] = float32(random.NormFloat64())
			}
			t.batches[i].Views[v] = view
		}
	}
	return t, nil
}

// Step takes one step. The rate is small, so that many steps on the same batch stay finite.
func (t *Trial) Step() error {
	values, err := t.stepper.Step(t.batches, .01, .99)
	if err == nil && !Finite(values) {
		err = fmt.Errorf("the step's loss is %v", values.Loss)
	}
	t.Loss = values.Loss
	return err
}

// Memory returns the bytes that a step holds, 0 where the backend does not tell.
func (t *Trial) Memory() int64 { return t.stepper.Memory() }

// Close frees the step and its backend.
func (t *Trial) Close() {
	if t.stepper != nil {
		t.stepper.Close()
	}
	t.backend.Finalize()
	if t.goLimit != 0 {
		debug.SetMemoryLimit(t.goLimit)
	}
}
