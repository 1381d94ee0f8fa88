package diagnose

import (
	"fmt"
	"strconv"
)

// cause is one explanation of a sign, and what to change. It looks at the set-up and at
// what was measured.
type cause struct {
	verdicts []string // that it can explain
	explain  func(*history) (cause, advice string, ok bool)
}

var (
	collapses = []string{Full, Dimensional}
	anything  = []string{Full, Dimensional, Diverging, NotLearning}
	notWild   = []string{Full, Dimensional, NotLearning}
)

// causes lists the explanations in order, the surest first: what makes a collapse certain,
// or learning impossible, comes before what makes it likely.
var causes = []cause{
	{notWild, (*history).standingWeights},
	{notWild, (*history).randomTarget},
	{anything, (*history).smallBatch},
	{notWild, (*history).noStopGradient},
	{notWild, (*history).noPredictor},
	{notWild, (*history).sameDrawnViews},
	{notWild, (*history).flatData},
	{notWild, (*history).temperature},
	{notWild, (*history).shortQueue},
	{notWild, (*history).narrowHead},
	{anything, (*history).decay},
	{anything, (*history).rateTooHigh},
	{notWild, (*history).predictorStands},
	{notWild, (*history).strongCrop},
	{notWild, (*history).alikeData},
	{collapses, (*history).lowTau},
	{anything, (*history).noNorm},
	{notWild, (*history).notBatchNorm},
	{notWild, (*history).weakViews},
	{[]string{NotLearning}, (*history).rateTooLow},
	{[]string{NotLearning}, (*history).highTau},
	{[]string{NotLearning}, (*history).lowTau},
	{[]string{NotLearning}, (*history).longFirstSteps},
}

// cause returns the likely cause of a sign and what to do.
func (w *Watch) cause(s sign) (cause, advice string) {
	for _, c := range causes {
		for _, v := range c.verdicts {
			if v != s.verdict {
				continue
			}
			if cause, advice, ok := c.explain(&w.history); ok {
				return cause, advice
			}
		}
	}
	switch s.verdict {
	case Diverging:
		return "the steps are too long", "lower optim.lr, or lengthen optim.warmup_epochs"
	case NotLearning:
		return "unclear: nothing in the set-up stands out", "compare with a preset (byol train --preset), first optim.lr, train.batch and augment.*"
	}
	return "unclear: nothing in the set-up stands out", "compare with a preset (byol train --preset), first method.tau, optim.lr and heads.norm"
}

// standingWeights: the encoder is where it began.
func (h *history) standingWeights() (string, string, bool) {
	if _, ok := h.weightsStand(); !ok {
		return "", "", false
	}
	if h.setup.LR == 0 {
		return "the learning rate is 0", "set optim.lr above 0 (or optim.base_lr)", true
	}
	return fmt.Sprintf("the learning rate is far too low (optim.lr=%s)", number(h.setup.LR)), "raise optim.lr a hundred-fold, or leave it to the preset", true
}

// randomTarget: the target is, and remains, random.
func (h *history) randomTarget() (string, string, bool) {
	if _, ok := h.targetStands(); !ok {
		return "", "", false
	}
	if h.setup.Method == "byol" && h.setup.Target == "random" {
		return "the target never moves: it is the random network of the start", "set method.target=ema", true
	}
	if h.setup.Tau == 1 {
		return "the target never moves: τ is 1", "lower method.tau, or set it to -1 to have it chosen", true
	}
	return fmt.Sprintf("τ is too high for a run of %d steps (method.tau=%s)", h.setup.Steps, number(h.setup.Tau)),
		fmt.Sprintf("lower method.tau, or set it to -1 to have it chosen; it should be below %.3g", 1-4/float64(max(8, h.setup.Steps))), true
}

// noStopGradient: both sides of the loss run towards each other.
func (h *history) noStopGradient() (string, string, bool) {
	if h.setup.StopGradient {
		return "", "", false
	}
	return "no stop-gradient: the target is drawn towards the prediction, and both meet in one point", "set method.stop_gradient=true", true
}

// noPredictor: the network imitates its own average.
func (h *history) noPredictor() (string, string, bool) {
	if h.setup.Predictor || !h.setup.hasPredictor() || h.setup.contrasts() {
		return "", "", false
	}
	return "no predictor: nothing keeps online and target network from agreeing on one point", "set method.predictor=true", true
}

