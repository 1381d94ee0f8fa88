package winograd

import "github.com/byol-go/byol/internal/kernel/par"

// forward is one forward product, of the output or of the input's gradient. It
// takes one of two ways.
//
// Usually the kernel is transformed first. Then a worker takes a block of tiles at
// a time and keeps it to itself: it transforms the input to v, and for every chunk
// of output channels multiplies all 36 elements to m and transforms that back. v
// and m stay in its second-level cache, the transformed kernel streams past.
//
// Where the kernel is large and the tiles are few, as in the last layers of a
// ResNet, moving the transformed kernel through memory would take as long as the
// products. There all tiles are transformed first; then a worker takes a chunk of
// output channels at a time, and transforms the kernel piece by piece, each piece
// multiplied while it is in the second-level cache.
//
// A result sums over the channels in their order on either way.
//
// A stride-2 convolution has four phases of what it reads, whose channels an element's
// product sums over as if they were one image's; the gradient of its input has four
// phases of what it writes, with one product after the other.
type forward struct {
	grid
	kernelLayout
	k       *kernels
	images  [splitPhase]image
	at      [2][splitPhase][elements]int // where the elements of a chunk lie: one of lane channels, or a whole one
	few     bool                         // the second way
	block   int                          // tiles of a block; all of them if few
	u       []float32                    // the transformed kernel; piece after piece of each chunk if few
	finish  Finish
	v       []float32
	zero    []float32
	workers []forwardWorker
	y, x, w numbers
}

type forwardWorker struct {
	stripper
	weighter
	u        []float32 // a piece of the kernel, if few
	v        []float32 // [element][panel][phase][c/lane][panel row][lane]
	m        []float32 // [row][element][chunk]
	offset   []int     // of the block's tiles in v
	inPlace  []int     // of a tile's values in v, for stride 2
	tiles    [splitPhase]tileLists
	tmp      []float32
	edge     []float32 // room for [4][4][lane] numbers: a tile that does not fit y
	tileArgs tileArgs
	fetchY   fetcher  // what output is about to write
	fetchX   fetcher  // and the next block's input
	ahead    [][2]int // that block's tiles
}

// image is a phase of the output: every pixel, or every second one in each direction.
type image struct {
	rows, cols           int
	first                int // pixel of y
	rowPixels, colPixels int // from one to the next
}

// tileLists are a block's tiles.
type tileLists struct {
	whole [][2]int // their places in m and y
	cut   [][2]int // the tiles that a border cuts: which of the block, and number
}

const (
	// weightRows is the number of input channels that one part of the transform of
	// the kernel covers, and of a piece of it.
	weightRows = 64
	pieceRows  = 64
	pieceRows2 = 64 // for stride 2

	fewTiles    = 160
	largeKernel = 2 << 20 // bytes, transformed
)

// newForward lays out the memory of a forward product.
func newForward(a *arena, k *kernels, g grid, r reduction, threads int) *forward {
	f := &forward{grid: g, kernelLayout: newKernelLayout(r), k: k}
	f.images[0] = image{rows: g.outH, cols: g.outW, rowPixels: g.outW, colPixels: 1}
	f.few = f.tiles() <= fewTiles && 4*f.chunks()*f.chunkSize() >= largeKernel && f.chunks() >= 2*threads
	if f.few {
		f.rows = pieceRows
		if f.stride2() {
			f.rows = f.evenPiece()
		}
		f.block = f.tiles()
		f.v = take[float32](a, f.pieces()*f.vSize(f.rows))
	} else {
		f.block = f.blockTiles(threads)
		if !f.given {
			f.u = take[float32](a, f.kernelLen())
		}
	}
	for i := range f.at {
		f.at[i], _ = f.offsets((i + 1) * lane)
	}
	f.zero = take[float32](a, zeroLen(&f.grid, f.c))
	f.workers = make([]forwardWorker, threads)
	for i := range f.workers {
		w := &f.workers[i]
		*w = forwardWorker{
			stripper: newStripper(a, &f.grid, f.c, k, f.zero),
			weighter: newWeighter(a, f.kernelLayout, k),
			m:        take[float32](a, f.mSize()*f.sums()),
			offset:   take[int](a, f.block),
			tmp:      take[float32](a, elements*lane),
			edge:     take[float32](a, tileOut*tileOut*lane),
		}
		if f.ins > 1 {
			w.inPlace = take[int](a, splitTile)
		}
		for out := range f.outs {
			w.tiles[out] = tileLists{take[[2]int](a, f.block+prefetchedTiles), take[[2]int](a, f.block)}
		}
		if f.few && !f.given {
			w.u = take[float32](a, f.chunkSize())
		}
		if !f.few {
			w.v = take[float32](a, f.vSize(f.cPad))
			w.ahead = take[[2]int](a, f.block*f.squares())
		}
	}
	return f
}

