package dataset

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Preprocess is how a picture is prepared for judging and for use, without any
// chance: see Apply. It may be shared by goroutines.
type Preprocess struct {
	size, channels int
	scale, offset  [3]float32
}

// NewPreprocess returns the preparation of pictures with 1 or 3 channels to views
// of the given side, normalised as (x-mean)/std per channel, x in [0,1]. Three
// values serve a gray picture by their average.
func NewPreprocess(size, channels int, mean, std []float64) (*Preprocess, error) {
	if size < 1 || channels != 1 && channels != 3 {
		return nil, fmt.Errorf("dataset: prepare pictures of side %d with %d channels", size, channels)
	}
	if n := len(mean); n != len(std) || n != channels && n != 3 {
		return nil, fmt.Errorf("dataset: %d means and %d deviations for %d channels", len(mean), len(std), channels)
	}
	p := &Preprocess{size: size, channels: channels}
	if channels == 1 && len(mean) == 3 {
		mean, std = []float64{(mean[0] + mean[1] + mean[2]) / 3}, []float64{(std[0] + std[1] + std[2]) / 3}
	}
	for c := range mean {
		if !(std[c] > 0) {
			return nil, fmt.Errorf("dataset: deviations %v: want positive numbers", std)
		}
		p.scale[c], p.offset[c] = float32(1/(255*std[c])), float32(-mean[c]/std[c])
	}
	return p, nil
}

// Len returns the number of samples of a prepared picture, Size·Size·Channels.
func (p *Preprocess) Len() int { return p.size * p.size * p.channels }

// Apply writes img to dst, [Size,Size,Channels]. A picture whose shorter side is
// above the size is resized so that this side is size·256/224, a smaller one so
// that it is the size, bicubic with antialiasing, and the middle is cut out (Grill
// et al. 2020, appendix C.1); one of the size itself is left as it is.
func (p *Preprocess) Apply(dst []float32, img *imaging.Image) error {
	if len(dst) != p.Len() {
		return fmt.Errorf("dataset: a prepared picture has %d samples, dst %d", p.Len(), len(dst))
	}
	var err error
	switch {
	case img.C == p.channels:
	case p.channels == 1:
		img = imaging.ToGray(img)
	default:
		img = imaging.ToRGB(img)
	}
	side := min(img.W, img.H)
	if side > p.size {
		side = (p.size*256 + 112) / 224
	} else {
		side = p.size
	}
	if img, err = imaging.ShorterSide(img, side, imaging.Bicubic); err != nil {
		return err
	}
	if img, err = imaging.CenterCrop(img, p.size, p.size); err != nil {
		return err
	}
	for i, v := range img.Pix {
		dst[i] = float32(v)
	}
	if p.channels == 1 {
		pixel.NormalizeGray(dst, dst, p.scale[0], p.offset[0])
	} else {
		pixel.Normalize(dst, dst, &p.scale, &p.offset)
	}
	return nil
}

// EvalBatch is a batch of prepared pictures. Pictures that cannot be read are
// left out: they are in the set's Bad list.
type EvalBatch struct {
	N      int       // pictures in it, at most the loader's batch, possibly 0
	Pixels []float32 // [batch,Size,Size,Channels]; zero from N on
	Index  []int     // [N], in the set
	Name   []string  // [N]
	Label  []int     // [N], -1 unknown

	ok []bool
}

// EvalLoader serves a set once, in order.
type EvalLoader struct {
	set     *Set
	prep    *Preprocess
	batch   int
	workers int
	next    int
	out     EvalBatch
}

// NewEvalLoader returns a loader of batches of up to batch pictures, prepared by
// prep with that many workers (0: one per processor). It holds one batch, and runs
// goroutines only within Next, so it needs no closing.
func NewEvalLoader(set *Set, prep *Preprocess, batch, workers int) (*EvalLoader, error) {
	if batch < 1 {
		return nil, fmt.Errorf("dataset: batches of %d pictures", batch)
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &EvalLoader{set: set, prep: prep, batch: batch, workers: workers,
		out: EvalBatch{Pixels: make([]float32, batch*prep.Len()), ok: make([]bool, batch)}}, nil
}

// Next returns the next pictures; it is valid until the call after. At the end it
// returns io.EOF.
func (l *EvalLoader) Next() (*EvalBatch, error) {
	n := min(l.batch, l.set.Len()-l.next)
	if n <= 0 {
		return nil, io.EOF
	}
	b, each := &l.out, l.prep.Len()
	errs := make([]error, l.workers)
	var wg sync.WaitGroup
	for w := range min(l.workers, n) {
		wg.Go(func() {
			var img imaging.Image
			for row := w; row < n; row += l.workers {
				b.ok[row] = l.set.Load(l.next+row, &img) == nil // a failure is recorded by Load
				if b.ok[row] {
					errs[w] = errors.Join(errs[w], l.prep.Apply(b.Pixels[row*each:][:each], &img))
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	b.N, b.Index, b.Name, b.Label = 0, b.Index[:0], b.Name[:0], b.Label[:0]
	for row := range n { // close the gaps
		if !b.ok[row] {
			continue
		}
		i := l.next + row
		if b.N != row {
			copy(b.Pixels[b.N*each:][:each], b.Pixels[row*each:])
		}
		b.N++
		b.Index, b.Name, b.Label = append(b.Index, i), append(b.Name, l.set.Name(i)), append(b.Label, l.set.Label(i))
	}
	clear(b.Pixels[b.N*each:])
	l.next += n
	return b, nil
}
