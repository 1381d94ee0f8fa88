package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/run"
)

// embedTime is how long batches are timed at least, so that rare delays show in the 95th
// percentile.
const embedTime = time.Second

// Embed times the encoder of a configuration with the weights of the beginning: on a
// synthetic batch, at least r.Steps times, or, if the configuration names data, on its
// pictures from the disk, decoded and prepared in parallel, r.Steps times.
func Embed(c run.Config, r Repeat) (Result, error) {
	set, err := embedSet(&c)
	if err != nil {
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
	batch := c.Train.Batch
	if set != nil {
		batch = min(batch, set.Len())
	}
	e, err := embed.NewEmbedder(backend, model, batch)
	if err != nil {
		return Result{}, err
	}
	defer e.Close()
	if set != nil {
		return measure("embed data", set.Len(), r.Warmup, r.Steps, c.Train.Threads, func() error {
			v, err := e.Set(context.Background(), set, c.Data.Workers)
			if err == nil && v.N == 0 {
				err = fmt.Errorf("no picture of %s can be read", c.Data.Train)
			}
			return err
		})
	}
	return embedBatches(c, r, e, batch)
}

// embedSet resolves the configuration and opens its data, if it names any.
func embedSet(c *run.Config) (*dataset.Set, error) {
	source := run.Source{Channels: 3}
	var set *dataset.Set
	if c.Data.Train != "" {
		var err error
		set, err = dataset.Open(c.Data.Train, dataset.Options{Limit: c.Data.Limit, Channels: c.Data.Channels, Size: c.Data.Size, MaxBad: 1, CacheDir: "off"})
		if err != nil {
			return nil, err
		}
		source.NativeSize, source.Channels = set.NativeSize(), set.Channels()
	} else if c.Data.Size == 0 {
		c.Data.Size = 32
	}
	c.Train.Steps, c.Train.Epochs, c.Train.Time = 1, 0, 0
	batch := c.Train.Batch
	c.Train.Batch, c.Optim.Accumulate = max(2, batch), 1 // one picture cannot be trained on, but embedded
	source.Images = c.Train.Batch
	if err := c.Resolve(source); err != nil {
		return nil, err
	}
	c.Train.Batch = batch
	return set, nil
}

// embedBatches times calls on a synthetic batch.
func embedBatches(c run.Config, r Repeat, e *embed.Embedder, batch int) (Result, error) {
	pictures := normal(rand.New(rand.NewPCG(c.Train.Seed, 1)), batch*c.Data.Size*c.Data.Size*c.Data.Channels)
	var seconds []float64
	call := func() error {
		start := time.Now()
		_, err := e.Embed(pictures, batch)
		seconds = append(seconds, time.Since(start).Seconds())
		return err
	}
	for range r.Warmup + 1 { // the first prepares the weights
		if err := call(); err != nil {
			return Result{}, err
		}
	}
	seconds = seconds[:0]
	for start := time.Now(); len(seconds) < r.Steps || time.Since(start) < embedTime; {
		if err := call(); err != nil {
			return Result{}, err
		}
	}
	result := summary("embed", batch, c.Train.Threads, seconds)
	result.LatencyP50, result.LatencyP95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
	return result, nil
}

// percentile returns the least of sorted values that a share of them do not exceed.
func percentile(sorted []float64, share float64) float64 {
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// normal draws n standard normal values.
func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
