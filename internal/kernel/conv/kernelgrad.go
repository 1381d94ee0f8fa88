package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// gradPlan computes the gradient of the kernel: for every tap, the product of
// the input read transposed, shifted by the tap, with the gradient of the
// output. The sum runs over segments: rows of output pixels, of all images.
//
// A part owns a group of channels of the input and of the output, and one of a
// number of chunks of the segments that depends on the shape alone. It walks
// over its chunk in steps that fit the caches: packs the pixels of a step, and
// adds their products to its kernel. Chunks are added in order at the end.
type gradPlan struct {
	level      isa.Level
	kind       kind
	s          Shape
	outH, outW int
	// With few channels the columns of the kernel count as channels (merge): a
	// row of A is then a pixel and its right neighbours, and fills more of a tile.
	merge     bool
	kw, c     int // columns of the kernel and channels, after that
	mr, nr    int
	blocks    int // of mr input channels
	panels    int // of nr output channels
	lastWidth int
	groupC    int // blocks of a part
	groupK    int // panels of a part
	chunks    int // of segments
	perChunk  int // segments of a chunk
	step      int // segments of a step

	// The packed input is [block][copy][slot][place][mr]: a slot is a row of
	// input pixels. Either there is one copy, with all pixels between the first
	// and the last that a window reads, or (gather) one for every column of the
	// kernel, with the pixels that this column reads; in bfloat16, pairs of them.
	gather    bool
	copies    int
	places    int
	slots     int
	slotBytes int
	length    int // elements of the sum in a segment: pixels or pairs

	partial         unsafe.Pointer // kernels of all chunks but the first
	workers         unsafe.Pointer
	perWork         int
	xBytes          int
	yBytes          int
	offsets         int // bytes of a worker's table of slots
	surplusAt       int // where surplus rows of tiles go
	rowAt, rowBytes int // a row of input pixels with its padding
	wideAt          int // values being widened
}

const (
	gradGroupBytes = 160 << 10 // kernel of a part: stays in the second-level cache
	gradStep       = 256       // pixels of a step: its panel about fills a first-level cache
	gradParts      = 24        // parts to aim at
	maxMergedC     = 16        // channels up to which columns of the kernel may count as channels
)

func newGradPlan(s Shape, threads int, k kind, mem *layout) gradPlan {
	l := isa.Current()
	p := gradPlan{level: l, kind: k, s: s, outH: s.OutH(), outW: s.OutW(), mr: tile.Rows(l), nr: tile.Cols(l)}
	p.kw, p.c = s.KW, s.C
	blocks := func(c int) int { return (c + p.mr - 1) / p.mr }
	if s.DilationW == 1 && s.C <= maxMergedC && blocks(s.KW*s.C) < s.KW*blocks(s.C) {
		p.merge, p.kw, p.c = true, 1, s.KW*s.C
	}
	p.blocks = blocks(p.c)
	p.panels = (s.K + p.nr - 1) / p.nr
	p.lastWidth = tile.PanelWidth(l, s.K-(p.panels-1)*p.nr)
	p.length = tile.Words(p.outW, k == bf16)
	p.copies, p.places = 1, (p.outW-1)*s.StrideW+(p.kw-1)*s.DilationW+1
	if k == bf16 || p.merge || p.kw*p.outW < p.places {
		p.gather, p.copies, p.places = true, p.kw, p.length
	}
	p.slotBytes = 4 * p.places * p.mr
	if p.mr == 6 {
		p.slotBytes += 8 // CopyBlocks writes two words too many
	}
	p.group()
	segments := s.N * p.outH
	p.step = max(1, min(segments, (gradStep+p.outW/2)/max(1, p.outW)))
	groups := p.groups()
	steps := (segments + p.step - 1) / max(1, p.step)
	p.chunks = max(1, min((gradParts+groups-1)/groups, steps))
	p.perChunk = (steps + p.chunks - 1) / p.chunks * p.step
	if p.perChunk > 0 {
		p.chunks = max(1, (segments+p.perChunk-1)/p.perChunk)
	}

	// The segments of an image take rows·StrideH − StrideH + halo slots, so a
	// step needs most where it touches the most or the fewest images.
	halo := (s.KH-1)*s.DilationH + 1
	for _, images := range []int{(p.step + p.outH - 1) / max(1, p.outH), min(p.step, (p.step+p.outH-2)/max(1, p.outH)+1)} {
		p.slots = max(p.slots, (p.step-images)*s.StrideH+images*halo)
	}

	p.partial = mem.bytes(4 * (p.chunks - 1) * s.sizeW())
	align := func(n int) int { return (n + lineBytes - 1) &^ (lineBytes - 1) }
	p.xBytes = align(p.groupC * p.copies * p.slots * p.slotBytes)
	p.yBytes = align(4 * p.step * p.length * p.groupK * p.nr)
	p.offsets = align(8 * p.step * s.KH)
	p.surplusAt = p.xBytes + p.yBytes + p.offsets + align(8*tile.MaxRows)
	p.rowAt = p.surplusAt + 4*tile.MaxCols
	if p.merge {
		p.rowBytes = align(4 * s.C * (s.PadLeft + max(s.W, (p.outW-1)*s.StrideW+s.KW)))
	}
	p.wideAt = p.rowAt + p.rowBytes
	p.perWork = p.wideAt
	if k == widened {
		p.perWork += align(4 * max(p.places*p.groupC*p.mr, p.step*p.outW*p.nr))
	}
	p.workers = mem.bytes(threads * p.perWork)
	return p
}