// newInputGrad2 lays out the memory for the input's gradient of a stride-2 convolution,
// which has h x w pixels.
func newInputGrad2(a *arena, k *kernels, g grid, r reduction, h, w, threads int) *forward {
	f := newForward(a, k, g, r, threads)
	for out, phase := range phases {
		top, left := 0, 0
		if phase.pairRows {
			top = 1
		}
		if phase.pairCols {
			left = 1
		}
		f.images[out] = image{(h + 1 - top) / 2, (w + 1 - left) / 2, top*w + left, 2 * w, 2}
	}
	f.outH, f.outW = h, w
	return f
}

// evenPiece returns into how many channels those of a stride-2 convolution are cut: all
// pieces are equal, since the phases of a piece lie side by side.
func (f *forward) evenPiece() int {
	blocks := pieceRows2 / lane
	for f.cPad/lane%blocks != 0 {
		blocks--
	}
	return blocks * lane
}

// blockTiles returns the tiles of a block: as many as keep v and m near the second
// level cache, and such that the threads get the same number of blocks.
func (f *forward) blockTiles(threads int) int {
	const budget, stride2 = 1 << 20, 64
	values, least := f.tile*f.cPad, f.k.block
	if f.stride2() { // whose kernel is twice as large, and read once a block
		least = stride2
	}
	if f.ins > 1 {
		values = splitTile * f.cPad
	}
	tiles := min(max(budget/(4*(values+elements*chunk)), least), 96)
	blocks := ceil(ceil(f.tiles(), tiles), threads) * threads
	return min(ceil(ceil(f.tiles(), blocks), 4)*4, f.tiles())
}

// blockRows returns the rows of a block's panels, at most.
func (f *forward) blockRows() int { return f.block + 2*f.k.panel }

// mSize returns the room for a block's products, of one phase of the output.
func (f *forward) mSize() int { return f.blockRows() * elements * chunk }

// sums returns how many phases of the output are summed at a time.
func (f *forward) sums() int {
	if f.few {
		return f.outs
	}
	return 1
}

// mOf returns the products of a phase of the output.
func (s *forwardWorker) mOf(f *forward, out int) []float32 {
	return s.m[out%f.sums()*f.mSize():]
}

// vSize returns the room for a block's transformed tiles of so many channels.
func (f *forward) vSize(channels int) int { return f.tile * (f.blockRows()*f.ins*channels + pad) }

func (f *forward) run(p *par.Pool, y, x, w numbers) {
	f.y, f.x, f.w = y, x, w
	clear(f.zero)
	if f.few {
		panels := newPanels(f.k, f.tiles())
		p.For(panels.count(), func(part, worker int) { f.workers[worker].panel(f, panels, part) })
		p.For(f.chunks(), func(part, worker int) { f.workers[worker].chunk(f, panels, part) })
		return
	}
	if !f.given {
		f.transformKernel(p, w)
	}
	p.For(ceil(f.tiles(), f.block), func(part, worker int) {
		t0 := part * f.block
		f.workers[worker].block(f, t0, min(t0+f.block, f.tiles()), p.Threads())
	})
}

