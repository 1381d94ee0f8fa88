package train

import (
	"fmt"
	"io"
	"time"

	"github.com/byol-go/byol/run"
	"github.com/schollz/progressbar/v3"
)

// Progress shows how a training goes: a bar on a terminal, else plain lines, on standard
// error. The zero value is silent.
type Progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil unless on a terminal
	last  time.Time                // of the last plain line
	start time.Time
	from  int // step at the start
	steps int

	onStep func(step int) // called after every logged step, by tests
}

// plainEvery is the time between lines of progress where there is no terminal.
const plainEvery = 15 * time.Second

// NewProgress writes to w, nil for silence.
func NewProgress(w io.Writer, terminal bool) *Progress {
	p := &Progress{w: w}
	if w != nil && terminal {
		p.bar = progressbar.NewOptions(1, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(false),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
	}
	return p
}

// begin says where the training starts and ends.
func (p *Progress) begin(from, steps int) {
	p.start, p.last, p.from, p.steps = time.Now(), time.Now(), from, steps
	if p.bar != nil {
		p.bar.ChangeMax(steps)
		p.bar.Set(from)
	}
}

// step shows the latest step.
func (p *Progress) step(e run.StepEvent, epochs int) {
	if p.onStep != nil {
		p.onStep(e.Step)
	}
	if p.w == nil || p.bar == nil && time.Since(p.last) < plainEvery {
		return
	}
	done := e.Step - p.from
	left := time.Since(p.start) / time.Duration(max(1, done)) * time.Duration(p.steps-e.Step)
	line := fmt.Sprintf("epoch %d/%d step %d/%d  loss %.4f  std %.2f rank %.1f cos %.2f/%.2f  lr %.3g tau %.4f  %.1f images/s  %s left",
		e.Epoch, epochs, e.Step, p.steps, float64(e.Loss), float64(e.TargetStd), float64(e.Rank),
		float64(e.CosPositive), float64(e.CosNegative), e.LR, e.Tau, e.ImagesPerS, left.Round(time.Second))
	if p.bar != nil {
		p.bar.Describe(line)
		p.bar.Set(e.Step)
		return
	}
	p.last = time.Now()
	fmt.Fprintln(p.w, line)
}

// say prints a line of its own.
func (p *Progress) say(format string, args ...any) {
	if p.w == nil {
		return
	}
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

// end removes the bar.
func (p *Progress) end() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
