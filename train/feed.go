package train

import (
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
)

// feed brings the batches of a run to its steps, in the order that the step decides.
type feed struct {
	loader     *dataset.Loader
	shape      [4]int // of a view, [B,H,W,C]
	accumulate int
}

// feed starts loading at the given optimiser step.
func (s *session) feed(c run.Config, step int) (*feed, error) {
	loader, err := dataset.NewLoader(s.set, s.augmenter, dataset.LoaderConfig{
		Batch:     c.Train.Batch,
		Seed:      c.Train.Seed,
		Workers:   c.Data.Workers,
		StartStep: step * c.Optim.Accumulate,
		// What does not fill a step is dropped, as what does not fill a batch is.
		BatchesPerEpoch: c.StepsPerEpoch(s.set.Len()) * c.Optim.Accumulate,
	})
	if err != nil {
		return nil, err
	}
	return &feed{
		loader:     loader,
		shape:      [4]int{c.Train.Batch, c.Data.Size, c.Data.Size, c.Data.Channels},
		accumulate: c.Optim.Accumulate,
	}, nil
}

// step takes one training step on the next batches.
func (f *feed) step(s *Stepper, lr, tau float64) (method.Values, error) {
	batches := make([]*dataset.Batch, f.accumulate)
	views := make([]Views, f.accumulate)
	defer func() {
		for _, b := range batches {
			if b != nil {
				b.Release()
			}
		}
	}()
	for i := range batches {
		b, err := f.loader.Next()
		if err != nil {
			return method.Values{}, err
		}
		batches[i], views[i] = b, Views{b.View1, b.View2}
	}
	v, err := s.Step(views, f.shape, lr, tau)
	return v, explainMemory(err, f.shape[0])
}

func (f *feed) close() { f.loader.Close() }
