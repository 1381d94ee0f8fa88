package diagnose

import (
	"fmt"
	"math"
	"slices"
)

// history is what is kept of the measurements so far.
type history struct {
	setup Setup
	count int
	head  []Measurement // of the first steps, at least one
	tail  []Measurement // the latest, as many as any mean is taken over

	moved    [3]float64 // relative updates of the parts' weights, added up over steps
	turned   float64    // 1−τ, added up over steps
	farthest float64    // the largest relative update of the encoder after the first steps
}

// The stretches that means are taken over.
const (
	recentSteps = 50  // and at least persistence measurements
	longSteps   = 100 // where single batches tell little
	startSteps  = 30
	tailLength  = 2 * longSteps // one measurement a step
)

// note takes in a measurement.
func (h *history) note(m Measurement) {
	steps := m.Step
	if h.count > 0 {
		steps -= h.last().Step
	}
	for part, update := range m.Update {
		h.moved[part] += update * float64(steps)
	}
	h.turned += (1 - m.Tau) * float64(steps)
	if h.count == 0 || m.Step <= startSteps {
		h.head = append(h.head, m)
	} else if m.Update[Encoder] > h.farthest {
		h.farthest = m.Update[Encoder]
	}
	if len(h.tail) == 2*tailLength {
		h.tail = append(h.tail[:0], h.tail[tailLength:]...)
	}
	h.tail = append(h.tail, m)
	h.count++
}

func (h *history) last() Measurement { return h.tail[len(h.tail)-1] }

// share is how much of the run is done.
func (h *history) share() float64 {
	return max(1e-9, float64(h.last().Step)/float64(max(1, h.setup.Steps)))
}

// recent is the mean of what pick takes out of the latest measurements; NaN if it is
// nowhere finite.
func (h *history) recent(pick func(Measurement) float64) float64 { return h.latest(recentSteps, pick) }

// long is recent over more steps.
func (h *history) long(pick func(Measurement) float64) float64 { return h.latest(longSteps, pick) }

func (h *history) latest(steps int, pick func(Measurement) float64) float64 {
	last, n := h.last().Step, 0
	for n < len(h.tail) && (n < persistence || h.tail[len(h.tail)-1-n].Step > last-steps) {
		n++
	}
	return mean(h.tail[len(h.tail)-n:], pick)
}

// earlier is the mean over as many steps before those of recent.
func (h *history) earlier(pick func(Measurement) float64) float64 {
	last, to := h.last().Step, len(h.tail)
	for to > 0 && h.tail[to-1].Step > last-recentSteps {
		to--
	}
	from := to
	for from > 0 && h.tail[from-1].Step > last-2*recentSteps {
		from--
	}
	return mean(h.tail[from:to], pick)
}

// start is the mean over the first measurements.
func (h *history) start(pick func(Measurement) float64) float64 { return mean(h.head, pick) }

// grown is the norm of a part's weights as a multiple of that at the first step.
func (h *history) grown(part int) float64 { return h.recent(normOf(part)) / h.head[0].Norm[part] }

// path is how far the encoder's weights will have come by the end of the run, in units of
// their norm, if they go on as on average so far.
func (h *history) path() float64 { return h.moved[Encoder] / h.share() }

// turnover is how often the target will have been replaced by the end of the run.
func (h *history) turnover() float64 { return h.turned / h.share() }

// contrast is the gap of the cosines as a share of the distance between pictures.
func (h *history) contrast(over func(func(Measurement) float64) float64) float64 {
	return over(cosGap) / max(1e-6, 1-over(cosNegative))
}

// firstContrast is that of the first steps: the least of their mean and of the second
// measurement, which is a mean over some steps, since some runs learn within the first.
func (h *history) firstContrast() float64 {
	at := h.contrast(h.start)
	if len(h.head) > 1 {
		second := h.head[1]
		at = min(at, second.CosGap/max(1e-6, 1-second.CosNegative))
	}
	return at
}

// evidenceOfHealth says what speaks for a run.
func (h *history) evidenceOfHealth() string {
	if h.setup.supervised() {
		return fmt.Sprintf("the cross entropy is %.3g and %s of the training views are classified right", h.recent(loss), percent(h.recent(func(m Measurement) float64 { return m.Accuracy })))
	}
	return fmt.Sprintf("projections spread by %.2f (1 is healthy, 0 collapsed) with an effective rank of %.1f; views of a picture have a cosine of %.2f, of different pictures %.2f",
		h.recent(std), h.recent(rank), h.recent(cosPositive), h.recent(cosNegative))
}

func mean(list []Measurement, pick func(Measurement) float64) float64 {
	sum, n := 0.0, 0
	for _, m := range list {
		if v := pick(m); v-v == 0 {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}

// finite reports whether all values are.
func finite(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}
