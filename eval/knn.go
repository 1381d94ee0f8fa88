package eval

import (
	"fmt"
	"math"
	"slices"

	"github.com/byol-go/byol/internal/kernel/par"
)

// KNN is the weighted nearest-neighbour protocol (Wu et al. 2018, arXiv 1805.01978, with
// the values of RECIPES): cosine similarity s, weight exp(s/Temperature).
type KNN struct {
	K           int // neighbours, at most half the bank
	Temperature float64
}

// Judge classifies every labelled row of query by its neighbours among the labelled rows
// of bank, once for each k, which is cut to half the bank. A nil query means
// leave-one-out on the bank. Classes is the number of classes.
func (p KNN) Judge(pool *par.Pool, bank Features, query *Features, classes int, ks ...int) ([]Score, error) {
	bank, err := labelled(bank)
	if err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	q := bank
	if query != nil {
		if q, err = labelled(*query); err != nil {
			return nil, fmt.Errorf("test data: %w", err)
		}
		if q.D != bank.D {
			return nil, fmt.Errorf("bank has features of width %d, test data of %d", bank.D, q.D)
		}
	}
	if bank.N < 2 {
		return nil, fmt.Errorf("a bank of %d labelled picture is too small for neighbours", bank.N)
	}
	ks = slices.Clone(ks)
	for i := range ks {
		ks[i] = max(1, min(ks[i], bank.N/2))
	}
	if !(p.Temperature > 0) || len(ks) == 0 {
		return nil, fmt.Errorf("knn: temperature %v, neighbours %v: want both above 0", p.Temperature, ks)
	}
	near := Neighbours(pool, bank, q, slices.Max(ks), query == nil)
	scores := make([]Score, len(ks))
	for i, k := range ks {
		ranked := make([][]int, q.N)
		pool.For(q.N, func(r, _ int) {
			ranked[r] = rank(p.votes(near[r][:min(k, len(near[r]))], bank.Labels, classes))
		})
		scores[i] = score(ranked, q.Labels, classes)
	}
	return scores, nil
}

// labelled returns the normalised rows that have a label.
func labelled(f Features) (Features, error) {
	f, err := f.Known()
	if err != nil {
		return f, err
	}
	return f.Normalized()
}

// votes adds up the weights of each class's neighbours.
func (p KNN) votes(near []Neighbour, labels []int, classes int) []float64 {
	v := make([]float64, classes)
	for _, n := range near {
		v[labels[n.Index]] += math.Exp(float64(n.Cosine) / p.Temperature)
	}
	return v
}
