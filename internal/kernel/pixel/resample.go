package pixel

import "math"

// Precision is the number of fraction bits of resampling weights: Pillow's for
// 8-bit samples, 32 less 8 for the sample and 2 for overshoot (Resample.c).
const Precision = 32 - 8 - 2

// GroupTaps is the number of taps that a pass along x takes at once: Columns hold
// a multiple of it for RGB, filled up with weights of zero.
const GroupTaps = 4

// RowPadding is how many bytes beyond the last tap a pass along x may read (and
// ignore); the row it is given must reach that far.
const RowPadding = 4

// Fixed converts a weight to fixed point as Pillow does: half away from zero.
func Fixed(w float64) int32 {
	if w < 0 {
		return -int32(math.Floor(-w*(1<<Precision) + 0.5))
	}
	return int32(math.Floor(w*(1<<Precision) + 0.5))
}

// Columns is the table of a pass along x: column i of the result is the sum over
// k below Taps of Weights[i·Taps+k] times the pixel at byte Offsets[i] + k·C.
type Columns struct {
	C        int // channels: 1 or 3
	Taps     int // for RGB a multiple of GroupTaps
	Offsets  []int32
	Weights  []int32 // [len(Offsets),Taps], in fixed point
	Expanded []int32 // each weight four times: red, green, blue and an unused lane
}

// Expand fills t.Expanded from t.Weights; call it when the weights are set.
func (t *Columns) Expand() {
	if t.C != 3 {
		return
	}
	n := 4 * len(t.Weights)
	if cap(t.Expanded) < n {
		t.Expanded = make([]int32, n)
	}
	t.Expanded = t.Expanded[:n]
	for i, w := range t.Weights {
		p := t.Expanded[4*i : 4*i+4 : 4*i+4]
		p[0], p[1], p[2], p[3] = w, w, w, w
	}
}

func (t *Columns) check(name string, dst, src int) {
	n := len(t.Offsets)
	if t.C != 1 && t.C != 3 || t.C == 3 && (t.Taps%GroupTaps != 0 || len(t.Expanded) < 4*n*t.Taps) ||
		len(t.Weights) < n*t.Taps || t.Taps < 1 || dst < t.C*n {
		panic("pixel: " + name + ": the table does not fit the row")
	}
	for _, o := range t.Offsets {
		if o < 0 || int(o)+t.C*t.Taps+RowPadding > src {
			panic("pixel: " + name + ": an offset points outside the row")
		}
	}
}

// ResampleRow makes one row of 8-bit samples, [len(t.Offsets),t.C], from a row of
// 8-bit samples: Pillow's horizontal pass to the bit.
func ResampleRow(dst, src []uint8, t *Columns) {
	t.check("ResampleRow", len(dst), len(src))
	if done := resampleRow(dst, src, t); done < len(t.Offsets) {
		t.each(src, done, func(i int, sum int32) { dst[i] = clipFixed(sum) })
	}
}

// ResampleRowFloat is ResampleRow with a result in [0,1] that keeps its fraction.
func ResampleRowFloat(dst []float32, src []uint8, t *Columns) {
	t.check("ResampleRowFloat", len(dst), len(src))
	if done := resampleRowFloat(dst, src, t); done < len(t.Offsets) {
		t.each(src, done, func(i int, sum int32) { dst[i] = unitFixed(sum) })
	}
}

// each calls f with the sum, in fixed point, for every sample from column done on.
func (t *Columns) each(src []uint8, done int, f func(i int, sum int32)) {
	for x := done; x < len(t.Offsets); x++ {
		p, weights := src[t.Offsets[x]:], t.Weights[x*t.Taps:][:t.Taps]
		if t.C == 1 {
			v := int32(0)
			for k, w := range weights {
				v += w * int32(p[k])
			}
			f(x, v)
			continue
		}
		var r, g, b int32
		p = p[:3*len(weights)]
		for _, w := range weights {
			r += w * int32(p[0])
			g += w * int32(p[1])
			b += w * int32(p[2])
			p = p[3:]
		}
		f(3*x, r)
		f(3*x+1, g)
		f(3*x+2, b)
	}
}

