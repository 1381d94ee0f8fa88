package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/byol-go/byol/internal/atomicfile"
)

// StepEvent is a line of metrics.jsonl after the first step, the last, and every
// train.log_every steps. Means are over the
// steps since the event before.
type StepEvent struct {
	Event       string  `json:"event"` // "step"
	Step        int     `json:"step"`  // optimiser steps done
	Epoch       int     `json:"epoch"` // that the step belongs to, from 1
	Loss        Number  `json:"loss"`  // of this step: 0 to 8 for BYOL, -1 to 1 for SimSiam
	LR          float64 `json:"lr"`
	Tau         float64 `json:"tau"`
	TargetStd   Number  `json:"target_std"`         // see EpochEvent
	Rank        Number  `json:"rank"`               // effective rank of the step's target projections
	CosPositive Number  `json:"cos_positive"`       // mean cosine of the target projections of the two views of a picture
	CosNegative Number  `json:"cos_negative"`       // mean cosine of the target projections of different pictures
	Accuracy    *Number `json:"accuracy,omitempty"` // share of the step's labelled views classified right, of supervised
	GradNorm    Number  `json:"grad_norm"`          // Euclidean norm of the gradient over all online parameters
	ImagesPerS  float64 `json:"images_per_s"`       // since the event before
	*Health             // nil in the runs of versions that did not measure it
}

// Health is what a step event tells of the step's batch, representation and weights without
// looking at labels; the verdict rests on it. Projections are the target's as in target_std,
// features the online encoder's, in the mode of training; weights are those before the step,
// of which it computes everything else. Where gradients are accumulated,
// batch and vectors are the last micro-batch's. What a method does not have is null.
type Health struct {
	CosGap     Number `json:"cos_gap"`    // cos_positive − cos_negative, mean over the steps since the event before: what tells pictures apart
	TopShare   Number `json:"top_share"`  // of the projections' variance, in its largest direction: 1 is a line
	Alignment  Number `json:"alignment"`  // mean squared distance of the normalised projections of a picture's views (Wang and Isola 2020): 0 to 4
	Uniformity Number `json:"uniformity"` // ln of the mean of exp(−2 · squared distance) over the normalised projections of different pictures: 0 collapsed, about −4 spread out

	FeatureStd         Number `json:"feature_std"`          // target_std, of features
	FeatureRank        Number `json:"feature_rank"`         // RankMe: rank, of features
	FeatureTopShare    Number `json:"feature_top_share"`    // top_share, of features
	FeatureCosPositive Number `json:"feature_cos_positive"` // cos_positive, of features
	FeatureCosNegative Number `json:"feature_cos_negative"` // cos_negative, of features
	FeatureMatch       Number `json:"feature_match"`        // share of views whose most similar among the other views, by centred features, is of the same picture
	Match              Number `json:"match"`                // the same, by projections
	MatchOf            int    `json:"match_of"`             // among how many pictures

	TargetDistance  Number `json:"target_distance"`  // ‖θ−ξ‖/‖θ‖ over the weights that the target follows
	EncoderNorm     Number `json:"encoder_norm"`     // Euclidean norm of the weights of convolutions and linear layers
	ProjectorNorm   Number `json:"projector_norm"`   //
	PredictorNorm   Number `json:"predictor_norm"`   // of supervised: of the classifier
	EncoderUpdate   Number `json:"encoder_update"`   // length of this step's change of the weights over their norm, from a sample of them
	ProjectorUpdate Number `json:"projector_update"` //
	PredictorUpdate Number `json:"predictor_update"` //
	EncoderGrad     Number `json:"encoder_grad"`     // norm of the gradient over all parameters of the part
	ProjectorGrad   Number `json:"projector_grad"`   //
	PredictorGrad   Number `json:"predictor_grad"`   //

	ViewDifference    Number `json:"view_difference"`    // root mean squared difference of the pixels of a picture's two views, as the network sees them
	PictureDifference Number `json:"picture_difference"` // the same, of views of different pictures
	Detail            Number `json:"detail"`             // deviation of pixels within a view, over its channels' means
}

