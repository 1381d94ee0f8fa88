package bench

import (
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
