package eval

import (
	"errors"
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

// Score says how well predicted classes fit the true ones.
type Score struct {
	N         int         `json:"n"`         // pictures judged
	Top1      float64     `json:"top1"`      // fraction
	Top5      float64     `json:"top5"`      // fraction whose class is among the five best; 1 with up to five classes
	PerClass  []JSONFloat `json:"per_class"` // top-1 of each class's pictures, null for a class without any
	Confusion [][]int     `json:"confusion"` // [true class][predicted class]
}

// JSONFloat is a float64 whose JSON is null if it is NaN.
type JSONFloat float64

// MarshalJSON writes null for NaN.
func (f JSONFloat) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%g", float64(f)), nil
}

// ErrNoLabels says that a judgement needs labels which the data does not have.
var ErrNoLabels = errors.New("the data has no labels")

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
	var keep []int
	for i, l := range f.Labels {
		if l >= 0 {
			keep = append(keep, i)
		}
	}
	if len(keep) == 0 {
		return f, ErrNoLabels
	}
	f, err := f.Normalized()
	if err != nil || len(keep) == f.N {
		return f, err
	}
	out := Features{N: len(keep), D: f.D}
	for _, i := range keep {
		out.X = append(out.X, f.X[i*f.D:(i+1)*f.D]...)
		out.Labels = append(out.Labels, f.Labels[i])
	}
	return out, nil
}

// votes adds up the weights of each class's neighbours.
func (p KNN) votes(near []Neighbour, labels []int, classes int) []float64 {
	v := make([]float64, classes)
	for _, n := range near {
		v[labels[n.Index]] += math.Exp(float64(n.Cosine) / p.Temperature)
	}
	return v
}

// rank returns the up to five classes with the most votes, the smaller index among equals.
func rank(votes []float64) []int {
	classes := make([]int, len(votes))
	for c := range classes {
		classes[c] = c
	}
	slices.SortStableFunc(classes, func(a, b int) int {
		switch {
		case votes[a] > votes[b]:
			return -1
		case votes[a] < votes[b]:
			return 1
		}
		return 0
	})
	return classes[:min(5, len(classes))]
}

// score compares the ranked classes of every picture with the true one.
func score(ranked [][]int, labels []int, classes int) Score {
	s := Score{N: len(ranked), PerClass: make([]JSONFloat, classes), Confusion: make([][]int, classes)}
	for c := range s.Confusion {
		s.Confusion[c] = make([]int, classes)
	}
	top1, top5 := 0, 0
	for i, r := range ranked {
		s.Confusion[labels[i]][r[0]]++
		if r[0] == labels[i] {
			top1++
		}
		if slices.Contains(r, labels[i]) {
			top5++
		}
	}
	for c, row := range s.Confusion {
		n := 0
		for _, v := range row {
			n += v
		}
		s.PerClass[c] = JSONFloat(math.NaN())
		if n > 0 {
			s.PerClass[c] = JSONFloat(float64(row[c]) / float64(n))
		}
	}
	s.Top1, s.Top5 = float64(top1)/float64(s.N), float64(top5)/float64(s.N)
	return s
}