// transformKernel transforms all of the kernel to u.
func (f *forward) transformKernel(p *par.Pool, w numbers) {
	groups, parts := ceil(f.c, weightRows), ceil(f.kernelLayout.k, lane)
	p.For(groups*parts, func(part, worker int) {
		k0, c0 := part/groups*lane, part%groups*weightRows
		f.workers[worker].weighter.run(w, k0, c0, min(c0+weightRows, f.cPad), f.u[k0/chunk*f.chunkSize():])
	})
}

// pieces returns into how many pieces the input channels are cut.
func (f *forward) pieces() int { return ceil(f.cPad, f.rows) }

// kernelLen returns the length of the transformed kernel.
func (f *forward) kernelLen() int { return f.chunks() * f.pieces() * f.chunkSize() }

// piece returns where a piece of a chunk of a kernel that is transformed already lies.
func (f *forward) piece(g, c0 int) []float32 {
	return f.u[(g*f.pieces()+c0/f.rows)*f.chunkSize():]
}

// block computes the outputs of tiles t0 to t1. As there are so many threads, this one's
// next block is likely so many further.
func (s *forwardWorker) block(f *forward, t0, t1, threads int) {
	panels := newPanels(f.k, t1-t0)
	s.transform(f, s.v, panels, 0, f.c, t0, t0, t1)
	s.sort(f, t0, t1)
	s.lookAhead(f, t0+threads*f.block)
	for g := range f.chunks() {
		s.fetchInput(f, g)
		for out := range f.outs {
			s.fetchOutput(f, g, out)
			s.products(f, g, out, panels, s.v, f.u[g*f.chunkSize():], f.cPad, false)
			s.output(f, g, out)
		}
	}
}

// fetchInput has the products of a chunk fetch their share of the next block's channels.
func (s *forwardWorker) fetchInput(f *forward, g int) {
	blocks, chunks := ceil(f.c, lane), f.chunks()
	c0, c1 := g*blocks/chunks*lane, min((g+1)*blocks/chunks*lane, f.c)
	s.fetchX.begin(f.k.fetch, f.x, s.ahead, c0, c1, f.c, f.grid.w, 1)
}

// fetchOutput has the products of a chunk fetch what is written next.
func (s *forwardWorker) fetchOutput(f *forward, g, out int) {
	k, im, tiles := f.kernelLayout.k, &f.images[out], s.tiles[out].whole
	if !f.fetches() {
		tiles = nil
	}
	s.fetchY.begin(f.k.fetch, f.y, tiles, g*chunk, min((g+1)*chunk, k), k, im.rowPixels, im.colPixels)
}

// fetches reports whether pixels are fetched ahead: where they come from far away.
func (f *forward) fetches() bool {
	return f.k.fetch != nil && f.n*f.outH*f.outW*f.kernelLayout.k*f.y.size >= largeImage
}

// lookAhead lists where the tiles of the block from t0 on begin in x.
func (s *forwardWorker) lookAhead(f *forward, t0 int) {
	s.ahead = s.ahead[:0]
	if f.fetches() {
		s.ahead = f.grid.pixels(s.ahead, t0, min(t0+f.block, f.tiles()), f.x.size*f.c)
	}
}

// panel transforms the tiles of one of all tiles' panels, piece by piece of the channels.
func (s *forwardWorker) panel(f *forward, panels panels, part int) {
	t0 := panels.start(part)
	t1 := min(panels.start(part+1), f.tiles())
	for c0 := 0; c0 < f.c; c0 += f.rows {
		s.transform(f, f.v[c0/f.rows*f.vSize(f.rows):], panels, c0, min(c0+f.rows, f.c), 0, t0, t1)
	}
}

// chunk computes the outputs of one chunk of channels.
func (s *forwardWorker) chunk(f *forward, panels panels, g int) {
	for c0 := 0; c0 < f.c; c0 += f.rows {
		rows, u := min(f.rows, f.cPad-c0), s.u
		if f.given {
			u = f.piece(g, c0)
		} else {
			s.weigh(f, g, c0, rows, u)
		}
		for out := range f.outs {
			s.products(f, g, out, panels, f.v[c0/f.rows*f.vSize(f.rows):], u, rows, c0 > 0)
		}
	}
	s.sort(f, 0, f.tiles())
	for out := range f.outs {
		s.output(f, g, out)
	}
}

