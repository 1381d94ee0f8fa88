package eval

import (
	"errors"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/imaging"
)

// Parts are the pictures of a protocol that trains with labels.
type Parts struct {
	Train    *dataset.Set // labelled pictures only
	Choosing []bool       // of Train's pictures: held out to choose settings by
	Test     *dataset.Set
	JudgedOn string // OnTest or OnHeldOut
}

// Divide takes that share of the labelled training pictures, of every class alike, after
// setting some aside to judge by if there are no test pictures. With choose it holds some
// of them out to choose settings by. All draws are functions of the seed.
func (p Pictures) Divide(share float64, choose bool, seed uint64) (Parts, error) {
	d := Parts{Test: p.Test, JudgedOn: OnTest, Train: p.Train}
	if err := p.Check(); err != nil {
		return d, err
	}
	classes := len(p.Train.Classes)
	if p.Test == nil {
		learn, aside := setAside(labelsOf(p.Train), classes, seed)
		if len(aside) == 0 {
			return d, errNoneToSetAside
		}
		d.Train, d.Test, d.JudgedOn = p.Train.Subset(learn), p.Train.Subset(aside), OnHeldOut
	}
	rows, err := Subset(labelsOf(d.Train), classes, share, seed)
	if err != nil {
		return d, err
	}
	d.Train = d.Train.Subset(rows)
	d.Choosing = make([]bool, len(rows))
	if !choose {
		return d, nil
	}
	_, held := HoldOut(labelsOf(d.Train), classes, HoldOutShare, seed)
	if len(held) == 0 {
		return d, errNoneToChooseBy
	}
	for _, i := range held {
		d.Choosing[i] = true
	}
	return d, nil
}

// errNoneToChooseBy says that there are too few pictures to hold any out.
var errNoneToChooseBy = errors.New("no class has two labelled pictures, so none can be held out to choose a setting by: take more of them (--labels), or name one value (--lr or --l2)")

// Select returns the training pictures that are held out, or the others.
func (d Parts) Select(held bool) *dataset.Set {
	var rows []int
	for i, c := range d.Choosing {
		if c == held {
			rows = append(rows, i)
		}
	}
	return d.Train.Subset(rows)
}

// DefaultBatch returns the size of a batch where none is asked for: a twelfth of the
// pictures, which is what the published 1,024 are of 1 % of ImageNet, as a power of two
// from 16 to most. Fewer pictures than 16 make one batch.
func DefaultBatch(pictures, most int) int {
	b := 16
	for 2*b <= min(most, pictures/12) {
		b *= 2
	}
	return min(b, pictures)
}

// SpatialAugment returns the augmentation of the protocols that train with labels: crop
// and flip only. Pictures that a mirror would put into another class are not flipped.
func SpatialAugment(set *dataset.Set, m embed.Meta, crop [2]float64, flip float64) (dataset.ViewMaker, error) {
	if set.MirrorChangesClass {
		flip = 0
	}
	never := augment.PerView{0}
	c := augment.Published()
	c.Crop.Scale, c.Flip = crop[:], augment.PerView{flip}
	c.Jitter.P, c.Gray, c.Blur.P, c.Solarize.P = never, never, never, never
	c.Normalize = augment.Normalize{Mean: m.Mean, Std: m.Std}
	a, err := augment.New(c, m.Size, m.Channels)
	return oneView{a}, err
}

// oneView makes a loader's second views at no cost: it leaves them as they are.
type oneView struct{ *augment.Augmenter }

// Worker passes view 0 on.
func (v oneView) Worker(seed uint64) func(dst []float32, img *imaging.Image, epoch, sample, view int) {
	draw := v.Augmenter.Worker(seed)
	return func(dst []float32, img *imaging.Image, epoch, sample, view int) {
		if view == 0 {
			draw(dst, img, epoch, sample, view)
		}
	}
}
