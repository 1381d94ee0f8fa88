package report

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	plotdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// inks are the colours of runs in the PNG files, those of the page on white.
var inks = []color.RGBA{
	{0x2b, 0x62, 0xd9, 0xff}, {0xd4, 0x5b, 0x0b, 0xff}, {0x0b, 0x87, 0x67, 0xff}, {0x8a, 0x3f, 0xd1, 0xff},
	{0xb0, 0x7d, 0x00, 0xff}, {0xc8, 0x32, 0x76, 0xff}, {0x07, 0x86, 0xa3, 0xff}, {0x6b, 0x74, 0x85, 0xff},
}

// drawCurves plots every measured quantity, three in a row, as a PNG; nil if there is none.
func drawCurves(records []*record) ([]byte, error) {
	const cols = 3
	var plots []*plot.Plot
	for _, q := range quantities {
		p := plot.New()
		p.Title.Text, p.X.Label.Text = q.title, "step"
		if q.unit != "" {
			p.Title.Text += ", " + q.unit
		}
		p.Add(plotter.NewGrid())
		drawn := false
		for i, r := range records {
			for k, part := range q.parts {
				added, err := addLine(p, q, part, r, inks[(i+k)%len(inks)], k > 0)
				if err != nil {
					return nil, err
				}
				if drawn = drawn || added; added && len(records) > 1 && q.id == quantities[1].id {
					entry, _ := plotter.NewLine(plotter.XYs{{}, {}})
					entry.Color = inks[i%len(inks)]
					p.Legend.Add(r.name, entry)
					p.Legend.Top = true
				}
			}
		}
		if drawn {
			plots = append(plots, p)
		}
	}
	if len(plots) == 0 {
		return nil, nil
	}
	rows := (len(plots) + cols - 1) / cols
	grid := make([][]*plot.Plot, rows)
	for r := range grid {
		grid[r] = make([]*plot.Plot, cols)
		copy(grid[r], plots[r*cols:min(len(plots), (r+1)*cols)])
	}
	canvas := vgimg.NewWith(vgimg.UseWH(30*vg.Centimeter, vg.Length(rows)*7*vg.Centimeter), vgimg.UseDPI(110))
	tiles := plotdraw.Tiles{Rows: rows, Cols: cols, PadX: vg.Centimeter, PadY: vg.Centimeter / 2, PadTop: 6, PadBottom: 6, PadLeft: 6, PadRight: 6}
	places := plot.Align(grid, tiles, plotdraw.New(canvas))
	for r := range grid {
		for c, p := range grid[r] {
			if p != nil {
				p.Draw(places[r][c])
			}
		}
	}
	var out bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&out)
	return out.Bytes(), err
}

// addLine plots one run's line of a quantity and reports whether it has any points.
func addLine(p *plot.Plot, q quantity, of part, r *record, ink color.RGBA, dashed bool) (bool, error) {
	events := r.steps
	if q.epochs {
		events = r.epochs
	}
	lines := q.lines(line{}, of.points(events))
	points := lines[len(lines)-1].points
	if len(points) == 0 {
		return false, nil
	}
	xys := make(plotter.XYs, len(points))
	for i, pt := range points {
		xys[i] = plotter.XY{X: pt.x, Y: pt.y}
	}
	l, err := plotter.NewLine(xys)
	if err != nil {
		return false, err
	}
	l.Color, l.Width = ink, vg.Points(1.5)
	if dashed {
		l.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	p.Add(l)
	return true, nil
}

// Layout of the pictures of neighbours and of the map, in pixels.
const (
	tileSide = 64
	tileGap  = 4
	frame    = 3
	queryGap = 20 // between a query and its neighbours
	mapSide  = 1400
	mapTile  = 44
)

var (
	frameQuery = color.RGBA{0x80, 0x80, 0x80, 0xff}
	framePlain = color.RGBA{0xc0, 0xc0, 0xc0, 0xff}
	frameRight = color.RGBA{0x2c, 0xa0, 0x2c, 0xff}
	frameWrong = color.RGBA{0xd6, 0x27, 0x28, 0xff}
)

// drawNeighbours paints a row for each query: the query, then its nearest neighbours,
// framed green where the class is the query's and red where it is another.
func (a *album) drawNeighbours(at int) ([]byte, error) {
	side := tileSide + 2*frame
	canvas := blank(side+queryGap+neighbours*(side+tileGap)+tileGap, len(a.queries)*(side+tileGap)+tileGap)
	for r, q := range a.queries {
		y := tileGap + r*(side+tileGap)
		a.tile(canvas, tileGap, y, q, frameQuery)
		x := tileGap + side + queryGap
		near := a.stages[at].near[q]
		for _, n := range near[:min(neighbours, len(near))] {
			ink := framePlain
			if own, other := a.labels[q], a.labels[n.Index]; own >= 0 && other >= 0 {
				if ink = frameWrong; own == other {
					ink = frameRight
				}
			}
			a.tile(canvas, x, y, n.Index, ink)
			x += side + tileGap
		}
	}
	return encode(canvas)
}

// drawMap paints the pictures at their places on the map.
func (a *album) drawMap(at int) ([]byte, error) {
	canvas := blank(mapSide, mapSide)
	for k, i := range a.mapped {
		s := a.stages[at].tsne[k]
		x, y := int(s.x*(mapSide-mapTile)), int(s.y*(mapSide-mapTile))
		scale(canvas, image.Rect(x, y, x+mapTile, y+mapTile), a.sprite.picture(i))
	}
	return encode(canvas)
}

// tile paints one framed picture.
func (a *album) tile(canvas *image.RGBA, x, y, i int, ink color.RGBA) {
	box := image.Rect(x, y, x+tileSide+2*frame, y+tileSide+2*frame)
	draw.Draw(canvas, box, image.NewUniform(ink), image.Point{}, draw.Src)
	scale(canvas, box.Inset(frame), a.sprite.picture(i))
}

func scale(canvas *image.RGBA, box image.Rectangle, m image.Image) {
	xdraw.CatmullRom.Scale(canvas, box, m, m.Bounds(), draw.Src, nil)
}

func blank(w, h int) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	return canvas
}

func encode(canvas *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	err := png.Encode(&out, canvas)
	return out.Bytes(), err
}
