package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/draw"
	"image/jpeg"
	"io/fs"
	"math"
	"slices"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
)

// What an album shows.
const (
	albumSize     = 2000 // most pictures that are embedded
	albumSizeBig  = 600  // of pictures above 64 pixels, which take longer
	queryCount    = 8    // rows of neighbours
	neighbours    = 6    // in a row
	mapCount      = 360  // pictures on the map
	spectrumCount = 512  // pictures whose features' spectrum is taken
	spriteCols    = 24
)

// album is some of a run's pictures under several encoders: before and after training,
// or those of several runs.
type album struct {
	set     *dataset.Set
	index   []int // in the set, of every picture
	labels  []int // of every picture, -1 unknown
	queries []int // pictures
	mapped  []int // pictures
	stages  []*stage
	sprite  *sprite
}

// stage is the album's pictures as one encoder sees them.
type stage struct {
	name, class string
	features    eval.Features      // normalised
	near        [][]eval.Neighbour // of every picture
	pca, tsne   []spot             // of every mapped picture
	spectrum    []point            // log10 of the singular values over the largest, by index from 1
	rank        float64
	same        float64 // share of the shown neighbours that have the picture's class
	confusion   [][]int // [true class][class voted for]
}

// spot is a place on the map, each coordinate in [0,1].
type spot struct{ x, y float64 }

// encoderOf is an encoder to look through.
type encoderOf struct {
	name, class, path string
}

// openAlbum embeds a run's pictures with every encoder.
func openAlbum(ctx context.Context, c run.Config, encoders []encoderOf) (*album, error) {
	models := make([]*embed.Model, len(encoders))
	for i, e := range encoders {
		m, err := embed.Load(e.path)
		if err != nil {
			return nil, err
		}
		models[i] = m
	}
	set, err := openPictures(c)
	if err != nil {
		return nil, err
	}
	backend, err := compute.New("cpu", c.Train.Threads)
	if err != nil {
		return nil, err
	}
	defer backend.Finalize()
	pool := par.New(c.Train.Threads)
	defer pool.Close()
	a := &album{set: set}
	for i, m := range models {
		if err := a.look(ctx, backend, pool, m, encoders[i]); err != nil {
			return nil, err
		}
	}
	a.sprite, err = a.newSprite()
	return a, err
}

// openPictures opens the run's test pictures, or else its training pictures.
func openPictures(c run.Config) (*dataset.Set, error) {
	opt := dataset.Options{Split: dataset.Test, Limit: albumSize, Channels: c.Data.Channels, Size: c.Data.Size, MaxBad: 1}
	if c.Data.Size > 64 {
		opt.Limit = albumSizeBig
	}
	spec, limit := c.Data.Test, c.Data.TestLimit
	if spec == "" {
		spec = c.Data.Train
		if !dataset.HasSplits(spec) {
			opt.Split, limit = dataset.Train, c.Data.Limit
		}
	}
	if limit > 0 {
		opt.Limit = min(opt.Limit, limit)
	}
	set, err := dataset.Open(spec, opt)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the pictures are gone: %w", err)
	}
	return set, err
}

// look adds the stage of one encoder.
func (a *album) look(ctx context.Context, backend compute.Backend, pool *par.Pool, m *embed.Model, of encoderOf) error {
	e, err := embed.NewEmbedder(backend, m, min(embed.DefaultBatch, a.set.Len()))
	if err != nil {
		return err
	}
	defer e.Close()
	v, err := e.Set(ctx, a.set, 0)
	if err != nil {
		return err
	}
	if v.N < 2 {
		return fmt.Errorf("%d of %d pictures can be read", v.N, a.set.Len())
	}
	if a.index == nil {
		a.choose(v.Index)
	}
	s := &stage{name: of.name, class: of.class}
	if s.features, err = (eval.Features{X: v.X, N: v.N, D: v.D, Labels: a.labels}).Normalized(); err != nil {
		return fmt.Errorf("%s: %w", of.path, err)
	}
	s.near = eval.Neighbours(pool, s.features, s.features, min(20, v.N-1), true)
	s.judge(len(a.set.Classes))
	s.measure()
	mapped := rows(s.features, a.mapped)
	s.pca = principal(mapped)
	s.tsne = apart(unit(embedPlane(pool, mapped, s.pca)), .028)
	s.pca = unit(s.pca)
	a.stages = append(a.stages, s)
	return nil
}

// choose picks the queries and the pictures of the map, evenly spread over the set; a
// query of a class that has one already is passed over while there are others.
func (a *album) choose(index []int) {
	n := len(index)
	a.index, a.labels = index, make([]int, n)
	for i, at := range index {
		a.labels[i] = a.set.Label(at)
	}
	for k := range min(mapCount, n) {
		a.mapped = append(a.mapped, k*n/min(mapCount, n))
	}
	seen := map[int]bool{}
	for k := range min(queryCount, n) {
		from := k * n / min(queryCount, n)
		pick := from
		for i := from; i < min(n, from+n/queryCount); i++ {
			if l := a.labels[i]; l < 0 || !seen[l] {
				pick = i
				break
			}
		}
		seen[a.labels[pick]] = true
		a.queries = append(a.queries, pick)
	}
}

