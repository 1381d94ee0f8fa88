// Command verdicts trains small networks in ways that are known to fail and in ways that are
// known to work, looks at what the verdict says of each, and writes the tables of
// docs/verdict.md.
//
//	go run ./tools/verdicts -cifar data_batch_1.bin -photos DIR -fashion train-images-idx3-ubyte
//
// A run is kept in a folder of its own below -runs and is not trained again: an interrupted
// table goes on, and -replay judges what was recorded by the rules of this build, without
// training. Broken runs end as soon as something is said against them.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// options are the flags.
type options struct {
	runs, doc, record      string
	cifar, photos, fashion string
	only                   *regexp.Regexp
	seeds, threads         int
	replay                 bool
}

func main() {
	var o options
	var only string
	flag.StringVar(&o.runs, "runs", "verdict-runs", "folder of the runs")
	flag.StringVar(&o.doc, "doc", "docs/verdict.md", "page whose tables are written; empty for none")
	flag.StringVar(&o.record, "record", "", "file to write the runs to, for the test of package train; empty for none")
	flag.StringVar(&o.cifar, "cifar", "", "data_batch_1.bin of CIFAR-10, beside which test_batch.bin lies")
	flag.StringVar(&o.photos, "photos", "", "folder of photographs")
	flag.StringVar(&o.fashion, "fashion", "", "train-images-idx3-ubyte of Fashion-MNIST")
	flag.StringVar(&only, "only", "", "set-ups whose names match this expression")
	flag.IntVar(&o.seeds, "seeds", 1, "seeds of every set-up")
	flag.IntVar(&o.threads, "threads", 1, "processor threads")
	flag.BoolVar(&o.replay, "replay", false, "train nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if o.only, err = regexp.Compile(only); err == nil {
		err = o.all(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "verdicts:", err)
		os.Exit(1)
	}
}

// all trains what is missing, seed by seed, and judges everything.
func (o options) all(ctx context.Context) error {
	var outcomes []outcome
	for seed := 1; seed <= o.seeds; seed++ {
		for _, s := range setups {
			if !o.only.MatchString(s.name) {
				continue
			}
			if err := o.train(ctx, s, seed); err != nil {
				return fmt.Errorf("%s, seed %d: %w", s.name, seed, err)
			}
			r, err := o.judge(s, seed)
			if err != nil {
				return err
			}
			if r == nil {
				continue
			}
			fmt.Println(r)
			outcomes = append(outcomes, *r)
		}
	}
	if o.record != "" {
		return o.writeRecordings(o.record, outcomes)
	}
	if o.doc == "" || o.only.String() != "" {
		return nil
	}
	return writeTables(o.doc, outcomes)
}

// folder is that of a run; the file "done" in it says that it ended.
func (o options) folder(s setup, seed int) run.Folder {
	return run.Folder(filepath.Join(o.runs, fmt.Sprintf("%s-s%d", s.name, seed)))
}

func done(f run.Folder) string { return filepath.Join(string(f), "done") }

// train trains a set-up unless that was done, or cannot be: for want of data, or in a replay.
func (o options) train(ctx context.Context, s setup, seed int) error {
	f := o.folder(s, seed)
	if _, err := os.Stat(done(f)); err == nil || o.replay {
		return nil
	}
	keys, err := o.place(s)
	if errors.Is(err, errNoData) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
		return nil
	} else if err != nil {
		return err
	}
	set := append(slices.Clone(common), keys...)
	set = append(set, [2]string{"train.seed", strconv.Itoa(seed)}, [2]string{"train.threads", strconv.Itoa(o.threads)}, [2]string{"data.workers", strconv.Itoa(o.threads)})
	if s.broken() {
		set = append(set, [2]string{"train.on_collapse", "stop"}, [2]string{"eval.knn_every", "0"})
	}
	c, err := run.Build(run.Request{Preset: "demo", Set: set})
	if err != nil {
		return err
	}
	err = train.Run(ctx, train.Options{Config: c, Folder: f, Resume: true})
	var collapsed train.CollapseError
	diverged := err != nil && strings.Contains(err.Error(), "has diverged") // the verdict says so too
	if err != nil && !errors.As(err, &collapsed) && !diverged {
		return err
	}
	if err := os.RemoveAll(f.Checkpoints()); err != nil {
		return err
	}
	return os.WriteFile(done(f), nil, 0o644)
}

