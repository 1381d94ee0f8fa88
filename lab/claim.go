package lab

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Outcome says whether a claim came out.
type Outcome string

// The outcomes of a claim.
const (
	CameOut   Outcome = "came out"
	DidNot    Outcome = "did not come out"
	Undecided Outcome = "undecided" // the seeds do not agree enough, or there is one only
	NotYet    Outcome = "not run yet"
)

// Finding is a claim and what came out.
type Finding struct {
	Claim
	Outcome Outcome
	Numbers string // what was measured, in words
}

// Limits of what counts as what.
const (
	// collapsedStd is the deviation of normalised projections, times √d, below which they
	// are the same for every picture. 1 is healthy; broken runs end at a few hundredths.
	collapsedStd = .2
	// staysPoints are how much better than its random weights an encoder may get without
	// having learnt, in points of accuracy.
	staysPoints = 1.0
	// confidence of a difference over the seeds.
	confidence = .95
)

// judge holds a claim against the results.
func (c Claim) judge(results []Result) Finding {
	f := Finding{Claim: c}
	switch {
	case c.Above != nil:
		f.judgeAbove(results)
	case c.Collapses != "":
		f.judgeCollapse(of(results, c.Collapses))
	case c.Stays != "":
		f.judgeStays(of(results, c.Stays))
	default:
		f.judgeLoses(results)
	}
	if f.Outcome == NotYet && len(results) > 0 && !slices.ContainsFunc(results, func(r Result) bool { return !math.IsNaN(r.end) }) {
		f.Outcome, f.Numbers = Undecided, "there is no accuracy: it needs labelled pictures"
	}
	return f
}

// of returns the results of a cell by seed.
func of(results []Result, cell string) map[int]Result {
	out := map[int]Result{}
	for _, r := range results {
		if r.Cell == cell {
			out[r.Seed] = r
		}
	}
	return out
}

// points are accuracies by seed, in percent, of runs that have one; those of a run that diverged are its random
// weights' or, if these are not known either, 0: it learnt nothing that one could use.
func points(runs map[int]Result, start bool) map[int]float64 {
	out := map[int]float64{}
	for seed, r := range runs {
		v := r.end
		if start || r.Verdict == "diverged" {
			v = r.start
		}
		if math.IsNaN(v) {
			if r.Verdict != "diverged" {
				continue
			}
			v = 0
		}
		out[seed] = 100 * v
	}
	return out
}

// differences are a − b for the seeds that both have.
func differences(a, b map[int]float64) []float64 {
	var out []float64
	for seed := 1; seed <= maxSeed(a); seed++ {
		if x, ok := a[seed]; ok {
			if y, ok := b[seed]; ok {
				out = append(out, x-y)
			}
		}
	}
	return out
}

func maxSeed(of map[int]float64) int {
	most := 0
	for seed := range of {
		most = max(most, seed)
	}
	return most
}

func (f *Finding) judgeAbove(results []Result) {
	better, worse := f.Above[0], f.Above[1]
	a := points(of(results, better), false)
	b := points(of(results, worse), false)
	if worse == Random {
		b = points(of(results, better), true)
	}
	d := differences(a, b)
	if f.Outcome = above(d, f.By); f.Outcome == NotYet {
		return
	}
	f.Numbers = fmt.Sprintf("%s %s, %s %s; difference %s", better, spread(a), worse, spread(b), signed(d))
	if f.By > 0 {
		f.Numbers += fmt.Sprintf(", wanted at least %g", f.By)
	}
}

// above judges differences by seed that are to be positive, and at least by on average.
//
// Runs with the same seed start from the same weights and see the same pictures, so that
// the differences are paired: they are held against their own deviation, by a one-sided
// t-test at 5 %.
func above(d []float64, by float64) Outcome {
	if len(d) == 0 {
		return NotYet
	}
	mean, deviation := meanOf(d)
	if mean <= 0 || mean < by {
		return DidNot
	}
	if len(d) == 1 || mean <= margin(deviation, len(d)) {
		return Undecided
	}
	return CameOut
}

