package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/kernel/par"
)

// What an encoder is judged on (Outcome.JudgedOn).
const (
	OnTest      = "test"          // the test pictures
	LeaveOneOut = "leave-one-out" // the training pictures, each by all others
	OnHeldOut   = "held-out"      // training pictures set aside, for want of test pictures
)

// Outcome is the judgement of one encoder with one seed.
type Outcome struct {
	Score
	JudgedOn string   `json:"judged_on"`
	Train    int      `json:"train"`              // labelled pictures that were learnt from
	K20      *float64 `json:"top1_k20,omitempty"` // kNN: top-1 with 20 neighbours
	K        int      `json:"k,omitempty"`        // kNN: neighbours
	Choice   *Choice  `json:"choice,omitempty"`   // of the setting that a protocol chooses
}

// Pictures are those of a judgement.
type Pictures struct {
	Train   *dataset.Set
	Test    *dataset.Set // nil: none
	Workers int          // that load, 0: one per processor
}

// Check returns an error unless both sets have labels, the training set at least two
// classes, and the test set none that the training set lacks.
func (p Pictures) Check() error {
	if !p.Train.HasLabels() {
		return noLabelsError{p.Train.Spec}
	}
	if err := CheckClasses(labelsOf(p.Train), p.Train.Classes); err != nil {
		return fmt.Errorf("data %s: %w", p.Train.Spec, err)
	}
	if p.Test == nil {
		return nil
	}
	if !p.Test.HasLabels() {
		return noLabelsError{p.Test.Spec}
	}
	return matchLabels(labelsOf(p.Test), p.Train.Classes, p.Test.Classes)
}

// MissingClasses names the training classes of which the test set has no picture.
func (p Pictures) MissingClasses() []string {
	if p.Test == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, l := range labelsOf(p.Test) {
		if l >= 0 {
			seen[p.Test.Classes[l]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.Train.Classes), func(c string) bool { return seen[c] })
}

// Unlabelled counts the pictures of each set whose class is not known, or is none of the
// training pictures': they are left out.
func (p Pictures) Unlabelled() (train, test int) {
	count := func(set *dataset.Set) (n int) {
		for i := range set.Len() {
			if set.Label(i) < 0 {
				n++
			}
		}
		return n
	}
	if train = count(p.Train); p.Test != nil {
		test = count(p.Test)
	}
	return train, test
}

// noLabelsError is ErrNoLabels of named data.
type noLabelsError struct{ spec string }

func (e noLabelsError) Error() string { return fmt.Sprintf("data %s: %v", e.spec, ErrNoLabels) }
func (e noLabelsError) Unwrap() error { return ErrNoLabels }

// Hint says what remains without labels.
func (e noLabelsError) Hint() string {
	return "knn, linear and finetune all need the class of every training picture: put the pictures of each class into a folder of its own (one class alone counts as none), or give a CSV with path,label; " +
		"if only the test pictures lack labels, leave --test out; without any labels, byol report shows rank, spread and nearest neighbours"
}

// labelsOf returns the labels of a set.
func labelsOf(set *dataset.Set) []int {
	labels := make([]int, set.Len())
	for i := range labels {
		labels[i] = set.Label(i)
	}
	return labels
}

// Labelled embeds the readable pictures of a set, with their labels. Features that are
// not finite are an error that names the picture.
func Labelled(ctx context.Context, e *embed.Embedder, set *dataset.Set, workers int) (Features, error) {
	v, err := e.Set(ctx, set, workers)
	if err != nil {
		return Features{}, err
	}
	f := Features{X: v.X, N: v.N, D: v.D, Labels: make([]int, v.N)}
	for i, index := range v.Index {
		f.Labels[i] = set.Label(index)
		if slices.ContainsFunc(f.row(i), func(x float32) bool { return x-x != 0 }) {
			return f, fmt.Errorf("the encoder gives features for %s that are %w: its training has diverged, or its weights are damaged", v.Names[i], ErrNotFinite)
		}
	}
	return f, nil
}

// Embed returns the features of both sets, the test set's labels renumbered as the
// training set's; nil if there is no test set.
func (p Pictures) Embed(ctx context.Context, e *embed.Embedder) (train Features, test *Features, err error) {
	if err := p.Check(); err != nil {
		return train, nil, err
	}
	if train, err = Labelled(ctx, e, p.Train, p.Workers); err != nil || p.Test == nil {
		return train, nil, err
	}
	f, err := p.EmbedTest(ctx, e)
	return train, &f, err
}

// EmbedTest returns the features of the labelled test pictures, their labels renumbered
// as the training set's.
func (p Pictures) EmbedTest(ctx context.Context, e *embed.Embedder) (Features, error) {
	f, err := Labelled(ctx, e, p.Test, p.Workers)
	if err != nil {
		return f, err
	}
	if f, err = f.Known(); err != nil {
		return f, noLabelsError{p.Test.Spec}
	}
	return f, matchLabels(f.Labels, p.Train.Classes, p.Test.Classes)
}

// JudgeSets embeds bank and test pictures and scores the encoder. A nil test set means
// leave-one-out.
func (p KNN) JudgeSets(ctx context.Context, pool *par.Pool, e *embed.Embedder, bank, test *dataset.Set, workers int) (Outcome, error) {
	b, q, err := Pictures{Train: bank, Test: test, Workers: workers}.Embed(ctx, e)
	if err != nil {
		return Outcome{}, err
	}
	return p.JudgeFeatures(pool, b, q, len(bank.Classes))
}

// JudgeFeatures scores features, of the test pictures or, if nil, leave-one-out, with K
// and with 20 neighbours.
func (p KNN) JudgeFeatures(pool *par.Pool, bank Features, test *Features, classes int) (Outcome, error) {
	scores, err := p.Judge(pool, bank, test, classes, p.K, 20)
	if err != nil {
		return Outcome{}, err
	}
	known, err := bank.Known()
	o := Outcome{Score: scores[0], JudgedOn: OnTest, Train: known.N, K20: &scores[1].Top1, K: max(1, min(p.K, known.N/2))}
	if test == nil {
		o.JudgedOn = LeaveOneOut
	}
	return o, err
}

// JudgeFeatures fits the training features and scores the test features or, if there are
// none, a part of the training features that is set aside.
func (p Logistic) JudgeFeatures(pool *par.Pool, train Features, test *Features, classes int) (Outcome, error) {
	o := Outcome{JudgedOn: OnTest}
	train, err := train.Known()
	if err != nil {
		return o, err
	}
	if test == nil {
		learn, aside := setAside(train.Labels, classes, p.Seed)
		if len(aside) == 0 {
			return o, errNoneToSetAside
		}
		held := train.Rows(aside)
		train, test, o.JudgedOn = train.Rows(learn), &held, OnHeldOut
	}
	known, err := test.Known()
	if err != nil {
		return o, fmt.Errorf("test data: %w", err)
	}
	if err := known.check(); err != nil {
		return o, fmt.Errorf("test data: %w", err)
	}
	if known.D != train.D {
		return o, fmt.Errorf("training features of width %d, test features of %d", train.D, known.D)
	}
	c, choice, err := p.Fit(pool, train, classes)
	if err != nil {
		return o, err
	}
	o.Train, o.Choice = train.N, &choice
	o.Score = ScoreLogits(c.Logits(pool, known), known.Labels, classes)
	return o, nil
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
