package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
)

// A part may copy the pixels that it reads before it computes, for one of three
// reasons: rows of a tile would lie where the cache serves them one by one (see
// tile.Pitch); rows with their padding on both sides let all taps of a kernel's
// row be read as one; bfloat16 has to be widened.

const (
	minUses     = 4         // taps times panels that a copy must serve
	regionBytes = 320 << 10 // about what a part may copy: stays in the second-level cache
	mostRegion  = 1 << 20   // and where fewer pixels to a part do not help
)

// planCopies decides about copies, and makes the parts smaller if a copy would
// not stay in the cache.
func (p *rowsPlan) planCopies() {
	pixel := p.inC * p.elem()
	p.pitch = pixel
	if p.s.N*p.outH*p.outW*p.inH*p.inW == 0 {
		return
	}
	taps, step := p.s.KH*p.s.KW, p.s.StrideW
	if p.form == InputGrad {
		taps, step = (taps+p.phases()-1)/p.phases(), 1
	}
	if taps*p.group >= minUses {
		for tile.Pitch(p.level, step*p.pitch) != step*p.pitch {
			p.pitch = (p.pitch + lineBytes) &^ (lineBytes - 1)
		}
		p.merge = p.pitch == pixel && p.canMerge()
	}
	if p.pitch == pixel && !p.merge && p.kind != widened {
		return
	}
	blockRows := p.blockRows
	for p.region = p.regionSize(); p.region > regionBytes && p.blockRows > 2*p.mr; p.region = p.regionSize() {
		p.blockRows = max(2, p.blockRows/p.mr/2) * p.mr
	}
	if p.region > mostRegion && p.kind != widened { // very wide images: leave the input where it is
		p.pitch, p.merge, p.region, p.blockRows = pixel, false, 0, blockRows
	}
}

// canMerge says whether neighbouring taps read neighbouring pixels.
func (p *rowsPlan) canMerge() bool {
	if p.s.KW == 1 || p.form == InputGrad && p.kind == bf16 && p.inC%2 == 1 {
		return false // pairs of bfloat16 would reach over taps
	}
	merged := false
	for i := range p.phases() {
		_, x := p.phase(i)
		if x.taps > 1 && x.offStep != 1 {
			return false
		}
		merged = merged || x.taps > 1
	}
	return merged
}

// regionSize returns the most bytes that a part copies.
func (p *rowsPlan) regionSize() int {
	size := 0
	for i := range p.phases() {
		y, x := p.phase(i)
		_, width := p.margins(&x)
		for m0 := 0; m0 < p.s.N*y.size*x.size; m0 += p.blockRows {
			first, last := p.inputRows(&y, &x, m0)
			size = max(size, (last-first+1)*width*p.pitch)
		}
	}
	return size
}

// margins returns the columns of padding before a row of the copy, and the
// pixels of a row with both paddings.
func (p *rowsPlan) margins(x *axis) (left, width int) {
	if !p.merge {
		return 0, p.inW
	}
	left = max(0, -x.off0)
	last := (x.size-1)*x.inStep + x.off0 + (x.taps-1)*x.offStep
	return left, left + max(p.inW, last+1)
}

// inputRows returns the first and the last row of the input, counted over all
// images, that the part from m0 on reads. It may be none: last < first.
func (p *rowsPlan) inputRows(y, x *axis, m0 int) (first, last int) {
	m1 := min(p.s.N*y.size*x.size, m0+p.blockRows) - 1
	row := func(m, tap int) int {
		n, gy := m/(y.size*x.size), m/x.size%y.size
		return n*p.inH + min(max(gy*y.inStep+y.off0+tap*y.offStep, 0), p.inH-1)
	}
	return row(m0, 0), row(m1, max(0, y.taps-1))
}

// copyRegion copies what the part from m0 on reads to dst and returns the
// address that the input's first row would have there.
func (p *rowsPlan) copyRegion(dst, in unsafe.Pointer, y, x *axis, m0 int) (origin uintptr) {
	first, last := p.inputRows(y, x, m0)
	left, width := p.margins(x)
	pixel := p.inC * p.tensorElem()
	ix, step := 0, 1
	if x.taps == 1 { // a strided 1x1 needs no more
		ix, step = mod(x.off0, x.inStep), x.inStep
	}
	for row := first; row <= last; row++ {
		if y.taps == 1 && mod(row%p.inH-y.off0, y.inStep) != 0 {
			continue // between the rows that are read
		}
		from, to := unsafe.Add(in, row*p.inW*pixel), unsafe.Add(dst, (row-first)*width*p.pitch)
		if p.merge {
			clear(unsafe.Slice((*byte)(to), left*p.pitch))
			behind := (left + p.inW) * p.pitch
			clear(unsafe.Slice((*byte)(to), width*p.pitch)[behind:])
			to = unsafe.Add(to, left*p.pitch)
		}
		if step == 1 && p.pitch == p.inC*p.elem() {
			p.copyValues(to, from, p.inW*p.inC)
			continue
		}
		for i := ix; i < p.inW; i += step {
			p.copyValues(unsafe.Add(to, i*p.pitch), unsafe.Add(from, i*pixel), p.inC)
		}
	}
	return uintptr(dst) - uintptr(first*width*p.pitch)
}

// copyValues copies n values of the input to how the tiles take them.
func (p *rowsPlan) copyValues(dst, src unsafe.Pointer, n int) {
	if p.kind == widened {
		tile.Widen(p.level, unsafe.Slice((*float32)(dst), n), unsafe.Slice((*uint16)(src), n))
		return
	}
	n *= p.elem()
	copy(unsafe.Slice((*byte)(dst), n), unsafe.Slice((*byte)(src), n))
}

// mod returns a modulo b in [0, b).
func mod(a, b int) int { return ((a % b) + b) % b }
