package eval

import (
	"context"
	"fmt"

	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/kernel/par"
)

// KNNReport is the judgement of an encoder by its nearest neighbours.
type KNNReport struct {
	Protocol    string  `json:"protocol"` // "knn"
	Bank        int     `json:"bank"`     // labelled pictures that neighbours are taken from
	K           int     `json:"k"`
	Temperature float64 `json:"temperature"`
	LeaveOneOut bool    `json:"leave_one_out"` // the bank judges itself: there is no test data
	Score
	K20     float64  `json:"top1_k20"` // top-1 with 20 neighbours
	Classes []string `json:"classes"`
	Random  *Score   `json:"random,omitempty"` // the same for an encoder before training
}

// Labelled embeds the readable pictures of a set, with their labels.
func Labelled(ctx context.Context, e *embed.Embedder, set *dataset.Set, workers int) (Features, error) {
	v, err := e.Set(ctx, set, workers)
	if err != nil {
		return Features{}, err
	}
	f := Features{X: v.X, N: v.N, D: v.D, Labels: make([]int, v.N)}
	for i, index := range v.Index {
		f.Labels[i] = set.Label(index)
	}
	return f, nil
}

// JudgeSets embeds bank and test pictures and scores the encoder. A nil test set means
// leave-one-out. The sets' classes must agree.
func (p KNN) JudgeSets(ctx context.Context, pool *par.Pool, e *embed.Embedder, bank, test *dataset.Set, workers int) (KNNReport, error) {
	r := KNNReport{Protocol: "knn", Temperature: p.Temperature, LeaveOneOut: test == nil, Classes: bank.Classes}
	if !bank.HasLabels() || test != nil && !test.HasLabels() {
		return r, ErrNoLabels
	}
	b, err := Labelled(ctx, e, bank, workers)
	if err != nil {
		return r, err
	}
	var q *Features
	if test != nil {
		f, err := Labelled(ctx, e, test, workers)
		if err != nil {
			return r, err
		}
		if err := matchLabels(f.Labels, bank.Classes, test.Classes); err != nil {
			return r, err
		}
		q = &f
	}
	scores, err := p.Judge(pool, b, q, len(bank.Classes), p.K, 20)
	if err != nil {
		return r, err
	}
	r.Bank = b.N
	r.K, r.Score, r.K20 = max(1, min(p.K, b.N/2)), scores[0], scores[1].Top1
	return r, nil
}

// matchLabels renumbers a test set's labels by the names of the bank's classes, in place.
func matchLabels(labels []int, bank, test []string) error {
	number := map[string]int{}
	for i, c := range bank {
		number[c] = i
	}
	for i, l := range labels {
		if l < 0 {
			continue
		}
		n, ok := number[test[l]]
		if !ok {
			return fmt.Errorf("class %q of the test data does not occur in the training data", test[l])
		}
		labels[i] = n
	}
	return nil
}
