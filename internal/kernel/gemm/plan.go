package gemm

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// plan splits a product in parts of up to blockRows rows and one panel of
// columns. A part packs its panel of B piece by piece along k, each piece small
// enough to stay in the first caches while the tiles of all its rows use it.
// A is read where it lies, or packed once per call if it is transposed.
type plan struct {
	s         Shape
	level     isa.Level
	bf16      bool // operands are bfloat16
	native    bool // and the tiles take them
	to16      bool // the result is bfloat16
	mr, nr    int
	panels    int
	tiles     int // of rows of C
	blockRows int
	piece     int // elements of k in a piece

	bytes   int // scratch memory
	copyA   bool
	rows    unsafe.Pointer // a copy of A: in float32 or at a better pitch
	pitch   int            // bytes from row to row of the copy
	a       unsafe.Pointer // transposed A in panels [tile][k][mr]
	perTile int
	workers unsafe.Pointer
	perWork int
}

const (
	lineBytes  = 64
	pieceK     = 1024 // elements of k: a panel of 32 columns takes 32 KB
	maxRows    = 512
	partsAimed = 16
	minUses    = 4 // panels that a copy of A must serve
)

func align(n int) int { return (n + lineBytes - 1) &^ (lineBytes - 1) }

// newPlan lays out the scratch memory; without scratch it only counts.
func newPlan(s Shape, threads int, bf16, to16 bool, scratch []byte) *plan {
	l := isa.Current()
	p := &plan{s: s, level: l, bf16: bf16, native: bf16 && tile.HasBF16(l), to16: to16, mr: tile.Rows(l), nr: tile.Cols(l)}
	p.panels = (s.N + p.nr - 1) / p.nr
	p.tiles = (s.M + p.mr - 1) / p.mr
	p.piece = max(1, min(pieceK, s.K))
	if p.native {
		p.piece = max(2, min(2*pieceK, s.K+s.K%2))
	}
	// Fewer rows to a part where there would be too few parts.
	tiles := min(maxRows/p.mr, p.tiles)
	if p.panels > 0 {
		want := (partsAimed + p.panels - 1) / p.panels
		tiles = min(tiles, max(4, (p.tiles+want-1)/want))
	}
	p.blockRows = tiles * p.mr

	base := unsafe.Pointer(unsafe.SliceData(scratch))
	base = unsafe.Add(base, -int(uintptr(base))&(lineBytes-1))
	take := func(n int) unsafe.Pointer {
		at := p.bytes
		p.bytes += align(n)
		if scratch == nil {
			return nil
		}
		return unsafe.Add(base, at)
	}
	// Rows of a tile may lie where the cache serves them one by one: they are
	// copied to a better pitch if every copy serves enough panels.
	p.copyA = bf16 && !p.native
	if stride := s.LDA * p.elem(); !s.TransA && tile.Pitch(l, stride) != stride && p.panels >= minUses {
		p.copyA = true
	}
	if p.copyA {
		rows, cols := s.M, s.K
		if s.TransA {
			rows, cols = cols, rows
		}
		p.pitch = cols * p.elem()
		if !s.TransA {
			p.pitch = tile.Pitch(l, align(p.pitch))
		}
		p.rows = take(rows * p.pitch)
	}
	if s.TransA {
		p.perTile = 4 * p.mr * tile.Words(s.K, p.native)
		if p.mr == 6 {
			p.perTile += 8 // CopyBlocks writes two words too many
		}
		p.a = take(p.tiles * p.perTile)
	}
	p.perWork = align(4*p.piece*p.nr) + align(8*2*tile.MaxRows+8) + align(4*tile.MaxCols)
	if bf16 && !p.native {
		p.perWork += align(4 * p.piece * p.nr)
	}
	if to16 {
		p.perWork += align(4 * p.blockRows * p.nr)
	}
	p.workers = take(threads * p.perWork)
	p.bytes += lineBytes
	return p
}

// work is a worker's memory.
type work struct {
	b       unsafe.Pointer // packed piece of a panel of B
	a, c    []uintptr      // addresses of a tile's rows
	zero    *int           // an offset of 0
	surplus uintptr        // rows that C does not have
	wide    unsafe.Pointer // a piece of B in float32, still transposed
	out     unsafe.Pointer // the part of C in float32, [blockRows][nr]
}

