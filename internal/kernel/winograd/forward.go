package winograd

import "github.com/byol-go/byol/internal/kernel/par"

// forward is one forward product, of the output or of the input's gradient.
//
// A worker takes a block of tiles at a time and keeps it to itself: it transforms
// the input to v, and for every chunk of output channels multiplies all 36 elements
// to m and transforms that back. v and m stay in its second-level cache, the
// transformed kernel streams past.
type forward struct {
	grid
	kernelLayout
	k       *kernels
	block   int // tiles of a block
	u       []float32
	zero    []float32
	workers []forwardWorker
	y, x, w []float32
}

type forwardWorker struct {
	stripper
	weighter
	v      []float32 // [element][panel][c/lane][panel row][lane]
	m      []float32 // [row][element][chunk]
	offset []int     // of the block's tiles in v
	whole  [][2]int  // of the block's whole tiles, in m and y
	cut    [][2]int  // the tiles that a border cuts
	tmp    []float32
	edge   []float32 // [4][4][lane]: a tile that does not fit y
	args   tileArgs
}

// newForward lays out the memory of a forward product.
func newForward(a *arena, g grid, r reduction, threads int) *forward {
	k := current()
	f := &forward{grid: g, kernelLayout: newKernelLayout(r), k: k}
	f.block = f.blockTiles(threads)
	f.u = take[float32](a, f.size())
	f.zero = take[float32](a, zeroLen(&f.grid, f.c))
	f.workers = make([]forwardWorker, threads)
	rows := f.block + 2*k.panel
	for i := range f.workers {
		f.workers[i] = forwardWorker{
			stripper: newStripper(a, &f.grid, f.c, k, f.zero),
			weighter: newWeighter(a, f.kernelLayout, k),
			v:        take[float32](a, elements*(rows*f.cPad+pad)),
			m:        take[float32](a, rows*elements*chunk),
			offset:   take[int](a, f.block),
			whole:    take[[2]int](a, f.block+1),
			cut:      take[[2]int](a, f.block),
			tmp:      take[float32](a, elements*lane),
			edge:     take[float32](a, tileOut*tileOut*lane),
		}
	}
	return f
}

// blockTiles returns the tiles of a block: as many as keep v and m near the second
// level cache, and such that the threads get the same number of blocks.
func (f *forward) blockTiles(threads int) int {
	const budget = 1 << 20
	tiles := min(max(budget/(4*elements*(f.cPad+chunk)), 32), 96)
	blocks := ceil(ceil(f.tiles(), tiles), threads) * threads
	return min(ceil(ceil(f.tiles(), blocks), 4)*4, f.tiles())
}

// weightRows is the number of input channels that one part of the transform of the
// kernel covers.
const weightRows = 64

func (f *forward) run(p *par.Pool, y, x, w []float32) {
	f.y, f.x, f.w = y, x, w
	clear(f.zero)
	groups, parts := ceil(f.c, weightRows), ceil(f.kernelLayout.k, lane)
	p.For(groups*parts, func(part, worker int) {
		k0, c0 := part/groups*lane, part%groups*weightRows
		f.workers[worker].weighter.run(w, k0, c0, min(c0+weightRows, f.cPad), f.u[f.start(k0/chunk):])
	})
	p.For(ceil(f.tiles(), f.block), func(part, worker int) {
		t0 := part * f.block
		f.workers[worker].block(f, t0, min(t0+f.block, f.tiles()))
	})
}

// block computes the outputs of tiles t0 to t1.
func (s *forwardWorker) block(f *forward, t0, t1 int) {
	panels := newPanels(f.k, t1-t0)
	panelSize := f.k.panel * f.cPad
	stride := panels.count()*panelSize + pad
	for t := range t1 - t0 {
		panel, row := panels.at(t)
		s.offset[t] = 4 * (panel*panelSize + row*lane)
	}
	if panels.rows() > t1-t0 { // rows without a tile: numbers, whatever they are
		for e := range elements {
			clear(s.v[e*stride+stride-pad-panelSize:][:panelSize])
		}
	}
	s.stripper.run(f.x, t0, t1, s.v, f.k.panel*lane, stride, s.offset)
	whole, cut := s.sort(f, t0, t1)
	for g := range f.chunks() {
		s.products(f, g, panels, stride)
		for k0 := g * chunk; k0 < min((g+1)*chunk, f.kernelLayout.k); k0 += lane {
			s.output(f, k0, whole, cut)
		}
	}
}

