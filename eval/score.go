package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

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

// UnmarshalJSON reads null as NaN.
func (f *JSONFloat) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = JSONFloat(math.NaN())
		return nil
	}
	_, err := fmt.Sscan(string(text), (*float64)(f))
	return err
}

// ErrNoLabels says that a judgement needs labels which the data does not have.
var ErrNoLabels = errors.New("the data has no labels")

// ErrNotFinite says that an encoder's features hold NaN or infinity.
var ErrNotFinite = errors.New("not finite")

// rank returns the up to five classes with the most votes, the smaller index among equals.
func rank[T float32 | float64](votes []T) []int {
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

// ScoreLogits scores the classes' logits [N,classes] against the labels, all of which
// must be known.
func ScoreLogits(logits []float32, labels []int, classes int) Score {
	ranked := make([][]int, len(labels))
	for i := range ranked {
		ranked[i] = rank(logits[i*classes : (i+1)*classes])
	}
	return score(ranked, labels, classes)
}

// MeanScore returns the mean of several scores on the same pictures, and the sample
// deviation of their top-1 (0 for one). Confusions add up.
func MeanScore(scores []Score) (Score, float64) {
	mean := Score{N: scores[0].N, PerClass: make([]JSONFloat, len(scores[0].PerClass)), Confusion: make([][]int, len(scores[0].Confusion))}
	for c := range mean.Confusion {
		mean.Confusion[c] = make([]int, len(mean.Confusion))
	}
	share := 1 / float64(len(scores))
	for _, s := range scores {
		mean.Top1 += share * s.Top1
		mean.Top5 += share * s.Top5
		for c := range mean.PerClass {
			mean.PerClass[c] += JSONFloat(share) * s.PerClass[c]
			for p, n := range s.Confusion[c] {
				mean.Confusion[c][p] += n
			}
		}
	}
	if len(scores) == 1 {
		return scores[0], 0
	}
	sum := 0.0
	for _, s := range scores {
		sum += (s.Top1 - mean.Top1) * (s.Top1 - mean.Top1)
	}
	return mean, math.Sqrt(sum / float64(len(scores)-1))
}
