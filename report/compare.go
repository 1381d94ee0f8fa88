package report

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/run"
	"github.com/dustin/go-humanize"
)

// charts draws every quantity that any run has measured.
func charts(records []*record) []*chart {
	var out []*chart
	for _, q := range quantities {
		p := plotOf{id: q.id, title: q.title, unit: q.unit, note: q.note, xLabel: "step", from: q.from, to: q.to, span: q.span, refs: q.refs, latest: !q.quiet}
		for _, r := range records {
			events := r.steps
			if q.epochs {
				events = r.epochs
			}
			for i, part := range q.parts {
				l := line{name: part.name, class: r.class, dashed: part.dashed}
				if len(records) > 1 {
					l.name = r.name
					if part.name != "" {
						l.name += ", " + part.name
					}
				} else if i > 0 {
					l.class = fmt.Sprintf("s%d", i)
				}
				p.lines = append(p.lines, q.lines(l, part.points(events))...)
			}
			if len(records) == 1 {
				p.marks = r.marks()
				if first, _ := r.knn(); q.id == "knn" && first != nil && len(r.epochs) > 1 {
					p.refs = []reference{{100 * *first, "random weights"}}
				}
			}
		}
		if c := p.draw(); c != nil {
			if len(records) > 1 { // runs are named above the charts
				c.Legend = nil
				for _, part := range q.parts[:len(q.parts)*min(1, len(q.parts)-1)] {
					c.Legend = append(c.Legend, legend{part.name, "s7", part.dashed})
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// lines returns the line of a quantity's points, behind it the points themselves if it
// shows their trend.
func (q quantity) lines(l line, points []point) []line {
	if !q.smooth || len(points) < 40 {
		l.points = thin(points, plotPoints)
		return []line{l}
	}
	raw := l
	raw.faint, raw.points = true, thin(points, plotPoints)
	l.points = trend(points, plotPoints/2)
	return []line{raw, l}
}

// marks are the steps since which something is wrong.
func (r *record) marks() []reference {
	if n := len(r.verdicts); n > 0 {
		if v := r.verdicts[n-1].verdict; v.SinceStep > 0 && tone(v.Verdict) != "good" {
			return []reference{{float64(v.SinceStep), v.Verdict}}
		}
	}
	return nil
}

// finalRows are the values at the end of each run.
func finalRows(records []*record) []row {
	var out []row
	add := func(name string, value func(r *record) string) {
		line := row{Name: name}
		any := false
		for _, r := range records {
			v := value(r)
			any = any || v != ""
			line.Values = append(line.Values, v)
		}
		if any {
			out = append(out, line)
		}
	}
	number := func(v *float64, format string) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf(format, *v)
	}
	add("verdict", func(r *record) string {
		if n := len(r.verdicts); n > 0 {
			return r.verdicts[n-1].Verdict
		}
		return ""
	})
	for _, protocol := range []string{"linear", "finetune"} {
		add(protocolName(protocol), func(r *record) string {
			for _, j := range r.evals {
				if j.Protocol == protocol && j.Top1 != nil {
					return percent(*j.Top1)
				}
			}
			return ""
		})
	}
	add("kNN accuracy", func(r *record) string {
		if _, last := r.knn(); last != nil {
			return percent(*last)
		}
		return ""
	})
	add("with random weights", func(r *record) string {
		if first, _ := r.knn(); first != nil {
			return percent(*first)
		}
		return ""
	})
	latest := func(pick func(*event) *float64, format string) func(r *record) string {
		return func(r *record) string {
			if e := r.latest(); e != nil {
				return number(pick(e), format)
			}
			return ""
		}
	}
	add("loss", latest(func(e *event) *float64 { return e.Loss }, "%.4f"))
	add("spread", latest(func(e *event) *float64 { return e.TargetStd }, "%.3f"))
	add("effective rank", latest(func(e *event) *float64 { return e.Rank }, "%.1f"))
	add("images/s", func(r *record) string {
		if v := r.speed(); v > 0 {
			return humanize.CommafWithDigits(v, 0)
		}
		return ""
	})
	add("training", func(r *record) string {
		if s := r.seconds(); s > 0 {
			return duration(s)
		}
		return ""
	})
	add("steps", func(r *record) string { return humanize.Comma(int64(r.lastStep())) })
	return out
}

// differing are the configuration keys in which the runs differ.
func differing(records []*record) []row {
	var out []row
	for _, key := range run.Keys() {
		line := row{Name: key}
		for _, r := range records {
			v, _ := r.config.Get(key)
			line.Values = append(line.Values, v)
		}
		if len(slices.Compact(slices.Clone(line.Values))) > 1 {
			out = append(out, line)
		}
	}
	return out
}
