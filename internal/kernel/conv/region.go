package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
)

// Where the pixels of a tile lie so that the cache serves them one by one
// (see tile.Pitch), a part first copies the pixels that it reads to a better
// pitch, if every copy is used often enough.

const (
	minUses     = 4         // taps times panels that a copy must serve
	regionBytes = 320 << 10 // about what a part may copy: stays in the second-level cache
)

// planCopies sets pitch and region, and makes the parts smaller if a copy
// would not stay in the cache.
func (p *rowsPlan) planCopies() {
	p.pitch = p.inC * p.elem()
	taps, step := p.s.KH*p.s.KW, p.s.StrideW
	if p.form == InputGrad {
		taps, step = (taps+p.phases()-1)/p.phases(), 1
	}
	if taps*p.group < minUses || p.s.N*p.outH*p.outW == 0 {
		return
	}
	// Rows of a tile are step pixels apart.
	pitch := p.pitch
	for tile.Pitch(p.level, step*pitch) != step*pitch {
		pitch = (pitch + lineBytes) &^ (lineBytes - 1)
	}
	if pitch == p.pitch {
		return
	}
	p.pitch = pitch
	for {
		p.region = 0
		for i := range p.phases() {
			y, x := p.phase(i)
			for m0 := 0; m0 < p.s.N*y.size*x.size; m0 += p.blockRows {
				first, last := p.inputRows(&y, &x, m0)
				p.region = max(p.region, (last-first+1)*p.inW*p.pitch)
			}
		}
		if p.region <= regionBytes || p.blockRows <= 2*p.mr {
			return
		}
		p.blockRows = max(2, p.blockRows/p.mr/2) * p.mr
	}
}

// inputRows returns the first and the last row of the input, counted over all
// images, that the part from m0 on reads. It may be none: last < first.
func (p *rowsPlan) inputRows(y, x *axis, m0 int) (first, last int) {
	m1 := min(p.s.N*y.size*x.size, m0+p.blockRows) - 1
	row := func(m, tap int) int {
		n, gy := m/(y.size*x.size), m/x.size%y.size
		return n*p.inH + min(max(gy*y.inStep+y.off0+tap*y.offStep, 0), p.inH-1)
	}
	low, high := 0, max(0, y.taps-1)
	if y.offStep < 0 {
		low, high = high, low
	}
	return row(m0, low), row(m1, high)
}

// copyRegion copies what the part from m0 on reads to dst and returns the
// address that the input's first pixel would have there.
func (p *rowsPlan) copyRegion(dst, in unsafe.Pointer, y, x *axis, m0 int) (origin uintptr) {
	first, last := p.inputRows(y, x, m0)
	pixel := p.inC * p.elem()
	for row := first; row <= last; row++ {
		if y.taps == 1 && mod(row%p.inH-y.off0, y.inStep) != 0 {
			continue // between the rows that a strided 1x1 reads
		}
		ix, step := 0, 1
		if x.taps == 1 {
			ix, step = mod(x.off0, x.inStep), x.inStep
		}
		for ; ix < p.inW; ix += step {
			from := unsafe.Slice((*byte)(unsafe.Add(in, (row*p.inW+ix)*pixel)), pixel)
			copy(unsafe.Slice((*byte)(unsafe.Add(dst, ((row-first)*p.inW+ix)*p.pitch)), pixel), from)
		}
	}
	return uintptr(dst) - uintptr(first*p.inW*p.pitch)
}

// mod returns a modulo b in [0, b).
func mod(a, b int) int { return ((a % b) + b) % b }
