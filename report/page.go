package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/run"
	"github.com/dustin/go-humanize"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed page.js
var scriptText string

var templates = template.Must(template.New("page").Funcs(template.FuncMap{"soft": soft}).Parse(pageText))

// soft lets a long name be broken behind its punctuation.
func soft(s string) template.HTML {
	return template.HTML(strings.NewReplacer(".", ".<wbr>", "/", "/<wbr>", ",", ",<wbr>", "_", "_<wbr>").Replace(template.HTMLEscapeString(s)))
}

// page is what the template shows.
type page struct {
	Title    string
	Live     bool
	Style    template.CSS
	Sprite   template.CSS
	Script   template.JS
	Runs     []head
	Tiles    []tile // of a single run
	Charts   []*chart
	Rows     []row // final values, of several runs
	Differ   []row // configuration keys that differ
	Views    []sheet
	Album    *albumView
	Spectrum *chart
	Evals    *evalTable
	Matrix   *matrix
	Configs  []configView
	Epochs   []epochRow // of a single run
	Note     string     // why something is missing
}

// head is what stands first: a run and its verdict.
type head struct {
	Name, Class, What, Status string
	Progress                  float64 // percent
	Running                   bool
	Tone, Headline            string // tone: good, warn, bad or plain
	Lines                     []string
	Advice                    string
}

type tile struct{ Label, Value, Note string }

// row is a line of a table: a name and a value for each run.
type row struct {
	Name   string
	Values []string
}

// sheet is a picture of views.
type sheet struct {
	Name string
	Data template.URL
}

// evalTable is the judgements; columns without any value are left out.
type evalTable struct {
	Rows                       []evalRow
	HasTop5, HasRandom, HasSup bool
}

type evalRow struct{ Name, Protocol, Detail, Top1, Top5, Random, Gain, Supervised string }

type configView struct {
	Name   string
	Groups []configGroup
	Facts  []row
}

type configGroup struct {
	Name string
	Keys [][2]string
}

type epochRow struct{ Epoch, Step, Loss, Std, Rank, KNN, Seconds string }

// classes are the colours of runs, in order; more runs begin anew.
const classes = 8

// newPage puts the page of one or several runs together, without pictures.
func newPage(records []*record) *page {
	p := &page{Style: template.CSS(styleText), Script: template.JS(scriptText)}
	var rows []evalRow
	for i, r := range records {
		r.class = fmt.Sprintf("s%d", i%classes)
		p.Runs = append(p.Runs, r.head())
		if r.resolved {
			p.Configs = append(p.Configs, r.configView())
		}
		rows = append(rows, r.evalRows(len(records) > 1)...)
		if r.views != nil {
			p.Views = append(p.Views, sheet{r.name, dataURL(r.views)})
		}
	}
	p.Evals = newEvalTable(rows)
	p.Charts = charts(records)
	if len(records) == 1 {
		r := records[0]
		p.Title, p.Tiles, p.Epochs = r.name, r.tiles(), r.epochRows()
	} else {
		p.Title = fmt.Sprintf("%d runs", len(records))
		p.Rows, p.Differ = finalRows(records), differing(records)
		if len(p.Views) > 1 {
			p.Views = p.Views[:1] // the augmentation is much the same
		}
	}
	for _, r := range records {
		for _, j := range r.evals {
			if m := newMatrix(j.Confusion, j.Classes, protocolName(j.Protocol)); m != nil && p.Matrix == nil && len(records) == 1 {
				p.Matrix = m
			}
		}
	}
	return p
}

// write writes the whole page.
func (p *page) write(w io.Writer) error { return templates.ExecuteTemplate(w, "page", p) }