// outcome is what was said of a run.
type outcome struct {
	setup       setup
	seed        int
	steps       int               // planned
	seen        int               // measured
	alarm       *diagnose.Verdict // the first bad verdict
	told        bool              // healthy was said
	first, last *run.Number       // kNN accuracy
}

// right reports whether what was said is true: the cause of a broken run, in time, or no
// alarm in a healthy one.
func (r outcome) right() bool {
	if !r.setup.broken() {
		return r.alarm == nil
	}
	return r.inTime() && r.causeRight()
}

// inTime is a quarter of the run, but not before the first step at which anything is said.
func (r outcome) inTime() bool {
	return r.alarm != nil && r.alarm.Step <= max(diagnose.FirstStep, r.steps/4)
}

func (r outcome) causeRight() bool {
	return r.alarm != nil && slices.ContainsFunc(r.setup.cause, func(part string) bool { return strings.Contains(r.alarm.Cause, part) })
}

// judge replays a run; nil if there is none, or it is not far enough to say anything.
func (o options) judge(s setup, seed int) (*outcome, error) {
	f := o.folder(s, seed)
	if _, err := os.Stat(done(f)); err != nil {
		return nil, nil
	}
	c, err := run.ReadConfig(f.Config())
	if err != nil {
		return nil, err
	}
	steps, err := run.ReadSteps(f.Metrics())
	if err != nil {
		return nil, err
	}
	_, verdicts, err := train.Replay(f, train.Setup(c, max(1, c.Train.Steps/max(1, c.Train.Epochs))))
	if err != nil {
		return nil, err
	}
	recorded, err := run.ReadVerdicts(f.Metrics())
	if err != nil {
		return nil, err
	}
	r := &outcome{setup: s, seed: seed, steps: c.Train.Steps}
	if len(steps) > 0 {
		r.seen = steps[len(steps)-1].Step
	}
	for _, v := range recorded { // a step that is not finite has no step event to replay
		if v.Step > r.seen && v.Verdict == diagnose.Diverging {
			verdicts = append(verdicts, diagnose.Verdict{Step: v.Step, Verdict: v.Verdict, Since: v.SinceStep, Cause: v.Cause})
		}
	}
	for _, v := range verdicts {
		if v.Bad() && r.alarm == nil {
			r.alarm = &v
		}
		r.told = r.told || v.Verdict == diagnose.Healthy
	}
	epochs, err := run.ReadEpochs(f.Metrics())
	if err != nil {
		return nil, err
	}
	for _, e := range epochs {
		if e.KNN != nil {
			if r.first == nil {
				r.first = e.KNN
			}
			r.last = e.KNN
		}
	}
	return r, nil
}

// String is a line for the terminal.
func (r outcome) String() string {
	said := "no alarm"
	if r.alarm != nil {
		said = fmt.Sprintf("%s at %d, since %d: %s", r.alarm.Verdict, r.alarm.Step, r.alarm.Since, r.alarm.Cause)
	}
	mark := "ok   "
	if !r.right() {
		mark = "WRONG"
	}
	return fmt.Sprintf("%s %-24s s%d  %d of %d  %s  kNN %s", mark, r.setup.name, r.seed, r.seen, r.steps, said, r.knn())
}

func (r outcome) knn() string {
	if r.first == nil || r.last == nil || r.first == r.last {
		return "–"
	}
	return fmt.Sprintf("%.0f → %.0f %%", 100*float64(*r.first), 100*float64(*r.last))
}

