package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

const (
	trialTime = 500 * time.Millisecond // of the timed steps of one set-up, at most if more than one
	allTrials = 8 * time.Second        // of all steps; compiling comes on top
	longStep  = time.Second            // longer steps are timed on smaller batches
)

// meter measures one machine for one set of pictures.
type meter struct {
	data     Data
	pictures []*imaging.Image
	given    Given
	machine  Machine
	say      func(string)
	spent    time.Duration // on steps
}

// Measure times training steps on synthetic batches, from the cheapest candidate upwards
// until one would not see enough pictures in the time. The pictures are Inspect's; say is
// told what is being timed.
func Measure(ctx context.Context, d Data, pictures []*imaging.Image, g Given, say func(string)) (Machine, error) {
	c := g.Config
	m := &meter{data: d, pictures: pictures, given: g, say: say, machine: Machine{
		Processor: machine.Processor(), ISA: isa.Current().String(), Backend: c.Train.Backend,
		Threads: threads(c), Shared: strings.Contains(c.Train.Backend, "cpu"),
	}}
	if free, known := machine.AvailableBytes(); known {
		m.machine.Free = free
	}
	if bound, err := c.Train.MemoryBytes(); err != nil {
		return m.machine, err
	} else if bound > 0 && (m.machine.Free == 0 || bound < m.machine.Free) {
		m.machine.Free = bound
	}
	var taken Candidate
	for i, candidate := range Candidates(d, g) {
		if i > 0 && m.hopeless(&candidate) {
			break
		}
		ok, err := m.try(ctx, candidate)
		if err != nil {
			if i > 0 && errors.Is(err, train.ErrMemory) {
				break
			}
			return m.machine, err
		}
		if i == 0 || ok {
			taken = candidate
		}
		if !ok && i > 0 {
			break
		}
	}
	return m.machine, m.otherPrecision(ctx, taken)
}

// hopeless reports whether a candidate is not worth its time; else it lowers the batch to
// what can be timed quickly.
func (m *meter) hopeless(c *Candidate) bool {
	if m.spent > allTrials {
		return true
	}
	last := m.machine.Trials[len(m.machine.Trials)-1]
	guess := Trial{Setup: c.Setup, ViewS: last.ViewS}
	each := last.StepS / float64(last.Batch) * c.work() / last.work()
	for guess.Batch > 8 && each*float64(guess.Batch) > longStep.Seconds() {
		guess.Batch /= 2
	}
	c.Batch = guess.Batch
	// Wider layers come nearer to the machine's peak: the guess is on the high side.
	guess.StepS = each * float64(guess.Batch) / 4
	guess.Needs = c.Needs
	return !enough(m.data, m.machine, m.given, guess)
}

// try times a candidate, in the other precision too if it is too slow in the first, and
// reports whether the time is enough for it.
func (m *meter) try(ctx context.Context, c Candidate) (enough bool, err error) {
	enough, err = m.time(ctx, c)
	if err == nil && !enough && m.hasOther() {
		c.Precision = "bf16"
		enough, err = m.time(ctx, c)
	}
	return enough, err
}

func (m *meter) hasOther() bool {
	return !m.given.Named["train.precision"] && hasBF16(m.machine.ISA, m.machine.Backend)
}

// otherPrecision times the candidate that will be taken in bfloat16, unless that was done.
func (m *meter) otherPrecision(ctx context.Context, c Candidate) error {
	if !m.hasOther() {
		return nil
	}
	at := -1
	for i, t := range m.machine.Trials {
		if t.sameBut(Trial{Setup: c.Setup}) {
			if t.Precision == "bf16" {
				return nil
			}
			at, c.Batch = i, t.Batch
		}
	}
	c.Precision = "bf16"
	if _, err := m.time(ctx, c); err != nil {
		return err
	}
	// Beside the float32 one.
	last := len(m.machine.Trials) - 1
	t := m.machine.Trials[last]
	m.machine.Trials = slices.Insert(m.machine.Trials[:last], at+1, t)
	return nil
}

// time times a candidate's step and its views.
func (m *meter) time(ctx context.Context, c Candidate) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.say(fmt.Sprintf("timing steps of %s in %s", c.Setup, c.Precision))
	config := m.config(c.Setup)
	step, err := train.NewTrial(config, nil)
	for errors.Is(err, train.ErrMemory) && c.Batch > 4 && !m.given.Named["train.batch"] {
		c.Batch /= 2
		config.Train.Batch = c.Batch
		step, err = train.NewTrial(config, nil)
	}
	if err != nil {
		return false, err
	}
	defer step.Close()
	t := Trial{Setup: c.Setup, Needs: c.Needs, Bytes: step.Memory()}
	if t.StepS, err = m.stepS(ctx, step); err != nil {
		return false, err
	}
	if t.ViewS, err = viewS(m.data, m.pictures, step.Config); err != nil {
		return false, err
	}
	m.machine.Trials = append(m.machine.Trials, t)
	return enough(m.data, m.machine, m.given, t), nil
}

// stepS times a few steps after one that is not counted. It returns the lower quartile:
// other programs only ever make steps slower.
func (m *meter) stepS(ctx context.Context, step *train.Trial) (float64, error) {
	begin := time.Now()
	defer func() { m.spent += time.Since(begin) }()
	if err := step.Step(); err != nil {
		return 0, err
	}
	var times []float64
	for start := time.Now(); len(times) == 0 || len(times) < 9 && time.Since(start) < trialTime; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		one := time.Now()
		if err := step.Step(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(one).Seconds())
	}
	slices.Sort(times)
	return times[len(times)/4], nil
}

// config is the configuration that a set-up is timed with.
func (m *meter) config(s Setup) run.Config {
	c := m.given.Config
	c.Encoder = run.Encoder{Arch: s.Arch, Width: s.Width, Stem: s.Stem, Norm: s.Norm}
	c.Data.Size, c.Data.Channels = s.Size, s.Channels
	c.Train.Precision, c.Train.Batch, c.Optim.Accumulate = s.Precision, s.Batch, 1
	if usesRecipe(c, m.given.Named) {
		hidden, dim := headsOf(s.Arch, s.Width)
		if !m.given.Named["heads.hidden"] {
			c.Heads.Hidden = hidden
		}
		if !m.given.Named["heads.dim"] {
			c.Heads.Dim = dim
		}
		c.Optim.Name, c.Optim.WarmupEpochs = "sgd", 0
	}
	for _, choice := range augmentOf(m.data, s.Size, s.Channels) {
		if !m.given.Named[choice.Key] {
			c.Set(choice.Key, choice.Value) // keys and values of our own
		}
	}
	return c
}
