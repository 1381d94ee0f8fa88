package eval

import (
	"context"
	"fmt"

	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
)

// SGD is the linear protocol on ImageNet (Grill et al. 2020, appendix C.1): a linear
// classifier on the frozen encoder's features, as they are, of pictures randomly cropped
// and flipped, learnt by SGD with Nesterov momentum .9 and no decay, at a rate that
// falls to 0 by half a cosine.
//
// The candidates learn side by side from the same batches, each twice: without the
// held-out pictures, to be chosen by, and with them, to be judged.
type SGD struct {
	// Rates are the peak learning rates to choose from, per 256 pictures of a batch as
	// in the paper's code; with one nothing is chosen.
	Rates  []float64
	Epochs int
	Batch  int // pictures, no more than there are; 0: DefaultBatch of at most 1,024
	Seed   uint64

	Crop [2]float64 // least and greatest share of a picture's area
	Flip float64    // probability

	// Progress, if not nil, is called after every epoch with the mean loss of the first
	// candidate.
	Progress func(epoch int, loss float64)
}

// LinearRates returns the rates of the published sweep.
func LinearRates() []float64 { return []float64{.4, .3, .2, .1, .05} }

const (
	probeBatch    = 1024 // of the published protocol
	probeMomentum = .9
)

// JudgeSets learns and judges on the pictures that e embeds.
func (p SGD) JudgeSets(ctx context.Context, pool *par.Pool, e *embed.Embedder, pics Pictures) (Outcome, error) {
	var o Outcome
	if err := p.validate(); err != nil {
		return o, err
	}
	parts, err := pics.Divide(1, len(p.Rates) > 1, p.Seed)
	if err != nil {
		return o, err
	}
	heads, err := p.learn(ctx, pool, e, parts, pics.Workers)
	if err != nil {
		return o, err
	}
	classes := len(pics.Train.Classes)
	choice := Choice{Setting: "lr", Value: p.Rates[0]}
	chosen := heads[0]
	if len(p.Rates) > 1 {
		held, err := Labelled(ctx, e, parts.Select(true), pics.Workers)
		if err != nil {
			return o, err
		}
		choice.HeldOut = held.N
		for i, lr := range p.Rates {
			top1, loss := Accuracy(heads[2*i+1].logits(pool, held), held.Labels, classes)
			choice.Tried = append(choice.Tried, Trial{Value: lr, Top1: top1, Loss: JSONFloat(loss)})
		}
		choice.Value = Best(choice.Tried).Value
		for i, lr := range p.Rates {
			if lr == choice.Value {
				chosen = heads[2*i]
			}
		}
	}
	test, err := Pictures{Train: pics.Train, Test: parts.Test, Workers: pics.Workers}.EmbedTest(ctx, e)
	if err != nil {
		return o, err
	}
	o.JudgedOn, o.Train, o.Choice = parts.JudgedOn, parts.Train.Len(), &choice
	o.Score = ScoreLogits(chosen.logits(pool, test), test.Labels, classes)
	return o, nil
}

func (p SGD) validate() error {
	if len(p.Rates) == 0 || p.Epochs < 1 || p.Batch < 0 {
		return fmt.Errorf("linear probe: rates %v, %d epochs, batches of %d: want at least one of each", p.Rates, p.Epochs, p.Batch)
	}
	for _, lr := range p.Rates {
		if !(lr > 0) {
			return fmt.Errorf("linear probe: learning rate %v: want above 0", lr)
		}
	}
	return nil
}

// probe is a linear classifier that learns.
type probe struct {
	params, grad, momentum []float64 // [classes,D], then [classes]
	loss                   *crossEntropy
	lr                     float64
	full                   bool // learns from held-out pictures too
	x                      []float32
	labels                 []int
	lost                   float64 // mean loss of the last batch
}

