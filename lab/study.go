package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// Options of a study.
type Options struct {
	Experiment Experiment
	Dir        string
	Budget     time.Duration // of this call; 0 for as long as it takes
	Seeds      int           // runs of every cell; 0 for the experiment's own
	Threads    int           // 0 for all
	Log        io.Writer     // a line per run; nil for none
	Terminal   bool          // Log is one: show the bar of the run that goes on
}

// Study is an experiment and what has come of it so far.
type Study struct {
	Experiment Experiment
	Dir        string
	Seeds      int
	Results    []Result // of the finished runs, seed by seed, in the order of the cells
	Planned    int      // runs
}

// job is a run of a study.
type job struct {
	cell   Cell
	seed   int
	config run.Config // not resolved
	folder run.Folder
	note   note
	done   bool
}

// Run takes the runs of an experiment one after the other, every cell's first seed before
// any cell's second, and writes results.csv and report.html after each. Runs that are
// finished stay, one that was stopped goes on. It stops between runs once the budget
// would be exceeded, and returns what there is so far; stopped by ctx, the error is
// [train.ErrInterrupted] and everything is saved.
func Run(ctx context.Context, o Options) (*Study, error) {
	if o.Seeds == 0 {
		o.Seeds = o.Experiment.Seeds
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	jobs, err := o.prepare()
	if err != nil {
		return nil, err
	}
	study := &Study{Experiment: o.Experiment, Dir: o.Dir, Seeds: o.Seeds, Planned: len(jobs)}
	if err := study.collect(jobs); err != nil {
		return nil, err
	}
	begin, ran := time.Now(), 0
	for i := range jobs {
		j := &jobs[i]
		if j.done {
			continue
		}
		// The next run will take about as long as those before it.
		gone := time.Since(begin)
		if o.Budget > 0 && ran > 0 && gone+gone/time.Duration(ran) > o.Budget {
			break
		}
		fmt.Fprintf(o.Log, "run %d of %d: %s, seed %d%s\n", i+1, len(jobs), j.cell.Name, j.seed, o.left(gone))
		if err := o.take(ctx, j); err != nil {
			return study, err
		}
		ran++
		if err := study.collect(jobs); err != nil {
			return study, err
		}
		fmt.Fprintf(o.Log, "  %s\n", study.Results[indexOf(study.Results, *j)].line())
	}
	if left := study.Planned - len(study.Results); left > 0 {
		fmt.Fprintf(o.Log, "the budget of %s is used up: %d of %d runs are left; the same command goes on with them\n", duration(o.Budget), left, study.Planned)
	}
	return study, nil
}

// left says how much of the budget is gone.
func (o Options) left(gone time.Duration) string {
	if o.Budget == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of %s gone)", duration(gone), duration(o.Budget))
}

// duration writes whole seconds, without zeros at the end: 1h, not 1h0m0s.
func duration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// prepare checks everything that can be checked before the first step, and lays out the
// folder.
func (o Options) prepare() ([]job, error) {
	if err := o.claimFolder(); err != nil {
		return nil, err
	}
	jobs, err := o.plan()
	if err != nil {
		return nil, err
	}
	sources := sources{}
	for i := range jobs {
		if err := jobs[i].check(sources); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "runs"), 0o755); err != nil {
		return nil, err
	}
	return jobs, atomicfile.Write(o.gridFile(), func(w io.Writer) error {
		_, err := w.Write(o.Experiment.text)
		return err
	})
}

func (o Options) gridFile() string { return filepath.Join(o.Dir, "experiment.yaml") }

// claimFolder refuses a folder that holds something else, and changes nothing.
func (o Options) claimFolder() error {
	text, err := os.ReadFile(o.gridFile())
	if errors.Is(err, fs.ErrNotExist) {
		if err := run.Folder(o.Dir).Check(false); errors.Is(err, run.ErrExists) {
			return hintError{fmt.Errorf("lab: %w, and holds no study", err), "choose another --out"}
		} else if err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		return nil
	} else if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if bytes.Equal(text, o.Experiment.text) {
		return nil
	}
	if stored, err := parse(text); err == nil && stored.Name != o.Experiment.Name {
		return hintError{fmt.Errorf("lab: %s holds the study %s, not %s", o.Dir, stored.Name, o.Experiment.Name), "choose another --out"}
	}
	return nil // an edited grid: runs that it changes are refused one by one
}

// plan lists the runs, seed by seed.
func (o Options) plan() ([]job, error) {
	var jobs []job
	for seed := 1; seed <= o.Seeds; seed++ {
		for _, cell := range o.Experiment.Cells {
			c, err := o.Experiment.config(cell, seed)
			if err != nil {
				return nil, fmt.Errorf("lab: cell %q: %w", cell.Name, err)
			}
			c.Train.Threads, c.Train.Keep = o.Threads, 1
			jobs = append(jobs, job{cell: cell, seed: seed, config: c, folder: folderOf(o.Dir, cell, seed)})
		}
	}
	return jobs, nil
}

