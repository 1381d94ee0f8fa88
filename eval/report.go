package eval

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
)

// Report is the judgement of an encoder by one protocol, beside others. Its JSON is what
// byol eval prints and leaves in a run's folder.
type Report struct {
	Protocol string  `json:"protocol"`          // knn, linear or finetune
	Variant  string  `json:"variant,omitempty"` // of linear: lbfgs or sgd
	Model    string  `json:"model"`
	Data     string  `json:"data"`
	Test     string  `json:"test,omitempty"`
	Labels   float64 `json:"labels,omitempty"` // finetune: share of the labels
	Compared
	Random     *Compared `json:"random,omitempty"`     // the same for encoders before training
	Supervised *Compared `json:"supervised,omitempty"` // the same for an encoder trained with labels
	Classes    []string  `json:"classes"`
}

// Compared is the judgement of one kind of encoder over one or several seeds: scores are
// means, confusions sums, the other details those of the first seed.
type Compared struct {
	Outcome
	Top1Std *float64  `json:"top1_std,omitempty"` // sample deviation over the seeds, if several
	Seeds   []float64 `json:"seeds_top1,omitempty"`
}

// Judge judges an encoder by a protocol with a seed.
type Judge func(m *embed.Model, seed uint64) (Outcome, error)

// Compare judges a model, an encoder with random weights of each seed if random is set,
// and a supervised one unless it is nil.
func Compare(model, supervised *embed.Model, random bool, seeds []uint64, judge Judge) (Report, error) {
	var r Report
	fixed := func(m *embed.Model) func(uint64) (*embed.Model, error) {
		return func(uint64) (*embed.Model, error) { return m, nil }
	}
	c, err := over(seeds, judge, fixed(model))
	if err != nil {
		return r, err
	}
	r.Compared = *c
	if random {
		r.Random, err = over(seeds, judge, func(seed uint64) (*embed.Model, error) { return embed.Random(model.Meta, seed) })
		if err != nil {
			return r, err
		}
	}
	if supervised != nil {
		r.Supervised, err = over(seeds, judge, fixed(supervised))
	}
	return r, err
}

// over judges with every seed.
func over(seeds []uint64, judge Judge, model func(seed uint64) (*embed.Model, error)) (*Compared, error) {
	var c Compared
	var scores []Score
	for i, seed := range seeds {
		m, err := model(seed)
		if err != nil {
			return nil, err
		}
		o, err := judge(m, seed)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.Outcome = o
		}
		scores = append(scores, o.Score)
	}
	mean, deviation := MeanScore(scores)
	c.Score = mean
	if len(seeds) > 1 {
		c.Top1Std = &deviation
		for _, s := range scores {
			c.Seeds = append(c.Seeds, s.Top1)
		}
	}
	return &c, nil
}

// Save writes the report to eval-PROTOCOL.json in a run's folder.
func (r Report) Save(f run.Folder) error {
	return atomicfile.Write(filepath.Join(string(f), "eval-"+r.Protocol+".json"), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(r)
	})
}
