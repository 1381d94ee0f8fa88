package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
	"github.com/spf13/cobra"
)

func newEval() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Judge a trained encoder",
		Long: `Judge a trained encoder by what its features are good for, on labelled pictures:
those of --data, or, for a run, those it was trained on. Beside it stands an encoder with random weights.
The result is printed and, if --model is a run, left there as eval-PROTOCOL.json,
which byol report shows.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEvalKNN(), newEvalLinear(), newEvalFinetune())
	return cmd
}

// evalFlags are those that all protocols take.
type evalFlags struct {
	configFlags
	model      string
	json       bool
	noRandom   bool
	supervised bool
	seeds      int
}

func (f *evalFlags) register(cmd *cobra.Command, flags ...string) {
	f.configFlags.register(cmd, append([]string{"data", "test", "backend", "threads", "seed"}, flags...)...)
	fs := cmd.Flags()
	fs.StringVar(&f.model, "model", "", "run, checkpoint or encoder.safetensors")
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	fs.BoolVar(&f.noRandom, "no-random", false, "leave out the encoder with random weights")
	fs.BoolVar(&f.supervised, "supervised", false, "set an encoder beside it that the same loop trains with labels, as long as the run (kept in RUN/supervised)")
	fs.IntVar(&f.seeds, "seeds", 1, "judge with so many seeds, from --seed on: means and deviation")
}

// judging is one judgement, opened.
type judging struct {
	cmd    *cobra.Command
	config run.Config
	model  *embed.Model
	eval.Pictures
	backend compute.Backend
	pool    *par.Pool
	embed   *embed.Embedder // nil until the first features

	// The features of the model that was asked for last: seeds share them.
	last        *embed.Model
	train, test *eval.Features
}

// run judges with the protocol that start prepares, and prints and keeps the report.
func (f *evalFlags) run(cmd *cobra.Command, protocol string, start func(*judging) (eval.Judge, error), finish func(*judging, *eval.Report)) error {
	if f.model == "" {
		return usageError{errors.New("--model is missing: name a run, a checkpoint or an encoder.safetensors")}
	}
	if f.seeds < 1 {
		return usageError{fmt.Errorf("--seeds %d: want at least 1", f.seeds)}
	}
	j, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer j.close()
	judge, err := start(j)
	if err != nil {
		return err
	}
	var supervised *embed.Model
	if f.supervised {
		if supervised, err = j.supervised(f.model); err != nil {
			return err
		}
	}
	seeds := make([]uint64, f.seeds)
	for i := range seeds {
		seeds[i] = j.config.Train.Seed + uint64(i)
	}
	report, err := eval.Compare(j.model, supervised, !f.noRandom, seeds, judge)
	if err != nil {
		return err
	}
	report.Protocol, report.Model, report.Data, report.Classes = protocol, f.model, j.Train.Spec, j.Train.Classes
	if j.Test != nil {
		report.Test = j.Test.Spec
	}
	if finish != nil {
		finish(j, &report)
	}
	j.warn()
	if folder := run.Folder(f.model); folder.IsRun() {
		if err := report.Save(folder); err != nil {
			return err
		}
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	}
	return printReport(cmd.OutOrStdout(), report)
}

// open opens model, pictures and backend, and checks that they fit.
func (f *evalFlags) open(cmd *cobra.Command) (_ *judging, err error) {
	j := &judging{cmd: cmd}
	if j.config, err = f.build(cmd, nil); err != nil {
		return nil, err
	}
	if err := j.ownData(f.model); err != nil {
		return nil, err
	}
	c := j.config
	if c.Data.Train == "" {
		return nil, usageError{errors.New("--data is missing: name the labelled training pictures")}
	}
	if j.model, err = embed.Load(f.model); err != nil {
		return nil, err
	}
	if n := c.Data.Channels; n != 0 && n != j.model.Channels {
		return nil, fmt.Errorf("data.channels=%d: the encoder %s takes pictures of %d channels; leave the key out and pictures are converted", n, f.model, j.model.Channels)
	}
	if n := c.Data.Size; n != 0 && n != j.model.Size {
		return nil, fmt.Errorf("data.size=%d: the encoder %s takes pictures of %d pixels; leave the key out and pictures are resized", n, f.model, j.model.Size)
	}
	if err = j.openSets(); err != nil {
		return nil, err
	}
	if err = j.Check(); err != nil {
		return nil, err
	}
	if j.backend, err = compute.New(c.Train.Backend, c.Train.Threads); err != nil {
		return nil, err
	}
	j.pool = par.New(c.Train.Threads)
	return j, nil
}

// ownData makes the pictures of a run those of its judgement, where no others are named.
func (j *judging) ownData(model string) error {
	d := &j.config.Data
	folder := run.Folder(model)
	if d.Train != "" || !folder.IsRun() {
		return nil
	}
	c, err := run.ReadConfig(folder.Config())
	if err != nil {
		return err
	}
	d.Train = c.Data.Train
	if d.Test == "" {
		d.Test = c.Data.Test
	}
	if d.Limit == 0 {
		d.Limit = c.Data.Limit
	}
	if d.TestLimit == 0 {
		d.TestLimit = c.Data.TestLimit
	}
	return nil
}

// openSets opens training and test pictures as the model wants them.
func (j *judging) openSets() (err error) {
	d, m := j.config.Data, j.model.Meta
	opt := dataset.Options{Split: dataset.Train, Limit: d.Limit, Channels: m.Channels, Size: m.Size, MaxBad: d.MaxBad}
	if j.Train, err = dataset.Open(d.Train, opt); err != nil {
		return err
	}
	j.Workers = d.Workers
	spec := d.Test
	if spec == "" {
		if !dataset.HasSplits(d.Train) {
			return nil
		}
		spec = d.Train
	}
	opt.Split, opt.Limit = dataset.Test, d.TestLimit
	j.Test, err = dataset.Open(spec, opt)
	return err
}

// embedder returns one that holds the model's weights.
func (j *judging) embedder(m *embed.Model) (*embed.Embedder, error) {
	if j.embed == nil {
		e, err := embed.NewEmbedder(j.backend, m, min(embed.DefaultBatch, j.Train.Len()))
		j.embed = e
		return e, err
	}
	j.embed.SetValues(m.Values)
	return j.embed, nil
}

// features returns the model's features of training and test pictures.
func (j *judging) features(m *embed.Model) (train eval.Features, test *eval.Features, err error) {
	if m == j.last {
		return *j.train, j.test, nil
	}
	e, err := j.embedder(m)
	if err != nil {
		return train, nil, err
	}
	if train, test, err = j.Embed(j.cmd.Context(), e); err == nil {
		j.last, j.train, j.test = m, &train, test
	}
	return train, test, err
}

// say tells the user something beside the result.
func (j *judging) say(format string, args ...any) {
	fmt.Fprintf(j.cmd.ErrOrStderr(), "byol: "+format+"\n", args...)
}

// progressEvery is the time between lines of progress.
const progressEvery = 15 * time.Second

// progress returns a function that now and then tells how long work on m is.
func (j *judging) progress(m *embed.Model) func(format string, args ...any) {
	who := "random weights"
	if m == j.model {
		who = "this encoder"
	}
	last := time.Now()
	return func(format string, args ...any) {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			j.say("%s: %s", who, fmt.Sprintf(format, args...))
		}
	}
}

// supervised returns the encoder that the run's loop trains with labels.
func (j *judging) supervised(model string) (*embed.Model, error) {
	w := j.cmd.ErrOrStderr()
	return train.Supervised(j.cmd.Context(), run.Folder(model), train.NewProgress(w, isTerminal(w)))
}

// warn names what was left out.
func (j *judging) warn() {
	if missing := j.MissingClasses(); len(missing) > 0 {
		j.say("warning: no test picture of %d of the %d classes (%s): their accuracy is unknown", len(missing), len(j.Train.Classes), listed(missing))
	}
	train, test := j.Unlabelled()
	if train > 0 {
		j.say("warning: %d of %d training pictures have no known class and were left out", train, j.Train.Len())
	}
	if test > 0 {
		j.say("warning: %d of %d test pictures are of none of the training pictures' classes and were left out", test, j.Test.Len())
	}
	for _, set := range []*dataset.Set{j.Train, j.Test} {
		if set != nil && len(set.Bad()) > 0 {
			j.say("warning: %d pictures of %s cannot be read and were left out; byol doctor --data names them", len(set.Bad()), set.Spec)
		}
	}
}

// listed writes up to five names.
func listed(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

func (j *judging) close() {
	if j.embed != nil {
		j.embed.Close()
	}
	j.pool.Close()
	j.backend.Finalize()
}

// printReport prints a report as tables.
func printReport(w io.Writer, r eval.Report) error {
	fmt.Fprintf(w, "%s: %d pictures judged (%s), %d learnt from%s\n\n", title(r), r.N, r.JudgedOn, r.Train, settings(r.Compared))
	fmt.Fprintf(w, "%-24s %9s %9s\n", "", "top-1", "top-5")
	line := func(name string, c *eval.Compared) {
		if c == nil {
			return
		}
		spread := ""
		if c.Top1Std != nil {
			spread = fmt.Sprintf("   (deviation %.2f over %d seeds)", 100**c.Top1Std, len(c.Seeds))
		}
		fmt.Fprintf(w, "%-24s %8.2f%% %8.2f%%%s\n", name, 100*c.Top1, 100*c.Top5, spread)
		if c.K20 != nil {
			fmt.Fprintf(w, "%-24s %8.2f%%\n", name+", k 20", 100**c.K20)
		}
	}
	line("this encoder", &r.Compared)
	line("random weights", r.Random)
	line("supervised", r.Supervised)
	fmt.Fprintf(w, "\n%-24s %9s   %s\n", "class", "top-1", "most often taken for")
	for c, name := range r.Classes {
		if _, err := fmt.Fprintf(w, "%-24s %9s   %s\n", name, percent(float64(r.PerClass[c])), mistaken(r, c)); err != nil {
			return err
		}
	}
	return nil
}

// title names the protocol.
func title(r eval.Report) string {
	switch {
	case r.Protocol == "knn":
		return "kNN"
	case r.Protocol == "finetune":
		return fmt.Sprintf("fine-tuned on %g %% of the labels", 100*r.Labels)
	case r.Variant == variantSGD:
		return "linear probe (SGD)"
	}
	return "linear probe (logistic regression)"
}

// settings tells the details of an outcome.
func settings(c eval.Compared) string {
	s := ""
	if c.K > 0 {
		s += fmt.Sprintf(", k %d", c.K)
	}
	if c.Choice != nil {
		s += fmt.Sprintf(", %s %.3g", c.Choice.Setting, c.Choice.Value)
		if c.Choice.HeldOut > 0 {
			s += fmt.Sprintf(" chosen by %d of them", c.Choice.HeldOut)
		}
	}
	return s
}

// percent writes a fraction, or a dash for none.
func percent(v float64) string {
	if v != v {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*v)
}

// mistaken names the class that pictures of class c are most often taken for, and how often.
func mistaken(r eval.Report, c int) string {
	other, n, all := -1, 0, 0
	for p, count := range r.Confusion[c] {
		all += count
		if p != c && count > n {
			other, n = p, count
		}
	}
	if other < 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s)", r.Classes[other], percent(float64(n)/float64(all)))
}