// weigh transforms a piece of a chunk of the kernel, rows of it from c0 on, to u.
func (s *forwardWorker) weigh(f *forward, g, c0, rows int, u []float32) {
	for k0 := g * chunk; k0 < min((g+1)*chunk, f.kernelLayout.k); k0 += lane {
		s.weighter.run(f.w, k0, c0, c0+rows, u)
	}
}

// panelSize returns the floats of a panel's element of so many channels.
func (f *forward) panelSize(rows int) int { return f.k.panel * f.ins * rows }

// transform transforms channels c0 to c1 of tiles t0 to t1 to v, which holds the
// panels of the tiles from first on.
func (s *forwardWorker) transform(f *forward, v []float32, panels panels, c0, c1, first, t0, t1 int) {
	blocks := ceil(c1-c0, lane)
	panelSize := f.panelSize(blocks * lane)
	stride := panels.count()*panelSize + pad
	for t := t0; t < t1; t++ {
		panel, row := panels.at(t - first)
		s.offset[t-t0] = 4 * (panel*panelSize + row*lane)
	}
	for i := range s.inPlace {
		phase, e := splitAt(i)
		s.inPlace[i] = 4 * (e*stride + phase*blocks*f.k.panel*lane)
	}
	if rows := panels.rows(); rows > t1-first && t1 == min(first+f.block, f.tiles()) {
		// The last panel has rows without a tile, of which nothing is used. Zeros
		// are not slow, as what else is there may be.
		for e := range f.tile {
			clear(v[e*stride+stride-pad-panelSize:][:panelSize])
		}
	}
	s.stripper.run(f.x, c0, c1, t0, t1, v, f.k.panel*lane, stride, s.offset, s.inPlace)
}

// prefetched is how many floats a product of one channel reads ahead from next on.
const prefetched = 8

// products multiplies the tiles of panels by rows input channels of a chunk of the
// transformed kernel, on top of m if accumulate, for one phase of the output.
func (s *forwardWorker) products(f *forward, g, out int, panels panels, v, u []float32, rows int, accumulate bool) {
	columns := f.columns(g)
	width, full, short := f.k.width, f.k.fullWide, f.k.shortWide
	if columns < width {
		width, full, short = columns, f.k.fullLane, f.k.shortLane
	}
	panelSize := f.panelSize(rows)
	stride := panels.count()*panelSize + pad
	m := s.mOf(f, out)
	calls := f.tile * panels.count() * ceil(columns, width)
	every := max(1, calls/f.block) // so many products, tiles are fetched
	piecesY, piecesX := ceil(s.fetchY.pieces()*every, calls), ceil(s.fetchX.pieces()*every, calls)
	wait := every
	for e := range f.tile {
		first, count := f.summed(out, e)
		if count == 0 {
			for t := range panels.rows() {
				clear(m[(t*elements+e)*chunk:][:chunk])
			}
			continue
		}
		sum := count * rows
		ve := v[e*stride+first*rows*f.k.panel:]
		if f.k.lanes != nil && sum == lane && columns == lane && !accumulate {
			s.laneProducts(f, e, panels, ve, u[f.at[0][out][e]:], m)
			continue
		}
		for n := 0; n < columns; n += width {
			b := u[f.at[columns/chunk][out][e]+n*count*f.rows:]
			for i := range panels.count() {
				run := full
				if i >= panels.full {
					run = short
				}
				next := min(width*sum+i*prefetched*sum%(width*sum), len(b)-1)
				c := &m[(panels.start(i)*elements+e)*chunk+n]
				run(sum/lane, &ve[i*panelSize], &b[0], c, accumulate, &b[next])
				if wait--; wait == 0 {
					wait = every
					s.fetchY.step(piecesY)
					s.fetchX.step(piecesX)
				}
			}
		}
	}
}

