package diagnose

// The verdicts.
const (
	TooEarly    = "too early"
	Healthy     = "healthy"
	Dimensional = "dimensional collapse" // embeddings differ, but in few directions
	Full        = "full collapse"        // all pictures get nearly the same embedding
	Diverging   = "diverging"            // weights are thrown about or not finite any more
	NotLearning = "not learning"         // no collapse, but nothing that tells pictures apart is gained
)

// Verdict is what the measurements say, and why.
type Verdict struct {
	Step     int // of the measurement that it was given at
	Verdict  string
	Since    int    // step of the first measurement that spoke for it; 0: from the start
	Cause    string // the likely one; empty for Healthy and TooEarly
	Evidence string // what was measured
	Advice   string // which key to change to what
}

// Bad reports whether something is wrong.
func (v Verdict) Bad() bool { return v.Verdict != Healthy && v.Verdict != TooEarly }

// Measurement is what a logged step tells; see run.StepEvent and run.Health for the fields.
// What a method does not have is NaN.
type Measurement struct {
	Step          int
	Loss, LR, Tau float64

	// Of the target's projections.
	Std, Rank, TopShare              float64
	CosPositive, CosNegative, CosGap float64
	Uniformity, Match                float64
	MatchOf                          int

	// Of the online encoder's features.
	FeatureStd, FeatureRank, FeatureTopShare, FeatureMatch float64

	Accuracy float64 // of supervised

	// Of the weights: encoder, projector, predictor.
	TargetDistance     float64
	Norm, Update, Grad [3]float64

	// Of the views.
	View, Picture, Detail float64
}

// Parts of Measurement's arrays.
const (
	Encoder = iota
	Projector
	Predictor
)

// Watch says what the measurements of a run amount to. It depends on nothing but the set-up
// and the measurements so far: given those of a run again, it says the same again.
type Watch struct {
	history
	since   map[string]int // sign to the step since which it holds without a break
	holding map[string]int // sign to the number of measurements it has held for
	broken  map[string]int // sign to the number of measurements since it last held
	clear   int            // measurements without any sign
	current Verdict
	sign    string // that the current verdict is from
}

// When a verdict is given.
const (
	// FirstStep is the least step: before it the projections of healthy runs often draw
	// together, and part again.
	FirstStep = 200

	firstShare = 8 // or this part of the run, whichever is later: learning starts slowly
	// What no healthy run shows is told earlier in long runs, after it held for so many steps.
	severeSteps = 200
	// What healthy runs show in passing, when projections are drawn together before they
	// part, must hold for so many steps.
	slowSteps = 80

	// A sign must hold for so many measurements, and a bad verdict is taken back only after
	// as many without any: single batches say little.
	persistence = 3
)

// NewWatch begins the watch of a run.
func NewWatch(s Setup) *Watch {
	return &Watch{history: history{setup: s}, since: map[string]int{}, holding: map[string]int{}, broken: map[string]int{}, current: Verdict{Verdict: TooEarly}}
}

// Add takes in the next measurement, and returns the verdict and whether it is another
// one than before. While a verdict stands, cause and evidence follow the measurements.
func (w *Watch) Add(m Measurement) (v Verdict, changed bool) {
	w.note(m)
	w.noteSigns(m.Step)
	next, ok := w.judge(m)
	if !ok {
		return w.current, false
	}
	changed = next.Verdict != w.current.Verdict
	w.current = next
	return next, changed
}

// Verdict returns the latest verdict, with what speaks for it now.
func (w *Watch) Verdict() Verdict { return w.current }

// noteSigns sees which signs hold at a measurement.
func (w *Watch) noteSigns(step int) {
	any := false
	for _, s := range signs {
		if _, ok := s.holds(&w.history); !ok {
			delete(w.since, s.name)
			delete(w.holding, s.name)
			w.broken[s.name]++
			continue
		}
		any = true
		w.broken[s.name] = 0
		if w.holding[s.name]++; w.holding[s.name] == 1 {
			w.since[s.name] = step
			if w.count == 1 {
				w.since[s.name] = 0
			}
		}
	}
	if any {
		w.clear = 0
	} else {
		w.clear++
	}
}

// judge returns the verdict at a measurement; false if the one before stands.
func (w *Watch) judge(m Measurement) (Verdict, bool) {
	first := max(FirstStep, w.setup.Steps/firstShare)
	for _, s := range signs {
		if s.name == w.sign && w.broken[s.name] < persistence {
			return w.verdict(s, m), w.holding[s.name] > 0 // a less severe one waits
		}
		held := m.Step - w.since[s.name]
		switch {
		case w.holding[s.name] == 0, s.slow && held < slowSteps:
		case s.atOnce,
			w.holding[s.name] >= persistence && (m.Step >= first || s.severe && m.Step >= FirstStep && held >= severeSteps):
			w.sign = s.name
			return w.verdict(s, m), true
		}
	}
	if m.Step < first || w.clear == 0 || w.current.Bad() && w.clear < persistence {
		return Verdict{}, false
	}
	w.sign = ""
	return Verdict{Step: m.Step, Verdict: Healthy, Since: w.sinceHealthy(m), Evidence: w.evidenceOfHealth()}, true
}

// sinceHealthy is 0 for a run that never was anything else.
func (w *Watch) sinceHealthy(m Measurement) int {
	if !w.current.Bad() {
		return 0
	}
	return w.tail[max(0, len(w.tail)-w.clear)].Step
}

// verdict puts a sign and its cause into words.
func (w *Watch) verdict(s sign, m Measurement) Verdict {
	evidence, _ := s.holds(&w.history)
	cause, advice := w.cause(s)
	return Verdict{Step: m.Step, Verdict: s.verdict, Since: w.since[s.name], Cause: cause, Evidence: evidence, Advice: advice}
}