// prefetched is how many floats a product of one channel reads ahead from next on.
const prefetched = 8

// products multiplies the block by a chunk of the transformed kernel.
func (s *forwardWorker) products(f *forward, g int, panels panels, stride int) {
	columns := f.columns(g)
	width, full, short := f.k.width, f.k.fullWide, f.k.shortWide
	if columns < width {
		width, full, short = columns, f.k.fullLane, f.k.shortLane
	}
	u, uStride := f.u[f.start(g):], f.stride(g)
	blocks, panelSize := f.cPad/lane, f.k.panel*f.cPad
	for e := range elements {
		for n := 0; n < columns; n += width {
			b := u[e*uStride+n*f.cPad:]
			v := s.v[e*stride:]
			for i := range panels.count() {
				run, row := full, i*panels.fullRows
				if i >= panels.full {
					run, row = short, panels.full*panels.fullRows+(i-panels.full)*panels.shortRows
				}
				next := width*f.cPad + i*prefetched*f.cPad%(width*f.cPad)
				run(blocks, &v[i*panelSize], &b[0], &s.m[(row*elements+e)*chunk+n], false, &b[min(next, len(b)-1)])
			}
		}
	}
}

// sort lists the block's tiles with their places in m and y, whole ones apart from
// those that a border cuts.
func (s *forwardWorker) sort(f *forward, t0, t1 int) (whole, cut [][2]int) {
	whole, cut = s.whole[:0], s.cut[:0]
	for t := t0; t < t1; t++ {
		n, ty, tx := f.place(t)
		if tileOut*(ty+1) > f.outH || tileOut*(tx+1) > f.outW {
			cut = append(cut, [2]int{t - t0, t})
			continue
		}
		pixel := (n*f.outH+tileOut*ty)*f.outW + tileOut*tx
		whole = append(whole, [2]int{4 * (t - t0) * elements * chunk, 4 * pixel * f.kernelLayout.k})
	}
	if n := len(whole); n > 0 {
		whole = append(whole, whole[n-1])[:n]
	}
	return whole, cut
}

// output transforms lane channels of m from k0 on and writes them to y. A sum over
// the outputs, such as batch norm's, would be taken here.
func (s *forwardWorker) output(f *forward, k0 int, whole, cut [][2]int) {
	k := f.kernelLayout.k
	a := &s.args
	a.tmp, a.m, a.stride = &s.tmp[0], &s.m[k0%chunk], 4*chunk
	if cols := k - k0; cols >= lane {
		if len(whole) > 0 {
			a.y, a.rowStride, a.colStride = &f.y[k0], 4*f.outW*k, 4*k
			a.offset, a.tiles = &whole[0], len(whole)
			f.k.outputTiles(a)
		}
	} else {
		for _, at := range whole {
			s.outputCut(f, at[0], f.y[at[1]/4+k0:], tileOut, tileOut, cols)
		}
	}
	for _, at := range cut {
		n, ty, tx := f.place(at[1])
		pixel := (n*f.outH+tileOut*ty)*f.outW + tileOut*tx
		s.outputCut(f, 4*at[0]*elements*chunk, f.y[pixel*k+k0:],
			min(tileOut, f.outH-tileOut*ty), min(tileOut, f.outW-tileOut*tx), min(lane, k-k0))
	}
}

// outputCut transforms one tile and copies height x width pixels of cols channels.
func (s *forwardWorker) outputCut(f *forward, m int, y []float32, height, width, cols int) {
	offset := [2][2]int{{m, 0}, {m, 0}}
	a := &s.args
	a.y, a.rowStride, a.colStride = &s.edge[0], 4*tileOut*lane, 4*lane
	a.offset, a.tiles = &offset[0], 1
	f.k.outputTiles(a)
	for i := range height {
		for j := range width {
			copy(y[(i*f.outW+j)*f.kernelLayout.k:][:cols], s.edge[(i*tileOut+j)*lane:])
		}
	}
}
