package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// event is a line of metrics.jsonl; what its kind does not have stays nil or zero.
type event struct {
	Event       string   `json:"event"`
	Step        *int     `json:"step"`
	Epoch       int      `json:"epoch"`
	FromStep    int      `json:"from_step"`
	Loss        *float64 `json:"loss"`
	LR          *float64 `json:"lr"`
	Tau         *float64 `json:"tau"`
	TargetStd   *float64 `json:"target_std"`
	Rank        *float64 `json:"rank"`
	CosPositive *float64 `json:"cos_positive"`
	CosNegative *float64 `json:"cos_negative"`
	Accuracy    *float64 `json:"accuracy"`
	GradNorm    *float64 `json:"grad_norm"`
	ImagesPerS  *float64 `json:"images_per_s"`
	KNN         *float64 `json:"knn_top1"`
	Seconds     float64  `json:"seconds"`
	health
	verdict
}

// health is what is measured of representation, weights and views; see run.Health.
type health struct {
	FeatureStd      *float64 `json:"feature_std"`
	FeatureRank     *float64 `json:"feature_rank"`
	Match           *float64 `json:"match"`
	FeatureMatch    *float64 `json:"feature_match"`
	Alignment       *float64 `json:"alignment"`
	Uniformity      *float64 `json:"uniformity"`
	TargetDistance  *float64 `json:"target_distance"`
	EncoderUpdate   *float64 `json:"encoder_update"`
	PredictorUpdate *float64 `json:"predictor_update"`
}

// verdict is what the training says of itself: is it learning, since when not, and why.
type verdict struct {
	Verdict   string `json:"verdict"`
	SinceStep int    `json:"since_step"`
	Cause     words  `json:"cause"`
	Evidence  words  `json:"evidence"`
	Advice    words  `json:"advice"`
}

// words is text that may have been written as a string, a list or an object.
type words string

// UnmarshalJSON puts the parts of lists and objects behind each other.
func (w *words) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*w = ""
	case string:
		*w = words(v)
	case []any:
		parts := make([]string, len(v))
		for i, p := range v {
			parts[i] = fmt.Sprint(p)
		}
		*w = words(strings.Join(parts, "; "))
	case map[string]any:
		pairs := strings.Trim(string(text), "{} \n")
		*w = words(strings.NewReplacer(`"`, "", ":", " ", ",", ", ").Replace(pairs))
	default:
		*w = words(fmt.Sprint(v))
	}
	return nil
}

// history is what a metrics.jsonl has told so far. It is read as the file grows.
type history struct {
	steps    []event
	epochs   []event // ascending; the last one of each epoch
	verdicts []event
	resumes  []int // steps from which the run went on
	done     bool

	file   os.FileInfo // that was read last
	offset int64       // behind the last whole line
}

// read takes in the lines that are new since the last call and reports whether there were
// any. A last line without its end is left for later; a file that became shorter or
// another one, as after a resume, is read from the beginning. No file is no error.
func (h *history) read(path string) (grew bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		grew = h.offset > 0
		*h = history{}
		return grew, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if h.file != nil && (!os.SameFile(h.file, info) || info.Size() < h.offset) {
		*h, grew = history{}, true
	}
	h.file = info
	if info.Size() == h.offset {
		return grew, nil
	}
	text, err := io.ReadAll(io.NewSectionReader(f, h.offset, info.Size()-h.offset))
	if err != nil {
		return grew, err
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	h.offset += int64(end)
	for line := range bytes.Lines(text[:end]) {
		var e event
		if json.Unmarshal(line, &e) == nil { // a broken line says nothing
			h.add(e)
		}
	}
	return grew || end > 0, nil
}

// add takes in one event. A step or an epoch that comes again replaces what was told
// from there on.
func (h *history) add(e event) {
	switch e.Event {
	case "step":
		if e.Step == nil {
			return
		}
		for n := len(h.steps); n > 0 && *h.steps[n-1].Step >= *e.Step; n-- {
			h.steps = h.steps[:n-1]
		}
		h.steps = append(h.steps, e)
	case "epoch":
		if e.Step == nil {
			return
		}
		for n := len(h.epochs); n > 0 && h.epochs[n-1].Epoch >= e.Epoch; n-- {
			h.epochs = h.epochs[:n-1]
		}
		h.epochs = append(h.epochs, e)
	case "verdict":
		h.verdicts = append(h.verdicts, e)
	case "resume":
		h.resumes = append(h.resumes, e.FromStep)
	case "done":
		h.done = true
	}
}

// lastStep returns the newest step that was told of.
func (h *history) lastStep() int {
	last := 0
	if n := len(h.steps); n > 0 {
		last = *h.steps[n-1].Step
	}
	if n := len(h.epochs); n > 0 {
		last = max(last, *h.epochs[n-1].Step)
	}
	return last
}

// seconds returns the time of the finished epochs.
func (h *history) seconds() float64 {
	sum := 0.0
	for _, e := range h.epochs {
		sum += e.Seconds
	}
	return sum
}

// knn returns the accuracy of the random encoder and the latest one; nil where unknown.
func (h *history) knn() (first, last *float64) {
	for _, e := range h.epochs {
		if e.KNN == nil {
			continue
		}
		if e.Epoch == 0 {
			first = e.KNN
		}
		last = e.KNN
	}
	return first, last
}