func (p *plan) work(worker int) work {
	mem := unsafe.Add(p.workers, worker*p.perWork)
	next := func(n int) unsafe.Pointer {
		at := mem
		mem = unsafe.Add(mem, align(n))
		return at
	}
	var w work
	w.b = next(4 * p.piece * p.nr)
	addresses := unsafe.Slice((*uintptr)(next(8*2*tile.MaxRows+8)), 2*tile.MaxRows+1)
	w.a, w.c = addresses[:p.mr], addresses[tile.MaxRows:][:p.mr]
	w.zero = (*int)(unsafe.Pointer(&addresses[2*tile.MaxRows]))
	*w.zero = 0
	w.surplus = uintptr(next(4 * tile.MaxCols))
	if p.bf16 && !p.native {
		w.wide = next(4 * p.piece * p.nr)
	}
	if p.to16 {
		w.out = next(4 * p.blockRows * p.nr)
	}
	return w
}

// elem returns the bytes of an element of A as the tiles read it.
func (p *plan) elem() int {
	if p.native {
		return 2
	}
	return 4
}

func (p *plan) run(pool *par.Pool, c, a, b unsafe.Pointer) {
	if p.s.M == 0 || p.s.N == 0 {
		return
	}
	stride := p.s.LDA * p.elem()
	if p.copyA && p.s.K > 0 {
		p.copyRows(pool, a)
		a, stride = p.rows, p.pitch
	}
	if p.s.TransA && p.s.K > 0 {
		pool.For((p.tiles+7)/8, func(part, _ int) { p.packA(a, stride, part*8, min(p.tiles, part*8+8)) })
	}
	blocks := (p.s.M + p.blockRows - 1) / p.blockRows
	pool.For(p.panels*blocks, func(part, worker int) {
		p.part(worker, part/blocks, part%blocks*p.blockRows, c, a, stride, b)
	})
}

// copyRows copies the rows of A as stored, widened where the tiles need it.
func (p *plan) copyRows(pool *par.Pool, a unsafe.Pointer) {
	rows, cols := p.s.M, p.s.K
	if p.s.TransA {
		rows, cols = cols, rows
	}
	const group = 8
	pool.For((rows+group-1)/group, func(part, _ int) {
		for i := part * group; i < min(rows, (part+1)*group); i++ {
			to := unsafe.Add(p.rows, i*p.pitch)
			if p.bf16 && !p.native {
				tile.Widen(p.level, unsafe.Slice((*float32)(to), cols), unsafe.Slice((*uint16)(unsafe.Add(a, 2*i*p.s.LDA)), cols))
				continue
			}
			n := cols * p.elem()
			copy(unsafe.Slice((*byte)(to), n), unsafe.Slice((*byte)(unsafe.Add(a, i*p.s.LDA*p.elem())), n))
		}
	})
}

// packA packs tiles [t0, t1) of a transposed A.
func (p *plan) packA(a unsafe.Pointer, stride, t0, t1 int) {
	m := t0 * p.mr
	cols := min(t1*p.mr, p.s.M) - m
	dst, src := unsafe.Add(p.a, t0*p.perTile), unsafe.Add(a, m*p.elem())
	if p.native {
		tile.PairBlocks(p.level, dst, p.perTile, src, stride, p.s.K, cols, false)
	} else {
		tile.CopyBlocks(p.level, dst, p.perTile, src, stride, p.s.K, cols)
	}
}

