package diagnose

import (
	"fmt"
	"math"
)

// sign is one way in which a run goes wrong, as the measurements show it.
type sign struct {
	name    string
	verdict string
	atOnce  bool // nothing need be waited for
	severe  bool // no healthy run shows it for long
	slow    bool // healthy runs show it for a while
	holds   func(*history) (evidence string, ok bool)
}

// signs lists the ways in order: of several that hold, the first gives the verdict.
var signs = []sign{
	{name: "not finite", verdict: Diverging, atOnce: true, holds: (*history).notFinite},
	{name: "thrown about", verdict: Diverging, severe: true, holds: (*history).thrownAbout},
	{name: "one point", verdict: Full, severe: true, holds: (*history).onePoint},
	{name: "few directions", verdict: Dimensional, holds: (*history).fewDirections},
	{name: "weights stand", verdict: NotLearning, holds: (*history).weightsStand},
	{name: "target stands", verdict: NotLearning, holds: (*history).targetStands},
	{name: "same views", verdict: NotLearning, holds: (*history).sameViews},
	{name: "flat pictures", verdict: NotLearning, holds: (*history).flatPictures},
	{name: "few to tell", verdict: NotLearning, holds: (*history).fewToTell},
	{name: "copies", verdict: NotLearning, holds: (*history).copies},
	{name: "alike", verdict: NotLearning, holds: (*history).alike},
	{name: "drawn together", verdict: NotLearning, slow: true, holds: (*history).drawnTogether},
	{name: "labels not learnt", verdict: NotLearning, holds: (*history).labelsNotLearnt},
	{name: "nothing gained", verdict: NotLearning, slow: true, holds: (*history).nothingGained},
}

// What fields of a measurement are called where means are taken.
func loss(m Measurement) float64         { return m.Loss }
func std(m Measurement) float64          { return m.Std }
func rank(m Measurement) float64         { return m.Rank }
func largestShare(m Measurement) float64 { return m.TopShare }
func cosPositive(m Measurement) float64  { return m.CosPositive }
func cosNegative(m Measurement) float64  { return m.CosNegative }
func cosGap(m Measurement) float64       { return m.CosGap }
func featureRank(m Measurement) float64  { return m.FeatureRank }
func view(m Measurement) float64         { return m.View }
func picture(m Measurement) float64      { return m.Picture }
func detail(m Measurement) float64       { return m.Detail }
func normOf(part int) func(Measurement) float64 {
	return func(m Measurement) float64 { return m.Norm[part] }
}
func updateOf(part int) func(Measurement) float64 {
	return func(m Measurement) float64 { return m.Update[part] }
}

// notFinite: there is nothing left to learn with.
func (h *history) notFinite() (string, bool) {
	m := h.last()
	if finite(m.Loss, m.Grad[Encoder]) {
		return "", false
	}
	return fmt.Sprintf("the loss is %v and the gradient's norm %v", m.Loss, m.Grad[Encoder]), true
}

// A healthy step changes the weights by some thousandths of their norm: .002 to .008
// in the warm-up of all optimisers that were tried, less later.
const (
	wildUpdate = .02 // of the weights' norm, by one step
	wildNorm   = 3   // times the norm at the start, or less than its inverse
	burstNorm  = 10  // times the norm at the start, whatever the update is now
)

// thrownAbout: steps so long that what was learnt is overwritten.
func (h *history) thrownAbout() (string, bool) {
	update, ratio := h.recent(updateOf(Encoder)), h.grown(Encoder)
	for part, name := range []string{Projector: "projector", Predictor: "predictor"} {
		if grown := h.grown(part); grown > burstNorm && name != "" {
			return fmt.Sprintf("the %s's weights have %.2g times their norm at the start", name, grown), true
		}
	}
	changed := ratio > wildNorm || ratio < 1./wildNorm
	if !(ratio > burstNorm || update > wildUpdate && changed || update > 4*wildUpdate) {
		return "", false
	}
	return fmt.Sprintf("the encoder's weights have %.2g times their norm at the start, and a step changes them by %s (healthy: 1 %% at most)",
		ratio, percent(update)), true
}

// Of healthy runs the lowest spread seen is .6, the highest cosine of different pictures .6.
const (
	collapsedStd    = .2
	collapsedCosine = .95 // of different pictures; the standard deviation cannot tell a cone from a point
	toldApart       = .5  // of the distance between pictures that is not between views: then the point is a picture's own
)

// onePoint: all pictures get the same projection.
func (h *history) onePoint() (string, bool) {
	spread, other, gap := h.recent(std), h.recent(cosNegative), h.recent(cosGap)
	if !(spread < collapsedStd) || !(other > collapsedCosine) || gap > toldApart*(1-other) || h.parting() {
		return "", false
	}
	return fmt.Sprintf("the target's projections spread by %.2g (1 is healthy, 0 collapsed), and those of different pictures have a cosine of %.4g",
		spread, other), true
}