// sameDrawnViews: both views show the same.
func (h *history) sameDrawnViews() (string, string, bool) {
	if _, ok := h.sameViews(); !ok {
		return "", "", false
	}
	return "the augmentation is too weak, or there is none: both views are nearly the same picture",
		"strengthen augment.crop.scale (as .2,1), augment.jitter.p and augment.gray", true
}

// flatData: the pictures are of one colour each.
func (h *history) flatData() (string, string, bool) {
	if _, ok := h.flatPictures(); !ok {
		return "", "", false
	}
	return "the data have no variety: views are of one colour each, since the pictures are, or since blur or augment.normalize.std wipes them out",
		"look at views.png in the run's folder, then change data.train, augment.blur.sigma or augment.normalize.std", true
}

// highTemperature is where a softmax over cosines becomes flat.
const highTemperature = 3

// temperature: negatives push all the same.
func (h *history) temperature() (string, string, bool) {
	if !h.setup.contrasts() || h.setup.Temperature < highTemperature {
		return "", "", false
	}
	return fmt.Sprintf("the temperature is too high (method.temperature=%s): all pictures push alike", number(h.setup.Temperature)), "set method.temperature to .1 to .5", true
}

// leastQueue keys, with those of a batch, are few to push away.
const leastQueue = 64

// shortQueue: there is next to nothing to be told from.
func (h *history) shortQueue() (string, string, bool) {
	if h.setup.Method != "moco" || h.setup.Queue >= leastQueue {
		return "", "", false
	}
	return fmt.Sprintf("the queue is too short (method.queue=%d): there is next to nothing to be told from", h.setup.Queue), "set method.queue to 0 (chosen)", true
}

// leastDim is the narrowest projection that has room for directions.
const leastDim = 8

// narrowHead: projections cannot have more directions than dimensions.
func (h *history) narrowHead() (string, string, bool) {
	if h.setup.supervised() || h.setup.Dim >= leastDim {
		return "", "", false
	}
	return fmt.Sprintf("the projection is too narrow (heads.dim=%d)", h.setup.Dim), "set heads.dim to 64 or more", true
}

// smallCrop is a share of a picture's area in which two views rarely meet.
const smallCrop = .08

// strongCrop: the views show different parts.
func (h *history) strongCrop() (string, string, bool) {
	if h.setup.CropScale[1] > smallCrop {
		return "", "", false
	}
	return fmt.Sprintf("the crops are too small (augment.crop.scale up to %s): two views of a picture have nothing in common", number(h.setup.CropScale[1])),
		"set augment.crop.scale=.2,1", true
}

// decay: weights are pulled to zero faster than they learn.
func (h *history) decay() (string, string, bool) {
	shrunk := h.grown(Encoder)
	if !(h.setup.WeightDecay >= .02) || !(shrunk < .8) {
		return "", "", false
	}
	return fmt.Sprintf("the weight decay is too strong (optim.weight_decay=%s): the encoder's weights have %s of their norm at the start left", number(h.setup.WeightDecay), percent(shrunk)),
		"lower optim.weight_decay: 1e-6 for lars, 5e-4 for sgd, .01 for adamw", true
}

// rateTooHigh: one step undoes another.
func (h *history) rateTooHigh() (string, string, bool) {
	update := h.farthest
	if grown := h.grown(Encoder); grown > burstNorm {
		return fmt.Sprintf("the learning rate is far too high (optim.lr=%s): the encoder's weights have %.2g times their norm at the start", number(h.setup.LR), grown),
			"lower optim.lr ten-fold, or lengthen optim.warmup_epochs", true
	}
	if !(update > wildUpdate) {
		return "", "", false
	}
	return fmt.Sprintf("the learning rate is far too high (optim.lr=%s): a step changed up to %s of the encoder's weights", number(h.setup.LR), percent(update)),
		"lower optim.lr ten-fold, or lengthen optim.warmup_epochs", true
}

// predictorStands: a predictor that does not learn is none.
func (h *history) predictorStands() (string, string, bool) {
	if !h.setup.hasPredictor() || !h.setup.Predictor {
		return "", "", false
	}
	own, others := h.moved[Predictor], h.moved[Encoder]
	if !(own < .02*others) {
		return "", "", false
	}
	return fmt.Sprintf("the predictor does not learn (method.predictor_lr=%s): it moves by %.1g of what the encoder does", number(h.setup.PredictorLR), own/others),
		"set method.predictor_lr=1, or more", true
}

