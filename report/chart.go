package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Layout of a chart, in its own units: the drawing scales to the place it gets.
const (
	chartW, chartH = 400, 216
	plotL, plotGap = 42, 8 // left and right of the plot
	plotT, plotB   = 10, 190
	plotPoints     = 260 // at most for a line, about
)

// chart is a drawing of lines over a common x axis, as the template "chart" writes it.
type chart struct {
	ID, Title, Unit, Note string
	Value                 string // latest value, if there is one line
	XLabel                string
	Alt                   string // the drawing in words
	X0, X1                float64
	XTicks, YTicks        []tick
	Refs                  []tick
	Marks                 []tick
	Lines                 []drawnLine
	Legend                []legend
	Box                   box
}

// box is the layout, for the template.
type box struct{ W, H, L, R, T, B float64 }

// tick is a place on an axis with its label.
type tick struct {
	At    float64
	Label string
}

// legend names a line.
type legend struct {
	Name, Class string
	Dashed      bool
}

// drawnLine is a line in the chart's units, with its values for the one who points at it.
type drawnLine struct {
	Path          template.HTMLAttr // d="…"
	Class, Name   string
	Faint, Dashed bool
	Xs, Ys        string // comma separated; empty on faint lines
}

// line is a line to be drawn.
type line struct {
	name, class   string
	points        []point
	faint, dashed bool
}

// plotOf says what a chart shows.
type plotOf struct {
	id, title, unit, note, xLabel string
	lines                         []line
	refs                          []reference
	marks                         []reference // vertical, at steps
	from, to                      *float64
	span                          float64
	log                           bool    // y is log10 of the value
	latest                        bool    // the latest value stands in the title
	width                         float64 // of the chart; 0: chartW
}

// draw lays a chart out; nil if there is nothing to draw.
func (p plotOf) draw() *chart {
	x0, x1, y0, y1, ok := p.ranges()
	if !ok {
		return nil
	}
	width := p.width
	if width == 0 {
		width = chartW
	}
	right := width - plotGap
	c := &chart{ID: p.id, Title: p.title, Unit: p.unit, Note: p.note, XLabel: p.xLabel, X0: x0, X1: x1,
		Box: box{width, chartH, plotL, right, plotT, plotB}}
	atX := func(x float64) float64 { return plotL + (x-x0)/(x1-x0)*(right-plotL) }
	atY := func(y float64) float64 { return plotB - (y-y0)/(y1-y0)*(plotB-plotT) }
	for _, x := range ticks(x0, x1, 5) {
		c.XTicks = append(c.XTicks, tick{round1(atX(x)), short(x)})
	}
	for _, y := range p.yTicks(y0, y1) {
		label := short(y)
		if p.log {
			label = power(y)
		}
		c.YTicks = append(c.YTicks, tick{round1(atY(y)), label})
	}
	for _, r := range p.refs {
		if r.y >= y0 && r.y <= y1 {
			c.Refs = append(c.Refs, tick{round1(atY(r.y)), r.label})
		}
	}
	for _, m := range p.marks {
		if m.y >= x0 && m.y <= x1 {
			c.Marks = append(c.Marks, tick{round1(atX(m.y)), m.label})
		}
	}
	for _, l := range p.lines {
		if len(l.points) == 0 {
			continue
		}
		d := drawnLine{Class: l.class, Name: l.name, Faint: l.faint, Dashed: l.dashed, Path: path(l.points, atX, atY)}
		if !l.faint {
			d.Xs, d.Ys = p.values(l.points)
			c.Legend = append(c.Legend, legend{l.name, l.class, l.dashed})
			last := l.points[len(l.points)-1].y
			if p.latest {
				c.Value = value(last)
			}
		}
		c.Lines = append(c.Lines, d)
	}
	if len(c.Legend) < 2 {
		c.Legend = nil
	} else {
		c.Value = ""
	}
	c.Alt = p.words()
	return c
}

