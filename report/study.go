package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
)

//go:embed study.html
var studyText string

var studyTemplates = template.Must(template.Must(templates.Clone()).Parse(studyText))

// Study is an experiment of package lab as its page shows it.
type Study struct {
	Name, Title     string
	About           []string // paragraphs
	Source, Measure string   // of the published figures
	Ours            string   // what stands beside them
	Stands          string   // on how many runs it stands
	PublishedRandom *float64
	Columns         []string // of the table, after name and published figure
	Random          []string // the first columns' values of random weights
	Cells           []StudyCell
	Findings        []Finding
}

// StudyCell is one setting of a study.
type StudyCell struct {
	Name, Keys, Verdict string
	Published           *float64
	Seeds               int
	Ours, Start         []float64 // by seed, in the end and of the random weights; NaN where not measured
	Values              []string  // of the columns
	Runs                []run.Folder
}

// Finding is a claim and what came of it.
type Finding struct{ Say, Outcome, Numbers, Tone string }

// studyPage is what the template shows.
type studyPage struct {
	Study
	Style             template.CSS
	Script            template.JS
	Tone, Headline    string
	Bars              []barRow
	OurTicks, Theirs  []barTick
	Charts            []*chart
	Legend            []legend
	PublishedOfRandom string
	HasPublished      bool
}

// barRow is a cell in the drawing that sets ours beside the published; places are percent
// of the axis.
type barRow struct {
	Name, Class    string
	Fill           float64
	Dots           []float64
	Start          float64
	HasStart       bool
	Value          string
	Published      float64
	PublishedValue string
}

type barTick struct {
	At    float64
	Label string
}

// studyCurves are the quantities whose curves a study shows.
var studyCurves = map[string]bool{"knn": true, "loss": true, "std": true, "rank": true, "cosine": true}

// WriteStudy writes the page of a study to path.
func WriteStudy(s Study, path string) error {
	p := studyPage{Study: s, Style: template.CSS(styleText), Script: template.JS(scriptText)}
	p.Tone, p.Headline = s.headline()
	p.bars()
	var records []*record
	for i, c := range s.Cells {
		r, err := meanRecord(c.Runs)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		r.name, r.class = c.Name, fmt.Sprintf("s%d", i%classes)
		records = append(records, r)
		p.Legend = append(p.Legend, legend{c.Name, r.class, i >= classes})
	}
	if len(records) > 0 {
		p.Charts = studyCharts(records)
	}
	return atomicfile.Write(path, func(w io.Writer) error { return studyTemplates.ExecuteTemplate(w, "study", p) })
}

// headline says how many claims came out.
func (s Study) headline() (tone, text string) {
	count := map[string]int{}
	for _, f := range s.Findings {
		count[f.Tone]++
	}
	n := len(s.Findings)
	switch {
	case n == 0:
		return "plain", "What came out"
	case count["plain"] == n:
		return "plain", "Nothing can be said yet"
	case count["good"] == n:
		return "good", fmt.Sprintf("All %d published results came out", n)
	case count["bad"] > 0:
		tone = "bad"
	default:
		tone = "warn"
	}
	text = fmt.Sprintf("%d of %d published results came out", count["good"], n)
	if u := count["warn"] + count["plain"]; u > 0 {
		text += fmt.Sprintf(", %d undecided", u)
	}
	return tone, text
}

// bars lays out ours beside the published.
func (p *studyPage) bars() {
	most, theirs := 0.0, 0.0
	for _, c := range p.Cells {
		for _, v := range append(c.Ours, c.Start...) {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
		if c.Published != nil {
			p.HasPublished = true
			theirs = max(theirs, *c.Published)
		}
	}
	ours, oursEnd := axis(most)
	published, publishedEnd := axis(theirs)
	p.OurTicks, p.Theirs = ours, published
	if p.PublishedRandom != nil {
		p.PublishedOfRandom = fmt.Sprintf("%g", *p.PublishedRandom)
	}
	for i, c := range p.Cells {
		b := barRow{Name: c.Name, Class: fmt.Sprintf("s%d", i%classes)}
		if mean, dots := places(c.Ours, oursEnd); dots != nil {
			b.Fill, b.Dots, b.Value = 100*mean/oursEnd, dots, fmt.Sprintf("%.1f", mean)
		}
		if mean, dots := places(c.Start, oursEnd); dots != nil {
			b.Start, b.HasStart = 100*mean/oursEnd, true
		}
		if c.Published != nil {
			b.Published, b.PublishedValue = 100**c.Published/publishedEnd, fmt.Sprintf("%g", *c.Published)
		}
		p.Bars = append(p.Bars, b)
	}
}

// axis returns ticks from 0 to a little above a value, and the axis' end.
func axis(most float64) ([]barTick, float64) {
	if most <= 0 {
		most = 1
	}
	end := most * 1.04
	var out []barTick
	for _, v := range ticks(0, end, 4) {
		out = append(out, barTick{100 * v / end, short(v)})
	}
	return out, end
}

// places returns the mean of the values that are known, and their places on an axis.
func places(values []float64, end float64) (mean float64, at []float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			mean += v
			at = append(at, 100*v/end)
		}
	}
	return mean / float64(max(1, len(at))), at
}

// meanRecord averages the curves of runs that differ in their seed; nil if there is none.
func meanRecord(folders []run.Folder) (*record, error) {
	var runs []*record
	for _, f := range folders {
		r, err := open(f)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 {
		return nil, nil
	}
	steps, epochs := make([][]event, len(runs)), make([][]event, len(runs))
	for i, r := range runs {
		steps[i], epochs[i] = r.steps, r.epochs
	}
	mean := *runs[0]
	mean.steps, mean.epochs = meanEvents(steps), meanEvents(epochs)
	return &mean, nil
}

// meanEvents averages the k-th events of several runs, as far as the shortest goes. A
// value that one of them lacks is left out of the mean.
func meanEvents(runs [][]event) []event {
	n := len(runs[0])
	for _, r := range runs {
		n = min(n, len(r))
	}
	out := make([]event, n)
	for k := range out {
		out[k] = runs[0][k]
		for _, field := range []func(*event) **float64{
			func(e *event) **float64 { return &e.Loss }, func(e *event) **float64 { return &e.TargetStd },
			func(e *event) **float64 { return &e.Rank }, func(e *event) **float64 { return &e.CosPositive },
			func(e *event) **float64 { return &e.CosNegative }, func(e *event) **float64 { return &e.KNN },
		} {
			sum, known := 0.0, 0
			for _, r := range runs {
				if v := *field(&r[k]); v != nil {
					sum, known = sum+*v, known+1
				}
			}
			if known > 0 {
				*field(&out[k]) = ptr(sum / float64(known))
			}
		}
	}
	return out
}

// studyCharts draws the learning curves of the cells, one line each.
func studyCharts(records []*record) []*chart {
	if len(records) == 1 {
		// Beside one that has no curves, a line gets its cell's name and no marks of its own.
		records = append(records, &record{class: "s7"})
	}
	dashed := map[string]bool{}
	for i, r := range records {
		dashed[r.name] = i >= classes
	}
	var out []*chart
	for _, c := range charts(records) {
		if !studyCurves[c.ID] {
			continue
		}
		var lines []drawnLine
		for _, l := range c.Lines {
			if !l.Faint { // trends only: there are many
				l.Dashed = l.Dashed || dashed[l.Name]
				lines = append(lines, l)
			}
		}
		c.Lines = lines
		out = append(out, c)
	}
	return out
}