// group halves the channels of a part until its kernel stays in the cache: those
// of the input or of the output, whichever costs more to pack again for each
// group of the others.
func (p *gradPlan) group() {
	taps := p.s.KH * p.kw
	perElement := max(1, p.s.StrideH*p.copies*p.places/max(1, p.length)) // words of the input packed for one of the output
	p.groupC, p.groupK = p.blocks, p.panels
	for 4*taps*p.groupC*p.mr*p.groupK*p.nr > gradGroupBytes && (p.groupC > 1 || p.groupK > 1) {
		if p.groupC > 1 && (perElement*p.groupC*p.mr >= p.groupK*p.nr || p.groupK == 1) {
			p.groupC = (p.groupC + 1) / 2
		} else {
			p.groupK = (p.groupK + 1) / 2
		}
	}
}

// groups returns how many pairs of channel groups the kernel falls into.
func (p *gradPlan) groups() int {
	return ((p.blocks + p.groupC - 1) / p.groupC) * ((p.panels + p.groupK - 1) / p.groupK)
}

// elem returns the bytes of an element of the tensors.
func (p *gradPlan) elem() int {
	if p.kind == f32 {
		return 4
	}
	return 2
}

// run computes dw from the tensors that begin at x and dy.
func (p *gradPlan) run(pool *par.Pool, dw, x, dy unsafe.Pointer) {
	size := p.s.KH * p.s.KW * p.s.C * p.s.K
	if p.s.N*p.outH*p.outW == 0 {
		clear(unsafe.Slice((*float32)(dw), size))
		return
	}
	groups := p.groups()
	pool.For(p.chunks*groups, func(part, worker int) {
		chunk, group := part/groups, part%groups
		to := dw
		if chunk > 0 {
			to = unsafe.Add(p.partial, 4*(chunk-1)*size)
		}
		groupsK := (p.panels + p.groupK - 1) / p.groupK
		p.part(worker, chunk, group/groupsK*p.groupC, group%groupsK*p.groupK, to, x, dy)
	})
	if p.chunks == 1 {
		return
	}
	const piece = 4096
	pool.For((size+piece-1)/piece, func(part, _ int) {
		lo := part * piece
		sum := unsafe.Slice((*float32)(dw), size)[lo:min(size, lo+piece)]
		for chunk := 1; chunk < p.chunks; chunk++ {
			add := unsafe.Slice((*float32)(p.partial), (p.chunks-1)*size)[(chunk-1)*size+lo:][:len(sum)]
			for i, v := range add {
				sum[i] += v
			}
		}
	})
}

