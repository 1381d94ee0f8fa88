package train

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/run"
)

// Tracks of a training's timeline, beside those of nodes and threads.
const (
	trackSteps   = "steps"
	trackLoader  = "loader"
	trackJudging = "judging"
	trackSaving  = "checkpoints"
)

// epochSums add up what an epoch event tells, over the steps of the epoch so far.
type epochSums struct {
	Loss       float64 `json:"loss"`
	TargetStd  float64 `json:"target_std"`
	Steps      int     `json:"steps"`
	Rank       float64 `json:"rank"`
	Ranks      int     `json:"ranks"` // steps on which the rank was measured
	Accuracy   float64 `json:"accuracy,omitempty"`
	Classified int     `json:"classified,omitempty"` // steps with an accuracy
	Seconds    float64 `json:"seconds"`
}

// train takes the steps that are left, then writes the encoder.
func (s *session) train(ctx context.Context) error {
	c := s.config
	s.sayMemory()
	if s.step == 0 && s.saved < 0 {
		if err := s.beforeTraining(ctx); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%w before the first step", ErrInterrupted)
			}
			return err
		}
	}
	s.trace.Tracks(trackSteps, trackLoader, trackJudging, trackSaving, "nodes")
	s.tracer.Start()
	feed, err := s.feed(c, s.step)
	if err != nil {
		return err
	}
	defer feed.close()
	rates := schedule(c, s.perEpoch)
	s.progress.begin(s.step, c.Train.Steps)
	clock := time.Now()
	since, logged := clock, s.step
	for {
		improved := false
		if s.epochEnded() {
			s.Epoch.Seconds += time.Since(clock).Seconds()
			improved, err = s.endEpoch(ctx)
			if ctx.Err() != nil {
				return s.interrupt()
			} else if err != nil {
				return err
			}
			clock = time.Now()
			since, logged = clock, s.step
		}
		if s.step > max(0, s.saved) && (s.step%c.Train.CheckpointEvery == 0 || s.step == c.Train.Steps || improved) {
			s.Epoch.Seconds += time.Since(clock).Seconds()
			if err := s.save(); err != nil {
				return err
			}
			clock = time.Now()
		}
		if s.step == c.Train.Steps {
			break
		}
		if ctx.Err() != nil {
			return s.interrupt()
		}
		lr, tau := rates.Rate(s.step), s.method.Tau(s.step, c.Train.Steps)
		logging := (s.step+1)%c.Train.LogEvery == 0 || s.step == 0 || s.step+1 == c.Train.Steps
		var o observed
		if logging {
			o, err = s.observe(feed, lr, tau)
		} else {
			o.values, err = feed.step(s.stepper, lr, tau, nil)
		}
		s.trace.Step()
		if err != nil {
			return err
		}
		values := o.values
		if !Finite(values) {
			if err := s.judgeNotFinite(values, lr, tau); err != nil {
				return err
			}
			return notFiniteError{step: s.step + 1, loss: values.Loss, norm: values.GradientNorm, lr: c.Optim.LR, lastSafeStep: max(0, s.saved)}
		}
		s.step++
		s.Epoch.add(values)
		s.Since.add(values)
		if logging {
			now := time.Now()
			speed := float64((s.step-logged)*c.Train.Batch*c.Optim.Accumulate) / now.Sub(since).Seconds()
			if err := s.logStep(o, lr, tau, speed); err != nil {
				return err
			}
			since, logged = now, s.step
			if s.mustStop() {
				s.Epoch.Seconds += time.Since(clock).Seconds()
				return s.stop()
			}
		}
	}
	s.progress.end()
	return s.finish()
}

// epochEnded reports whether the steps of an epoch are done and its event is not written
// yet, which is also so in a run that goes on after it was stopped while it judged.
func (s *session) epochEnded() bool {
	return s.Epoch.Steps > 0 && (s.step%s.perEpoch == 0 || s.step == s.config.Train.Steps)
}

// sinceSums add up what a step event tells of all steps since the one before.
type sinceSums struct {
	CosGap float64 `json:"cos_gap"`
	Steps  int     `json:"steps"`
}

// add takes in the values of a step.
func (e *sinceSums) add(v method.Values) {
	e.CosGap += v.PositiveCosine - v.NegativeCosine
	e.Steps++
}

