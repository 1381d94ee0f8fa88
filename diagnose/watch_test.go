package diagnose

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// set is a set-up with nothing wrong.
func set(change func(*Setup)) Setup {
	s := Setup{
		Steps: 800, Method: "byol", Target: "ema", Predictor: true, StopGradient: true, Tau: .98, Temperature: .1,
		EncoderNorm: "batch", ProjectorNorm: "batch", PredictorNorm: "batch", OutputNorm: "none",
		Batch: 64, Dim: 64, Optimizer: "sgd", LR: .06, PredictorLR: 1, CropScale: [2]float64{.2, 1},
	}
	if change != nil {
		change(&s)
	}
	return s
}

// healthy is a measurement of a run that learns, at a step.
func healthy(step int) Measurement {
	t := float64(step) / 800
	wave := .01 * math.Sin(float64(step))
	return Measurement{
		Step: step, Loss: 2 - t + wave, LR: .05, Tau: .98,
		Std: .8 + wave, Rank: 18 + 100*wave, TopShare: .4, CosPositive: .3 + .5*t, CosNegative: .3, CosGap: .02 + .5*t + wave/5, Uniformity: -2, Match: .1, MatchOf: 64,
		FeatureStd: .7, FeatureRank: 15, FeatureTopShare: .7, FeatureMatch: .1, Accuracy: math.NaN(), TargetDistance: .1,
		Norm: [3]float64{31, 8, 8}, Update: [3]float64{.002, .002, .004}, Grad: [3]float64{.5, .1, .1},
		View: 1.5, Picture: 1.8, Detail: 1,
	}
}

// watch gives 400 steps to a watch, each tenth measured, and returns what it said.
func watch(s Setup, change func(m *Measurement)) []Verdict {
	w := NewWatch(s)
	var said []Verdict
	for step := 10; step <= 400; step += 10 {
		m := healthy(step)
		if change != nil {
			change(&m)
		}
		if v, changed := w.Add(m); changed {
			said = append(said, v)
		}
	}
	return said
}

func TestHealthy(t *testing.T) {
	said := watch(set(nil), nil)
	if len(said) != 1 || said[0].Verdict != Healthy || said[0].Step != FirstStep || said[0].Bad() || said[0].Cause != "" {
		t.Errorf("%+v", said)
	}
}