// part computes panel j of the rows from m0 on.
func (p *plan) part(worker, j, m0 int, c, a unsafe.Pointer, stride int, b unsafe.Pointer) {
	w := p.work(worker)
	cols := min(p.nr, p.s.N-j*p.nr)
	width := tile.PanelWidth(p.level, cols)
	rows := min(p.blockRows, p.s.M-m0)
	out, ldc := w.out, 4*p.nr
	if !p.to16 {
		out, ldc = unsafe.Add(c, 4*(m0*p.s.LDC+j*p.nr)), 4*p.s.LDC
	}
	for k0 := 0; k0 == 0 || k0 < p.s.K; k0 += p.piece {
		k := min(p.piece, p.s.K-k0)
		p.packB(&w, b, j*p.nr, cols, width, k0, k)
		for m := 0; m < rows; m += p.mr {
			for r := range w.c {
				w.c[r] = w.surplus
				if m+r < rows {
					w.c[r] = uintptr(out) + uintptr((m+r)*ldc)
				}
			}
			if p.s.TransA {
				p.colsTile(&w, (m0+m)/p.mr, k0, k, cols)
			} else {
				p.rowsTile(&w, uintptr(a), m0+m, stride, k0, k, cols)
			}
		}
	}
	if p.to16 {
		for m := range rows {
			tile.Narrow(p.level, unsafe.Slice((*uint16)(unsafe.Add(c, 2*((m0+m)*p.s.LDC+j*p.nr))), cols),
				unsafe.Slice((*float32)(unsafe.Add(out, m*ldc)), cols))
		}
	}
}

// rowsTile adds a piece of the sum to the tile at row m, or begins it.
func (p *plan) rowsTile(w *work, a uintptr, m, stride, k0, k, cols int) {
	for r := range w.a {
		row := min(m+r, p.s.M-1) // surplus rows repeat the last
		w.a[r] = a + uintptr(row*stride+k0*p.elem())
	}
	args := tile.RowsArgs{A: &w.a[0], B: w.b, C: &w.c[0], Taps: 1, K: k, Cols: cols, Add: k0 > 0}
	if p.native {
		tile.RowsBF16(&args)
	} else {
		tile.RowsF32(p.level, &args)
	}
}

// colsTile is rowsTile for a transposed A.
func (p *plan) colsTile(w *work, t, k0, k, cols int) {
	args := tile.ColsArgs{A: unsafe.Add(p.a, t*p.perTile+4*tile.Words(k0, p.native)*p.mr), Off: w.zero, Stride: 4 * p.mr,
		B: w.b, C: &w.c[0], Segs: 1, Length: tile.Words(k, p.native), Cols: cols, Add: k0 > 0}
	if p.native {
		tile.ColsBF16(&args)
	} else {
		tile.ColsF32(p.level, &args)
	}
}

// packB packs rows [k0, k0+k) of columns [n0, n0+cols) of op(B).
func (p *plan) packB(w *work, b unsafe.Pointer, n0, cols, width, k0, k int) {
	if k == 0 {
		return
	}
	i, stride := k0*p.s.LDB+n0, p.s.LDB
	if p.s.TransB {
		i = n0*p.s.LDB + k0
	}
	switch {
	case p.native && p.s.TransB:
		tile.TransposePairs(p.level, w.b, width, unsafe.Add(b, 2*i), 2*stride, k, cols)
	case p.native:
		tile.PairRows(p.level, w.b, 4*width, width, unsafe.Add(b, 2*i), 2*stride, k, cols)
	case p.bf16:
		p.packWide(w, unsafe.Add(b, 2*i), cols, width, k)
	case p.s.TransB:
		tile.Transpose(p.level, w.b, width, unsafe.Add(b, 4*i), 4*stride, k, cols)
	default:
		tile.CopyRows(p.level, w.b, 4*width, width, unsafe.Add(b, 4*i), 4*stride, k, cols)
	}
}

// packWide packs a piece of bfloat16 as float32.
func (p *plan) packWide(w *work, src unsafe.Pointer, cols, width, k int) {
	if p.s.TransB {
		for j := range cols {
			tile.Widen(p.level, unsafe.Slice((*float32)(unsafe.Add(w.wide, 4*j*k)), k),
				unsafe.Slice((*uint16)(unsafe.Add(src, 2*j*p.s.LDB)), k))
		}
		tile.Transpose(p.level, w.b, width, w.wide, 4*k, k, cols)
		return
	}
	for i := range k {
		row := unsafe.Slice((*float32)(unsafe.Add(w.b, 4*i*width)), width)
		tile.Widen(p.level, row[:cols], unsafe.Slice((*uint16)(unsafe.Add(src, 2*i*p.s.LDB)), cols))
		clear(row[cols:])
	}
}