// margin is the half-width of the one-sided confidence interval of a mean.
func margin(deviation float64, n int) float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(confidence)
	return t * deviation / math.Sqrt(float64(n))
}

func (f *Finding) judgeCollapse(runs map[int]Result) {
	std := map[int]float64{}
	collapsed := 0
	for seed, r := range runs {
		if !math.IsNaN(r.TargetStd) {
			std[seed] = r.TargetStd
		}
		if r.TargetStd < collapsedStd {
			collapsed++
		}
	}
	switch {
	case len(runs) == 0:
		f.Outcome = NotYet
		return
	case collapsed == len(runs):
		f.Outcome = CameOut
	case collapsed == 0:
		f.Outcome = DidNot
	default:
		f.Outcome = Undecided
	}
	end, start := points(runs, false), points(runs, true)
	f.Numbers = fmt.Sprintf("%d of %d runs collapsed: spread of the projections %s, where 1 is healthy and below %g collapsed; accuracy %s, with random weights %s",
		collapsed, len(runs), spreadOf(std, "%.2f"), collapsedStd, spread(end), spread(start))
}

func (f *Finding) judgeStays(runs map[int]Result) {
	end, start := points(runs, false), points(runs, true)
	d := differences(end, start)
	if len(d) == 0 {
		f.Outcome = NotYet
		return
	}
	mean, deviation := meanOf(d)
	switch {
	case mean > staysPoints && len(d) > 1 && mean-staysPoints > margin(deviation, len(d)):
		f.Outcome = DidNot
	case mean > staysPoints, len(d) == 1:
		f.Outcome = Undecided
	default:
		f.Outcome = CameOut
	}
	f.Numbers = fmt.Sprintf("accuracy %s, with random weights %s; difference %s, where up to %+g is none", spread(end), spread(start), signed(d), staysPoints)
}

func (f *Finding) judgeLoses(results []Result) {
	loss := func(pair []string) map[int]float64 {
		full, changed := points(of(results, pair[0]), false), points(of(results, pair[1]), false)
		out := map[int]float64{}
		for seed, v := range full {
			if w, ok := changed[seed]; ok {
				out[seed] = v - w
			}
		}
		return out
	}
	a, b := loss(f.LosesLess[0]), loss(f.LosesLess[1])
	d := differences(b, a)
	if f.Outcome = above(d, 0); f.Outcome == NotYet {
		return
	}
	f.Numbers = fmt.Sprintf("from %s to %s %s points are lost, from %s to %s %s; difference %s",
		f.LosesLess[0][0], f.LosesLess[0][1], spread(a), f.LosesLess[1][0], f.LosesLess[1][1], spread(b), signed(d))
}

// meanOf returns mean and deviation (n−1) over seeds, 0 for one.
func meanOf(v []float64) (mean, deviation float64) {
	if len(v) == 1 {
		return v[0], 0
	}
	return stat.MeanStdDev(v, nil)
}

// spread writes values by seed as mean ± deviation.
func spread(by map[int]float64) string { return spreadOf(by, "%.1f") }

func spreadOf(by map[int]float64, format string) string {
	var v []float64
	for seed := 1; seed <= maxSeed(by); seed++ {
		if x, ok := by[seed]; ok {
			v = append(v, x)
		}
	}
	return plusMinus(v, format)
}

// plusMinus writes mean ± deviation.
func plusMinus(v []float64, format string) string {
	switch len(v) {
	case 0:
		return "not measured"
	case 1:
		return fmt.Sprintf(format, v[0])
	}
	mean, deviation := meanOf(v)
	return fmt.Sprintf(format+" ± "+format, mean, deviation)
}

// signed writes differences with their sign and number.
func signed(d []float64) string {
	mean, deviation := meanOf(d)
	if len(d) == 1 {
		return fmt.Sprintf("%+.1f on one seed", mean)
	}
	return fmt.Sprintf("%+.1f ± %.1f over %d seeds", mean, deviation, len(d))
}
