package conv

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// rowsPlan computes a product whose rows are pixels: a convolution, or the
// gradient of its input. Rows of A are the channels of the pixels that the taps
// read, taken where they lie; the kernel is packed in panels once per call.
type rowsPlan struct {
	level     isa.Level
	kind      kind
	s         Shape
	form      Form
	inC, outC int // channels read per tap and written
	inH, inW  int // of the tensor that is read
	outH      int // of the tensor that is written
	outW      int
	mr, nr    int
	panels    int
	lastWidth int  // width of the last panel
	unit      int  // columns of the kernel that are packed as one tap
	words     int  // words of such a tap in a column of a panel
	group     int  // panels that a part computes
	blockRows int  // pixels that a part computes, a multiple of mr
	pitch     int  // bytes from pixel to pixel of the input as the tiles read it
	merge     bool // the taps of a row of the kernel are read as one
	region    int  // bytes of a part's copy of its input, where it takes one
	given     bool // the panels are packed already
	finish    Finish

	// Scratch memory.
	zeros    unsafe.Pointer // a pixel of padding
	b        unsafe.Pointer // panels of all phases
	workers  unsafe.Pointer // tables and surplus rows of each worker
	perWork  int
	inTable  int // bytes of a worker's table of input rows
	outTable int
	regionAt int // where a worker's copy of its input begins
	sumsAt   int // where a worker's float32 results begin, if they are to be rounded
}

// kind says what the elements of a rowsPlan are.
type kind int

const (
	f32     kind = iota
	bf16         // bfloat16 in tiles that take it
	widened      // bfloat16, widened to float32 by the part that uses it; the kernel is float32
)

const (
	// groupBytes of packed kernel, and the tables of a part's rows, should stay
	// in a second-level cache of half a megabyte along with the pixels.
	groupBytes = 192 << 10
	tableBytes = 16 << 10
	maxTiles   = 32 // tiles of rows in a part
	maxSums    = 8  // panels in a part whose results are to be rounded
	rowsParts  = 24 // parts to aim at: several for each of a few threads
)

func newRowsPlan(s Shape, f Form, threads int, k kind, given bool, mem *layout) rowsPlan {
	l := isa.Current()
	p := rowsPlan{level: l, kind: k, s: s, form: f, mr: tile.Rows(l), nr: tile.Cols(l), unit: 1, given: given}
	p.inC, p.outC, p.inH, p.inW, p.outH, p.outW = s.C, s.K, s.H, s.W, s.OutH(), s.OutW()
	if f == InputGrad {
		p.inC, p.outC, p.inH, p.inW, p.outH, p.outW = s.K, s.C, s.OutH(), s.OutW(), s.H, s.W
	}
	p.panels = (p.outC + p.nr - 1) / p.nr
	p.lastWidth = tile.PanelWidth(l, p.outC-(p.panels-1)*p.nr)
	taps := s.KH * s.KW
	p.group = min(p.panels, max(1, groupBytes/(4*taps*tile.Words(p.inC, k == bf16)*p.nr)))
	if k == widened {
		p.group = min(p.group, maxSums)
	}
	tiles := min(maxTiles, max(1, tableBytes/(8*taps*p.mr)))
	p.blockRows = tiles * p.mr
	p.balance()
	p.planCopies()
	if p.merge && f == Forward {
		p.unit = s.KW // the kernel's row is one matrix as it lies
	}
	p.words = tile.Words(p.inC*p.unit, k == bf16)

	p.zeros = mem.bytes(p.zeroBytes())
	if !given {
		p.b = mem.bytes(p.panelBytes())
	}
	p.inTable, p.outTable = 8*taps*p.blockRows, 8*p.blockRows
	align := func(n int) int { return (n + lineBytes - 1) &^ (lineBytes - 1) }
	p.regionAt = align(p.inTable + p.outTable + 4*tile.MaxCols)
	p.sumsAt = p.regionAt + align(p.region)
	p.perWork = p.sumsAt
	if k == widened {
		p.perWork += align(4 * p.blockRows * p.group * p.nr)
	}
	p.workers = mem.bytes(threads * p.perWork)
	return p
}

// balance makes the parts smaller where there would be too few of them.
func (p *rowsPlan) balance() {
	parts := func() (n int) {
		for i := range p.phases() {
			y, x := p.phase(i)
			n += p.parts(&y, &x)
		}
		return n
	}
	for parts() < rowsParts && p.blockRows > 4*p.mr {
		p.blockRows = max(4, p.blockRows/p.mr/2) * p.mr
	}
	for parts() < rowsParts && p.group > 1 {
		p.group = (p.group + 1) / 2
	}
}