// add takes in the values of a step.
func (e *epochSums) add(v method.Values) {
	e.Loss += v.Loss
	e.TargetStd += v.TargetStd
	if !math.IsNaN(v.Accuracy) {
		e.Accuracy += v.Accuracy
		e.Classified++
	}
	e.Steps++
}

// beforeTraining writes the event of epoch 0 and the encoder as it was drawn.
func (s *session) beforeTraining(ctx context.Context) error {
	state, err := s.stepper.State()
	if err != nil {
		return err
	}
	model, err := s.model(state)
	if err != nil {
		return err
	}
	if err := model.Save(s.folder.Initial()); err != nil {
		return err
	}
	if err := s.writeViews(); err != nil {
		return err
	}
	event := run.EpochEvent{Event: "epoch"}
	if s.judge != nil {
		if event.KNN, err = s.judge.knn(ctx, model.Values); err != nil {
			return err
		}
		s.say("before training: kNN accuracy %.1f %%", 100*float64(*event.KNN))
	}
	return s.metrics.Write(event)
}

// logStep writes the event of a step.
func (s *session) logStep(o observed, lr, tau, speed float64) error {
	v, rank := o.values, o.rank()
	s.Epoch.Rank += rank
	s.Epoch.Ranks++
	e := run.StepEvent{
		Event: "step", Step: s.step, Epoch: (s.step-1)/s.perEpoch + 1, Loss: run.Number(v.Loss), LR: lr, Tau: tau,
		TargetStd: run.Number(v.TargetStd), Rank: run.Number(rank), CosPositive: run.Number(v.PositiveCosine),
		CosNegative: run.Number(v.NegativeCosine), GradNorm: run.Number(v.GradientNorm), ImagesPerS: speed, Health: o.health(),
	}
	e.CosGap = run.Number(s.Since.CosGap / float64(s.Since.Steps))
	s.Since = sinceSums{}
	if !math.IsNaN(v.Accuracy) {
		accuracy := run.Number(v.Accuracy)
		e.Accuracy = &accuracy
	}
	s.progress.step(e, s.config.Train.Epochs)
	scalars := map[string]float64{
		"train/loss": v.Loss, "train/lr": lr, "train/tau": tau, "train/images_per_s": speed, "train/grad_norm": v.GradientNorm,
		"health/target_std": v.TargetStd, "health/rank": rank, "health/cos_positive": v.PositiveCosine, "health/cos_negative": v.NegativeCosine,
	}
	if e.Accuracy != nil {
		scalars["train/accuracy"] = v.Accuracy
	}
	for tag, value := range map[string]run.Number{
		"health/feature_std": e.FeatureStd, "health/feature_rank": e.FeatureRank, "health/match": e.Match, "health/uniformity": e.Uniformity,
		"health/target_distance": e.TargetDistance, "health/encoder_update": e.EncoderUpdate, "health/predictor_update": e.PredictorUpdate,
	} {
		if !math.IsNaN(float64(value)) { // the method has it
			scalars[tag] = float64(value)
		}
	}
	for tag, value := range scalars {
		if err := s.board.Scalar(tag, s.step, value); err != nil {
			return err
		}
	}
	if err := s.metrics.Write(e); err != nil {
		return err
	}
	return s.judgeStep(e)
}

