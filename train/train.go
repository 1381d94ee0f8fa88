// Package train runs one training: it opens the data, takes the steps, watches them,
// and keeps the run's folder such that a killed run goes on as if nothing had happened.
package train

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/byol-go/byol/internal/trace"
	"github.com/byol-go/byol/run"
)

// Options of a training.
type Options struct {
	Config    run.Config // as put together by run.Build; Run resolves it
	Folder    run.Folder
	Resume    bool   // go on from the newest whole checkpoint; from the start if there is none
	Overwrite bool   // replace an earlier run in the folder
	Init      string // file of encoder weights to start from, or ""
	Progress  *Progress
	Trace     *trace.Recorder // of what happens when: nodes, steps, loading, judging, saving; nil for none
}

// ErrInterrupted says that a training was stopped from outside after its state was saved.
var ErrInterrupted = errors.New("interrupted")

// ErrDiverged says that a step's loss or gradient was not finite; the same run diverges again.
var ErrDiverged = errors.New("diverged")

// Run trains to the end, or until ctx is cancelled: then the state is saved and the error
// is ErrInterrupted, wrapped. A finished run is left as it is.
func Run(ctx context.Context, o Options) error {
	if o.Progress == nil {
		o.Progress = NewProgress(nil, false)
	}
	s, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	if s.finished() {
		o.Progress.say("%s is finished: %d steps", o.Folder, s.config.Train.Steps)
		return nil
	}
	return s.train(ctx)
}

// changedError lists the options that would make a resumed run another one.
type changedError struct{ differences []string }

func (e changedError) Error() string {
	return "resume: the run was started with other options: " + strings.Join(e.differences, "; ")
}

// Hint says what to do.
func (e changedError) Hint() string {
	return "leave these options out to go on as before, or start a new run with another --out"
}

// notFiniteError says that a step went wrong beyond repair.
type notFiniteError struct {
	step         int
	loss, norm   float64
	lr           float64
	lastSafeStep int
}

func (e notFiniteError) Error() string {
	return fmt.Sprintf("step %d: the loss is %v and the gradient's norm %v: training has diverged; nothing of this step was saved (last checkpoint: step %d)",
		e.step, e.loss, e.norm, e.lastSafeStep)
}

// Is makes it an ErrDiverged.
func (e notFiniteError) Is(target error) bool { return target == ErrDiverged }

// Hint says what to do.
func (e notFiniteError) Hint() string {
	return fmt.Sprintf("lower the learning rate (optim.lr is %g here), lengthen the warm-up (optim.warmup_epochs), or enlarge the batch", e.lr)
}