// laneProducts multiplies the tiles of panels by lane channels to as many: an element of
// theirs. All full panels lie side by side, in the products too.
func (s *forwardWorker) laneProducts(f *forward, e int, panels panels, v, u, m []float32) {
	for i := 0; i < panels.count(); i++ {
		tiles := panels.shortRows
		first := i
		if i < panels.full {
			tiles, i = panels.full*panels.fullRows, panels.full-1
		}
		f.k.lanes(tiles, &v[first*f.panelSize(lane)], &u[0], &m[(panels.start(first)*elements+e)*chunk])
	}
}

// sort lists tiles t0 to t1 with their places in m and y, whole ones apart from
// those that a border cuts.
func (s *forwardWorker) sort(f *forward, t0, t1 int) {
	for out := range f.outs {
		l, im := &s.tiles[out], &f.images[out]
		l.whole, l.cut = l.whole[:0], l.cut[:0]
		for t := t0; t < t1; t++ {
			n, ty, tx := f.place(t)
			if tileOut*(ty+1) > im.rows || tileOut*(tx+1) > im.cols {
				l.cut = append(l.cut, [2]int{t - t0, t})
				continue
			}
			l.whole = append(l.whole, [2]int{4 * (t - t0) * elements * chunk, f.y.size * f.pixel(im, n, ty, tx) * f.kernelLayout.k})
		}
		l.whole = withAhead(l.whole)
	}
}

// pixel returns the first pixel of y of a tile.
func (f *forward) pixel(im *image, n, ty, tx int) int {
	return n*f.outH*f.outW + im.first + tileOut*(ty*im.rowPixels+tx*im.colPixels)
}

// output transforms m and writes a chunk of channels of y, of one phase.
func (s *forwardWorker) output(f *forward, g, out int) {
	k := f.kernelLayout.k
	l, im := &s.tiles[out], &f.images[out]
	for k0 := g * chunk; k0 < min((g+1)*chunk, k); k0 += lane {
		a := &s.tileArgs
		a.tmp, a.m, a.stride = &s.tmp[0], &s.mOf(f, out)[k0%chunk], 4*chunk
		f.finish.at(a, k0)
		if cols := k - k0; cols < lane {
			for _, at := range l.whole {
				s.outputCut(f, im, at[0], at[1]/f.y.size+k0, tileOut, tileOut, cols)
			}
		} else if len(l.whole) > 0 {
			a.y, a.rowStride, a.colStride = f.y.at(k0), f.y.size*im.rowPixels*k, f.y.size*im.colPixels*k
			a.offset, a.tiles = &l.whole[0], len(l.whole)
			f.inverse()(a)
		}
		for _, at := range l.cut {
			n, ty, tx := f.place(at[1])
			s.outputCut(f, im, 4*at[0]*elements*chunk, f.pixel(im, n, ty, tx)*k+k0,
				min(tileOut, im.rows-tileOut*ty), min(tileOut, im.cols-tileOut*tx), min(lane, k-k0))
		}
	}
}

// outputCut transforms one tile and copies height x width pixels of cols channels to
// y, from its number first on.
func (s *forwardWorker) outputCut(f *forward, im *image, m, first, height, width, cols int) {
	var offset [1 + prefetchedTiles][2]int
	offset[0][0] = m
	edge := float32s(s.edge)
	edge.size = f.y.size
	a := &s.tileArgs
	a.y, a.rowStride, a.colStride = edge.at(0), edge.size*tileOut*lane, edge.size*lane
	a.offset, a.tiles = &offset[0], 1
	pixels := func(move func(y, edge []byte)) {
		for i := range height {
			for j := range width {
				move(f.y.bytes(first+(i*im.rowPixels+j*im.colPixels)*f.kernelLayout.k, cols), edge.bytes((i*tileOut+j)*lane, cols))
			}
		}
	}
	if f.finish.Add {
		pixels(func(y, edge []byte) { copy(edge, y) })
	}
	f.inverse()(a)
	pixels(func(y, edge []byte) { copy(y, edge) })
}
