package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/safetensors"
)

// session is one training, opened.
type session struct {
	config    run.Config // resolved
	folder    run.Folder
	progress  *Progress
	log       *slog.Logger
	logFile   *os.File
	set       *dataset.Set
	augmenter *augment.Augmenter
	judge     *judge // nil if there is nothing to judge by
	method    method.Method
	backend   compute.Backend
	stepper   *Stepper
	tracer    *compute.Tracer
	trace     *trace.Recorder // nil for none
	metrics   *run.Metrics
	watch     *diagnose.Watch
	board     *run.TensorBoard

	perEpoch int   // optimiser steps
	step     int   // optimiser steps done
	saved    int   // step of the newest checkpoint, -1 for none
	goLimit  int64 // the Go runtime's limit on memory before this run set one, else 0
	memory
}

// memory is what a checkpoint keeps besides the method's state, so that the events of a
// resumed run are those of an uninterrupted one.
type memory struct {
	Epoch epochSums `json:"epoch"`
	Since sinceSums `json:"since"`
	Best  best      `json:"best"`
}

// best is the checkpoint with the highest kNN accuracy.
type best struct {
	Step int     `json:"step"`
	KNN  float64 `json:"knn"`
}

// open prepares everything up to the first step. On an error nothing is left open, and
// the folder is as it was unless the run had begun.
func open(ctx context.Context, o Options) (_ *session, err error) {
	s := &session{config: o.Config, folder: o.Folder, progress: o.Progress, trace: o.Trace, saved: -1, log: slog.New(slog.DiscardHandler)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := CheckFolder(o.Folder, o.Resume, o.Overwrite); err != nil {
		return nil, err
	}
	if err := s.openData(); err != nil {
		return nil, err
	}
	if s.backend, err = compute.New(s.config.Train.Backend, s.config.Train.Threads); err != nil {
		return nil, err
	}
	s.tracer = compute.Trace(s.backend, o.Trace)
	stored, err := s.stored(o)
	if err != nil {
		return nil, err
	}
	if err := s.resolve(ctx, stored); err != nil {
		return nil, err
	}
	// Before the folder is touched, since this is where a batch that is too large shows.
	if s.stepper, err = NewStepper(s.backend, s.method, ViewShape(s.config)); err != nil {
		return nil, err
	}
	s.unlimitMemory()
	if err := s.start(o, stored != nil); err != nil {
		return nil, err
	}
	return s, nil
}

// CheckFolder refuses a folder that must not be written to, before any work is done.
func CheckFolder(f run.Folder, resume, overwrite bool) error {
	if resume && f.IsRun() {
		return nil
	}
	err := f.Check(overwrite)
	switch {
	case errors.Is(err, run.ErrExists):
		return hint(err, "use --resume to go on, --overwrite to start anew, or another --out")
	case errors.Is(err, run.ErrNotRun):
		return hint(err, "nothing was removed; choose another --out")
	}
	return err
}

// stored reads the configuration of the run to go on with; nil if there is none.
func (s *session) stored(o Options) (*run.Config, error) {
	if !o.Resume || !s.folder.IsRun() {
		return nil, nil
	}
	c, err := run.ReadConfig(s.folder.Config())
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	return &c, nil
}

// resolve fills in the configuration and builds the method. With stored it must come
// out as before.
func (s *session) resolve(ctx context.Context, stored *run.Config) error {
	c := &s.config
	source := run.Source{Images: s.set.Len(), NativeSize: s.set.NativeSize(), Channels: s.set.Channels(), Classes: len(s.set.Classes)}
	budget := c.Train.Time
	if budget > 0 {
		c.Train.Time, c.Train.Steps = 0, 1
		if stored != nil {
			c.Train.Steps, budget = stored.Train.Steps, 0
		}
	}
	provisional := *c
	if err := provisional.Resolve(source); err != nil {
		return err
	}
	if err := s.build(provisional); err != nil {
		return err
	}
	s.limitMemory(provisional)
	if budget > 0 {
		steps, err := s.stepsWithin(ctx, provisional, budget)
		if err != nil {
			return err
		}
		c.Train.Steps = steps
	}
	if err := c.Resolve(source); err != nil {
		return err
	}
	// τ and the like may depend on the number of steps, which is known only now.
	if err := s.build(*c); err != nil {
		return err
	}
	s.perEpoch = c.StepsPerEpoch(s.set.Len())
	if stored != nil {
		if d := run.ChangesResult(*stored, *c); len(d) > 0 {
			return changedError{d}
		}
	}
	return nil
}

// build lays out method and augmentation for a resolved configuration.
func (s *session) build(c run.Config) (err error) {
	if s.method, err = NewMethod(c); err != nil {
		return err
	}
	s.set.SetSize(c.Data.Size)
	s.augmenter, err = augment.New(AugmentConfig(c.Augment), c.Data.Size, c.Data.Channels)
	return err
}

// start makes the folder, or reads it, and places the state on the backend.
func (s *session) start(o Options, resuming bool) error {
	if !resuming {
		if err := s.folder.Create(o.Overwrite); err != nil {
			return err
		}
		if err := s.config.Save(s.folder.Config()); err != nil {
			return err
		}
	}
	if err := s.openLog(); err != nil {
		return err
	}
	state := s.method.Init(s.config.Train.Seed)
	if o.Init != "" {
		if err := s.initFrom(o.Init, state); err != nil {
			return err
		}
	}
	if resuming {
		restored, err := s.restore()
		if err != nil {
			return err
		}
		if restored != nil {
			state = restored
		}
	}
	if err := run.CutMetrics(s.folder.Metrics(), s.saved); err != nil {
		return err
	}
	s.stepper.SetState(state)
	var err error
	if s.watch, _, err = Replay(s.folder, Setup(s.config, s.perEpoch)); err != nil {
		return err
	}
	if s.judge, err = newJudge(s); err != nil {
		return err
	}
	if s.metrics, err = run.OpenMetrics(s.folder.Metrics()); err != nil {
		return err
	}
	if s.board, err = run.OpenTensorBoard(string(s.folder)); err != nil {
		return err
	}
	if s.saved >= 0 && !s.finished() {
		s.say("resuming from step %d of %d", s.step, s.config.Train.Steps)
		return s.metrics.Write(run.ResumeEvent{Event: "resume", Step: s.step, FromStep: s.step})
	}
	return nil
}

// restore reads the newest whole checkpoint; nil if there is none yet.
func (s *session) restore() ([][]float32, error) {
	c, skipped, err := checkpoint.Latest(s.folder.Checkpoints())
	for _, why := range skipped {
		s.say("skipping a damaged checkpoint: %v", why)
	}
	if errors.Is(err, checkpoint.ErrNone) {
		s.say("no checkpoint yet: starting from the beginning")
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	state, err := fromTensors(s.method.Specs(), c.Tensors)
	if err != nil {
		return nil, fmt.Errorf("checkpoint of step %d: %w", c.Step, err)
	}
	if err := json.Unmarshal(c.Extra, &s.memory); err != nil {
		return nil, fmt.Errorf("checkpoint of step %d: %w", c.Step, err)
	}
	s.step, s.saved = c.Step, c.Step
	return state, nil
}

// initFrom overwrites the encoder's weights, the target's too, with those of a file.
func (s *session) initFrom(path string, state [][]float32) error {
	tensors, _, err := safetensors.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--init: %w", err)
	}
	e, err := embed.MetaOf(s.config).NewEncoder()
	if err != nil {
		return err
	}
	values, err := embed.FromTorch(e.Specs(), tensors)
	if err != nil {
		return fmt.Errorf("--init %s: %w", path, err)
	}
	at := map[string]int{}
	for i, spec := range s.method.Specs() {
		at[spec.Name] = i
	}
	for i, spec := range e.Specs() {
		for _, prefix := range []string{method.EncoderPrefix, "target.encoder."} {
			if k, ok := at[prefix+spec.Name]; ok {
				copy(state[k], values[i])
			}
		}
	}
	return nil
}

// finished reports whether all steps are done and the encoder is written.
func (s *session) finished() bool {
	_, err := os.Stat(s.folder.Encoder())
	return err == nil && s.saved == s.config.Train.Steps
}

// stepsWithin measures a few real steps on a throw-away state and returns how many fit
// into the budget.
func (s *session) stepsWithin(ctx context.Context, c run.Config, budget time.Duration) (int, error) {
	stepper, err := NewStepper(s.backend, s.method, ViewShape(c))
	if err != nil {
		return 0, err
	}
	defer stepper.Close()
	stepper.SetState(s.method.Init(c.Train.Seed))
	feed, err := s.feed(c, 0)
	if err != nil {
		return 0, err
	}
	defer feed.close()
	const warmup, timed = 2, 5
	var begin time.Time
	for k := range warmup + timed {
		if k == warmup {
			begin = time.Now()
		}
		if err := ctx.Err(); err != nil {
			return 0, ErrInterrupted
		}
		if _, err := feed.step(stepper, 0, 1, nil); err != nil {
			return 0, err
		}
	}
	each := time.Since(begin) / timed
	steps := max(1, int(budget/each))
	s.progress.say("a step takes %v: %d steps in %v", each.Round(time.Millisecond), steps, budget)
	return steps, nil
}

func (s *session) openLog() (err error) {
	if s.logFile, err = os.OpenFile(s.folder.Log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return err
	}
	s.log = slog.New(slog.NewTextHandler(s.logFile, nil))
	return nil
}

// say tells the user and the log.
func (s *session) say(format string, args ...any) {
	s.progress.say(format, args...)
	s.log.Info(fmt.Sprintf(format, args...))
}

// close releases everything that open took.
func (s *session) close() {
	s.progress.end()
	if s.goLimit != 0 {
		debug.SetMemoryLimit(s.goLimit)
	}
	if s.stepper != nil {
		s.stepper.Close()
	}
	if s.judge != nil {
		s.judge.close()
	}
	if s.metrics != nil {
		s.metrics.Close()
	}
	if s.board != nil {
		s.board.Close()
	}
	if s.logFile != nil {
		s.logFile.Close()
	}
	if s.backend != nil {
		s.backend.Finalize()
	}
}

// adviceError is an error with advice for the user.
type adviceError struct {
	error
	advice string
}

func (e adviceError) Unwrap() error { return e.error }

// Hint returns the advice.
func (e adviceError) Hint() string { return e.advice }

func hint(err error, advice string) error { return adviceError{err, advice} }
