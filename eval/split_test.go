package eval

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// uneven are labels of three classes with 50, 20 and 2 pictures, and some without.
func uneven() []int {
	var labels []int
	for c, n := range []int{50, 20, 2} {
		labels = append(append(labels, slices.Repeat([]int{c}, n)...), -1)
	}
	return labels
}

func counts(labels, rows []int) [3]int {
	var n [3]int
	for _, r := range rows {
		n[labels[r]]++
	}
	return n
}

func TestHoldOut(t *testing.T) {
	labels := uneven()
	learn, choose := HoldOut(labels, 3, .2, 1)
	if got := counts(labels, choose); got != [3]int{10, 4, 1} {
		t.Errorf("held out %v of the classes", got)
	}
	both := slices.Concat(learn, choose)
	slices.Sort(both)
	if len(both) != 72 || len(slices.Compact(both)) != 72 {
		t.Errorf("%d rows, want each of the 72 labelled ones once", len(both))
	}
	if _, again := HoldOut(labels, 3, .2, 1); !slices.Equal(choose, again) {
		t.Error("the same seed gives another split")
	}
	if _, other := HoldOut(labels, 3, .2, 2); slices.Equal(choose, other) {
		t.Error("another seed gives the same split")
	}
	if learn, choose := HoldOut([]int{0, 1}, 2, .2, 1); len(choose) != 0 || len(learn) != 2 {
		t.Errorf("of single pictures %v are held out", choose)
	}
}

func TestSubsetIsBalanced(t *testing.T) {
	labels := uneven()
	for share, want := range map[float64][3]int{.25: {6, 6, 2}, .04: {1, 1, 1}, 1: {50, 20, 2}} {
		rows, err := Subset(labels, 3, share, 1)
		if err != nil || counts(labels, rows) != want {
			t.Errorf("share %v: %v of the classes, want %v (%v)", share, counts(labels, rows), want, err)
		}
	}
	a, _ := Subset(labels, 3, .25, 1)
	b, _ := Subset(labels, 3, .25, 2)
	if slices.Equal(a, b) {
		t.Error("another seed gives the same subset")
	}
	if _, err := Subset(labels, 3, .01, 1); err == nil || !strings.Contains(err.Error(), "fewer than one for each of the 3 classes") {
		t.Errorf("too few: %v", err)
	}
	if _, err := Subset(labels, 3, 1.5, 1); err == nil {
		t.Error("a share of 1.5 is accepted")
	}
}

func TestCheckClasses(t *testing.T) {
	classes := []string{"cat", "dog"}
	if err := CheckClasses([]int{-1, 1, 0}, classes); err != nil {
		t.Error(err)
	}
	if err := CheckClasses([]int{-1, 1, 1}, classes); !errors.Is(err, errOneClass) || !strings.Contains(err.Error(), "dog") {
		t.Errorf("one class: %v", err)
	}
	if err := CheckClasses([]int{-1}, classes); !errors.Is(err, ErrNoLabels) {
		t.Errorf("no labels: %v", err)
	}
}

// The sixth best class no longer counts for top-5, and equal logits go to the first.
func TestScoreLogits(t *testing.T) {
	logits := []float32{
		6, 5, 4, 3, 2, 1, 0,
		6, 5, 4, 3, 2, 1, 0,
		1, 1, 1, 1, 1, 1, 1,
	}
	s := ScoreLogits(logits, []int{4, 5, 0}, 7)
	if s.N != 3 || math.Abs(s.Top1-1./3) > 1e-12 || math.Abs(s.Top5-2./3) > 1e-12 || s.Confusion[4][0] != 1 || s.PerClass[0] != 1 || !math.IsNaN(float64(s.PerClass[6])) {
		t.Errorf("%+v", s)
	}
}

func TestMeanScore(t *testing.T) {
	one := ScoreLogits([]float32{1, 0, 1, 0}, []int{0, 1}, 2)
	two := ScoreLogits([]float32{1, 0, 0, 1}, []int{0, 1}, 2)
	mean, deviation := MeanScore([]Score{one, two})
	if mean.Top1 != .75 || math.Abs(deviation-math.Sqrt(.125)) > 1e-12 || mean.PerClass[1] != .5 || !reflect.DeepEqual(mean.Confusion, [][]int{{2, 0}, {1, 1}}) {
		t.Errorf("%+v, deviation %v", mean, deviation)
	}
	if same, d := MeanScore([]Score{two}); !reflect.DeepEqual(same, two) || d != 0 {
		t.Errorf("of one: %+v, %v", same, d)
	}
}

func TestDefaultBatch(t *testing.T) {
	for pictures, want := range map[int]int{5: 5, 30: 16, 800: 64, 12800: 1024, 1e6: 1024} {
		if got := DefaultBatch(pictures, 1024); got != want {
			t.Errorf("%d pictures: batch %d, want %d", pictures, got, want)
		}
	}
}