// head puts the verdict, or as long as there is none what is known, into words.
func (r *record) head() head {
	h := head{Name: r.name, Class: r.class, What: r.what(), Status: r.status(), Progress: 100 * r.progress(), Running: !r.finished, Tone: "plain"}
	if n := len(r.verdicts); n > 0 {
		v := r.verdicts[n-1].verdict
		h.Tone, h.Headline, h.Advice = tone(v.Verdict), capital(v.Verdict), capital(string(v.Advice))
		if v.SinceStep > 0 {
			h.Headline += fmt.Sprintf(" since step %s", humanize.Comma(int64(v.SinceStep)))
		}
		for _, w := range []words{v.Cause, v.Evidence} {
			if w != "" {
				h.Lines = append(h.Lines, capital(string(w)))
			}
		}
	}
	first, last := r.knn()
	known := ""
	switch {
	case first != nil && last != nil && len(r.epochs) > 1:
		known = fmt.Sprintf("Nearest neighbours name the right class for %s of the pictures; with random weights it is %s.", percent(*last), percent(*first))
	case first != nil:
		known = fmt.Sprintf("With random weights, nearest neighbours name the right class for %s of the pictures.", percent(*first))
	case len(r.steps) > 1:
		a, b := r.steps[0], r.steps[len(r.steps)-1]
		if a.Loss != nil && b.Loss != nil {
			known = fmt.Sprintf("The loss went from %s to %s.", value(*a.Loss), value(*b.Loss))
		}
	}
	if h.Headline != "" {
		if known != "" {
			h.Lines = append(h.Lines, known)
		}
		return h
	}
	switch {
	case first != nil && last != nil && len(r.epochs) > 1:
		h.Headline = fmt.Sprintf("kNN accuracy %s → %s (%s)", percent(*first), percent(*last), gained(*first, *last))
	case len(r.steps) == 0:
		h.Headline = "No step yet"
	default:
		h.Headline = capital(r.status())
	}
	if known != "" {
		h.Lines = append(h.Lines, known)
	}
	return h
}

// tone is the colour of a verdict.
func tone(verdict string) string {
	v := strings.ToLower(verdict)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(v, w) })
	}
	switch {
	case has("collaps", "diverg", "not learn", "fail"):
		return "bad"
	case has("learn", "health", "good", "ok"):
		return "good"
	}
	return "warn"
}

// capital makes the first letter a capital one.
func capital(s string) string {
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}

// tiles are the numbers that one looks for first.
func (r *record) tiles() []tile {
	var out []tile
	add := func(label, value, note string) { out = append(out, tile{label, value, note}) }
	for _, j := range r.evals {
		if j.Top1 != nil && j.Protocol != "knn" {
			note := "top-1"
			if random := j.Random.top1(); random != "" {
				note = "random weights " + random
			}
			add(protocolName(j.Protocol), percent(*j.Top1), note)
		}
	}
	if first, last := r.knn(); last != nil {
		note := ""
		if first != nil && first != last {
			note = "random weights " + percent(*first)
		}
		add("kNN accuracy", percent(*last), note)
	}
	if e := r.latest(); e != nil {
		if e.Loss != nil {
			add("Loss", value(*e.Loss), "mean of the last epoch")
		}
		if e.TargetStd != nil {
			add("Spread", fmt.Sprintf("%.2f", *e.TargetStd), "0 is collapsed")
		}
		if e.Rank != nil {
			add("Effective rank", fmt.Sprintf("%.1f", *e.Rank), "1 is collapsed")
		}
	}
	if v := r.speed(); v > 0 {
		add("Speed", humanize.CommafWithDigits(v, 0), "images/s")
	}
	if s := r.seconds(); s > 0 {
		add("Training", duration(s), "evaluation left out")
	}
	return out
}

// latest is the newest epoch with a loss, or else the newest step.
func (r *record) latest() *event {
	for i := len(r.epochs) - 1; i >= 0; i-- {
		if r.epochs[i].Loss != nil {
			return &r.epochs[i]
		}
	}
	if n := len(r.steps); n > 0 {
		return &r.steps[n-1]
	}
	return nil
}