// clipFixed rounds half up to a whole level and clips to 0..255.
func clipFixed(sum int32) uint8 { return clip8((sum + 1<<(Precision-1)) >> Precision) }

// unitFixed divides by 255 in fixed point and clips to [0,1].
func unitFixed(sum int32) float32 { return unit(float32(sum) * (1.0 / (255 << Precision))) }

// WeightedBytes sums rows of 8-bit samples into levels, rounded half up:
//
//	dst[i] = clip(round(Σ_j weights[j] · src[offsets[j]+i] / 2^Precision), 0, 255)
//
// for every i below len(dst): Pillow's vertical pass to the bit. Every
// offsets[j]+len(dst) must lie within src; dst must not overlap the rows it reads.
func WeightedBytes(dst, src []uint8, offsets, weights []int32) {
	checkRows("WeightedBytes", len(dst), len(src), offsets, len(weights))
	done := weightedBytes(dst, src, offsets, weights)
	eachWeighted(len(dst), src, offsets, weights, done, func(i int, sum int32) { dst[i] = clipFixed(sum) })
}

// WeightedBytesFloat is WeightedBytes with a result in [0,1] that keeps its fraction.
func WeightedBytesFloat(dst []float32, src []uint8, offsets, weights []int32) {
	checkRows("WeightedBytesFloat", len(dst), len(src), offsets, len(weights))
	done := weightedBytesFloat(dst, src, offsets, weights)
	eachWeighted(len(dst), src, offsets, weights, done, func(i int, sum int32) { dst[i] = unitFixed(sum) })
}

// eachWeighted calls f with the weighted sum of column i for i from done to n.
func eachWeighted(n int, src []uint8, offsets, weights []int32, done int, f func(i int, sum int32)) {
	var sums [64]int32
	for ; done < n; done += len(sums) {
		s := sums[:min(len(sums), n-done)]
		clear(s)
		for j, w := range weights {
			for i, v := range src[int(offsets[j])+done:][:len(s)] {
				s[i] += w * int32(v)
			}
		}
		for i, v := range s {
			f(done+i, v)
		}
	}
}

func checkRows(name string, dst, src int, offsets []int32, weights int) {
	if len(offsets) != weights {
		panic("pixel: " + name + ": one weight for each row")
	}
	for _, o := range offsets {
		if o < 0 || int(o)+dst > src {
			panic("pixel: " + name + ": an offset points outside src")
		}
	}
}

// WeightedRows sums rows of a picture, or shifted copies of one row:
//
//	dst[i] = min(max(Σ_j weights[j] · src[offsets[j]+i], lo), hi)
//
// for every i below len(dst): both passes of a separable blur, for example. Terms are added in the order of j. Every offsets[j]+len(dst)
// must lie within src; dst must not overlap the rows it reads.
func WeightedRows(dst, src []float32, offsets []int32, weights []float32, lo, hi float32) {
	checkRows("WeightedRows", len(dst), len(src), offsets, len(weights))
	done := weightedRows(dst, src, offsets, weights, lo, hi)
	weightedRowsRef(dst, src, offsets, weights, lo, hi, done)
}

func weightedRowsRef(dst, src []float32, offsets []int32, weights []float32, lo, hi float32, from int) {
	const block = 64 // sums stay in the first-level cache
	for ; from < len(dst); from += block {
		d := dst[from:min(from+block, len(dst))]
		clear(d)
		for j, w := range weights {
			row := src[int(offsets[j])+from:][:len(d)]
			for i, v := range row {
				d[i] += w * v
			}
		}
		for i, v := range d {
			d[i] = min(max(v, lo), hi)
		}
	}
}