// judge counts the neighbours of the right class and lets the neighbours vote.
func (s *stage) judge(classes int) {
	if classes == 0 {
		return
	}
	s.confusion = make([][]int, classes)
	for c := range s.confusion {
		s.confusion[c] = make([]int, classes)
	}
	right, shown := 0, 0
	for i, near := range s.near {
		own := s.features.Labels[i]
		if own < 0 {
			continue
		}
		votes := make([]float64, classes)
		for k, n := range near {
			l := s.features.Labels[n.Index]
			if l < 0 {
				continue
			}
			votes[l] += math.Exp(float64(n.Cosine) / .1)
			if k < neighbours {
				shown++
				if l == own {
					right++
				}
			}
		}
		best := 0
		for c, v := range votes {
			if v > votes[best] {
				best = c
			}
		}
		s.confusion[own][best]++
	}
	s.same = float64(right) / float64(max(1, shown))
}

// measure takes the spectrum of the features: the singular values about their mean.
func (s *stage) measure() {
	f := s.features
	n := min(spectrumCount, f.N)
	picked := make([]int, n)
	for k := range picked {
		picked[k] = k * f.N / n
	}
	x := centred(rows(f, picked))
	values, ok := diagnose.SingularValues(x, n, f.D)
	s.rank = diagnose.EffectiveRank(x, n, f.D)
	if !ok || len(values) == 0 || values[len(values)-1] == 0 {
		return
	}
	slices.Reverse(values)
	for i, v := range values {
		if v < 1e-5*values[0] {
			break
		}
		s.spectrum = append(s.spectrum, point{float64(i + 1), math.Log10(v / values[0])})
	}
}

// rows returns some rows of a matrix.
func rows(f eval.Features, which []int) eval.Features {
	out := eval.Features{N: len(which), D: f.D, X: make([]float32, 0, len(which)*f.D)}
	for _, i := range which {
		out.X = append(out.X, f.X[i*f.D:(i+1)*f.D]...)
	}
	return out
}

// centred returns the rows less their mean.
func centred(f eval.Features) []float32 {
	mean := make([]float64, f.D)
	for i, v := range f.X {
		mean[i%f.D] += float64(v) / float64(f.N)
	}
	out := make([]float32, len(f.X))
	for i, v := range f.X {
		out[i] = float32(float64(v) - mean[i%f.D])
	}
	return out
}

// sprite is all the small pictures of a page on one sheet.
type sprite struct {
	side  int
	sheet *image.RGBA
	place map[int]int // of each picture
	rows  int
}

// newSprite paints the pictures that the page shows.
func (a *album) newSprite() (*sprite, error) {
	var shown []int
	add := func(i int) { shown = append(shown, i) }
	for _, q := range a.queries {
		add(q)
		for _, s := range a.stages {
			for _, n := range s.near[q][:min(neighbours, len(s.near[q]))] {
				add(n.Index)
			}
		}
	}
	for _, i := range a.mapped {
		add(i)
	}
	slices.Sort(shown)
	shown = slices.Compact(shown)
	s := &sprite{side: 32, place: map[int]int{}, rows: (len(shown) + spriteCols - 1) / spriteCols}
	if native := a.set.NativeSize(); native > 48 {
		s.side = 64
	} else if native > 32 {
		s.side = 48
	}
	s.sheet = image.NewRGBA(image.Rect(0, 0, spriteCols*s.side, s.rows*s.side))
	for k, i := range shown {
		var m imaging.Image
		if err := a.set.Load(a.index[i], &m); err != nil {
			return nil, err
		}
		small, err := imaging.ShorterSide(imaging.ToRGB(&m), s.side, imaging.Bicubic)
		if err != nil {
			return nil, err
		}
		if small, err = imaging.CenterCrop(small, s.side, s.side); err != nil {
			return nil, err
		}
		s.place[i] = k
		x, y := k%spriteCols*s.side, k/spriteCols*s.side
		draw.Draw(s.sheet, image.Rect(x, y, x+s.side, y+s.side), toRGBA(small), image.Point{}, draw.Src)
	}
	return s, nil
}

// toRGBA copies a picture of three channels into the standard library's type.
func toRGBA(m *imaging.Image) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(out.Pix[4*i:], []uint8{m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2], 0xff})
	}
	return out
}

// rule is the style sheet's rule for an element that shows a picture of the sheet.
func (s *sprite) rule() (template.CSS, error) {
	var data bytes.Buffer
	if err := jpeg.Encode(&data, s.sheet, &jpeg.Options{Quality: 88}); err != nil {
		return "", err
	}
	return template.CSS(fmt.Sprintf(".t{background-image:url(data:image/jpeg;base64,%s);background-size:%d00%% %d00%%}",
		base64.StdEncoding.EncodeToString(data.Bytes()), spriteCols, s.rows)), nil
}

// at is the style of an element that shows picture i.
func (s *sprite) at(i int) string {
	k := s.place[i]
	return fmt.Sprintf("background-position:%.3f%% %.3f%%", 100*float64(k%spriteCols)/(spriteCols-1), 100*float64(k/spriteCols)/float64(max(1, s.rows-1)))
}

// picture cuts picture i out of the sheet.
func (s *sprite) picture(i int) image.Image {
	k := s.place[i]
	x, y := k%spriteCols*s.side, k/spriteCols*s.side
	return s.sheet.SubImage(image.Rect(x, y, x+s.side, y+s.side))
}
