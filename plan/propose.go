package plan

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	// maxEpochs is how often pictures are shown at most: the longest published recipes.
	maxEpochs = 1000
	// minSteps is the shortest run worth its while, besides one pass over the pictures.
	minSteps = 200
	// fewestPictures is what one can learn from at all.
	fewestPictures = 8
	// memoryShare is the share of the available memory that a plan may take.
	memoryShare = .8
	// margin is what checkpoints, events and the start take of a run.
	margin = 1.04
	// bf16Gain is by how much bfloat16 must be faster to be taken.
	bf16Gain = 1.05
)

// proposal is a plan in the making.
type proposal struct {
	Plan
	given   Given
	trial   Trial
	batch   int // pictures of a micro-batch
	group   int // micro-batches of a step
	steps   int
	judging float64 // seconds of one judgement
}

// Propose chooses a configuration: what the user named stays, all else follows from the
// data, the machine's trials and the time.
func Propose(d Data, m Machine, g Given) (Plan, error) {
	p := &proposal{Plan: Plan{Data: d, Machine: m, BudgetS: g.Time.Seconds()}, given: g}
	if d.Images < fewestPictures {
		return Plan{}, tooFew(d)
	}
	if len(m.Trials) == 0 {
		return Plan{}, fmt.Errorf("plan: no training step was measured")
	}
	p.pick()
	if err := p.length(); err != nil {
		return Plan{}, err
	}
	p.network()
	p.optimiser()
	for _, c := range augmentOf(d, p.trial.Size, p.trial.Channels) {
		p.choose(c.Key, c.Value, "%s", c.Reason)
	}
	p.judge()
	p.expect()
	p.advise()
	p.Command = p.command()
	return p.Plan, nil
}

func tooFew(d Data) error {
	return hint(fmt.Errorf("plan: %s: %d pictures are too few to learn from", d.Train, d.Images), "gather some hundreds at least")
}

// choose makes a choice unless the user has made it.
func (p *proposal) choose(key, value, reason string, args ...any) {
	if !p.given.Named[key] {
		p.Choices = append(p.Choices, Choice{key, value, fmt.Sprintf(reason, args...)})
	}
}

// note adds a remark for the user.
func (p *proposal) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// pick takes the largest candidate that the time is enough for, in the faster precision.
func (p *proposal) pick() {
	p.trial = p.Machine.Trials[0]
	for _, t := range p.Machine.Trials[1:] {
		switch {
		case t.sameBut(p.trial):
			if p.perPicture(t)*bf16Gain <= p.perPicture(p.trial) {
				p.trial = t
			}
		case enough(p.Data, p.Machine, p.given, t):
			p.trial = t
		}
	}
}

// sameBut reports whether two trials differ in nothing but precision and speed.
func (t Trial) sameBut(o Trial) bool {
	a, b := t.Setup, o.Setup
	a.Precision, b.Precision, a.Batch, b.Batch = "", "", 0, 0
	return a == b
}

// perPicture returns the seconds that a picture takes in a step, loading included.
func perPicture(m Machine, t Trial) float64 {
	step, load := t.StepS/float64(t.Batch), t.ViewS/float64(max(1, m.Threads))
	if m.Shared {
		return step + load
	}
	return max(step, load)
}

func (p *proposal) perPicture(t Trial) float64 { return perPicture(p.Machine, t) }

// judgingS estimates a judgement by nearest neighbours: every picture goes forward once,
// of the eight times that it does in a step of two views.
func judgingS(d Data, m Machine, t Trial) float64 {
	step := t.StepS / float64(t.Batch)
	return float64(d.Images+d.Test) * (step/8 + t.ViewS/4/float64(max(1, m.Threads)))
}

// loadingS is what reading all pictures for the first time takes, if they stay in memory.
func loadingS(d Data, m Machine) float64 {
	return float64(d.Images) * d.LoadS / float64(max(1, m.Threads))
}