// VerdictEvent is a line of metrics.jsonl whenever what the run says about itself changes:
// "healthy", "dimensional collapse", "full collapse", "diverging" or "not learning". A run
// that ends before it can tell says "too early" at its end.
type VerdictEvent struct {
	Event     string `json:"event"` // "verdict"
	Step      int    `json:"step"`  // at which it was given
	Verdict   string `json:"verdict"`
	SinceStep int    `json:"since_step"` // of the first measurement that spoke for it; 0: from the start
	Cause     string `json:"cause"`      // the likely one, in words; empty for healthy
	Evidence  string `json:"evidence"`   // what was measured, in words
	Advice    string `json:"advice"`     // which key to change to what; empty for healthy
}

// EpochEvent is a line of metrics.jsonl after every epoch, and for epoch 0 before
// training, where only the kNN accuracy of the random encoder is known.
type EpochEvent struct {
	Event     string  `json:"event"` // "epoch"
	Epoch     int     `json:"epoch"`
	Step      int     `json:"step"`
	Loss      *Number `json:"loss,omitempty"`       // mean over the epoch's steps
	TargetStd *Number `json:"target_std,omitempty"` // mean over steps and channels of the deviation (n-1) of view 1's L2-normalised target projections, times √d: 1 is healthy, 0 collapsed
	Rank      *Number `json:"rank,omitempty"`       // exp of the entropy of the normalised singular values, mean over the epoch's measured steps
	Accuracy  *Number `json:"accuracy,omitempty"`   // mean of the steps', on the augmented training pictures
	KNN       *Number `json:"knn_top1,omitempty"`   // a fraction, on the test pictures or leave-one-out
	Seconds   float64 `json:"seconds"`              // of this epoch, evaluation left out
}

// ResumeEvent is a line of metrics.jsonl where a run goes on.
type ResumeEvent struct {
	Event    string `json:"event"` // "resume"
	Step     int    `json:"step"`
	FromStep int    `json:"from_step"`
}

// Number is a float64 whose JSON is null if it is not finite.
type Number float64

// MarshalJSON writes null for what JSON cannot say.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// Metrics appends events to metrics.jsonl, each a line written at once.
type Metrics struct{ file *os.File }

// OpenMetrics opens or creates the file for appending.
func OpenMetrics(path string) (*Metrics, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &Metrics{f}, nil
}

// Write appends one event.
func (m *Metrics) Write(event any) error {
	line, err := json.Marshal(event)
	if err != nil {
		return err
	}
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// Sync makes what was written durable; a checkpoint that follows may then count on it.
func (m *Metrics) Sync() error { return m.file.Sync() }

// Close closes the file.
func (m *Metrics) Close() error { return m.file.Close() }

// CutMetrics removes the lines of steps after the given one, and a last line that was
// only half written, so that a resumed run writes them anew. A missing file is no error.
func CutMetrics(path string, step int) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(text) {
		var at struct {
			Step *int `json:"step"`
		}
		if err := json.Unmarshal(line, &at); err == nil && at.Step != nil && *at.Step <= step && line[len(line)-1] == '\n' {
			kept.Write(line)
		}
	}
	if kept.Len() == len(text) {
		return nil
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(kept.Bytes())
		return err
	})
}

// ReadEpochs reads the epoch events of a metrics.jsonl, the last one of each epoch.
func ReadEpochs(path string) ([]EpochEvent, error) {
	return readEvents[EpochEvent](path, "epoch")
}

// ReadSteps reads the step events of a metrics.jsonl.
func ReadSteps(path string) ([]StepEvent, error) {
	return readEvents[StepEvent](path, "step")
}

// ReadVerdicts reads the verdict events of a metrics.jsonl, the last one being the newest.
func ReadVerdicts(path string) ([]VerdictEvent, error) {
	return readEvents[VerdictEvent](path, "verdict")
}

func readEvents[T any](path, kind string) ([]T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var events []T
	for line := range bytes.Lines(text) {
		var head struct {
			Event string `json:"event"`
		}
		if json.Unmarshal(line, &head) != nil || head.Event != kind {
			continue
		}
		var e T
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		events = append(events, e)
	}
	return events, nil
}