// panelBytes is the size of the panels of all phases.
func (p *rowsPlan) panelBytes() int {
	return 4 * p.s.KH * p.s.KW / p.unit * p.words * ((p.panels-1)*p.nr + p.lastWidth)
}

// zeroBytes is the size of a row of A that lies in the padding.
func (p *rowsPlan) zeroBytes() int { return max(4*tile.MaxCols, 4*p.inC*p.s.KW) }

// phases returns how many grids of pixels the result falls into.
func (p *rowsPlan) phases() int {
	if p.form == InputGrad {
		return p.s.StrideH * p.s.StrideW
	}
	return 1
}

// phase describes one grid of pixels that share their taps.
func (p *rowsPlan) phase(i int) (y, x axis) {
	s := &p.s
	if p.form == InputGrad {
		return gradAxis(s.H, s.KH, s.StrideH, s.PadTop, s.DilationH, s.OutH(), i/s.StrideW),
			gradAxis(s.W, s.KW, s.StrideW, s.PadLeft, s.DilationW, s.OutW(), i%s.StrideW)
	}
	return forwardAxis(s.H, s.KH, s.StrideH, s.PadTop, s.DilationH, s.OutH()),
		forwardAxis(s.W, s.KW, s.StrideW, s.PadLeft, s.DilationW, s.OutW())
}

// panel returns where panel j of a phase with these taps begins; before counts
// the taps of the phases before it.
func (p *rowsPlan) panel(before, taps, j int) unsafe.Pointer {
	perTap := p.words * ((p.panels-1)*p.nr + p.lastWidth)
	return unsafe.Add(p.b, 4*(before*perTap+j*taps*p.words*p.nr)/p.unit)
}

// width returns the packed width and the columns of panel j.
func (p *rowsPlan) width(j int) (width, cols int) {
	if j == p.panels-1 {
		return p.lastWidth, p.outC - j*p.nr
	}
	return p.nr, p.nr
}

// elem returns the bytes of an element as the tiles take it.
func (p *rowsPlan) elem() int {
	if p.kind == bf16 {
		return 2
	}
	return 4
}

// tensorElem returns the bytes of an element of the tensors.
func (p *rowsPlan) tensorElem() int {
	if p.kind == f32 {
		return 4
	}
	return 2
}

// run computes out from in and w, which begin the tensors of the plan's form.
func (p *rowsPlan) run(pool *par.Pool, out, in, w unsafe.Pointer) {
	clear(unsafe.Slice((*byte)(p.zeros), p.zeroBytes()))
	if !p.given {
		p.pack(pool, w)
	}
	parts := 0
	for i := range p.phases() {
		y, x := p.phase(i)
		parts += p.parts(&y, &x)
	}
	pool.For(parts, func(part, worker int) {
		before := 0
		for i := range p.phases() {
			y, x := p.phase(i)
			if n := p.parts(&y, &x); part >= n {
				part -= n
				before += y.taps * x.taps
				continue
			}
			blocks := p.blocks(&y, &x)
			p.block(worker, &y, &x, before, part/blocks*p.group, part%blocks*p.blockRows, out, in)
			return
		}
	})
}

func (p *rowsPlan) blocks(y, x *axis) int {
	return (p.s.N*y.size*x.size + p.blockRows - 1) / p.blockRows
}

func (p *rowsPlan) parts(y, x *axis) int {
	return p.blocks(y, x) * ((p.panels + p.group - 1) / p.group)
}

// pack brings the kernel into panels [phase][panel][tap][word][width].
func (p *rowsPlan) pack(pool *par.Pool, w unsafe.Pointer) {
	s := &p.s
	units := s.KH * s.KW / p.unit
	pool.For(p.panels*units, func(part, _ int) {
		j, t := part/units, part%units*p.unit
		before := 0
		for i := range p.phases() {
			y, x := p.phase(i)
			taps := y.taps * x.taps
			if t >= taps {
				t -= taps
				before += taps
				continue
			}
			width, cols := p.width(j)
			dst := unsafe.Add(p.panel(before, taps, j), 4*t/p.unit*p.words*width)
			kh, kw := y.tap0+t/x.taps*y.tapStep, x.tap0+t%x.taps*x.tapStep
			src := unsafe.Add(w, (kh*s.KW+kw)*s.C*s.K*p.elem())
			p.packTap(dst, src, width, j*p.nr, cols)
			return
		}
	})
}

