package imaging

import (
	"fmt"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Resizer makes float32 views of 8-bit pictures: the path from a decoded picture
// to what a network sees. It holds tables and buffers, so a kept Resizer does not
// allocate; the zero value is ready. It must not be used by two goroutines at once.
type Resizer struct {
	x, y    axis
	columns pixel.Columns
	offsets []int32 // of the rows that one destination row sums
	ring    []uint8 // [slots,W,C] rows that went along x
	rowOf   []int32 // which source row each slot holds, -1 for none
	line    []uint8 // one source row, with padding
}

// View resizes the crop of cw x ch pixels at (cx, cy) to w x h pixels, mirrored
// left to right if flip is set, and writes it as float32 in [0,1], [h,w,C].
//
// It is Pillow's crop followed by resize: only pixels inside the crop count, and
// between the passes rows are rounded to whole levels, in Pillow's order of
// passes. The result keeps the fraction that Pillow would round off, so it lies
// within half a level (1/510) of Pillow's.
func (r *Resizer) View(dst []float32, m *Image, cx, cy, cw, ch, w, h int, f Filter, flip bool) error {
	if cx < 0 || cy < 0 || cw < 1 || ch < 1 || cx+cw > m.W || cy+ch > m.H {
		return fmt.Errorf("imaging: crop of %d x %d at (%d, %d) from %d x %d pixels", cw, ch, cx, cy, m.W, m.H)
	}
	if w < 1 || h < 1 || len(dst) != w*h*m.C {
		return fmt.Errorf("imaging: a view of %d x %d x %d in %d samples", h, w, m.C, len(dst))
	}
	r.x.set(f, cw, 0, float64(cw), w)
	r.x.columns(&r.columns, cw, m.C, flip)
	r.y.set(f, ch, 0, float64(ch), h)
	r.offsets = grow(r.offsets, r.y.taps)
	r.line = grow(r.line, reach(&r.columns, cw))
	if verticalFirst(cw, ch, w, h) {
		r.rowsFirst(dst, m, cx, cy, cw, w)
	} else {
		r.columnsFirst(dst, m, cx, cy, w)
	}
	return nil
}

// columnsFirst passes along x into a ring of rows, each when it is first needed,
// and along y from there.
func (r *Resizer) columnsFirst(dst []float32, m *Image, cx, cy, w int) {
	n := w * m.C
	slots := r.y.taps
	r.ring, r.rowOf = grow(r.ring, slots*n), grow(r.rowOf, slots)
	for i := range r.rowOf {
		r.rowOf[i] = -1
	}
	for y, first := range r.y.first {
		count := int(r.y.count[y])
		for k := range count {
			row := int(first) + k
			slot := row % slots
			if r.rowOf[slot] != int32(row) {
				src := m.Pix[((cy+row)*m.W+cx)*m.C:]
				if len(src) < len(r.line) { // the last rows lack the padding
					clear(r.line[copy(r.line, src):])
					src = r.line
				}
				pixel.ResampleRow(r.ring[slot*n:][:n], src, &r.columns)
				r.rowOf[slot] = int32(row)
			}
			r.offsets[k] = int32(slot * n)
		}
		pixel.WeightedBytesFloat(dst[y*n:][:n], r.ring, r.offsets[:count], r.y.weight[y*r.y.taps:][:count])
	}
}

// rowsFirst passes along y into one row at a time, and along x from there.
func (r *Resizer) rowsFirst(dst []float32, m *Image, cx, cy, cw, w int) {
	n := w * m.C
	for k := range r.offsets {
		r.offsets[k] = int32(k * m.Stride())
	}
	clear(r.line[cw*m.C:])
	for y, first := range r.y.first {
		count := int(r.y.count[y])
		src := m.Pix[((cy+int(first))*m.W+cx)*m.C:]
		pixel.WeightedBytes(r.line[:cw*m.C], src, r.offsets[:count], r.y.weight[y*r.y.taps:][:count])
		pixel.ResampleRowFloat(dst[y*n:][:n], r.line, &r.columns)
	}
}