func newProbe(d, classes, batch int, seed uint64, lr float64, full bool) *probe {
	h := &probe{lr: lr, full: full, loss: newCrossEntropy(nil, nil, make([]int, batch), d, classes)}
	n := classes * (d + 1)
	h.params, h.grad, h.momentum = make([]float64, n), make([]float64, n), make([]float64, n)
	for _, s := range (nn.Linear{Name: "classifier", In: d, Out: classes, Bias: true}).Specs() {
		for i, v := range nn.Init(s, seed) {
			at := classes*d + i
			if s.Kind == nn.LinearWeight { // [D,classes]
				at = i%classes*d + i/classes
			}
			h.params[at] = float64(v)
		}
	}
	return h
}

// step learns from the rows of a batch.
func (h *probe) step(features []float32, labels []int, held []bool, rate float64) {
	d := h.loss.d
	h.x, h.labels = h.x[:0], h.labels[:0]
	for i, l := range labels {
		if h.full || !held[i] {
			h.x, h.labels = append(h.x, features[i*d:(i+1)*d]...), append(h.labels, l)
		}
	}
	if len(h.labels) == 0 {
		return
	}
	h.loss.take(h.x, h.labels)
	n := float64(len(h.labels))
	h.lost = h.loss.value(h.params, h.grad) / n
	for i, g := range h.grad {
		g /= n
		h.momentum[i] = float64(probeMomentum*h.momentum[i]) + g
		h.params[i] -= float64(rate * (g + float64(probeMomentum*h.momentum[i])))
	}
}

// logits returns those of every row, [N,classes].
func (h *probe) logits(pool *par.Pool, f Features) []float32 {
	return classifier(h.params, f.D, h.loss.k).Logits(pool, f)
}

// learn returns for every rate a probe that saw all training pictures and, if there are
// several rates, one that did not see those that are held out.
func (p SGD) learn(ctx context.Context, pool *par.Pool, e *embed.Embedder, parts Parts, workers int) ([]*probe, error) {
	m := e.Model()
	batch := min(p.Batch, parts.Train.Len())
	if batch == 0 {
		batch = DefaultBatch(parts.Train.Len(), probeBatch)
	}
	views, err := SpatialAugment(parts.Train, m.Meta, p.Crop, p.Flip)
	if err != nil {
		return nil, err
	}
	loader, err := dataset.NewLoader(parts.Train, views, dataset.LoaderConfig{Batch: batch, Seed: p.Seed, Workers: workers})
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var heads []*probe
	for _, lr := range p.Rates {
		lr = optim.ScaleRate(lr, batch)
		heads = append(heads, newProbe(m.Encoder.Features, len(parts.Train.Classes), batch, p.Seed, lr, true))
		if len(p.Rates) > 1 {
			heads = append(heads, newProbe(m.Encoder.Features, len(parts.Train.Classes), batch, p.Seed, lr, false))
		}
	}
	steps := p.Epochs * loader.BatchesPerEpoch()
	labels, held := make([]int, batch), make([]bool, batch)
	lost := 0.0
	for k := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := loader.Next()
		if err != nil {
			return nil, err
		}
		features, err := embedAll(e, b.View1, batch)
		for i := range labels {
			labels[i], held[i] = int(b.Label[i]), parts.Choosing[b.Index[i]]
		}
		b.Release()
		if err != nil {
			return nil, err
		}
		pool.For(len(heads), func(i, _ int) {
			h := heads[i]
			h.step(features, labels, held, optim.Schedule{Peak: h.lr, Steps: steps, Shape: optim.Cosine}.Rate(k))
		})
		lost += heads[0].lost / float64(loader.BatchesPerEpoch())
		if (k+1)%loader.BatchesPerEpoch() == 0 && p.Progress != nil {
			p.Progress((k+1)/loader.BatchesPerEpoch(), lost)
			lost = 0
		}
	}
	return heads, nil
}

// embedAll embeds n pictures in as many batches as it takes.
func embedAll(e *embed.Embedder, pictures []float32, n int) ([]float32, error) {
	each := len(pictures) / n
	var features []float32
	for from := 0; from < n; from += e.Batch() {
		part := min(e.Batch(), n-from)
		f, err := e.Embed(pictures[from*each:(from+part)*each], part)
		if err != nil {
			return nil, err
		}
		features = append(features, f...)
	}
	return features, nil
}