// packTap packs columns [c0, c0+cols) of one tap's matrix, which is [C,K] where
// the kernel lies: as it is for a convolution, transposed for the gradient.
func (p *rowsPlan) packTap(dst, src unsafe.Pointer, width, c0, cols int) {
	stride := p.s.K * p.elem()
	rows := p.inC * p.unit
	switch {
	case p.form == InputGrad && p.kind == bf16:
		tile.TransposePairs(p.level, dst, width, unsafe.Add(src, c0*stride), stride, rows, cols)
	case p.form == InputGrad:
		tile.Transpose(p.level, dst, width, unsafe.Add(src, c0*stride), stride, rows, cols)
	case p.kind == bf16:
		tile.PairRows(p.level, dst, 4*width, width, unsafe.Add(src, 2*c0), stride, rows, cols)
	default:
		tile.CopyRows(p.level, dst, 4*width, width, unsafe.Add(src, 4*c0), stride, rows, cols)
	}
}

// block computes the pixels from m0 on of a phase for the panels from j0 on.
func (p *rowsPlan) block(worker int, y, x *axis, before, j0, m0 int, out, in unsafe.Pointer) {
	mem := unsafe.Add(p.workers, worker*p.perWork)
	count := min(p.blockRows, p.s.N*y.size*x.size-m0)
	tiles := (count + p.mr - 1) / p.mr
	outRows := unsafe.Slice((*uintptr)(unsafe.Add(mem, p.inTable)), p.blockRows)[:tiles*p.mr]
	surplus := uintptr(unsafe.Add(mem, p.inTable+p.outTable))
	j1 := min(p.panels, j0+p.group)
	cols := min(p.outC, j1*p.nr) - j0*p.nr
	first := unsafe.Add(out, j0*p.nr*p.tensorElem())
	p.outputTable(outRows, y, x, m0, count, surplus, uintptr(first))
	if y.taps*x.taps == 0 {
		for _, at := range outRows[:count] {
			clear(unsafe.Slice((*byte)(unsafe.Add(first, at-uintptr(first))), cols*p.tensorElem()))
		}
		return
	}
	taps, k := y.taps*x.taps, p.inC
	if p.merge {
		taps, k = y.taps, x.taps*p.inC
	}
	inRows := unsafe.Slice((*uintptr)(mem), tiles*p.mr*taps)
	origin, left, width := uintptr(in), 0, p.inW
	if p.region > 0 {
		left, width = p.margins(x)
		origin = p.copyRegion(unsafe.Add(mem, p.regionAt), in, y, x, m0)
	}
	p.inputTable(inRows, y, x, m0, count, taps, origin+uintptr(left*p.pitch), width)
	sums := unsafe.Add(mem, p.sumsAt)
	if p.kind == widened {
		for m := range outRows[:count] {
			outRows[m] = uintptr(sums) + uintptr(4*m*cols)
		}
	}
	args := tile.RowsArgs{Taps: taps, K: k, Add: p.finish.Add}
	for j := j0; j < j1; j++ {
		_, args.Cols = p.width(j)
		args.B = p.panel(before, y.taps*x.taps, j)
		for t := range tiles {
			rows := outRows[t*p.mr:][:p.mr]
			if j > j0 {
				next := uintptr(p.nr * p.elem())
				for r := range rows {
					if rows[r] != surplus {
						rows[r] += next
					}
				}
			}
			args.C = &rows[0]
			args.A = &inRows[t*taps*p.mr]
			switch {
			case p.kind == bf16:
				tile.RowsBF16To16(&args)
			case p.finish.Bias != nil:
				tile.RowsF32Finished(p.level, &args, tileFinish(p.finish, j*p.nr))
			default:
				tile.RowsF32(p.level, &args)
			}
		}
	}
	if p.kind == widened {
		p.outputTable(outRows, y, x, m0, count, surplus, uintptr(first))
		for m, at := range outRows[:count] {
			tile.Narrow(p.level, unsafe.Slice((*uint16)(unsafe.Add(first, at-uintptr(first))), cols),
				unsafe.Slice((*float32)(unsafe.Add(sums, 4*m*cols)), cols))
		}
	}
}