// seen returns how many pictures the run shows with a set-up, counted as often as shown.
func seen(d Data, m Machine, g Given, t Trial) float64 {
	c := g.Config
	most := float64(maxEpochs * d.Images)
	switch {
	case g.Named["train.steps"] && c.Train.Steps > 0:
		return float64(c.Train.Steps * t.Batch * c.Optim.Accumulate)
	case g.Named["train.epochs"] && c.Train.Epochs > 0:
		return float64(c.Train.Epochs * d.Images)
	}
	seconds := timeFor(d, m, g)
	if judged(d, g) {
		seconds -= judgingTime(seconds, judgingS(d, m, t))
	}
	return max(0, min(most, seconds/perPicture(m, t)))
}

// timeFor is the time for steps and judging, in seconds.
func timeFor(d Data, m Machine, g Given) float64 {
	return max(0, g.Time.Seconds()/margin-loadingS(d, m))
}

// judged reports whether the run may be judged while it trains.
func judged(d Data, g Given) bool {
	return d.Classes > 0 && !(g.Named["eval.knn_every"] && g.Config.Eval.KNNEvery == 0)
}

// enough reports whether the time is enough for a set-up. Where a cheaper one could show
// every picture as often as makes sense, it has no advantage left.
func enough(d Data, m Machine, g Given, t Trial) bool {
	return seen(d, m, g, t) >= min(t.Needs, float64(maxEpochs*d.Images))
}

// length chooses batch, accumulation and steps.
func (p *proposal) length() error {
	d, c := p.Data, p.given.Config
	shown := seen(d, p.Machine, p.given, p.trial)
	p.batch, p.group = c.Train.Batch, c.Optim.Accumulate
	why := fmt.Sprintf("as in the presets for short runs; %s pictures are shown in all", count(shown))
	if !p.given.Named["train.batch"] {
		p.batch = batchOf(shown)
		switch {
		case p.batch > 64:
			why = fmt.Sprintf("%s steps remain: steadier statistics are worth fewer steps", count(shown/float64(p.batch)))
		case p.batch < 64:
			why = "so few pictures can be shown that the number of steps counts most"
		}
		if most := largestBatch(d.Images); p.batch > most {
			p.batch, why = most, fmt.Sprintf("an epoch of %d pictures should have some steps", d.Images)
		}
		if fits := p.fits(); p.batch > fits {
			p.batch = fits
			why = fmt.Sprintf("what fits into %s of memory", humanize.IBytes(uint64(p.Machine.Free)))
			if !p.given.Named["optim.accumulate"] {
				p.group = max(1, min(64, largestBatch(d.Images))/fits)
			}
		}
	}
	p.choose("train.batch", strconv.Itoa(p.batch), "%s", why)
	if p.group > 1 {
		p.choose("optim.accumulate", strconv.Itoa(p.group), "small batches: a step of %d pictures; this helps gradients, not the statistics of batch norm", p.batch*p.group)
	}
	perEpoch := stepsPerEpoch(d.Images, p.batch*p.group)
	switch {
	case p.given.Named["train.steps"] && c.Train.Steps > 0:
		p.steps = c.Train.Steps
		return nil
	case p.given.Named["train.epochs"] && c.Train.Epochs > 0:
		p.steps = c.Train.Epochs * perEpoch
		return nil
	}
	p.steps = min(int(shown/float64(p.batch*p.group)), maxEpochs*perEpoch)
	if least := max(perEpoch, minSteps); p.steps < least {
		return p.tooShort(least)
	}
	why = fmt.Sprintf("%s: %s epochs", short(p.given.Time), speed(float64(p.steps)/float64(perEpoch)))
	if p.steps == maxEpochs*perEpoch {
		why = fmt.Sprintf("%d epochs, the most that any published recipe takes: less than the time allows", maxEpochs)
	}
	p.choose("train.steps", strconv.Itoa(p.steps), "%s", why)
	return nil
}