// evalRows are the run's judgements; named says that several runs share the table.
func (r *record) evalRows(named bool) []evalRow {
	var out []evalRow
	for _, j := range r.evals {
		if j.Top1 == nil {
			continue
		}
		e := evalRow{Protocol: protocolName(j.Protocol), Detail: humanize.Comma(int64(j.N)) + " pictures", Top1: percent(*j.Top1),
			Random: j.Random.top1(), Supervised: j.Supervised.top1()}
		if j.JudgedOn != "" {
			e.Detail += " (" + j.JudgedOn + ")"
		}
		if j.Train > 0 {
			e.Detail += ", " + humanize.Comma(int64(j.Train)) + " learnt from"
		}
		if j.Labels > 0 {
			e.Protocol += fmt.Sprintf(" on %g %% of the labels", 100*j.Labels)
		}
		if j.Top1Std != nil {
			e.Top1 += fmt.Sprintf(" ± %.1f", 100**j.Top1Std)
		}
		if named {
			e.Name = r.name
		}
		if j.Top5 != nil {
			e.Top5 = percent(*j.Top5)
		}
		if e.Random != "" {
			e.Gain = gained(*j.Random.Top1, *j.Top1)
		}
		out = append(out, e)
	}
	return out
}

// newEvalTable returns nil if there is nothing to show.
func newEvalTable(rows []evalRow) *evalTable {
	if len(rows) == 0 {
		return nil
	}
	t := &evalTable{Rows: rows}
	for _, r := range rows {
		t.HasTop5 = t.HasTop5 || r.Top5 != ""
		t.HasRandom = t.HasRandom || r.Random != ""
		t.HasSup = t.HasSup || r.Supervised != ""
	}
	return t
}

func protocolName(protocol string) string {
	switch protocol {
	case "linear":
		return "Linear classifier"
	case "finetune":
		return "Fine-tuned"
	case "knn":
		return "Nearest neighbours"
	}
	return protocol
}

func (r *record) epochRows() []epochRow {
	var out []epochRow
	cell := func(v *float64, format string, scale float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf(format, scale**v)
	}
	for _, e := range r.epochs {
		out = append(out, epochRow{fmt.Sprint(e.Epoch), humanize.Comma(int64(*e.Step)), cell(e.Loss, "%.4f", 1), cell(e.TargetStd, "%.3f", 1),
			cell(e.Rank, "%.1f", 1), cell(e.KNN, "%.1f", 100), fmt.Sprintf("%.1f", e.Seconds)})
	}
	return out
}

// configView lists every key of the configuration, and what is known of the run.
func (r *record) configView() configView {
	v := configView{Name: r.name}
	for _, key := range run.Keys() {
		group, name, _ := strings.Cut(key, ".")
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Name != group {
			v.Groups = append(v.Groups, configGroup{Name: group})
		}
		text, _ := r.config.Get(key)
		if text == "" {
			text = "–"
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Keys = append(g.Keys, [2]string{name, text})
	}
	v.Facts = r.facts()
	return v
}

// facts tell on what and how the run went.
func (r *record) facts() []row {
	var out []row
	add := func(name, value string) { out = append(out, row{name, []string{value}}) }
	c := r.config.Train
	threads := "all threads"
	if c.Threads > 0 {
		threads = fmt.Sprintf("%d threads", c.Threads)
	}
	add("computed by", fmt.Sprintf("%s, %s, %s", c.Backend, threads, c.Precision))
	if v := r.speed(); v > 0 {
		add("speed", humanize.CommafWithDigits(v, 1)+" images/s")
	}
	if s := r.seconds(); s > 0 {
		add("time in steps", duration(s))
	}
	add("steps", fmt.Sprintf("%s of %s, %s pictures each", humanize.Comma(int64(r.lastStep())), humanize.Comma(int64(c.Steps)),
		humanize.Comma(int64(c.Batch*max(1, r.config.Optim.Accumulate)))))
	for _, from := range r.resumes {
		add("went on", fmt.Sprintf("from step %s", humanize.Comma(int64(from))))
	}
	add("folder", string(r.folder))
	add("page written on", fmt.Sprintf("%s, %d threads, %s kernels", machine.Processor(), runtime.GOMAXPROCS(0), isa.Current()))
	return out
}

// dataURL puts a picture into the page.
func dataURL(data []byte) template.URL {
	return template.URL("data:" + http.DetectContentType(data) + ";base64," + base64.StdEncoding.EncodeToString(data))
}
