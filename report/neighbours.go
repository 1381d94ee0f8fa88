package report

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/par"
	xdraw "golang.org/x/image/draw"
)

// Layout of the picture of neighbours, in pixels.
const (
	tileSide  = 64
	tileGap   = 4
	frame     = 3
	queryGap  = 20 // between a query and its neighbours
	neighbour = 6  // shown for each query
)

// gallery is the pictures that neighbours are looked for in, with their features.
type gallery struct {
	set      *dataset.Set
	index    []int // of each row in the set
	features eval.Features
	queries  []int // rows
}

// embedGallery embeds the first pictures of a set and picks queries among them, spread
// over the set.
func embedGallery(ctx context.Context, e *embed.Embedder, set *dataset.Set, workers, queries int) (gallery, error) {
	v, err := e.Set(ctx, set, workers)
	if err != nil {
		return gallery{}, err
	}
	f, err := eval.Features{X: v.X, N: v.N, D: v.D}.Normalized()
	if err != nil {
		return gallery{}, err
	}
	g := gallery{set: set, index: v.Index, features: f}
	queries = min(queries, v.N)
	for q := range queries {
		g.queries = append(g.queries, q*v.N/queries)
	}
	return g, nil
}

// draw paints a row for each query: the query, then its nearest neighbours, framed green
// where the class is the query's and red where it is another. It returns a PNG and the
// share of shown neighbours with the query's class (NaN-free: 0 without labels).
func (g gallery) draw(pool *par.Pool) ([]byte, error) {
	side := tileSide + 2*frame
	width := side + queryGap + neighbour*(side+tileGap)
	canvas := image.NewRGBA(image.Rect(0, 0, width+tileGap, len(g.queries)*(side+tileGap)+tileGap))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	query := eval.Features{N: len(g.queries), D: g.features.D}
	for _, q := range g.queries {
		query.X = append(query.X, g.features.X[q*query.D:(q+1)*query.D]...)
	}
	near := eval.Neighbours(pool, g.features, query, neighbour+1, false)
	for r, q := range g.queries {
		y := tileGap + r*(side+tileGap)
		if err := g.tile(canvas, tileGap, y, q, color.RGBA{0x80, 0x80, 0x80, 0xff}); err != nil {
			return nil, err
		}
		x := tileGap + side + queryGap
		shown := 0
		for _, n := range near[r] {
			if n.Index == q || shown == neighbour {
				continue
			}
			shown++
			if err := g.tile(canvas, x, y, n.Index, g.verdict(q, n.Index)); err != nil {
				return nil, err
			}
			x += side + tileGap
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, canvas); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// verdict is the colour of a neighbour's frame.
func (g gallery) verdict(query, other int) color.RGBA {
	a, b := g.set.Label(g.index[query]), g.set.Label(g.index[other])
	switch {
	case a < 0 || b < 0:
		return color.RGBA{0xc0, 0xc0, 0xc0, 0xff}
	case a == b:
		return color.RGBA{0x2c, 0xa0, 0x2c, 0xff}
	}
	return color.RGBA{0xd6, 0x27, 0x28, 0xff}
}

// tile paints one framed picture.
func (g gallery) tile(canvas *image.RGBA, x, y, row int, frameColor color.RGBA) error {
	var m imaging.Image
	if err := g.set.Load(g.index[row], &m); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	box := image.Rect(x, y, x+tileSide+2*frame, y+tileSide+2*frame)
	draw.Draw(canvas, box, image.NewUniform(frameColor), image.Point{}, draw.Src)
	xdraw.ApproxBiLinear.Scale(canvas, box.Inset(frame), toRGBA(&m), image.Rect(0, 0, m.W, m.H), draw.Src, nil)
	return nil
}

// toRGBA copies a picture into the standard library's type.
func toRGBA(m *imaging.Image) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		r, g, b := m.Pix[i*m.C], m.Pix[i*m.C], m.Pix[i*m.C]
		if m.C == 3 {
			g, b = m.Pix[i*3+1], m.Pix[i*3+2]
		}
		copy(out.Pix[4*i:], []uint8{r, g, b, 0xff})
	}
	return out
}
