package train

import (
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
)

// feed brings the batches of a run to its steps, in the order that the step decides.
type feed struct {
	loader     *dataset.Loader
	accumulate int
	trace      *trace.Recorder
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
		accumulate: c.Optim.Accumulate,
		trace:      s.trace,
	}, nil
}

// step takes one training step on the next batches; look, if not nil, sees the last of them.
func (f *feed) step(s *Stepper, lr, tau float64, look func(Batch)) (method.Values, error) {
	batches := make([]*dataset.Batch, f.accumulate)
	made := make([]Batch, f.accumulate)
	defer func() {
		for _, b := range batches {
			if b != nil {
				b.Release()
			}
		}
	}()
	for i := range batches {
		waited := f.trace.Begin(trackLoader, "wait for pictures")
		b, err := f.loader.Next()
		waited()
		if err != nil {
			return method.Values{}, err
		}
		batches[i], made[i] = b, Batch{Views: [2][]float32{b.View1, b.View2}, Label: b.Label}
	}
	if look != nil {
		look(made[len(made)-1])
	}
	defer f.trace.Begin(trackSteps, "step")()
	return s.Step(made, lr, tau)
}

func (f *feed) close() { f.loader.Close() }
