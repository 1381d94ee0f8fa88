package train

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
)

// Setup describes a resolved configuration to the watch.
func Setup(c run.Config, stepsPerEpoch int) diagnose.Setup {
	m, heads := c.Method, c.Heads.Norm
	return diagnose.Setup{
		Steps: c.Train.Steps, Method: m.Name, Target: m.Target, Predictor: m.Predictor, StopGradient: m.StopGradient,
		Tau: m.Tau, Temperature: m.Temperature, Beta: m.Beta,
		EncoderNorm: c.Encoder.Norm, ProjectorNorm: heads[0], PredictorNorm: heads[len(heads)-1], OutputNorm: c.Heads.OutputNorm,
		Batch: c.Train.Batch / max(1, m.Groups), Classes: m.Classes, Queue: m.Queue, Dim: c.Heads.Dim,
		Optimizer: c.Optim.Name, LR: c.Optim.LR, PredictorLR: m.PredictorLR, WeightDecay: c.Optim.WeightDecay,
		CropScale:   c.Augment.Crop.Scale,
		WarmupSteps: int(c.Optim.WarmupEpochs * float64(stepsPerEpoch)),
	}
}

// Measurement is what a step event tells the watch.
func Measurement(e run.StepEvent) diagnose.Measurement {
	m := diagnose.Measurement{
		Step: e.Step, Loss: float64(e.Loss), LR: e.LR, Tau: e.Tau,
		Std: float64(e.TargetStd), Rank: float64(e.Rank), CosPositive: float64(e.CosPositive), CosNegative: float64(e.CosNegative),
		Accuracy: math.NaN(),
	}
	if e.Accuracy != nil {
		m.Accuracy = float64(*e.Accuracy)
	}
	h := e.Health
	if h == nil { // of an earlier version
		nan := run.Number(math.NaN())
		h = &run.Health{
			CosGap: e.CosPositive - e.CosNegative, TopShare: nan, Uniformity: nan, Match: nan,
			FeatureStd: nan, FeatureRank: nan, FeatureTopShare: nan, FeatureMatch: nan, TargetDistance: nan,
			EncoderNorm: nan, ProjectorNorm: nan, PredictorNorm: nan, EncoderUpdate: nan, ProjectorUpdate: nan, PredictorUpdate: nan,
			EncoderGrad: e.GradNorm, ProjectorGrad: nan, PredictorGrad: nan, ViewDifference: nan, PictureDifference: nan, Detail: nan,
		}
	}
	m.CosGap, m.TopShare, m.Uniformity = float64(h.CosGap), float64(h.TopShare), float64(h.Uniformity)
	m.Match, m.MatchOf = float64(h.Match), h.MatchOf
	m.FeatureStd, m.FeatureRank, m.FeatureTopShare, m.FeatureMatch = float64(h.FeatureStd), float64(h.FeatureRank), float64(h.FeatureTopShare), float64(h.FeatureMatch)
	m.TargetDistance = float64(h.TargetDistance)
	m.Norm = [3]float64{float64(h.EncoderNorm), float64(h.ProjectorNorm), float64(h.PredictorNorm)}
	m.Update = [3]float64{float64(h.EncoderUpdate), float64(h.ProjectorUpdate), float64(h.PredictorUpdate)}
	m.Grad = [3]float64{float64(h.EncoderGrad), float64(h.ProjectorGrad), float64(h.PredictorGrad)}
	m.View, m.Picture, m.Detail = float64(h.ViewDifference), float64(h.PictureDifference), float64(h.Detail)
	return m
}

// Replay gives the measurements of a run's folder to a watch, as if the run took place
// again, and returns the watch and the verdicts in order. A folder without measurements
// has none.
func Replay(f run.Folder, setup diagnose.Setup) (*diagnose.Watch, []diagnose.Verdict, error) {
	w := diagnose.NewWatch(setup)
	steps, err := run.ReadSteps(f.Metrics())
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil, nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("watching the run: %w", err)
	}
	var verdicts []diagnose.Verdict
	for _, e := range steps {
		if v, changed := w.Add(Measurement(e)); changed {
			verdicts = append(verdicts, v)
		}
	}
	return w, verdicts, nil
}

// judgeStep asks the watch about a step, and tells if the verdict changes.
func (s *session) judgeStep(e run.StepEvent) error {
	v, changed := s.watch.Add(Measurement(e))
	if !changed {
		return nil
	}
	return s.tell(v)
}

// judgeNotFinite tells of a step after which nothing can be saved.
func (s *session) judgeNotFinite(v method.Values, lr, tau float64) error {
	return s.judgeStep(run.StepEvent{Step: s.step + 1, Loss: run.Number(v.Loss), GradNorm: run.Number(v.GradientNorm), LR: lr, Tau: tau})
}

// tell writes a verdict's event and says it.
func (s *session) tell(v diagnose.Verdict) error {
	s.say("%s", Sentence(v))
	return s.metrics.Write(run.VerdictEvent{
		Event: "verdict", Step: v.Step, Verdict: v.Verdict, SinceStep: v.Since, Cause: v.Cause, Evidence: v.Evidence, Advice: v.Advice,
	})
}

// Sentence puts a verdict into a few lines.
func Sentence(v diagnose.Verdict) string {
	if !v.Bad() {
		return fmt.Sprintf("verdict at step %d: %s: %s", v.Step, v.Verdict, v.Evidence)
	}
	since := "from the start"
	if v.Since > 0 {
		since = fmt.Sprintf("since step %d", v.Since)
	}
	return fmt.Sprintf("verdict at step %d: %s %s: %s\n  measured: %s\n  advice:   %s", v.Step, v.Verdict, since, v.Cause, v.Evidence, v.Advice)
}

// lastVerdict says what a finished run came to.
func (s *session) lastVerdict() error {
	v := s.watch.Verdict()
	if v.Verdict != diagnose.TooEarly {
		s.say("%s", Sentence(v))
		return nil
	}
	v.Step = s.step
	v.Evidence = fmt.Sprintf("a verdict needs %d steps and an eighth of the run, and this one had %d", diagnose.FirstStep, s.step)
	return s.tell(v)
}

// CollapseError ends a training whose verdict is bad, after its state was saved.
type CollapseError struct{ diagnose.Verdict }

func (e CollapseError) Error() string {
	return fmt.Sprintf("stopped at step %d, which is saved: %s since step %d: %s", e.Step, e.Verdict.Verdict, e.Since, e.Cause)
}

// Hint says what to change.
func (e CollapseError) Hint() string {
	return e.Advice + "; or go on as it is with --resume --on-collapse warn"
}

// mustStop reports whether a bad verdict ends the run.
func (s *session) mustStop() bool {
	return s.config.Train.OnCollapse == "stop" && s.watch.Verdict().Bad() && s.step < s.config.Train.Steps
}

// stop saves the state and ends the run with the verdict.
func (s *session) stop() error {
	if s.saved < s.step {
		if err := s.save(); err != nil {
			return err
		}
	}
	s.progress.end()
	v := s.watch.Verdict()
	v.Step = s.step
	return CollapseError{v}
}
