package pixel

// GroupTaps is the number of taps that ResampleRow takes at once: the tables of
// weights hold a multiple of it for each output pixel, filled up with zeros.
const GroupTaps = 4

// RowPadding is how many bytes beyond the last pixel of a row ResampleRow may
// read (and ignore); the slice it is given must reach that far.
const RowPadding = 4

// ResampleRow makes one row of len(offsets) RGB pixels from a row of 8-bit RGB:
//
//	dst[3x+c] = round(clip(Σ_k weights[x·taps+k] · src[offsets[x]+3k+c], 0, 255))
//
// which is Pillow's horizontal pass with float32 weights. Offsets are in bytes;
// taps is a multiple of GroupTaps, and offsets[x]+3·taps+RowPadding must not pass
// the end of src. expanded is what ExpandWeights makes of weights.
func ResampleRow(dst []float32, src []uint8, offsets []int32, weights, expanded []float32, taps int) {
	n := len(offsets)
	if taps%GroupTaps != 0 || len(weights) < n*taps || len(expanded) < 4*n*taps || len(dst) < 3*n {
		panic("pixel: ResampleRow: the tables do not fit the row")
	}
	for _, o := range offsets {
		if int(o)+3*taps+RowPadding > len(src) || o < 0 {
			panic("pixel: ResampleRow: an offset points outside the row")
		}
	}
	if n > 0 && taps > 0 {
		resampleRow(dst, src, offsets, weights, expanded, taps)
	}
}

// ExpandWeights writes each weight four times, once for each lane of a pixel
// (red, green, blue, unused), as the vector code of ResampleRow wants them.
func ExpandWeights(dst, weights []float32) {
	if len(dst) < 4*len(weights) {
		panic("pixel: ExpandWeights: dst needs four times as many")
	}
	for i, w := range weights {
		p := dst[4*i : 4*i+4 : 4*i+4]
		p[0], p[1], p[2], p[3] = w, w, w, w
	}
}

func resampleRowRef(dst []float32, src []uint8, offsets []int32, weights []float32, taps int) {
	for x, o := range offsets {
		var r, g, b float32
		p := src[o:]
		for k, w := range weights[x*taps : (x+1)*taps] {
			q := p[3*k : 3*k+3 : 3*k+3]
			r += w * float32(q[0])
			g += w * float32(q[1])
			b += w * float32(q[2])
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = level(r), level(g), level(b)
	}
}

// ResampleRowGray is ResampleRow for one channel: offsets count samples and
// nothing is read beyond the taps.
func ResampleRowGray(dst []float32, src []uint8, offsets []int32, weights []float32, taps int) {
	for x, o := range offsets {
		var v float32
		p := src[o:]
		for k, w := range weights[x*taps : (x+1)*taps] {
			v += w * float32(p[k])
		}
		dst[x] = level(v)
	}
}

// level clips to 0..255 and rounds to a whole level, half to even.
func level(v float32) float32 {
	// Adding 1.5·2^23 leaves no fraction bits, so the sum is rounded as the
	// processor rounds: to nearest, half to even.
	const magic = 3 << 22
	return min(max(v, 0), 255) + magic - magic
}

// WeightedRows sums rows of a picture, or shifted copies of one row:
//
//	dst[i] = min(max(Σ_j weights[j] · src[offsets[j]+i], lo), hi)
//
// for every i below len(dst): the vertical pass of a resize, and both passes of a
// separable blur. Terms are added in the order of j. Every offsets[j]+len(dst)
// must lie within src; dst must not overlap the rows it reads.
func WeightedRows(dst, src []float32, offsets []int32, weights []float32, lo, hi float32) {
	if len(offsets) != len(weights) {
		panic("pixel: WeightedRows: one weight for each row")
	}
	for _, o := range offsets {
		if o < 0 || int(o)+len(dst) > len(src) {
			panic("pixel: WeightedRows: an offset points outside src")
		}
	}
	if len(dst) == 0 || len(offsets) == 0 {
		clear(dst)
		return
	}
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
