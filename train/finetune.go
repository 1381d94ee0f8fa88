package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/optim"
)

// Finetune is the protocol with few labels (Grill et al. 2020, appendix C.2): encoder and
// a linear classifier learn from labelled pictures, randomly cropped and flipped, by SGD
// with Nesterov momentum .9 and no decay, at a rate that falls to 0 by half a cosine. With
// an encoder of random weights it is supervised learning from the same labels.
type Finetune struct {
	Share float64 // of the labels, the same of every class, in (0,1]
	// Rates are the peak learning rates to choose from, per 256 pictures of a batch, by
	// the accuracy on held-out training pictures; with one nothing is chosen.
	Rates     []float64
	Epochs    int
	Batch     int // pictures; 0: eval.DefaultBatch of at most 256
	Seed      uint64
	Precision string // fp32 or bf16

	Crop [2]float64 // least and greatest share of a picture's area
	Flip float64    // probability

	// Progress, if not nil, is called after every epoch.
	Progress func(rate float64, epoch int, loss float64)
}

// FinetuneRates returns the rates of the published sweep.
func FinetuneRates() []float64 { return []float64{.1, .05, .02, .01, .005} }

// finetuneBatch is the largest batch that is not asked for: the published 1,024 take more
// memory than most machines without an accelerator have, and the rate follows the batch.
const finetuneBatch = 256

// Judge fine-tunes m and scores it. E embeds with encoders of m's kind; its weights are
// replaced.
func (p Finetune) Judge(ctx context.Context, backend compute.Backend, pool *par.Pool, e *embed.Embedder, m *embed.Model, pics eval.Pictures) (eval.Outcome, error) {
	var o eval.Outcome
	if err := p.validate(); err != nil {
		return o, err
	}
	parts, err := pics.Divide(p.Share, len(p.Rates) > 1, p.Seed)
	if err != nil {
		return o, err
	}
	learn := parts.Select(false)
	batch := min(p.Batch, learn.Len())
	if batch == 0 {
		batch = eval.DefaultBatch(learn.Len(), finetuneBatch)
	}
	tuner, err := newTuner(backend, m, len(pics.Train.Classes), batch, dtypeOf(p.Precision))
	if err != nil {
		return o, err
	}
	defer tuner.close()
	choice := eval.Choice{Setting: "lr", Value: p.Rates[0]}
	if len(p.Rates) > 1 {
		held := parts.Select(true)
		choice.HeldOut = held.Len()
		for _, lr := range p.Rates {
			trial := eval.Trial{Value: lr, Loss: eval.JSONFloat(math.NaN())}
			err := p.tune(ctx, tuner, learn, pics.Workers, lr)
			if err == nil {
				trial.Top1, trial.Loss, err = tuner.try(ctx, pool, e, held, pics.Workers)
			}
			if err != nil && !errors.Is(err, errDiverged) {
				return o, err
			}
			choice.Tried = append(choice.Tried, trial)
		}
		choice.Value = eval.Best(choice.Tried).Value
	}
	if err := p.tune(ctx, tuner, parts.Train, pics.Workers, choice.Value); err != nil {
		return o, err
	}
	logits, labels, err := tuner.logits(ctx, pool, e, eval.Pictures{Train: pics.Train, Test: parts.Test, Workers: pics.Workers})
	if err != nil {
		return o, err
	}
	o = eval.Outcome{JudgedOn: parts.JudgedOn, Train: parts.Train.Len(), Choice: &choice}
	o.Score = eval.ScoreLogits(logits, labels, len(pics.Train.Classes))
	return o, nil
}

func (p Finetune) validate() error {
	if len(p.Rates) == 0 || p.Epochs < 1 || p.Batch < 0 {
		return fmt.Errorf("fine-tuning: rates %v, %d epochs, batches of %d: want at least one of each", p.Rates, p.Epochs, p.Batch)
	}
	for _, lr := range p.Rates {
		if !(lr > 0) {
			return fmt.Errorf("fine-tuning: learning rate %v: want above 0", lr)
		}
	}
	if p.Batch == 1 {
		return errors.New("fine-tuning: batch norm needs at least 2 pictures a batch")
	}
	return nil
}

// errDiverged says that a learning rate was too high.
var errDiverged = errors.New("fine-tuning has diverged")

// tune learns from a set, from the model's weights on, at a rate per 256 pictures.
func (p Finetune) tune(ctx context.Context, t *tuner, set *dataset.Set, workers int, lr float64) error {
	if err := t.reset(p.Seed); err != nil {
		return err
	}
	views, err := eval.SpatialAugment(set, t.model.Meta, p.Crop, p.Flip)
	if err != nil {
		return err
	}
	loader, err := dataset.NewLoader(set, views, dataset.LoaderConfig{Batch: t.batch, Seed: p.Seed, Workers: workers})
	if err != nil {
		return err
	}
	defer loader.Close()
	perEpoch := loader.BatchesPerEpoch()
	rates := optim.Schedule{Peak: optim.ScaleRate(lr, t.batch), Steps: p.Epochs * perEpoch, Shape: optim.Cosine}
	sum := 0.0
	for k := range rates.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := loader.Next()
		if err != nil {
			return err
		}
		loss, err := t.step(b.View1, b.Label, rates.Rate(k))
		b.Release()
		if err != nil {
			return p.explain(err, t.batch)
		}
		if loss-loss != 0 {
			return fmt.Errorf("%w at learning rate %g, step %d: the loss is %v", errDiverged, lr, k+1, loss)
		}
		sum += loss / float64(perEpoch)
		if (k+1)%perEpoch == 0 && p.Progress != nil {
			p.Progress(lr, (k+1)/perEpoch, sum)
			sum = 0
		}
	}
	return nil
}

// explain adds advice to a refusal for want of memory.
func (p Finetune) explain(err error, batch int) error {
	var m *cpu.MemoryError
	if errors.As(err, &m) {
		return hint(err, fmt.Sprintf("choose a smaller batch than %d (--batch)", batch))
	}
	return err
}
