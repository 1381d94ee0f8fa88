package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// Repeat says how often a benchmark runs.
type Repeat struct {
	Warmup, Steps int
	Trace         *trace.Recorder // of Step and Ops; nil for none
}

// stepRun is a training step on a synthetic batch, without augmentation, ready to be
// taken again and again.
type stepRun struct {
	config   run.Config // resolved
	backend  compute.Backend
	tracer   *compute.Tracer
	stepper  *train.Stepper
	batches  []train.Batch
	pictures int     // of a step
	loss     float64 // of the last step
}

// classes is how many the synthetic labels have, for methods that use labels.
const classes = 10

// openStep prepares the step of a configuration, which need not be resolved. What is
// compiled for it can be recorded into r.
func openStep(c run.Config, r *trace.Recorder) (_ *stepRun, err error) {
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	s := &stepRun{pictures: c.Train.Batch * c.Optim.Accumulate}
	if err := c.Resolve(run.Source{Images: s.pictures, Channels: 3, Classes: classes}); err != nil {
		return nil, err
	}
	s.config = c
	m, err := train.NewMethod(c)
	if err != nil {
		return nil, err
	}
	if s.backend, err = compute.New(c.Train.Backend, c.Train.Threads); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	s.tracer = compute.Trace(s.backend, r)
	shape := train.ViewShape(c)
	if s.stepper, err = train.NewStepper(s.backend, m, shape); err != nil {
		return nil, err
	}
	s.stepper.SetState(m.Init(c.Train.Seed))
	s.batches = make([]train.Batch, c.Optim.Accumulate)
	random := rand.New(rand.NewPCG(c.Train.Seed, 1))
	for i := range s.batches {
		s.batches[i].Label = make([]int32, c.Train.Batch)
		for k := range s.batches[i].Label {
			s.batches[i].Label[k] = int32(k % classes)
		}
		for v := range s.batches[i].Views {
			s.batches[i].Views[v] = normal(random, shape[0]*shape[1]*shape[2]*shape[3])
		}
	}
	return s, nil
}

// step takes one step.
func (s *stepRun) step() error {
	values, err := s.stepper.Step(s.batches, .01, .99)
	if err == nil && !train.Finite(values) {
		err = fmt.Errorf("the step's loss is %v", values.Loss)
	}
	s.loss = values.Loss
	return err
}

func (s *stepRun) close() {
	if s.stepper != nil {
		s.stepper.Close()
	}
	s.backend.Finalize()
}

// Step times the training step of a configuration. With r.Trace it then takes the steps
// that the trace wants in detail.
func Step(c run.Config, r Repeat) (Result, error) {
	s, err := openStep(c, r.Trace)
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	result, err := measure("step", s.pictures, r.Warmup, r.Steps, c.Train.Threads, s.step)
	if err != nil {
		return result, err
	}
	result.Loss = s.loss
	return result, s.record(r.Trace)
}

// record takes the steps that a trace wants in detail.
func (s *stepRun) record(r *trace.Recorder) error {
	if r == nil {
		return nil
	}
	r.Tracks("steps", "nodes")
	s.tracer.Start()
	for last := false; !last; last = r.Step() {
		end := r.Begin("steps", "step")
		err := s.step()
		end()
		if err != nil {
			return err
		}
	}
	return nil
}

// Embed times the encoder of a configuration on a synthetic batch.
func Embed(c run.Config, r Repeat) (Result, error) {
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	batch := c.Train.Batch
	c.Train.Batch, c.Optim.Accumulate = max(2, batch), 1 // one picture cannot be trained on, but embedded
	if err := c.Resolve(run.Source{Images: c.Train.Batch, Channels: 3}); err != nil {
		return Result{}, err
	}
	model, err := embed.Random(embed.MetaOf(c), c.Train.Seed)
	if err != nil {
		return Result{}, err
	}
	backend, err := compute.New(c.Train.Backend, c.Train.Threads)
	if err != nil {
		return Result{}, err
	}
	defer backend.Finalize()
	e, err := embed.NewEmbedder(backend, model, batch)
	if err != nil {
		return Result{}, err
	}
	defer e.Close()
	pictures := normal(rand.New(rand.NewPCG(c.Train.Seed, 1)), batch*c.Data.Size*c.Data.Size*c.Data.Channels)
	return measure("embed", batch, r.Warmup, r.Steps, c.Train.Threads, func() error {
		_, err := e.Embed(pictures, batch)
		return err
	})
}

// normal draws n standard normal values.
func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