// gradWork is a worker's memory.
type gradWork struct {
	x, y    unsafe.Pointer
	offsets []int          // [KH][step] bytes from a block's copy to the slot of each segment
	rows    []uintptr      // addresses of a tile's rows of dw
	surplus uintptr        // where rows go that dw does not have
	row     unsafe.Pointer // a row of input pixels with its padding
	wide    unsafe.Pointer // values being widened
}

func (p *gradPlan) work(worker int) gradWork {
	mem := unsafe.Add(p.workers, worker*p.perWork)
	w := gradWork{x: mem, y: unsafe.Add(mem, p.xBytes)}
	mem = unsafe.Add(w.y, p.yBytes)
	w.offsets = unsafe.Slice((*int)(mem), p.s.KH*p.step)
	mem = unsafe.Add(mem, p.offsets)
	w.rows = unsafe.Slice((*uintptr)(mem), tile.MaxRows)[:p.mr]
	mem = unsafe.Add(p.workers, worker*p.perWork)
	w.surplus = uintptr(unsafe.Add(mem, p.surplusAt))
	if p.merge {
		w.row = unsafe.Add(mem, p.rowAt)
	}
	if p.kind == widened {
		w.wide = unsafe.Add(mem, p.wideAt)
	}
	return w
}

// part computes the kernel of blocks b0.. and panels j0.. over one chunk.
func (p *gradPlan) part(worker, chunk, b0, j0 int, dw, x, dy unsafe.Pointer) {
	w := p.work(worker)
	b1, j1 := min(p.blocks, b0+p.groupC), min(p.panels, j0+p.groupK)
	begin, end := chunk*p.perChunk, min(p.s.N*p.outH, (chunk+1)*p.perChunk)
	for seg := begin; seg < end; seg += p.step {
		segs := min(p.step, end-seg)
		p.packX(&w, b0, b1, seg, segs, x)
		p.packY(&w, j0, j1, seg, segs, dy)
		p.multiply(&w, b0, b1, j0, j1, segs, seg > begin, dw)
	}
}

// multiply adds the products of a packed step to dw, or sets them.
func (p *gradPlan) multiply(w *gradWork, b0, b1, j0, j1, segs int, add bool, dw unsafe.Pointer) {
	s := &p.s
	copyBytes := p.slots * p.slotBytes
	args := tile.ColsArgs{Stride: 4 * p.mr, C: &w.rows[0], Segs: segs, Length: p.length, Add: add}
	if !p.gather {
		args.Stride *= s.StrideW
	}
	for j := j0; j < j1; j++ {
		args.Cols = min(p.nr, s.K-j*p.nr)
		args.B = unsafe.Add(w.y, 4*(j-j0)*segs*p.length*p.nr)
		for t := range s.KH * p.kw {
			kh, kw := t/p.kw, t%p.kw
			args.Off = &w.offsets[kh*p.step]
			for b := b0; b < b1; b++ {
				if !p.gather {
					args.A = unsafe.Add(w.x, (b-b0)*copyBytes+kw*s.DilationW*4*p.mr)
				} else {
					args.A = unsafe.Add(w.x, ((b-b0)*p.copies+kw)*copyBytes)
				}
				c := b * p.mr
				row := uintptr(dw) + uintptr(4*((t*p.c+c)*s.K+j*p.nr))
				for r := range w.rows {
					if c+r < p.c {
						w.rows[r] = row
						row += uintptr(4 * s.K)
					} else {
						w.rows[r] = w.surplus
					}
				}
				if p.kind == bf16 {
					tile.ColsBF16(&args)
				} else {
					tile.ColsF32(p.level, &args)
				}
			}
		}
	}
}

