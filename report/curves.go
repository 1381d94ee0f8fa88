package report

import (
	"bytes"
	"image/color"

	"github.com/byol-go/byol/run"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// blue is the colour of every curve.
var blue = color.RGBA{0x1f, 0x77, 0xb4, 0xff}

// curve is a quantity over the epochs.
type curve struct {
	title  string
	points plotter.XYs
}

// curves reads the quantities of a run's epochs that were measured.
func curves(epochs []run.EpochEvent) []curve {
	all := []curve{
		{title: "loss (0 to 8)"},
		{title: "kNN accuracy, %"},
		{title: "spread of the target (1 is healthy)"},
		{title: "effective rank"},
	}
	for _, e := range epochs {
		for i, v := range []*run.Number{e.Loss, e.KNN, e.TargetStd, e.Rank} {
			if v == nil {
				continue
			}
			y := float64(*v)
			if i == 1 {
				y *= 100
			}
			all[i].points = append(all[i].points, plotter.XY{X: float64(e.Epoch), Y: y})
		}
	}
	var measured []curve
	for _, c := range all {
		if len(c.points) > 0 {
			measured = append(measured, c)
		}
	}
	return measured
}

// drawCurves plots the curves side by side, two in a row, as a PNG.
func drawCurves(list []curve) ([]byte, error) {
	const cols = 2
	rows := (len(list) + cols - 1) / cols
	plots := make([][]*plot.Plot, rows)
	for r := range plots {
		plots[r] = make([]*plot.Plot, cols)
	}
	for i, c := range list {
		p := plot.New()
		p.Title.Text = c.title
		p.X.Label.Text = "epoch"
		p.Add(plotter.NewGrid())
		line, points, err := plotter.NewLinePoints(c.points)
		if err != nil {
			return nil, err
		}
		line.Color, points.Color = blue, blue
		line.Width = vg.Points(1.5)
		points.Shape, points.Radius = draw.CircleGlyph{}, vg.Points(2)
		p.Add(line, points)
		plots[i/cols][i%cols] = p
	}
	canvas := vgimg.NewWith(vgimg.UseWH(22*vg.Centimeter, vg.Length(rows)*7*vg.Centimeter), vgimg.UseDPI(110))
	tiles := draw.Tiles{Rows: rows, Cols: cols, PadX: vg.Centimeter, PadY: vg.Centimeter / 2, PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 4}
	canvases := plot.Align(plots, tiles, draw.New(canvas))
	for r := range plots {
		for c, p := range plots[r] {
			if p != nil {
				p.Draw(canvases[r][c])
			}
		}
	}
	var out bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&out)
	return out.Bytes(), err
}