// folderOf is that of a run.
func folderOf(dir string, cell Cell, seed int) run.Folder {
	return run.Folder(filepath.Join(dir, "runs", fmt.Sprintf("%s-seed%d", slug(cell.Name), seed)))
}

// sources are the sets of pictures, by what a configuration says of them.
type sources map[run.Data]run.Source

func (s sources) of(d run.Data) (run.Source, error) {
	if known, ok := s[d]; ok {
		return known, nil
	}
	found, err := source(d)
	if err == nil {
		s[d] = found
	}
	return found, err
}

// check resolves the run's configuration, to find what is wrong before any run is
// taken, and holds it against that of an earlier run in the folder.
func (j *job) check(s sources) error {
	fail := func(err error) error {
		return fmt.Errorf("lab: cell %q: %w", j.cell.Name, err)
	}
	source, err := s.of(j.config.Data)
	if err != nil {
		return fail(err)
	}
	c := j.config
	if err := c.Resolve(source); err != nil {
		return fail(err)
	}
	if !j.folder.IsRun() {
		return nil
	}
	stored, err := run.ReadConfig(j.folder.Config())
	if err != nil {
		return fail(fmt.Errorf("%s: %w", j.folder, err))
	}
	if d := run.ChangesResult(stored, c); len(d) > 0 {
		return hintError{fail(fmt.Errorf("%s was run with other keys: %s", j.folder, listed(d))),
			"choose another --out, or remove that folder to repeat the run"}
	}
	j.note, j.done, err = readNote(j.folder)
	return err
}

// listed joins the first few of many.
func listed(d []string) string {
	const few = 4
	text := ""
	for i, s := range d {
		if i == few {
			return text + fmt.Sprintf("; and %d more", len(d)-few)
		}
		if i > 0 {
			text += "; "
		}
		text += s
	}
	return text
}

// take goes on with a run to its end, judges the encoder and notes that it is done.
func (o Options) take(ctx context.Context, j *job) error {
	progress := train.NewProgress(nil, false)
	if o.Terminal {
		progress = train.NewProgress(barOnly{o.Log}, true)
	}
	err := train.Run(ctx, train.Options{Config: j.config, Folder: j.folder, Resume: true, Progress: progress})
	if ctx.Err() != nil && err != nil {
		if errors.Is(err, train.ErrInterrupted) {
			return err
		}
		return fmt.Errorf("%w: %s; the same command goes on", train.ErrInterrupted, j.folder)
	}
	if err == nil {
		var start, end float64
		if start, end, err = linear(ctx, j.folder, o.Threads); err == nil {
			j.note = note{LinearStart: &start, Linear: &end}
		}
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s; the same command goes on", train.ErrInterrupted, j.folder)
	case errors.Is(err, train.ErrDiverged), errors.Is(err, eval.ErrNotFinite):
		j.note.Diverged = err.Error()
	case err != nil && !errors.Is(err, errNoProbe):
		return fmt.Errorf("lab: cell %q, seed %d: %w", j.cell.Name, j.seed, err)
	}
	j.done = true
	return j.note.write(j.folder)
}

// barOnly keeps the training's own lines off the screen; its bar, which begins with a
// carriage return, passes.
type barOnly struct{ w io.Writer }

func (b barOnly) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("\r")) {
		return len(p), nil
	}
	return b.w.Write(p)
}

// indexOf finds a run's result.
func indexOf(results []Result, j job) int {
	for i, r := range results {
		if r.Cell == j.cell.Name && r.Seed == j.seed {
			return i
		}
	}
	panic(fmt.Sprintf("lab: no result of %s", j.folder))
}

// collect reads what the finished runs tell and writes results.csv and the page.
func (s *Study) collect(jobs []job) error {
	s.Results = nil
	for _, j := range jobs {
		if !j.done {
			continue
		}
		r := Result{Cell: j.cell.Name, Seed: j.seed, Keys: run.Pairs(j.cell.Set), Published: j.cell.Published}
		if err := r.read(j.folder, j.note); err != nil {
			return fmt.Errorf("lab: %s: %w", j.folder, err)
		}
		r.judgeBy(s.Experiment.Judge)
		s.Results = append(s.Results, r)
	}
	if err := writeCSV(filepath.Join(s.Dir, "results.csv"), s.Experiment.Name, s.Results); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	return s.writePage()
}

// hintError is an error with advice for the user.
type hintError struct {
	error
	hint string
}

func (e hintError) Unwrap() error { return e.error }

// Hint returns the advice.
func (e hintError) Hint() string { return e.hint }