// writeTables puts the tables between the page's markers.
func writeTables(path string, outcomes []outcome) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page := string(text)
	for marker, table := range map[string]string{
		"broken": brokenTable(outcomes, false), "held out": brokenTable(outcomes, true), "healthy": healthyTable(outcomes),
	} {
		begin, end := "<!-- "+marker+" -->\n", "<!-- end "+marker+" -->"
		from, to := strings.Index(page, begin), strings.Index(page, end)
		if from < 0 || to < from {
			return fmt.Errorf("%s: no %q before %q", path, strings.TrimSpace(begin), end)
		}
		page = page[:from+len(begin)] + table + page[to:]
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, page)
		return err
	})
}

// bySetup gathers the outcomes of each set-up, in the order of the table.
func bySetup(outcomes []outcome, take func(setup) bool) [][]outcome {
	var out [][]outcome
	for _, s := range setups {
		var list []outcome
		for _, r := range outcomes {
			if r.setup.name == s.name && take(s) {
				list = append(list, r)
			}
		}
		if len(list) > 0 {
			slices.SortFunc(list, func(a, b outcome) int { return cmp.Compare(a.seed, b.seed) })
			out = append(out, list)
		}
	}
	return out
}

// each writes a value of every outcome; once if they are the same.
func each(list []outcome, value func(outcome) string) string {
	var parts []string
	for _, r := range list {
		if v := value(r); len(parts) == 0 || v != parts[len(parts)-1] {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, "; ")
}

func brokenTable(outcomes []outcome, held bool) string {
	var b strings.Builder
	list := bySetup(outcomes, func(s setup) bool { return s.broken() && s.held == held })
	b.WriteString("| broken how | seeds | said at step | of | since | verdict | cause | right |\n|---|---|---|---|---|---|---|---|\n")
	runs, right, inTime := 0, 0, 0
	for _, rs := range list {
		for _, r := range rs {
			runs++
			if r.right() {
				right++
			}
			if r.inTime() {
				inTime++
			}
		}
		of := func(value func(diagnose.Verdict) string) string {
			return each(rs, func(r outcome) string {
				if r.alarm == nil {
					return "–"
				}
				return value(*r.alarm)
			})
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %d | %s | %s | %s | %s |\n", rs[0].setup.what, len(rs),
			of(func(v diagnose.Verdict) string { return strconv.Itoa(v.Step) }), rs[0].steps,
			of(func(v diagnose.Verdict) string { return strconv.Itoa(v.Since) }),
			of(func(v diagnose.Verdict) string { return v.Verdict }),
			of(func(v diagnose.Verdict) string { short, _, _ := strings.Cut(v.Cause, ":"); return short }),
			each(rs, func(r outcome) string {
				switch {
				case r.right():
					return "yes"
				case r.inTime():
					return "verdict only"
				case r.alarm != nil:
					return "late"
				}
				return "missed"
			}))
	}
	fmt.Fprintf(&b, "\n%d runs: %d detected in time, %d of them with the right cause.\n", runs, inTime, right)
	return b.String()
}

func healthyTable(outcomes []outcome) string {
	var b strings.Builder
	list := bySetup(outcomes, func(s setup) bool { return !s.broken() })
	b.WriteString("| set-up | seeds | steps | kNN accuracy | alarms |\n|---|---|---|---|---|\n")
	runs, alarms := 0, 0
	for _, rs := range list {
		said := each(rs, func(r outcome) string {
			if r.alarm == nil {
				return "none"
			}
			return fmt.Sprintf("%s at step %d (%s)", r.alarm.Verdict, r.alarm.Step, r.alarm.Cause)
		})
		for _, r := range rs {
			runs++
			if r.alarm != nil {
				alarms++
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s |\n", rs[0].setup.what, len(rs),
			each(rs, func(r outcome) string { return strconv.Itoa(r.steps) }), each(rs, outcome.knn), said)
	}
	fmt.Fprintf(&b, "\n%d runs, %d with an alarm.\n", runs, alarms)
	return b.String()
}