// tooShort says what time would make sense.
func (p *proposal) tooShort(least int) error {
	rate := 1 / p.perPicture(p.trial)
	need := float64(least*p.batch*p.group)/rate + loadingS(p.Data, p.Machine)
	if p.Data.Classes > 0 {
		need *= 16. / 15
	}
	need *= margin
	what := fmt.Sprintf("one pass over %s pictures", count(float64(p.Data.Images)))
	if least == minSteps {
		what = fmt.Sprintf("%d steps", minSteps)
	}
	unit := time.Minute
	if need < 600 {
		unit = 5 * time.Second
	}
	budget := (time.Duration(need*float64(time.Second)) + unit - 1).Truncate(unit)
	return hint(fmt.Errorf("plan: %s are too short: %s of the cheapest network, at %s images/s, take %s",
		p.given.Time, what, speed(rate), budget),
		fmt.Sprintf("the smallest budget that makes sense is --time %s; --set data.limit=N takes fewer pictures", short(budget)))
}

// fits is the largest batch, a power of two, whose step fits into memory. What a step holds
// besides the batch is counted as if it grew with it, which is on the safe side.
func (p *proposal) fits() int {
	batch := 1 << 20
	if p.Machine.Free == 0 || p.trial.Bytes == 0 {
		return batch
	}
	room := memoryShare * float64(p.Machine.Free)
	for batch > 2 && batch > p.trial.Batch && float64(p.trial.Bytes)*float64(batch)/float64(p.trial.Batch) > room {
		batch /= 2
	}
	for batch > 2 && batch <= p.trial.Batch && float64(p.trial.Bytes)*float64(batch)/float64(p.trial.Batch) > room {
		batch /= 2
	}
	return batch
}

// network chooses what is trained.
func (p *proposal) network() {
	t, d := p.trial, p.Data
	shown := float64(p.steps * p.batch * p.group)
	p.choose("encoder.arch", t.Arch, "%s pictures are shown, counted as often as they are", count(shown))
	p.choose("encoder.width", number(t.Width), "%s", p.whyThis())
	why := "the views are small: keep every position"
	if t.Stem == "imagenet" {
		why = "shrinks the views fourfold before the blocks: the cheaper stem"
		if t.Size <= smallSide && d.Symbols {
			why = "letters and digits are told by coarse shapes: the cheaper stem"
		}
	}
	p.choose("encoder.stem", t.Stem, "%s", why)
	why = "the pictures' own"
	if d.Native != t.Size {
		why = fmt.Sprintf("pictures of %d: more pixels cost more than they tell in this time", d.Native)
	}
	p.choose("data.size", strconv.Itoa(t.Size), "%s", why)
	if t.Channels == 1 {
		why = "the pictures are gray"
		if d.Channels == 3 {
			why = "no picture of the sample has any colour"
		}
		p.choose("data.channels", "1", "%s", why)
	}
	p.choose("train.precision", t.Precision, "%s", p.whyPrecision())
	if p.batch < smallestForBatchNorm {
		p.choose("encoder.norm", "group_ws", "the statistics of %d pictures are too noisy; group norm with weight standardisation needs none", p.batch)
		p.choose("heads.norm", "group", "as in the encoder")
	} else {
		p.choose("encoder.norm", "batch", "batches of %d have good statistics, and nothing learns as well", p.batch)
	}
}

// whyThis says what the next larger candidate would need.
func (p *proposal) whyThis() string {
	for _, c := range Candidates(p.Data, p.given) {
		if c.Needs > p.trial.Needs {
			return fmt.Sprintf("the next larger (%s) is worth its time when %s pictures can be shown", c.Setup, count(c.Needs))
		}
	}
	return "the largest that plans know of"
}

// String names a set-up.
func (s Setup) String() string {
	return fmt.Sprintf("%s, width %s, stem %s, %d pixels", s.Arch, number(s.Width), s.Stem, s.Size)
}

// whyPrecision compares the precisions that were measured.
func (p *proposal) whyPrecision() string {
	for _, t := range p.Machine.Trials {
		if t.sameBut(p.trial) && t.Precision != p.trial.Precision {
			return fmt.Sprintf("%s images/s; %s: %s", speed(1/p.perPicture(p.trial)), t.Precision, speed(1/p.perPicture(t)))
		}
	}
	return "this machine has no faster one"
}