// smallBatch: too few pictures for statistics, or for negatives.
func (h *history) smallBatch() (string, string, bool) {
	if h.setup.Batch >= fewPictures {
		return "", "", false
	}
	return fmt.Sprintf("the batch is too small: statistics of %d pictures are mostly noise", h.setup.Batch),
		"raise train.batch to 32 or more; a smaller data.size or encoder.width makes room (optim.accumulate does not help batch norm)", true
}

// alikeData: the pictures do not differ.
func (h *history) alikeData() (string, string, bool) {
	const similar = .97 // the difference of views over that of pictures, from which on there is only one picture
	_, groups := h.copies()
	if _, alike := h.alike(); !groups && (!alike || h.recent(view) < similar*h.recent(picture)) {
		return "", "", false
	}
	if groups {
		return "the data have no variety: a few pictures, or groups of copies, make up the batch", "look at views.png and at data.train: are the pictures copies of each other?", true
	}
	return "the data have no variety: two pictures differ no more than two views of one", "look at views.png and at data.train: are the pictures copies of each other?", true
}

// lowTau: the target follows too closely to be a target.
func (h *history) lowTau() (string, string, bool) {
	if h.setup.Method != "byol" || h.setup.contrasts() || h.setup.Target == "random" || h.setup.Target == "ema" && h.setup.Tau > .8 {
		return "", "", false
	}
	return "τ is too low: the target is (nearly) the online network itself", "set method.target=ema, and method.tau to .98 or above (-1: chosen)", true
}

// noNorm: without a norm, projections of a random network are nearly the same for all pictures.
func (h *history) noNorm() (string, string, bool) {
	switch {
	case !h.setup.normless():
		return "", "", false
	case h.setup.EncoderNorm == "none":
		return "no norm anywhere: what all pictures have in common is never taken off", "set encoder.norm=batch and heads.norm=batch", true
	}
	return "no norm in the heads: what all pictures have in common is never taken off", "set heads.norm=batch", true
}

// notBatchNorm: norms of single pictures leave in what all pictures have in common.
func (h *history) notBatchNorm() (string, string, bool) {
	switch s := h.setup; {
	case s.ProjectorNorm == "batch" && (s.PredictorNorm == "batch" || !s.hasPredictor() || !s.Predictor):
		return "", "", false
	case s.supervised() || s.OutputNorm == "batch":
		return "", "", false
	}
	return fmt.Sprintf("no batch norm in one of the heads (heads.norm=%s,%s): what all pictures have in common is never taken off", h.setup.ProjectorNorm, h.setup.PredictorNorm),
		"set heads.norm=batch", true
}

// weakShare is the difference of views, as a share of that of pictures, that colours
// and crops make at least.
const weakShare = .5

// weakViews: less is asked than crops and colours make.
func (h *history) weakViews() (string, string, bool) {
	if h.recent(view) > weakShare*h.recent(picture) {
		return "", "", false
	}
	return "the augmentation is weak: the views of a picture differ little", "strengthen augment.crop.scale (as .2,1), augment.jitter.p and augment.gray", true
}

// rateTooLow: there is little movement.
func (h *history) rateTooLow() (string, string, bool) {
	path := h.path()
	if path > 4*leastPath {
		return "", "", false
	}
	return fmt.Sprintf("the learning rate is too low (optim.lr=%s): in the whole run the encoder's weights will have come %s of their norm", number(h.setup.LR), percent(path)),
		"raise optim.lr ten-fold, or leave it to the preset", true
}

// firstUpdate is longer than first steps of healthy runs, without a warm-up, were seen to be.
const firstUpdate = .05 // of the weights' norm

// longFirstSteps: what the network was drawn with is lost before it learns.
func (h *history) longFirstSteps() (string, string, bool) {
	most := 0.0
	for _, m := range h.head {
		most = max(most, m.Update[Encoder])
	}
	if most < firstUpdate {
		return "", "", false
	}
	return fmt.Sprintf("the learning rate is too high at the start (optim.lr=%s): one of the first steps changed %s of the encoder's weights", number(h.setup.LR), percent(most)),
		"lower optim.lr, or set optim.warmup_epochs", true
}

// highTau: the target hardly follows.
func (h *history) highTau() (string, string, bool) {
	if !h.setup.followed() || h.turnover() > 4*leastTurnover {
		return "", "", false
	}
	return fmt.Sprintf("τ is high for a run of %d steps (method.tau=%s)", h.setup.Steps, number(h.setup.Tau)), "lower method.tau, or set it to -1 to have it chosen", true
}

// number writes a value of the configuration.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