// packY packs the gradient of the output of a step as panels
// [panel][segment][element][width].
func (p *gradPlan) packY(w *gradWork, j0, j1, seg, segs int, dy unsafe.Pointer) {
	s := &p.s
	pixel := s.K * p.elem()
	src := unsafe.Add(dy, seg*p.outW*pixel)
	for j := j0; j < j1; j++ {
		width, cols := p.nr, p.nr
		if j == p.panels-1 {
			width, cols = p.lastWidth, s.K-j*p.nr
		}
		dst := unsafe.Add(w.y, 4*(j-j0)*segs*p.length*p.nr)
		from := unsafe.Add(src, j*p.nr*p.elem())
		switch {
		case p.kind == widened:
			n := segs * p.outW
			wide := p.widen(w, from, pixel, n, cols)
			tile.CopyRows(p.level, dst, 4*width, width, wide, 4*cols, n, cols)
		case p.kind == f32:
			tile.CopyRows(p.level, dst, 4*width, width, from, pixel, segs*p.outW, cols)
		case p.outW%2 == 0: // pairs do not cross segments
			tile.PairRows(p.level, dst, 4*width, width, from, pixel, segs*p.outW, cols)
		default:
			for i := range segs {
				tile.PairRows(p.level, unsafe.Add(dst, 4*i*p.length*width), 4*width, width,
					unsafe.Add(from, i*p.outW*pixel), pixel, p.outW, cols)
			}
		}
	}
}

// packX packs the rows of input pixels that a step reads, and notes in which
// slot each segment finds the row of each row of the kernel.
func (p *gradPlan) packX(w *gradWork, b0, b1, seg, segs int, x unsafe.Pointer) {
	s := &p.s
	slot := 0
	for i := 0; i < segs; {
		n, oy := (seg+i)/p.outH, (seg+i)%p.outH
		rows := min(segs-i, p.outH-oy) // segments of this image
		for r := range rows {
			for kh := range s.KH {
				w.offsets[kh*p.step+i+r] = (slot + r*s.StrideH + kh*s.DilationH) * p.slotBytes
			}
		}
		span := (rows-1)*s.StrideH + (s.KH-1)*s.DilationH + 1
		for r := range span {
			if !p.reads(r, rows) {
				continue
			}
			p.packSlot(w, b0, b1, slot+r, n, oy*s.StrideH-s.PadTop+r, x)
		}
		slot += span
		i += rows
	}
}

// reads says whether any of rows segments reads row r of the span of input rows.
func (p *gradPlan) reads(r, rows int) bool {
	for kh := range p.s.KH {
		if d := r - kh*p.s.DilationH; d >= 0 && d%p.s.StrideH == 0 && d/p.s.StrideH < rows {
			return true
		}
	}
	return false
}

// packSlot packs row iy of image n into a slot of every block and copy.
func (p *gradPlan) packSlot(w *gradWork, b0, b1, slot, n, iy int, x unsafe.Pointer) {
	s := &p.s
	if p.merge {
		p.packMerged(w, b0, b1, slot, n, iy, x)
		return
	}
	for kw := range p.copies {
		dst := unsafe.Add(w.x, (kw*p.slots+slot)*p.slotBytes)
		off, step := -s.PadLeft, 1
		if p.gather {
			off, step = kw*s.DilationW-s.PadLeft, s.StrideW
		}
		pixels := p.places // that the slot has room for
		if p.kind == bf16 {
			pixels = p.outW
		}
		lo, hi := p.within(pixels, off, step)
		if iy < 0 || iy >= s.H || lo == hi {
			p.clearPlaces(dst, b0, b1, 0, p.places)
			continue
		}
		pixel := s.C * p.elem()
		src := unsafe.Add(x, ((n*s.H+iy)*s.W+off+lo*step)*pixel+b0*p.mr*p.elem())
		cols := min(s.C-b0*p.mr, (b1-b0)*p.mr)
		if p.kind != bf16 {
			p.clearPlaces(dst, b0, b1, 0, lo)
			pixel := step * pixel
			if p.kind == widened {
				src, pixel = p.widen(w, src, pixel, hi-lo, cols), 4*cols
			}
			tile.CopyBlocks(p.level, unsafe.Add(dst, 4*lo*p.mr), p.blockBytes(), src, pixel, hi-lo, cols)
			p.clearPlaces(dst, b0, b1, hi, p.places)
			continue
		}
		p.clearPlaces(dst, b0, b1, 0, lo/2)
		tile.PairBlocks(p.level, unsafe.Add(dst, 4*(lo/2)*p.mr), p.blockBytes(), src, step*pixel, hi-lo, cols, lo%2 == 1)
		p.clearPlaces(dst, b0, b1, (hi+1)/2, p.places)
	}
}

