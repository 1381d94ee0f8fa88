package diagnose

import (
	"fmt"
	"math"
)

// The signs in this file ask whether anything is gained: whether pictures are told apart
// better than by a random network.

// Two views of a picture must be found more alike than those of different pictures by so
// many standard errors, over so many measurements.
const (
	alikeErrors  = 3
	alikeLeast   = 8
	alikeAtMost  = 40
	alikeLargest = .1 // of the distance between pictures; more is no accident even if it is noisy
)

// alike: different pictures look the same, so that there is nothing to tell apart.
func (h *history) alike() (string, bool) {
	if h.setup.supervised() {
		return "", false
	}
	var gaps []float64
	for i := len(h.tail) - 1; i >= 0 && h.tail[i].Step > startSteps && len(gaps) < alikeAtMost; i-- {
		if g := h.tail[i].CosGap; finite(g) {
			gaps = append(gaps, g)
		}
	}
	n := float64(len(gaps))
	if len(gaps) < alikeLeast {
		return "", false
	}
	sum, squares := 0.0, 0.0
	for _, g := range gaps {
		sum += g
		squares += g * g
	}
	average := sum / n
	deviation := math.Sqrt(max(0, squares-sum*average) / (n - 1))
	if average > alikeErrors*deviation/math.Sqrt(n) || average > alikeLargest*(1-h.recent(cosNegative)) {
		return "", false
	}
	return fmt.Sprintf("views of the same picture are no more alike than views of different ones: their cosines differ by %.1g ± %.1g, that of pixels is %.3g to %.3g",
		average, deviation/math.Sqrt(n), h.recent(view), h.recent(picture)), true
}

// Statistics of so few pictures are mostly noise; learning from them must show clearly.
const (
	fewPictures  = 8
	clearlyApart = .5 // contrast
)

// fewToTell: batches are so small that what is learnt from one is lost with the next.
func (h *history) fewToTell() (string, bool) {
	n := h.last().MatchOf
	if n == 0 || n >= fewPictures || h.setup.supervised() {
		return "", false
	}
	now := h.contrast(h.long)
	if now > clearlyApart {
		return "", false
	}
	return fmt.Sprintf("with %d pictures in a batch, views of a picture are told from others by %.2g of the distance between pictures, which is little", n, now), true
}

// Where pictures are told apart by so much of their distance, healthy runs find the right
// one of 64 for one view in ten; by chance it is one in 64.
const (
	groupsApart = .55 // contrast
	byChance    = 3   // times what guessing finds
)

// copies: pictures are told apart, and yet the right one is found no better than by
// guessing: there are a few groups of pictures that are all the same to the network.
func (h *history) copies() (string, bool) {
	n := h.last().MatchOf
	apart, found := h.contrast(h.recent), h.long(func(m Measurement) float64 { return m.Match })
	if n < 32 || h.setup.supervised() || !(apart > groupsApart) || !(found*float64(n) < byChance) {
		return "", false
	}
	return fmt.Sprintf("views are told from those of other pictures by %.2g of the distance between pictures, and yet only %s of them find their partner among %d: pictures fall into a few groups that are the same to the network",
		apart, percent(found), n), true
}

// labelsGain is how far the cross entropy must come from that of guessing.
const labelsGain = .02

// labelsNotLearnt: the labels are guessed.
func (h *history) labelsNotLearnt() (string, bool) {
	if !h.setup.supervised() || h.setup.Classes < 2 {
		return "", false
	}
	guessing, now := math.Log(float64(h.setup.Classes)), h.recent(loss)
	if now < (1-labelsGain)*guessing {
		return "", false
	}
	return fmt.Sprintf("the cross entropy is %.3g, that of guessing %.3g", now, guessing), true
}

// What must be gained by the time that a verdict is given. Of healthy runs the one that had
// gained least by then had doubled the contrast.
const (
	gained       = 1.4  // times the contrast of the first steps,
	gainedOfRest = .25  // or this part of what it lacked of 1, where views were easily told from the start
	standingLoss = .002 // of the loss at the first step: less is no change
	lowContrast  = .1   // of a random network: about .05
	noContrast   = .025 // less than of a random network
)

// nothingGained: views of a picture are no easier to find than by a random network.
func (h *history) nothingGained() (string, bool) {
	if h.setup.supervised() {
		return "", false
	}
	at, now := h.firstContrast(), h.contrast(h.long)
	first, latest := h.head[0].Loss, h.long(loss)
	stands := math.Abs(latest-first) < standingLoss*math.Abs(first) && now < lowContrast
	if !(now < min(gained*at, at+gainedOfRest*(1-at))) && !stands && !(now < noContrast) {
		return "", false
	}
	return fmt.Sprintf("views of a picture are told from others by %.2g of the distance between pictures, at the start by %.2g; the loss went from %.4g to %.4g",
		now, at, first, latest), true
}
