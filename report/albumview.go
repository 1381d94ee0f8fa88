package report

import (
	"fmt"
	"html/template"
)

// albumView is an album as the page shows it.
type albumView struct {
	Pictures int
	Labelled bool
	Single   bool // before and after of one run, not several runs
	Stages   []stageView
	Queries  []queryView
	Spots    []spotView
	Legend   []legend // classes on the map
}

type stageView struct {
	Name, Class string
	Same        string // share of neighbours of the right class
	Rank        string
}

// queryView is a picture and its neighbours in every stage.
type queryView struct {
	Style template.CSS
	Title string
	Rows  [][]thumb
}

// thumb is a picture of the sheet.
type thumb struct {
	Style template.CSS
	Title string
	Tone  string // right, wrong, or plain without labels
}

// spotView is a picture on the map. Its places are custom properties, two for each
// stage and kind of map: the style sheet picks those that are to be seen.
type spotView struct {
	Style template.CSS
	Title string
	Class string
}

// view lays the album out for the page.
func (a *album) view(single bool) *albumView {
	v := &albumView{Pictures: len(a.index), Labelled: a.set.HasLabels(), Single: single}
	for _, s := range a.stages {
		v.Stages = append(v.Stages, stageView{s.name, s.class, percent(s.same), fmt.Sprintf("%.1f", s.rank)})
	}
	for _, q := range a.queries {
		line := queryView{Style: template.CSS(a.sprite.at(q)), Title: a.title(q)}
		for _, s := range a.stages {
			var thumbs []thumb
			for _, n := range s.near[q][:min(neighbours, len(s.near[q]))] {
				t := thumb{template.CSS(a.sprite.at(n.Index)), fmt.Sprintf("%s, cosine %.2f", a.title(n.Index), n.Cosine), "plain"}
				if a.labels[q] >= 0 && a.labels[n.Index] >= 0 {
					t.Tone = "wrong"
					if a.labels[q] == a.labels[n.Index] {
						t.Tone = "right"
					}
				}
				thumbs = append(thumbs, t)
			}
			line.Rows = append(line.Rows, thumbs)
		}
		v.Queries = append(v.Queries, line)
	}
	for k, i := range a.mapped {
		style := a.sprite.at(i)
		for n, s := range a.stages {
			style += fmt.Sprintf(";--t%dx:%.3f;--t%dy:%.3f;--p%dx:%.3f;--p%dy:%.3f", n, s.tsne[k].x, n, s.tsne[k].y, n, s.pca[k].x, n, s.pca[k].y)
		}
		spot := spotView{template.CSS(style), a.title(i), ""}
		if l := a.labels[i]; l >= 0 && len(a.set.Classes) <= mapClasses {
			spot.Class = fmt.Sprintf("k%d", l)
		}
		v.Spots = append(v.Spots, spot)
	}
	if v.Labelled && len(a.set.Classes) <= mapClasses {
		for i, name := range a.set.Classes {
			v.Legend = append(v.Legend, legend{Name: name, Class: fmt.Sprintf("k%d", i)})
		}
	}
	return v
}

// mapClasses is the number of classes that the map tells apart by colours.
const mapClasses = 12

// title names a picture by its class, or by its file.
func (a *album) title(i int) string {
	if l := a.labels[i]; l >= 0 {
		return a.set.Classes[l]
	}
	return source(a.set.Name(a.index[i]))
}

// spectra draws the singular values of every stage.
func (a *album) spectra() *chart {
	p := plotOf{id: "spectrum", title: "Spectrum of the features", xLabel: "singular value", log: true, width: 560,
		note: "over the largest: the slower it falls, the more directions are used"}
	for _, s := range a.stages {
		p.lines = append(p.lines, line{name: fmt.Sprintf("%s, effective rank %.1f", s.name, s.rank), class: s.class, points: s.spectrum})
	}
	return p.draw()
}
