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
	bf16      bool // elements are bfloat16 and stay so
	s         Shape
	form      Form
	inC, outC int // channels read per tap and written
	inH, inW  int // of the tensor that is read
	outH      int // of the tensor that is written
	outW      int
	mr, nr    int
	panels    int
	lastWidth int // width of the last panel
	words     int // words of a tap in a column of a panel
	group     int // panels that a part computes
	pitch     int // bytes from pixel to pixel of the input as the tiles read it
	region    int // bytes of a part's copy of its input at that pitch, if it is not the input's own
	blockRows int // pixels that a part computes, a multiple of mr

	// Scratch memory.
	zeros    unsafe.Pointer // a pixel of padding
	b        unsafe.Pointer // panels of all phases
	workers  unsafe.Pointer // tables and surplus rows of each worker
	perWork  int
	inTable  int // bytes of a worker's table of input rows
	outTable int
	regionAt int // where a worker's copy of its input begins
}

const (
	// groupBytes of packed kernel, and the tables of a part's rows, should stay
	// in a second-level cache of half a megabyte along with the pixels.
	groupBytes = 192 << 10
	tableBytes = 16 << 10
	maxTiles   = 32 // tiles of rows in a part
)

func newRowsPlan(s Shape, f Form, threads int, bf16 bool, mem *layout) rowsPlan {
	l := isa.Current()
	p := rowsPlan{level: l, bf16: bf16, s: s, form: f, mr: tile.Rows(l), nr: tile.Cols(l)}
	p.inC, p.outC, p.inH, p.inW, p.outH, p.outW = s.C, s.K, s.H, s.W, s.OutH(), s.OutW()
	if f == InputGrad {
		p.inC, p.outC, p.inH, p.inW, p.outH, p.outW = s.K, s.C, s.OutH(), s.OutW(), s.H, s.W
	}
	p.panels = (p.outC + p.nr - 1) / p.nr
	p.lastWidth = tile.PanelWidth(l, p.outC-(p.panels-1)*p.nr)
	p.words = tile.Words(p.inC, bf16)
	taps := s.KH * s.KW
	p.group = min(p.panels, max(1, groupBytes/(4*taps*p.words*p.nr)))
	tiles := min(maxTiles, max(1, tableBytes/(8*taps*p.mr)))
	p.blockRows = tiles * p.mr
	p.planCopies()

	p.zeros = mem.bytes(max(4*tile.MaxCols, 4*p.inC))
	p.b = mem.bytes(4 * taps * p.words * ((p.panels-1)*p.nr + p.lastWidth))
	p.inTable, p.outTable = 8*taps*p.blockRows, 8*p.blockRows
	p.regionAt = (p.inTable + p.outTable + 4*tile.MaxCols + lineBytes - 1) &^ (lineBytes - 1)
	p.perWork = p.regionAt + p.region
	p.workers = mem.bytes(threads * p.perWork)
	return p
}

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
	return unsafe.Add(p.b, 4*(before*perTap+j*taps*p.words*p.nr))
}

// width returns the packed width and the columns of panel j.
func (p *rowsPlan) width(j int) (width, cols int) {
	if j == p.panels-1 {
		return p.lastWidth, p.outC - j*p.nr
	}
	return p.nr, p.nr
}

func (p *rowsPlan) elem() int {
	if p.bf16 {
		return 2
	}
	return 4
}