// optimiser chooses rates.
func (p *proposal) optimiser() {
	c, named := p.given.Config, p.given.Named
	if !usesRecipe(c, named) {
		return
	}
	hidden, dim := headsOf(p.trial.Arch, p.trial.Width)
	p.choose("heads.hidden", strconv.Itoa(hidden), "in proportion to the encoder")
	p.choose("heads.dim", strconv.Itoa(dim), "in proportion to the encoder")
	pictures := p.batch * p.group
	rate := rateOf(p.steps, pictures)
	p.choose("optim.name", "sgd", "published recipes for small pictures and short runs")
	switch {
	case named["optim.lr"]:
		rate = c.Optim.LR
	case named["optim.base_lr"]:
		rate = c.Optim.BaseLR * float64(pictures) / 256
	default:
		p.choose("optim.lr", number(rate), "%s per 256 pictures: %d steps, the fewer the higher", number(round(rate*256/float64(pictures), 2)), p.steps)
	}
	p.choose("optim.weight_decay", number(decayOf(rate)), "rate times decay as published")
	p.choose("optim.warmup_epochs", "0", "SGD without adaptation needs none at this rate")
	p.choose("method.tau", number(tauOf(p.steps)), "%d steps: the target averages over some %d at the start", p.steps, int(1/(1-tauOf(p.steps))))
	p.choose("method.tau_schedule", "cosine", "to 1 at the end, as published")
}

// judge chooses how often kNN accuracy is measured.
func (p *proposal) judge() {
	if p.Data.Classes == 0 {
		p.choose("eval.knn_every", "0", "no labels")
		return
	}
	epochs := p.epochs()
	p.judging = judgingS(p.Data, p.Machine, p.trial)
	time := timeFor(p.Data, p.Machine, p.given)
	if p.given.Time == 0 {
		time = p.stepsS()
	}
	every := knnEvery(epochs, judgingTime(time, p.judging), p.judging)
	if p.given.Named["eval.knn_every"] {
		every = p.given.Config.Eval.KNNEvery
	} else if every == 0 {
		p.choose("eval.knn_every", "0", "a judgement takes about %s, too much of this run: use byol eval knn after it", duration(p.judging))
	} else {
		p.choose("eval.knn_every", strconv.Itoa(every), "in epochs: a judgement takes about %s", duration(p.judging))
	}
	if every > 0 {
		p.Expected.JudgingS = p.judging * (1 + math.Ceil(epochs/float64(every)))
	}
}

func (p *proposal) epochs() float64 {
	return float64(p.steps) / float64(stepsPerEpoch(p.Data.Images, p.batch*p.group))
}

// stepsS is the time of all steps.
func (p *proposal) stepsS() float64 {
	return float64(p.steps*p.batch*p.group) * p.perPicture(p.trial)
}

// expect says what the run should come to.
func (p *proposal) expect() {
	e := &p.Expected
	e.ImagesPerS, e.Steps, e.Epochs = 1/p.perPicture(p.trial), p.steps, p.epochs()
	e.LoadingS = loadingS(p.Data, p.Machine)
	e.Seconds = margin * (p.stepsS() + e.JudgingS + e.LoadingS)
	e.Bytes = p.trial.Bytes
	if p.batch > p.trial.Batch {
		e.Bytes = int64(float64(p.trial.Bytes) * float64(p.batch) / float64(p.trial.Batch))
	}
}

// advise adds what is no choice of the plan.
func (p *proposal) advise() {
	d := p.Data
	if d.Images < 1000 {
		p.note("%d pictures are few: an encoder learns what varies among them, and no more. Add pictures of the same kind, if there are any; they need no labels", d.Images)
	}
	if d.Classes == 0 {
		p.note("without labels watch target_std, rank and cosines; byol eval takes labelled pictures of another folder")
	}
	if !d.Symbols && d.Native <= smallSide && p.trial.Channels == 1 && !p.given.Named["augment.flip"] {
		p.note("if these are letters, digits or other signs, add --set augment.flip=0")
	}
	if shown := p.epochs(); shown < 10 && d.Images > 10000 {
		p.note("%.2g passes over the pictures are few: more time would bring more", shown)
	}
	if !p.Machine.Shared && p.trial.ViewS/float64(max(1, p.Machine.Threads)) > p.trial.StepS/float64(p.trial.Batch) {
		p.note("loading bounds the speed: the device waits for pictures")
	}
}