// parting reports whether what was drawn together is being told apart: MoCo's keys begin that
// way, as long as its queue holds those of a network that is no more.
func (h *history) parting() bool {
	const (
		times    = 3  // the contrast at the start
		least    = .1 // a contrast that is no accident
		leastStd = .1 // there is something to part
	)
	now, spread := h.contrast(h.recent), h.recent(std)
	return now > least && now > times*h.contrast(h.start) && spread > leastStd && spread > h.earlier(std)
}

// Projections of healthy runs that are drawn together more than this are also told apart.
const (
	closeStd      = .5
	closeCosine   = .75
	closeContrast = .07
)

// drawnTogether: short of a collapse, but what different pictures have in common grew and
// what tells them apart did not.
func (h *history) drawnTogether() (string, bool) {
	spread, other, apart := h.recent(std), h.long(cosNegative), h.contrast(h.long)
	if h.setup.supervised() || !(spread < closeStd) || !(other > closeCosine) || !(apart < closeContrast) || h.parting() {
		return "", false
	}
	return fmt.Sprintf("the target's projections of different pictures have a cosine of %.2g and spread by %.2g (1 is healthy, 0 collapsed); views of a picture are told from them by %.2g of the distance",
		other, spread, apart), true
}

// Of healthy runs the lowest effective rank seen in a single batch is 5 (SimSiam), where the
// largest direction had four fifths of the variance.
const (
	fewRank      = 3.3
	fewShare     = .9
	leastOptions = 8 // directions that a batch must have for its rank to say anything
)

// fewDirections: projections differ, but along one or two directions only.
func (h *history) fewDirections() (string, bool) {
	r, share := h.recent(rank), h.recent(largestShare)
	if h.setup.supervised() || h.last().MatchOf <= leastOptions || !(r < fewRank || share > fewShare && r < 1.5*fewRank) {
		return "", false
	}
	return fmt.Sprintf("the target's projections of %d pictures have an effective rank of %.1f (features %.1f), and %s of their variance in one direction",
		h.last().MatchOf, r, h.recent(featureRank), percent(share)), true
}

// leastPath is how far the encoder's weights must come in a run, added up step by step, in
// units of their norm. Healthy runs of a few hundred steps come 0.4 and further.
const leastPath = .03

// weightsStand: the steps are too short to get anywhere.
func (h *history) weightsStand() (string, bool) {
	if h.setup.WarmupSteps >= h.last().Step {
		return "", false
	}
	if path := h.path(); path < leastPath {
		return fmt.Sprintf("a step changes the encoder's weights by %.1e of their norm; by the end of the run they will have come %s of their norm at most",
			h.recent(updateOf(Encoder)), percent(path)), true
	}
	return "", false
}

// leastTurnover is how often the target must be replaced in a run: the sum of 1−τ.
const leastTurnover = .5

// targetStands: what the network is to predict is, and remains, a random network's.
func (h *history) targetStands() (string, bool) {
	if !finite(h.last().TargetDistance) {
		return "", false
	}
	turnover := h.turnover()
	if turnover >= leastTurnover {
		return "", false
	}
	return fmt.Sprintf("the target takes over %s of itself from the online network in the whole run, which is %s of its norm away by now",
		percent(turnover), percent(h.recent(func(m Measurement) float64 { return m.TargetDistance }))), true
}

// sameShare is the least difference of a picture's views as a share of that of different
// pictures. Crops alone make .6 of it.
const sameShare = .3

// sameViews: the views are so alike that nothing need be understood to match them.
func (h *history) sameViews() (string, bool) {
	own, other := h.recent(view), h.recent(picture)
	if h.setup.supervised() || !(own < sameShare*other) {
		return "", false
	}
	return fmt.Sprintf("the pixels of a picture's two views differ by %.2g, those of different pictures by %.2g: views that are nearly the same ask for nothing",
		own, other), true
}

// flatDetail is the least deviation of pixels within a view, in units of the network's
// input, where pictures have about 1.
const flatDetail = .08

// flatPictures: there is nothing to see in the views.
func (h *history) flatPictures() (string, bool) {
	d := h.recent(detail)
	if !(d < flatDetail) {
		return "", false
	}
	return fmt.Sprintf("within a view pixels deviate by %.2g from its mean colour, about 1 being usual: there is nothing to see", d), true
}

// percent writes a share.
func percent(v float64) string {
	switch p := 100 * v; {
	case math.Abs(p) >= 10:
		return fmt.Sprintf("%.0f %%", p)
	case math.Abs(p) >= .1:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return fmt.Sprintf("%.1g %%", p)
	}
}
