package imaging

import (
	"fmt"
	"math"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Filter is a resampling filter. When a picture is made smaller the filter is
// widened with it, so that every source pixel counts (antialiasing).
type Filter uint8

// The filters, with Pillow's definitions.
const (
	Bicubic  Filter = iota // Keys' cubic with a = -0.5, 2 pixels to each side
	Bilinear               // triangle, 1 pixel to each side
	Box                    // average, half a pixel to each side
	Lanczos                // windowed sinc, 3 pixels to each side
)

var filterNames = [...]string{"bicubic", "bilinear", "box", "lanczos"}

// String returns the name that ParseFilter takes.
func (f Filter) String() string {
	if int(f) < len(filterNames) {
		return filterNames[f]
	}
	return fmt.Sprintf("imaging.Filter(%d)", uint8(f))
}

// ParseFilter returns the filter of that name.
func ParseFilter(name string) (Filter, error) {
	for i, n := range filterNames {
		if n == name {
			return Filter(i), nil
		}
	}
	return 0, fmt.Errorf("interpolation %q: want bicubic, bilinear, box or lanczos", name)
}

// support is the reach of the filter to each side, in destination pixels.
func (f Filter) support() float64 {
	return [...]float64{2, 1, 0.5, 3}[f]
}

// weight evaluates the filter at x.
func (f Filter) weight(x float64) float64 {
	switch f {
	case Bicubic:
		x = math.Abs(x)
		const a = -0.5
		switch {
		case x < 1:
			return ((a+2)*x-(a+3))*x*x + 1
		case x < 2:
			return (((x-5)*x+8)*x - 4) * a
		}
	case Bilinear:
		if x = math.Abs(x); x < 1 {
			return 1 - x
		}
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
	case Lanczos:
		if x >= -3 && x < 3 {
			return sinc(x) * sinc(x/3)
		}
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// axis is the table of one pass: destination sample i is the sum over k below
// count[i] of weight[i·taps+k] times source sample first[i]+k.
type axis struct {
	taps   int
	first  []int32
	count  []int32
	weight []int32 // in the fixed point of package pixel
	exact  []float64
}

// set computes the table for n destination samples over [from, to) of a source of
// size samples, as Pillow's precompute_coeffs (Resample.c).
func (a *axis) set(f Filter, size int, from, to float64, n int) {
	scale := (to - from) / float64(n)
	wide := max(scale, 1)
	support := f.support() * wide
	a.taps = min(int(math.Ceil(support))*2+1, size)
	a.first, a.count = grow(a.first, n), grow(a.count, n)
	a.weight, a.exact = grow(a.weight, n*a.taps), grow(a.exact, a.taps)
	for i := range n {
		center := from + (float64(i)+0.5)*scale
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), size)
		w, fixed := a.exact, a.weight[i*a.taps:(i+1)*a.taps]
		sum := 0.0
		for k := range w {
			w[k] = 0
			if lo+k < hi {
				w[k] = f.weight((float64(lo+k) - center + 0.5) / wide)
				sum += w[k]
			}
		}
		if sum == 0 {
			sum = 1
		}
		for k := range w {
			fixed[k] = pixel.Fixed(w[k] / sum)
		}
		a.first[i], a.count[i] = int32(lo), int32(hi-lo)
	}
}

// columns makes of a the table of a pass along x over rows of size pixels with c
// channels, mirrored if flip is set. It keeps t's memory.
func (a *axis) columns(t *pixel.Columns, size, c int, flip bool) {
	t.C, t.Taps = c, a.taps
	if c == 3 {
		t.Taps = (a.taps + pixel.GroupTaps - 1) / pixel.GroupTaps * pixel.GroupTaps
	}
	n := len(a.first)
	t.Offsets = grow(t.Offsets, n)
	t.Weights = grow(t.Weights, n*t.Taps)
	clear(t.Weights)
	for i := range n {
		x := i
		if flip {
			x = n - 1 - i
		}
		// Groups of taps may not pass the end of the row: start earlier, with
		// weights of zero in front.
		lo := int(a.first[i])
		first := max(0, min(lo, size-t.Taps))
		t.Offsets[x] = int32(first * c)
		copy(t.Weights[x*t.Taps+lo-first:(x+1)*t.Taps], a.weight[i*a.taps:][:a.count[i]])
	}
	t.Expand()
}

// reach is the number of bytes of a row that a pass along x over it may read.
func reach(t *pixel.Columns, size int) int { return t.C*max(size, t.Taps) + pixel.RowPadding }

// identity says whether the pass would copy.
func identity(size int, from, to float64, n int) bool {
	return n == size && from == 0 && to == float64(size)
}

// grow returns a slice of n elements, s itself where it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
