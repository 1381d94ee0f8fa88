package lab

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/byol-go/byol/report"
	"github.com/byol-go/byol/run"
	"gonum.org/v1/gonum/stat"
)

// Findings holds every claim of the experiment against what has come out so far.
func (s *Study) Findings() []Finding {
	out := make([]Finding, len(s.Experiment.Claims))
	for i, c := range s.Experiment.Claims {
		out[i] = c.judge(s.Results)
	}
	return out
}

// stands says on how much the study stands.
func (s *Study) stands() string {
	if len(s.Results) == 0 {
		return "Nothing has been run yet."
	}
	fewest, most := s.Planned, 0
	for _, c := range s.Experiment.Cells {
		n := len(of(s.Results, c.Name))
		fewest, most = min(fewest, n), max(most, n)
	}
	seeds := fmt.Sprintf("%d seeds", fewest)
	switch {
	case fewest == 1 && most == 1:
		seeds = "one seed"
	case fewest != most:
		seeds = fmt.Sprintf("%d to %d seeds", fewest, most)
	}
	text := fmt.Sprintf("Every cell stands on %s.", seeds)
	if left := s.Planned - len(s.Results); left > 0 {
		text = fmt.Sprintf("Cells stand on %s so far: %d of %d runs are left.", seeds, left, s.Planned)
	}
	return text
}

// column is one measured quantity of the table.
type column struct {
	name   string
	scale  float64
	format string
	value  func(Result) float64
}

var measured = []column{
	{"linear, %", 100, "%.1f", func(r Result) float64 { return r.Linear }},
	{"kNN, %", 100, "%.1f", func(r Result) float64 { return r.KNN }},
	{"loss", 1, "%.3f", func(r Result) float64 { return r.Loss }},
	{"spread", 1, "%.2f", func(r Result) float64 { return r.TargetStd }},
	{"rank", 1, "%.1f", func(r Result) float64 { return r.Rank }},
	{"cos same", 1, "%.2f", func(r Result) float64 { return r.CosPositive }},
	{"cos different", 1, "%.2f", func(r Result) float64 { return r.CosNegative }},
}

// across are a cell's values over its seeds, those that were measured.
func (c column) across(results []Result) []float64 {
	var v []float64
	for _, r := range results {
		if x := c.value(r); !math.IsNaN(x) {
			v = append(v, c.scale*x)
		}
	}
	return v
}

// text writes them as mean ± deviation; empty if there are none.
func (c column) text(results []Result) string {
	v := c.across(results)
	if len(v) == 0 {
		return ""
	}
	return plusMinus(v, c.format)
}

// cell are the results of a cell, by seed.
func (s *Study) cell(name string) []Result {
	var out []Result
	for _, r := range s.Results {
		if r.Cell == name {
			out = append(out, r)
		}
	}
	return out
}

// verdicts lists what the runs of a cell said about themselves.
func verdicts(results []Result) string {
	var names []string
	count := map[string]int{}
	for _, r := range results {
		if r.Verdict == "" {
			continue
		}
		if count[r.Verdict] == 0 {
			names = append(names, r.Verdict)
		}
		count[r.Verdict]++
	}
	if len(names) == 1 {
		return names[0]
	}
	for i, n := range names {
		names[i] = fmt.Sprintf("%s (%d)", n, count[n])
	}
	return strings.Join(names, ", ")
}

// randomRow are the accuracies of the weights that runs start from, over the seeds: cells
// with the same seed start alike as far as their networks are.
func (s *Study) randomRow() (linear, knn string) {
	var starts []Result
	for seed := 1; seed <= s.Seeds; seed++ {
		var linear, knn []float64
		for _, r := range s.Results {
			if r.Seed == seed && !math.IsNaN(r.LinearStart) {
				linear = append(linear, r.LinearStart)
			}
			if r.Seed == seed && !math.IsNaN(r.KNNStart) {
				knn = append(knn, r.KNNStart)
			}
		}
		starts = append(starts, Result{Linear: stat.Mean(linear, nil), KNN: stat.Mean(knn, nil)}) // NaN without any
	}
	return measured[0].text(starts), measured[1].text(starts)
}

// Markdown writes the study as a table and what came of its claims.
func (s *Study) Markdown() string {
	var b strings.Builder
	e := s.Experiment
	fmt.Fprintf(&b, "| cell | published | %s | verdict |\n", strings.Join(columnNames(), " | "))
	fmt.Fprintf(&b, "|---|---%s|---|\n", strings.Repeat("|---", len(measured)))
	for _, c := range e.Cells {
		results := s.cell(c.Name)
		fmt.Fprintf(&b, "| %s | %s", c.Name, number(c.Published))
		for _, m := range measured {
			fmt.Fprintf(&b, " | %s", m.text(results))
		}
		fmt.Fprintf(&b, " | %s |\n", verdicts(results))
	}
	linear, knn := s.randomRow()
	fmt.Fprintf(&b, "| *%s* | %s | %s | %s%s |\n\n", Random, number(e.PublishedRandom), linear, knn, strings.Repeat(" | ", len(measured)-1))
	if e.Measure != "" {
		fmt.Fprintf(&b, "Published: %s (%s). ", e.Measure, e.Source)
	}
	fmt.Fprintf(&b, "Here: mean ± deviation over seeds. %s\n", s.stands())
	for i, f := range s.Findings() {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "- %s **%s**.", f.Say, capital(string(f.Outcome)))
		if f.Numbers != "" {
			fmt.Fprintf(&b, " %s.", capital(f.Numbers))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func columnNames() []string {
	names := make([]string, len(measured))
	for i, m := range measured {
		names[i] = m.name
	}
	return names
}

func number(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%g", *v)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Page is the path of the study's page.
func (s *Study) Page() string { return filepath.Join(s.Dir, "report.html") }

// writePage writes report.html.
func (s *Study) writePage() error {
	e := s.Experiment
	page := report.Study{
		Name: e.Name, Title: e.Title, Source: e.Source, Measure: e.Measure,
		Stands: s.stands(), Columns: columnNames(), PublishedRandom: e.PublishedRandom,
	}
	page.About = strings.Split(strings.TrimSpace(e.About), "\n\n")
	for _, c := range e.Cells {
		results := s.cell(c.Name)
		row := report.StudyCell{Name: c.Name, Keys: keysText(run.Pairs(c.Set)), Published: c.Published, Verdict: verdicts(results), Seeds: len(results)}
		for _, m := range measured {
			row.Values = append(row.Values, m.text(results))
		}
		for _, r := range results {
			row.Runs = append(row.Runs, folderOf(s.Dir, c, r.Seed))
			row.Ours = append(row.Ours, 100*r.end)
			row.Start = append(row.Start, 100*r.start)
		}
		page.Cells = append(page.Cells, row)
	}
	linear, knn := s.randomRow()
	page.Random = []string{linear, knn}
	page.Ours = "kNN accuracy here, %"
	if e.Judge == byLinear {
		page.Ours = "linear accuracy here, %"
	}
	for _, f := range s.Findings() {
		page.Findings = append(page.Findings, report.Finding{Say: f.Say, Outcome: string(f.Outcome), Numbers: capital(f.Numbers), Tone: tones[f.Outcome]})
	}
	return report.WriteStudy(page, s.Page())
}

// tones are the page's colours of outcomes.
var tones = map[Outcome]string{CameOut: "good", DidNot: "bad", Undecided: "warn", NotYet: "plain"}