// ranges returns what the axes must show, with a little air above.
func (p plotOf) ranges() (x0, x1, y0, y1 float64, ok bool) {
	x0, y0 = math.Inf(1), math.Inf(1)
	x1, y1 = math.Inf(-1), math.Inf(-1)
	for _, l := range p.lines {
		for _, q := range l.points {
			x0, x1 = min(x0, q.x), max(x1, q.x)
			y0, y1 = min(y0, q.y), max(y1, q.y)
		}
	}
	if x0 > x1 {
		return 0, 0, 0, 0, false
	}
	if p.xLabel == "step" {
		x0 = 0
	}
	if x1 == x0 {
		x1 = x0 + 1
	}
	if p.from != nil {
		y0 = min(y0, *p.from)
	}
	if p.to != nil {
		y1 = max(y1, *p.to)
	}
	for _, r := range p.refs {
		y0, y1 = min(y0, r.y), max(y1, r.y)
	}
	if lack := p.span - (y1 - y0); lack > 0 {
		y0, y1 = y0-lack/2, y1+lack/2
	}
	air := .06 * (y1 - y0)
	if air == 0 {
		air = max(1e-9, .05*math.Abs(y1))
	}
	if p.from == nil || y0 < *p.from {
		y0 -= air
	}
	return x0, x1, y0, y1 + air, true
}

func (p plotOf) yTicks(y0, y1 float64) []float64 {
	if !p.log {
		return ticks(y0, y1, 4)
	}
	var out []float64
	step := max(1, math.Ceil((y1-y0)/5))
	for y := math.Ceil(y0/step) * step; y <= y1; y += step {
		out = append(out, y)
	}
	return out
}

// values writes the numbers of a line for the page's script.
func (p plotOf) values(points []point) (xs, ys string) {
	var x, y strings.Builder
	for i, q := range points {
		if i > 0 {
			x.WriteByte(',')
			y.WriteByte(',')
		}
		x.WriteString(strconv.FormatFloat(q.x, 'g', 7, 64))
		v := q.y
		if p.log {
			v = math.Pow(10, v)
		}
		y.WriteString(strconv.FormatFloat(v, 'g', 4, 64))
	}
	return x.String(), y.String()
}

// words tells what the lines show, for those who cannot see them.
func (p plotOf) words() string {
	var out []string
	for _, l := range p.lines {
		if l.faint || len(l.points) == 0 {
			continue
		}
		first, last := l.points[0], l.points[len(l.points)-1]
		a, b := first.y, last.y
		if p.log {
			a, b = math.Pow(10, a), math.Pow(10, b)
		}
		name := p.title
		if l.name != "" {
			name += ", " + l.name
		}
		out = append(out, fmt.Sprintf("%s: from %s at %s %s to %s at %s", name, value(a), p.xLabel, short(first.x), value(b), short(last.x)))
	}
	return strings.Join(out, "; ")
}

// path writes the attribute d of a line.
func path(points []point, atX, atY func(float64) float64) template.HTMLAttr {
	var b strings.Builder
	b.WriteString(`d="`)
	for i, q := range points {
		c := byte('L')
		if i == 0 {
			c = 'M'
		}
		b.WriteByte(c)
		b.WriteString(strconv.FormatFloat(round1(atX(q.x)), 'f', -1, 64))
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(round1(atY(q.y)), 'f', -1, 64))
	}
	b.WriteByte('"')
	return template.HTMLAttr(b.String())
}

func round1(v float64) float64 { return math.Round(10*v) / 10 }

// ticks returns round numbers between low and high, about n of them.
func ticks(low, high float64, n int) []float64 {
	raw := (high - low) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	switch r := raw / step; {
	case r > 5:
		step *= 10
	case r > 2:
		step *= 5
	case r > 1:
		step *= 2
	}
	var out []float64
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-12)+1e-12*step; i++ {
		out = append(out, i*step+0) // + 0: no negative zero
	}
	return out
}

// short writes a tick's number: 1,500 as 1.5k.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	case a >= 1e3:
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	case a > 0 && a < 1e-3:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// value writes a measured number with three or four digits that count.
func value(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= .0995 || a == 0:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// power writes ten to an integer.
func power(exponent float64) string {
	if exponent == 0 {
		return "1"
	}
	digits := strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return "10" + digits.Replace(strconv.FormatFloat(exponent, 'f', 0, 64))
}
