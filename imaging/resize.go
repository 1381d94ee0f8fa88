package imaging

import (
	"fmt"
	"math"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Region is a rectangle of a picture in pixels, with fractions: [X0,X1) x [Y0,Y1).
type Region struct{ X0, Y0, X1, Y1 float64 }

// Whole is the region of all of m.
func (m *Image) Whole() Region { return Region{0, 0, float64(m.W), float64(m.H)} }

// Resize returns m at w x h pixels: Pillow's Image.resize((w, h), filter), to the
// bit, with the same fixed point and the same rounding between the passes.
func Resize(m *Image, w, h int, f Filter) (*Image, error) {
	return ResizeRegion(m, m.Whole(), w, h, f)
}

// ResizeRegion is Pillow's Image.resize((w, h), filter, box): the region of m at
// w x h pixels. Pixels of m just outside the region count as neighbours.
func ResizeRegion(m *Image, r Region, w, h int, f Filter) (*Image, error) {
	if w < 1 || h < 1 || int64(w)*int64(h) > DefaultMaxPixels {
		return nil, fmt.Errorf("imaging: resize to %d x %d pixels", w, h)
	}
	if !(r.X0 >= 0 && r.Y0 >= 0 && r.X0 < r.X1 && r.Y0 < r.Y1 && r.X1 <= float64(m.W) && r.Y1 <= float64(m.H)) {
		return nil, fmt.Errorf("imaging: region %v of %d x %d pixels", r, m.W, m.H)
	}
	var horizontal, vertical *axis
	if !identity(m.W, r.X0, r.X1, w) {
		horizontal = new(axis)
		horizontal.set(f, m.W, r.X0, r.X1, w)
	}
	if !identity(m.H, r.Y0, r.Y1, h) {
		vertical = new(axis)
		vertical.set(f, m.H, r.Y0, r.Y1, h)
	}
	switch {
	case horizontal == nil && vertical == nil:
		return Crop(m, 0, 0, m.W, m.H)
	case vertical == nil:
		return horizontal.horizontal(m, 0, m.H), nil
	case horizontal == nil:
		return vertical.vertical(m, 0), nil
	case verticalFirst(m.W, m.H, w, h):
		return horizontal.horizontal(vertical.vertical(m, 0), 0, h), nil
	}
	// Only the rows that the second pass reads.
	first := int(vertical.first[0])
	last := int(vertical.first[h-1] + vertical.count[h-1])
	return vertical.vertical(horizontal.horizontal(m, first, last-first), first), nil
}

// verticalFirst says which pass comes first. The order shows, since rows are
// rounded and clipped between the passes. Pillow 13 goes along y first where that
// leaves fewer rows and x adds columns; earlier versions never did.
func verticalFirst(sw, sh, w, h int) bool { return h < sh && w > sw }

// horizontal resamples rows of m from first on along x.
func (a *axis) horizontal(m *Image, first, rows int) *Image {
	var t pixel.Columns
	a.columns(&t, m.W, m.C, false)
	out := New(len(a.first), rows, m.C)
	var line []uint8
	for y := range rows {
		src := m.Pix[(first+y)*m.Stride():]
		if need := reach(&t, m.W); len(src) < need { // the last rows lack the padding
			line = grow(line, need)
			clear(line[copy(line, src):])
			src = line
		}
		pixel.ResampleRow(out.Row(y), src, &t)
	}
	return out
}

// vertical resamples src along y; its first row is row number first of the source.
func (a *axis) vertical(src *Image, first int) *Image {
	out := New(src.W, len(a.first), src.C)
	offsets := make([]int32, a.taps)
	for y, lo := range a.first {
		n := int(a.count[y])
		for k := range n {
			offsets[k] = int32(k * src.Stride())
		}
		pixel.WeightedBytes(out.Row(y), src.Pix[(int(lo)-first)*src.Stride():], offsets[:n], a.weight[y*a.taps:][:n])
	}
	return out
}

// ShorterSide returns m with its shorter side at s pixels and the other in
// proportion, rounded down as torchvision's Resize(s) does; m itself if it has
// that size already.
func ShorterSide(m *Image, s int, f Filter) (*Image, error) {
	w, h := ShorterSideSize(m.W, m.H, s)
	if w == m.W && h == m.H {
		return m, nil
	}
	return Resize(m, w, h, f)
}

// ShorterSideSize returns the size that ShorterSide gives a w x h picture.
func ShorterSideSize(w, h, s int) (int, int) {
	if w <= h {
		return s, max(1, int(float64(s)*float64(h)/float64(w)))
	}
	return max(1, int(float64(s)*float64(w)/float64(h))), s
}

// CenterCrop returns the w x h pixels in the middle of m, which must be at least
// that large; an odd remainder is split as torchvision's CenterCrop does, by
// rounding half to even.
func CenterCrop(m *Image, w, h int) (*Image, error) {
	x := int(math.RoundToEven(float64(m.W-w) / 2))
	y := int(math.RoundToEven(float64(m.H-h) / 2))
	if m.W == w && m.H == h {
		return m, nil
	}
	return Crop(m, x, y, w, h)
}