// broken is a way to go wrong: what is measured, what was set, what must be said.
var broken = []struct {
	name    string
	set     func(*Setup)
	measure func(*Measurement)
	verdict string
	cause   string
	advice  string
}{
	{"no predictor", func(s *Setup) { s.Predictor = false }, collapsed, Full, "no predictor", "method.predictor=true"},
	{"no stop-gradient", func(s *Setup) { s.StopGradient, s.Target = false, "online" }, collapsed, Full, "no stop-gradient", "method.stop_gradient=true"},
	{"τ 0", func(s *Setup) { s.Target = "online" }, collapsed, Full, "τ is too low", "method.target=ema"},
	{"no norm", func(s *Setup) { s.EncoderNorm, s.ProjectorNorm, s.PredictorNorm = "none", "none", "none" }, collapsed, Full, "no norm anywhere", "heads.norm=batch"},
	{"no norm in the heads", func(s *Setup) { s.ProjectorNorm, s.PredictorNorm = "none", "none" }, collapsed, Full, "no norm in the heads", "heads.norm=batch"},
	{"collapse without a cause", nil, collapsed, Full, "unclear", "preset"},
	{"few directions", func(s *Setup) { s.Dim = 2 }, func(m *Measurement) { m.Rank, m.TopShare = 1.8, .9 }, Dimensional, "too narrow", "heads.dim"},
	{"predictor stands", func(s *Setup) { s.PredictorLR = 1e-6 },
		func(m *Measurement) { m.Rank, m.TopShare, m.Update[Predictor] = 2, .97, 1e-9 }, Dimensional, "predictor does not learn", "method.predictor_lr=1"},
	{"rate", func(s *Setup) { s.LR = 6 }, func(m *Measurement) { m.Update[Encoder], m.Norm[Encoder] = .05, 31*math.Exp(float64(m.Step)/60) },
		Diverging, "learning rate is far too high", "optim.lr"},
	{"decay", func(s *Setup) { s.WeightDecay = .5 }, func(m *Measurement) { m.Update[Encoder], m.Norm[Encoder] = .03, 31*math.Exp(-float64(m.Step)/60) },
		Diverging, "weight decay", "optim.weight_decay"},
	{"rate 0", func(s *Setup) { s.LR = 0 }, func(m *Measurement) { m.Update = [3]float64{} }, NotLearning, "learning rate is 0", "optim.lr"},
	{"rate too low", func(s *Setup) { s.LR = 1e-6 }, func(m *Measurement) { m.Update = [3]float64{1e-7, 1e-7, 1e-7} }, NotLearning, "far too low", "raise optim.lr"},
	{"random target", func(s *Setup) { s.Target = "random" }, func(m *Measurement) { m.Tau = 1 }, NotLearning, "target never moves", "method.target=ema"},
	{"τ 1", func(s *Setup) { s.Tau = 1 }, func(m *Measurement) { m.Tau = 1 }, NotLearning, "τ is 1", "method.tau"},
	{"τ too high", func(s *Setup) { s.Tau = .9999 }, func(m *Measurement) { m.Tau = .9999 }, NotLearning, "τ is too high", "below 0.995"},
	{"same views", nil, func(m *Measurement) { m.View = .01 }, NotLearning, "augmentation", "augment.crop.scale"},
	{"uniform pictures", nil, func(m *Measurement) { m.Detail = .001 }, NotLearning, "no variety", "data.train"},
	{"equal pictures", nil, func(m *Measurement) { m.CosGap, m.View = .01*math.Sin(float64(m.Step)), 1.8 }, NotLearning, "no variety", "data.train"},
	{"copies of a few", nil, func(m *Measurement) { m.CosGap, m.Match = .6, .02 }, NotLearning, "groups of copies", "data.train"},
	{"temperature", func(s *Setup) { s.Method, s.Temperature = "simclr", 100 }, func(m *Measurement) { m.CosGap, m.Loss = .02, 4.844 }, NotLearning, "temperature", "method.temperature"},
	{"batch", func(s *Setup) { s.Batch = 4 }, func(m *Measurement) { m.MatchOf, m.CosGap = 4, .1 }, NotLearning, "batch is too small", "train.batch"},
	{"crops", func(s *Setup) { s.CropScale = [2]float64{.01, .02} }, func(m *Measurement) { m.CosGap = .02 }, NotLearning, "crops are too small", "augment.crop.scale"},
	{"queue", func(s *Setup) { s.Method, s.Queue = "moco", 1 }, func(m *Measurement) { m.CosGap = .02 }, NotLearning, "queue", "method.queue"},
	{"supervised", func(s *Setup) { s.Method, s.Classes, s.LR = "supervised", 10, 1e-6 },
		func(m *Measurement) {
			m.Loss, m.Accuracy, m.Update = math.Log(10), .1, [3]float64{1e-7, math.NaN(), 1e-7}
		}, NotLearning, "far too low", "optim.lr"},
}

func collapsed(m *Measurement) {
	m.Std, m.CosNegative, m.CosPositive, m.CosGap, m.Rank = .02, .9996, .9996, 1e-5, 1.6
}

func TestBroken(t *testing.T) {
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			said := watch(set(c.set), c.measure)
			if len(said) != 1 {
				t.Fatalf("said %d times: %+v", len(said), said)
			}
			v := said[0]
			if v.Verdict != c.verdict || !strings.Contains(v.Cause, c.cause) || !strings.Contains(v.Advice, c.advice) || v.Evidence == "" {
				t.Errorf("%+v", v)
			}
			if v.Step != FirstStep || v.Since > 150 {
				t.Errorf("at step %d, since %d", v.Step, v.Since)
			}
			// The set-up alone is no reason to say anything.
			if said := watch(set(c.set), nil); said[0].Verdict != Healthy {
				t.Errorf("with healthy measurements: %+v", said[0])
			}
		})
	}
}