// endEpoch judges the encoder if it is time, writes the event of the epoch and reports
// whether the encoder is the best so far.
func (s *session) endEpoch(ctx context.Context) (improved bool, err error) {
	c, sums := s.config, s.Epoch
	epoch := (s.step-1)/s.perEpoch + 1
	defer s.trace.Begin(trackJudging, fmt.Sprintf("end of epoch %d", epoch))()
	number := func(sum float64, n int) *run.Number {
		v := run.Number(sum / float64(n))
		return &v
	}
	e := run.EpochEvent{
		Event: "epoch", Epoch: epoch, Step: s.step, Loss: number(sums.Loss, sums.Steps),
		TargetStd: number(sums.TargetStd, sums.Steps), Seconds: sums.Seconds,
	}
	if sums.Ranks > 0 {
		e.Rank = number(sums.Rank, sums.Ranks)
	}
	if sums.Classified > 0 {
		e.Accuracy = number(sums.Accuracy, sums.Classified)
	}
	judged := ""
	if e.Accuracy != nil {
		judged = fmt.Sprintf("  accuracy %.1f %%", 100*float64(*e.Accuracy))
	}
	if s.judge != nil && (epoch%c.Eval.KNNEvery == 0 || s.step == c.Train.Steps) {
		state, err := s.stepper.State()
		if err != nil {
			return false, err
		}
		model, err := s.model(state)
		if err != nil {
			return false, err
		}
		if e.KNN, err = s.judge.knn(ctx, model.Values); err != nil {
			return false, err
		}
		judged += fmt.Sprintf("  kNN %.1f %%", 100*float64(*e.KNN))
		if float64(*e.KNN) > s.Best.KNN {
			s.Best, improved = best{Step: s.step, KNN: float64(*e.KNN)}, true
		}
		if err := s.board.Scalar("eval/knn_top1", s.step, float64(*e.KNN)); err != nil {
			return false, err
		}
	}
	if err := s.metrics.Write(e); err != nil {
		return false, err
	}
	s.say("epoch %d/%d  loss %.4f  std %.2f%s  %.1f s", epoch, c.Train.Epochs, float64(*e.Loss), float64(*e.TargetStd), judged, e.Seconds)
	s.Epoch = epochSums{}
	return improved, nil
}

// save writes a checkpoint; when it returns nil, everything up to this step is safe.
func (s *session) save() error {
	defer s.trace.Begin(trackSaving, fmt.Sprintf("checkpoint of step %d", s.step))()
	state, err := s.stepper.State()
	if err != nil {
		return err
	}
	tensors, err := toTensors(s.method.Specs(), state)
	if err != nil {
		return hint(fmt.Errorf("step %d: %w: training has %w; nothing of this step was saved", s.step, err, ErrDiverged),
			"lower the learning rate or lengthen the warm-up")
	}
	extra, err := json.Marshal(s.memory)
	if err != nil {
		return err
	}
	if err := s.metrics.Sync(); err != nil {
		return err
	}
	if err := checkpoint.Save(s.folder.Checkpoints(), checkpoint.Checkpoint{Step: s.step, Tensors: tensors, Extra: extra}); err != nil {
		advice := "free some space, then go on with --resume"
		if s.saved >= 0 {
			advice += fmt.Sprintf(": the checkpoint of step %d is whole", s.saved)
		}
		return hint(err, advice)
	}
	s.saved = s.step
	s.log.Info("checkpoint", "step", s.step)
	if err := s.writeBad(); err != nil {
		return err
	}
	return checkpoint.Prune(s.folder.Checkpoints(), s.config.Train.Keep, s.Best.Step)
}

// interrupt saves the state of a training that was asked to stop.
func (s *session) interrupt() error {
	if s.saved < s.step {
		if err := s.save(); err != nil {
			return err
		}
	}
	s.progress.end()
	s.say("stopped after step %d of %d; go on with --resume", s.step, s.config.Train.Steps)
	return fmt.Errorf("%w at step %d; the run is saved", ErrInterrupted, s.step)
}

// finish writes the encoder.
func (s *session) finish() error {
	state, err := s.stepper.State()
	if err != nil {
		return err
	}
	model, err := s.model(state)
	if err != nil {
		return err
	}
	if err := model.Save(s.folder.Encoder()); err != nil {
		return err
	}
	s.say("encoder written to %s", s.folder.Encoder())
	return s.lastVerdict()
}

// model returns the online encoder of a state.
func (s *session) model(state [][]float32) (*embed.Model, error) {
	meta := embed.MetaOf(s.config)
	e, err := meta.NewEncoder()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, spec := range s.method.Specs() {
		at[spec.Name] = i
	}
	var values [][]float32
	for _, spec := range nn.Prefixed(method.EncoderPrefix, e.Specs()) {
		values = append(values, state[at[spec.Name]])
	}
	return embed.NewModel(meta, values)
}

// writeBad lists the unreadable pictures found so far.
func (s *session) writeBad() error {
	bad := s.set.Bad()
	if len(bad) == 0 {
		return nil
	}
	return atomicfile.Write(s.folder.BadImages(), func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, b := range bad {
			if err := lines.Encode(b); err != nil {
				return err
			}
		}
		return nil
	})
}