// packMerged is packSlot where the columns of the kernel count as channels.
func (p *gradPlan) packMerged(w *gradWork, b0, b1, slot, n, iy int, x unsafe.Pointer) {
	s := &p.s
	dst := unsafe.Add(w.x, slot*p.slotBytes)
	if iy < 0 || iy >= s.H {
		p.clearPlaces(dst, b0, b1, 0, p.places)
		return
	}
	elem := p.elem()
	size := elem * s.C * (s.PadLeft + max(s.W, (p.outW-1)*s.StrideW+s.KW))
	row := unsafe.Slice((*byte)(w.row), size)
	lead := elem * s.C * s.PadLeft
	clear(row[:lead])
	from := unsafe.Slice((*byte)(unsafe.Add(x, (n*s.H+iy)*s.W*s.C*elem)), s.W*s.C*elem)
	clear(row[lead+copy(row[lead:], from):])
	src, pixel := unsafe.Add(w.row, b0*p.mr*elem), s.StrideW*s.C*elem
	cols := min(p.c-b0*p.mr, (b1-b0)*p.mr)
	switch p.kind {
	case bf16:
		tile.PairBlocks(p.level, dst, p.blockBytes(), src, pixel, p.outW, cols, false)
	case widened:
		tile.CopyBlocks(p.level, dst, p.blockBytes(), p.widen(w, src, pixel, p.outW, cols), 4*cols, p.outW, cols)
	default:
		tile.CopyBlocks(p.level, dst, p.blockBytes(), src, pixel, p.outW, cols)
	}
}

// widen returns float32 copies of n pixels of cols values, stride bytes apart.
func (p *gradPlan) widen(w *gradWork, src unsafe.Pointer, stride, n, cols int) unsafe.Pointer {
	if stride == 2*cols {
		tile.Widen(p.level, unsafe.Slice((*float32)(w.wide), n*cols), unsafe.Slice((*uint16)(src), n*cols))
		return w.wide
	}
	for i := range n {
		tile.Widen(p.level, unsafe.Slice((*float32)(unsafe.Add(w.wide, 4*i*cols)), cols),
			unsafe.Slice((*uint16)(unsafe.Add(src, i*stride)), cols))
	}
	return w.wide
}

// blockBytes is the distance of the blocks of the packed input.
func (p *gradPlan) blockBytes() int { return p.copies * p.slots * p.slotBytes }

// clearPlaces zeroes places [lo, hi) of a slot in every block.
func (p *gradPlan) clearPlaces(dst unsafe.Pointer, b0, b1, lo, hi int) {
	if lo >= hi {
		return
	}
	for b := range b1 - b0 {
		clear(unsafe.Slice((*uint32)(unsafe.Add(dst, b*p.blockBytes()+4*lo*p.mr)), (hi-lo)*p.mr))
	}
}

// within returns which of n pixels off, off+step, ... lie in a row of the input.
func (p *gradPlan) within(n, off, step int) (lo, hi int) {
	if off < 0 {
		lo = (-off + step - 1) / step
	}
	if off < p.s.W {
		hi = (p.s.W-1-off)/step + 1
	}
	lo = min(lo, n)
	return lo, max(lo, min(hi, n))
}