func TestNotFiniteIsSaidAtOnce(t *testing.T) {
	w := NewWatch(set(nil))
	w.Add(healthy(10))
	m := healthy(13)
	m.Loss = math.NaN()
	v, changed := w.Add(m)
	if !changed || v.Verdict != Diverging || v.Step != 13 || v.Since != 13 {
		t.Errorf("%+v, %v", v, changed)
	}
}

func TestWhenSomethingIsSaid(t *testing.T) {
	first := func(steps int, change func(m *Measurement)) int {
		w := NewWatch(set(func(s *Setup) { s.Steps = steps }))
		for step := 10; step <= steps; step += 10 {
			m := healthy(step * 800 / steps) // as much is learnt
			m.Step = step
			if change != nil {
				change(&m)
			}
			if v, changed := w.Add(m); changed {
				return v.Step
			}
		}
		return 0
	}
	narrow := func(m *Measurement) { m.Rank = 1.5 }
	for _, c := range []struct {
		steps  int
		change func(m *Measurement)
		want   int
	}{
		{190, nil, 0}, {190, collapsed, 0}, // too short to say anything
		{800, nil, 200}, {800, collapsed, 200},
		{8000, nil, 1000}, {8000, narrow, 1000}, // an eighth
		{8000, collapsed, 200}, // what no healthy run shows is said after 200 steps of it
	} {
		if got := first(c.steps, c.change); got != c.want {
			t.Errorf("%d steps: said at %d, want %d", c.steps, got, c.want)
		}
	}
}

// One bad batch is no collapse, and one good batch no recovery; what lasts is both.
func TestPersistence(t *testing.T) {
	at := func(from, to int) func(m *Measurement) {
		return func(m *Measurement) {
			if m.Step >= from && m.Step <= to {
				collapsed(m)
			}
		}
	}
	if said := watch(set(nil), at(250, 250)); len(said) != 1 {
		t.Errorf("one bad batch: %+v", said)
	}
	said := watch(set(nil), at(220, 320))
	verdicts := make([]string, len(said))
	for i, v := range said {
		verdicts[i] = v.Verdict
	}
	if !slices.Equal(verdicts, []string{Healthy, Full, Healthy}) {
		t.Fatalf("%+v", said)
	}
	if said[2].Since <= 320 || said[2].Step <= said[2].Since {
		t.Errorf("healthy again since %d, said at %d", said[2].Since, said[2].Step)
	}
}

// What the watch says depends on the measurements alone: so a resumed run says the same.
func TestReplay(t *testing.T) {
	for _, c := range broken {
		a, b := NewWatch(set(c.set)), NewWatch(set(c.set))
		var kept []Measurement
		for step := 10; step <= 400; step += 10 {
			m := healthy(step)
			c.measure(&m)
			kept = append(kept, m)
			if step == 230 { // begin anew
				b = NewWatch(set(c.set))
				for _, m := range kept[:len(kept)-1] {
					b.Add(m)
				}
			}
			va, ca := a.Add(m)
			vb, cb := b.Add(m)
			if va != vb || ca != cb {
				t.Fatalf("%s, step %d: %+v and %+v", c.name, step, va, vb)
			}
		}
	}
}

// Measurements of earlier versions lack most fields, and log_every may be large.
func TestLittleIsMeasured(t *testing.T) {
	w := NewWatch(set(nil))
	nan := math.NaN()
	for step := 100; step <= 800; step += 100 {
		m := Measurement{Step: step, Loss: 1, Tau: .98, Std: .8, Rank: 20, TopShare: nan, CosPositive: .6, CosNegative: .2, CosGap: .05 * float64(step) / 100, Uniformity: nan,
			TargetDistance: nan, Norm: [3]float64{nan, nan, nan}, Update: [3]float64{nan, nan, nan}, Grad: [3]float64{1, nan, nan}, View: nan, Picture: nan, Detail: nan}
		if v, _ := w.Add(m); v.Bad() {
			t.Fatalf("step %d: %+v", step, v)
		}
	}
	if w.Verdict().Verdict != Healthy {
		t.Errorf("%+v", w.Verdict())
	}
}