// run computes out from in and w, which begin the tensors of the plan's form.
func (p *rowsPlan) run(pool *par.Pool, out, in, w unsafe.Pointer) {
	clear(unsafe.Slice((*byte)(p.zeros), 4*max(tile.MaxCols, p.inC)))
	p.pack(pool, w)
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
	pool.For(p.panels*s.KH*s.KW, func(part, _ int) {
		j, t := part/(s.KH*s.KW), part%(s.KH*s.KW)
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
			dst := unsafe.Add(p.panel(before, taps, j), 4*t*p.words*width)
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
	switch {
	case p.form == InputGrad && p.bf16:
		tile.TransposePairs(p.level, dst, width, unsafe.Add(src, c0*stride), stride, p.inC, cols)
	case p.form == InputGrad:
		tile.Transpose(p.level, dst, width, unsafe.Add(src, c0*stride), stride, p.inC, cols)
	case p.bf16:
		tile.PairRows(p.level, dst, 4*width, width, unsafe.Add(src, 2*c0), stride, p.inC, cols)
	default:
		tile.CopyRows(p.level, dst, 4*width, width, unsafe.Add(src, 4*c0), stride, p.inC, cols)
	}
}

// block computes the pixels from m0 on of a phase for the panels from j0 on.
func (p *rowsPlan) block(worker int, y, x *axis, before, j0, m0 int, out, in unsafe.Pointer) {
	mem := unsafe.Add(p.workers, worker*p.perWork)
	taps := y.taps * x.taps
	inRows := unsafe.Slice((*uintptr)(mem), taps*p.blockRows)
	outRows := unsafe.Slice((*uintptr)(unsafe.Add(mem, p.inTable)), p.blockRows)
	surplus := uintptr(unsafe.Add(mem, p.inTable+p.outTable))
	first := unsafe.Add(out, j0*p.nr*p.elem())
	origin := uintptr(in)
	if p.region > 0 && taps > 0 {
		origin = p.copyRegion(unsafe.Add(mem, p.regionAt), in, y, x, m0)
	}
	tiles := p.tables(inRows, outRows, y, x, m0, surplus, uintptr(first), origin)
	if taps == 0 {
		p.clearRows(outRows[:tiles*p.mr], j0, surplus, first)
		return
	}
	args := tile.RowsArgs{Taps: taps, K: p.inC}
	for j := j0; j < min(p.panels, j0+p.group); j++ {
		_, args.Cols = p.width(j)
		args.B = p.panel(before, taps, j)
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
			if p.bf16 {
				tile.RowsBF16To16(&args)
			} else {
				tile.RowsF32(p.level, &args)
			}
		}
	}
}

// clearRows zeroes pixels that no tap reaches; first is where the addresses
// count from, kept as a pointer.
func (p *rowsPlan) clearRows(rows []uintptr, j0 int, surplus uintptr, first unsafe.Pointer) {
	bytes := (min(p.outC, (j0+p.group)*p.nr) - j0*p.nr) * p.elem()
	for _, at := range rows {
		if at != surplus {
			clear(unsafe.Slice((*byte)(unsafe.Add(first, at-uintptr(first))), bytes))
		}
	}
}

// tables fills in the addresses of the pixels from m0 on, tile by tile, with
// out the address of the first pixel of the result and in that of the first
// pixel of what is read, and returns the tiles.
func (p *rowsPlan) tables(inRows, outRows []uintptr, y, x *axis, m0 int, surplus, out, in uintptr) int {
	total := p.s.N * y.size * x.size
	count := min(p.blockRows, total-m0)
	tiles := (count + p.mr - 1) / p.mr
	taps := y.taps * x.taps
	n, gy, gx := m0/(y.size*x.size), m0/x.size%y.size, m0%x.size
	elem := p.elem()
	zeros := uintptr(p.zeros)
	for m := range tiles * p.mr {
		tbl := inRows
		if taps > 0 {
			tbl = inRows[m/p.mr*taps*p.mr+m%p.mr:]
		}
		if m >= count {
			outRows[m] = surplus
			for t := range taps {
				tbl[t*p.mr] = zeros
			}
			continue
		}
		outRows[m] = out + uintptr(((n*p.outH+y.out0+gy*y.outStep)*p.outW+x.out0+gx*x.outStep)*p.outC*elem)
		iy, ix := gy*y.inStep+y.off0, gx*x.inStep+x.off0
		at := in + uintptr(((n*p.inH+iy)*p.inW+ix)*p.pitch)
		rowStep, colStep := uintptr(y.offStep*p.inW*p.pitch), uintptr(x.offStep*p.pitch)
		i := 0
		if y.inside(gy) && x.inside(gx) {
			for range y.taps {
				a := at
				for range x.taps {
					tbl[i] = a
					i += p.mr
					a += colStep
				}
				at += rowStep
			}
		} else {
			for ty := range y.taps {
				rowInside := uint(iy+ty*y.offStep) < uint(y.limit)
				a := at
				for tx := range x.taps {
					if rowInside && uint(ix+tx*x.offStep) < uint(x.limit) {
						tbl[i] = a
					} else {
						tbl[i] = zeros
					}
					i += p.mr
					a += colStep
				}
				at += rowStep
			}
		}
		if gx++; gx == x.size {
			gx = 0
			if gy++; gy == y.size {
				gy = 0
				n++
			}
		}
	}
	return tiles
}
