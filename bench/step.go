package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// Repeat says how often a benchmark runs.
type Repeat struct {
	Warmup, Steps int
}

// Step times the training step of a configuration on a synthetic batch, without
// augmentation. The configuration need not be resolved.
func Step(c run.Config, r Repeat) (Result, error) {
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	pictures := c.Train.Batch * c.Optim.Accumulate
	if err := c.Resolve(run.Source{Images: pictures, Channels: 3}); err != nil {
		return Result{}, err
	}
	m, err := train.NewMethod(c)
	if err != nil {
		return Result{}, err
	}
	backend, err := compute.New(c.Train.Backend, c.Train.Threads)
	if err != nil {
		return Result{}, err
	}
	defer backend.Finalize()
	s, err := train.NewStepper(backend, m, m.Init(c.Train.Seed))
	if err != nil {
		return Result{}, err
	}
	defer s.Close()
	shape := [4]int{c.Train.Batch, c.Data.Size, c.Data.Size, c.Data.Channels}
	batches := make([]train.Views, c.Optim.Accumulate)
	random := rand.New(rand.NewPCG(c.Train.Seed, 1))
	for i := range batches {
		for v := range batches[i] {
			batches[i][v] = normal(random, shape[0]*shape[1]*shape[2]*shape[3])
		}
	}
	var loss float64
	result, err := measure("step", pictures, r.Warmup, r.Steps, c.Train.Threads, func() error {
		values, err := s.Step(batches, shape, .01, .99)
		if err == nil && !train.Finite(values) {
			err = fmt.Errorf("the step's loss is %v", values.Loss)
		}
		loss = values.Loss
		return err
	})
	result.Loss = loss
	return result, err
}

// Embed times the encoder of a configuration on a synthetic batch.
func Embed(c run.Config, r Repeat) (Result, error) {
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	if err := c.Resolve(run.Source{Images: c.Train.Batch * c.Optim.Accumulate, Channels: 3}); err != nil {
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
	e, err := embed.NewEmbedder(backend, model, c.Train.Batch)
	if err != nil {
		return Result{}, err
	}
	defer e.Close()
	pictures := normal(rand.New(rand.NewPCG(c.Train.Seed, 1)), c.Train.Batch*c.Data.Size*c.Data.Size*c.Data.Channels)
	return measure("embed", c.Train.Batch, r.Warmup, r.Steps, c.Train.Threads, func() error {
		_, err := e.Embed(pictures, c.Train.Batch)
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
