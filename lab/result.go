package lab

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
)

// Result is what came of one run. Accuracies are fractions; NaN is not measured.
type Result struct {
	Cell      string
	Seed      int
	Keys      [][2]string // set by the cell
	Published *float64

	KNNStart, KNN       float64 // of the random weights, and in the end
	LinearStart, Linear float64 // the same of logistic regression on frozen features

	// Means over the last epoch.
	Loss, TargetStd, Rank, CosPositive, CosNegative float64

	Verdict string  // the run's own, or "diverged"
	Seconds float64 // in steps

	start, end float64 // the accuracies that claims are about
}

// note is lab.json: it stands in a run's folder when the laboratory is done with the run.
type note struct {
	LinearStart *float64 `json:"linear_start,omitempty"` // top-1
	Linear      *float64 `json:"linear_end,omitempty"`
	Diverged    string   `json:"diverged,omitempty"` // the error that ended the run
}

func noteOf(f run.Folder) string { return filepath.Join(string(f), "lab.json") }

// readNote reports whether the laboratory is done with a run.
func readNote(f run.Folder) (n note, done bool, err error) {
	text, err := os.ReadFile(noteOf(f))
	if errors.Is(err, fs.ErrNotExist) {
		return n, false, nil
	} else if err != nil {
		return n, false, err
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return n, false, fmt.Errorf("%s: %w: remove the run's folder to repeat it", noteOf(f), err)
	}
	return n, true, nil
}

func (n note) write(f run.Folder) error {
	return atomicfile.Write(noteOf(f), func(w io.Writer) error { return json.NewEncoder(w).Encode(n) })
}

// read fills in what the folder of a finished run tells.
func (r *Result) read(f run.Folder, n note) error {
	for _, v := range []*float64{&r.KNNStart, &r.KNN, &r.LinearStart, &r.Linear, &r.Loss, &r.TargetStd, &r.Rank, &r.CosPositive, &r.CosNegative} {
		*v = math.NaN()
	}
	if n.Linear != nil && n.LinearStart != nil {
		r.LinearStart, r.Linear = *n.LinearStart, *n.Linear
	}
	epochs, err := run.ReadEpochs(f.Metrics())
	if err != nil {
		return err
	}
	for _, e := range epochs {
		r.Seconds += e.Seconds
		if e.KNN == nil {
			continue
		}
		if e.Epoch == 0 {
			r.KNNStart = float64(*e.KNN)
		}
		r.KNN = float64(*e.KNN)
	}
	if len(epochs) > 0 {
		last := epochs[len(epochs)-1]
		for to, from := range map[*float64]*run.Number{&r.Loss: last.Loss, &r.TargetStd: last.TargetStd, &r.Rank: last.Rank} {
			if from != nil {
				*to = float64(*from)
			}
		}
		if r.CosPositive, r.CosNegative, err = lastCosines(f, last.Epoch); err != nil {
			return err
		}
	}
	if r.Verdict, err = lastVerdict(f); err != nil {
		return err
	}
	if n.Diverged != "" {
		// What it had learnt before says nothing about where it ended.
		r.Verdict, r.KNN, r.Linear = "diverged", math.NaN(), math.NaN()
	}
	return nil
}

// judgeBy chooses the accuracies that claims are about.
func (r *Result) judgeBy(measure string) {
	r.start, r.end = r.LinearStart, r.Linear
	if measure == byKNN {
		r.start, r.end = r.KNNStart, r.KNN
	}
}

// line says what came out.
func (r Result) line() string {
	percent := func(v float64) string {
		if math.IsNaN(v) {
			return "not measured"
		}
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	text := fmt.Sprintf("linear %s (random weights %s), kNN %s (%s), loss %.4f, spread %.2f, rank %.1f", percent(r.Linear), percent(r.LinearStart),
		percent(r.KNN), percent(r.KNNStart), r.Loss, r.TargetStd, r.Rank)
	if r.Verdict != "" {
		text += ", " + r.Verdict
	}
	return text
}

// lastCosines are the means over the measured steps of an epoch.
func lastCosines(f run.Folder, epoch int) (positive, negative float64, err error) {
	steps, err := run.ReadSteps(f.Metrics())
	n := 0.0
	for _, s := range steps {
		if s.Epoch == epoch {
			positive, negative, n = positive+float64(s.CosPositive), negative+float64(s.CosNegative), n+1
		}
	}
	return positive / n, negative / n, err // NaN if there is none
}

// lastVerdict is what the run said about itself last.
func lastVerdict(f run.Folder) (string, error) {
	text, err := os.ReadFile(f.Metrics())
	if err != nil {
		return "", err
	}
	last := ""
	for line := range strings.Lines(string(text)) {
		var e run.VerdictEvent
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == "verdict" {
			last = e.Verdict
		}
	}
	return last, nil
}

// columns of results.csv.
var columns = []string{"experiment", "cell", "seed", "keys", "knn_start", "knn_end", "linear_start", "linear_end", "loss", "target_std", "rank",
	"cos_positive", "cos_negative", "verdict", "published", "seconds"}

// writeCSV writes results.csv, a line per finished run.
func writeCSV(path, experiment string, results []Result) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write(columns)
		for _, r := range results {
			published := ""
			if r.Published != nil {
				published = strconv.FormatFloat(*r.Published, 'f', -1, 64)
			}
			out.Write([]string{experiment, r.Cell, strconv.Itoa(r.Seed), keysText(r.Keys),
				field(r.KNNStart, 4), field(r.KNN, 4), field(r.LinearStart, 4), field(r.Linear, 4), field(r.Loss, 5), field(r.TargetStd, 4), field(r.Rank, 2),
				field(r.CosPositive, 4), field(r.CosNegative, 4), r.Verdict, published, field(r.Seconds, 1)})
		}
		out.Flush()
		return out.Error()
	})
}

// field writes a number; empty if there is none.
func field(v float64, digits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// keysText writes keys as --set takes them.
func keysText(keys [][2]string) string {
	parts := make([]string, len(keys))
	for i, kv := range keys {
		parts[i] = kv[0] + "=" + kv[1]
	}
	return strings.Join(parts, " ")
}
