package winograd

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/par"
)

// kernelGrad is the gradient of a kernel: 36 products of transformed input and
// transformed gradient (81 for stride 2, where up to four values of the input meet one
// of the gradient), summed over all tiles. It takes one of two ways.
//
// Narrow layers have many tiles and small sums. The tiles are cut into slices, as
// many for any number of threads; a worker takes a slice at a time and transforms
// and multiplies block after block of its tiles. The slices' sums are added in order.
//
// Wide layers have few tiles and large sums. All tiles (or as many as fit) are
// transformed first; then a worker takes an area of input by output channels at a
// time, whose sums stay in its second-level cache.
//
// Either way a sum's order depends on the shape alone.
type kernelGrad struct {
	grid
	c, k    int
	kernels *kernels
	values  int // of a transformed tile of the input: as many products
	points  int // of a transformed tile of the gradient
	cBlocks int // of lane input channels
	panels  int // of width output channels
	slices  int // of the tiles, 0 for the wide layers' way
	block   int // tiles transformed before a product
	areaC   int // blocks of input channels of an area
	areaK   int // panels of output channels of an area
	areas   int // of input channels; the same for output channels is areasK
	areasK  int
	zero    []float32
	v, z    []float32 // the wide layers' transformed tiles
	sums    []float32 // [slice][value][panel][block][lane][width]
	sumSize int       // of a slice or an area
	workers []gradWorker
	dw      []float32
	x, y    numbers
}

type gradWorker struct {
	stripper
	v, z     []float32 // [value or point][block or panel][tile][lane or width]
	offset   []int     // of tiles in v
	inPlace  []int     // of a tile's values in v, for stride 2
	whole    [][2]int  // of whole tiles in z and y
	cut      [][2]int
	edge     []float32 // room for [4][4][lane] numbers
	taps     []float32 // [9][lane][lane]
	tmp      []float32
	sums     []float32 // of an area
	tileArgs tileArgs
	dwArgs   weightArgs

	fetchX, fetchY fetcher // the next block of a slice
	aheadX, aheadY [][2]int
}

const (
	maxSlices    = 16
	minSlices    = 4        // fewer would leave threads idle: go the wide layers' way
	sliceTiles   = 64       // at least
	sliceBlock   = 64       // transformed before a product: fewer read the sums too often
	slicesBytes  = 20 << 20 // of all slices' sums, at most
	batchBytes   = 24 << 20 // of the wide layers' transformed tiles, at most
	wideTiles    = 16       // transformed by one part
	productTiles = 128      // of one product: the panels stay in the first-level cache
)

// newKernelGrad lays out the memory of a kernel gradient.
func newKernelGrad(a *arena, ks *kernels, g grid, c, k, threads int) *kernelGrad {
	f := &kernelGrad{grid: g, c: c, k: k, kernels: ks, cBlocks: ceil(c, lane), panels: ceil(k, ks.width)}
	f.values, f.points = elements, elements
	if f.stride2() {
		f.values, f.points = splitTile, pairTile
	}
	sums := f.values * (f.cBlocks*f.panels*lane*ks.width + pad)
	f.slices = min(maxSlices, slicesBytes/(4*sums), f.tiles()/sliceTiles)
	perTile := 4 * (f.values*f.cBlocks*lane + f.points*f.panels*ks.width)
	if f.slices >= minSlices {
		f.areaC, f.areaK = f.cBlocks, f.panels
		f.block = min(sliceBlock, ceil(f.tiles(), f.slices)+1) &^ 1
		f.sumSize = sums
		f.sums = take[float32](a, f.slices*sums)
	} else {
		f.slices = 0
		f.block = min(max(batchBytes/perTile, 2*wideTiles)/wideTiles*wideTiles, f.tiles()+f.tiles()&1)
		f.areaC, f.areaK = min(4, f.cBlocks), min(64/ks.width, f.panels)
		if ceil(f.cBlocks, f.areaC)*ceil(f.panels, f.areaK) < 4*threads {
			f.areaC, f.areaK = min(2, f.cBlocks), min(32/ks.width, f.panels)
		}
		f.v = take[float32](a, f.vSize())
		f.z = take[float32](a, f.zSize())
	}
	f.areas, f.areasK = ceil(f.cBlocks, f.areaC), ceil(f.panels, f.areaK)
	if f.slices == 0 {
		f.sumSize = f.values * (f.areaC*f.areaK*lane*ks.width + pad)
		if f.block < f.tiles() {
			f.sums = take[float32](a, f.areas*f.areasK*f.sumSize)
		}
	}
	f.zero = take[float32](a, zeroLen(&f.grid, c))
	f.workers = make([]gradWorker, threads)
	for i := range f.workers {
		f.workers[i] = f.newWorker(a)
	}
	return f
}

func (f *kernelGrad) newWorker(a *arena) gradWorker {
	w := gradWorker{
		stripper: newStripper(a, &f.grid, f.c, f.kernels, f.zero),
		edge:     take[float32](a, tileOut*tileOut*lane),
		taps:     take[float32](a, 9*lane*lane),
		tmp:      take[float32](a, elements*lane),
	}
	tiles := f.block
	if f.slices == 0 {
		tiles = wideTiles
		if f.sums == nil {
			w.sums = take[float32](a, f.sumSize)
		}
	} else {
		w.v = take[float32](a, f.vSize())
		w.z = take[float32](a, f.zSize())
		w.aheadX = take[[2]int](a, tiles*f.squares())
		w.aheadY = take[[2]int](a, tiles)
	}
	w.offset = take[int](a, tiles)
	if f.stride2() {
		w.inPlace = take[int](a, splitTile)
	}
	w.whole = take[[2]int](a, tiles+prefetchedTiles)
	w.cut = take[[2]int](a, tiles)
	return w
}

// vStride and zStride return the floats between elements of transformed tiles.
func (f *kernelGrad) vStride() int { return f.cBlocks*f.block*lane + pad }
func (f *kernelGrad) zStride() int { return f.panels*f.block*f.kernels.width + pad }
func (f *kernelGrad) vSize() int   { return f.values * f.vStride() }
func (f *kernelGrad) zSize() int   { return f.points * f.zStride() }

// stride2 reports whether the convolution has stride 2.
func (f *kernelGrad) stride2() bool { return f.source == sourceSplit }

// point returns which value of the gradient meets a value of the input.
func (f *kernelGrad) point(value int) int {
	if !f.stride2() {
		return value
	}
	_, e := splitAt(value)
	return e
}

// width returns the output channels of a panel.
func (f *kernelGrad) width(panel int) int {
	return min(f.kernels.width, ceil(f.k-panel*f.kernels.width, lane)*lane)
}

func (f *kernelGrad) run(p *par.Pool, dw []float32, x, y numbers) {
	f.dw, f.x, f.y = dw, x, y
	clear(f.zero)
	if f.slices > 0 {
		p.For(f.slices, func(part, worker int) { f.workers[worker].slice(f, part) })
		p.For(f.cBlocks*f.panels, func(part, worker int) { f.workers[worker].reduce(f, part) })
		return
	}
	for t0 := 0; t0 < f.tiles(); t0 += f.block {
		t1 := min(t0+f.block, f.tiles())
		p.For(ceil(t1-t0, wideTiles), func(part, worker int) {
			from := t0 + part*wideTiles
			f.workers[worker].transform(f, f.v, f.z, from-t0, from, min(from+wideTiles, t1))
		})
		p.For(f.areas*f.areasK, func(part, worker int) { f.workers[worker].area(f, part, t0, t1) })
	}
}

// slice sums over one slice's tiles.
func (s *gradWorker) slice(f *kernelGrad, part int) {
	t0, t1 := part*f.tiles()/f.slices, (part+1)*f.tiles()/f.slices
	sums := f.sums[part*f.sumSize:][:f.sumSize]
	for t := t0; t < t1; t += f.block {
		n := min(f.block, t1-t)
		s.transform(f, s.v, s.z, 0, t, t+n)
		s.lookAhead(f, t+n, min(t+n+f.block, t1))
		s.multiply(f, s.v, s.z, n, 0, 0, sums, t > t0)
	}
}

// lookAhead has the next products fetch tiles t0 to t1 of input and gradient.
func (s *gradWorker) lookAhead(f *kernelGrad, t0, t1 int) {
	s.aheadX, s.aheadY = s.aheadX[:0], s.aheadY[:0]
	if f.kernels.fetch != nil && f.x.size*f.n*f.h*f.w*f.c >= largeImage {
		s.aheadX = f.pixels(s.aheadX, t0, t1, f.x.size*f.c)
		for t := t0; t < t1; t++ {
			n, ty, tx := f.place(t)
			s.aheadY = append(s.aheadY, [2]int{0, f.y.size * ((n*f.outH+tileOut*ty)*f.outW + tileOut*tx) * f.k})
		}
	}
	s.fetchX.begin(f.kernels.fetch, f.x, s.aheadX, 0, f.c, f.c, f.w, 1)
	s.fetchY.begin(f.kernels.fetch, f.y, s.aheadY, 0, f.k, f.k, f.outW, 1)
}

// reduce adds the slices' sums for a block of input and a panel of output channels,
// and transforms them to the kernel.
func (s *gradWorker) reduce(f *kernelGrad, part int) {
	stride := f.sumSize / f.values
	size := lane * f.kernels.width
	for i := 1; i < f.slices; i++ {
		for e := range f.values {
			at := e*stride + part*size
			f.kernels.addTo(&f.sums[at], &f.sums[i*f.sumSize+at], size/lane)
		}
	}
	s.kernel(f, f.sums[part*size:], stride, part%f.cBlocks, part/f.cBlocks)
}

// area sums over tiles t0 to t1 for an area of channels, and transforms the sums to
// the kernel if those are the last tiles.
func (s *gradWorker) area(f *kernelGrad, part, t0, t1 int) {
	sums := s.sums
	if f.sums != nil {
		sums = f.sums[part*f.sumSize:][:f.sumSize]
	}
	block, panel := part%f.areas*f.areaC, part/f.areas*f.areaK
	s.multiply(f, f.v, f.z, t1-t0, block, panel, sums, t0 > 0)
	if t1 < f.tiles() {
		return
	}
	for p := panel; p < min(panel+f.areaK, f.panels); p++ {
		for b := block; b < min(block+f.areaC, f.cBlocks); b++ {
			at := ((p-panel)*f.areaC + b - block) * lane * f.kernels.width
			s.kernel(f, sums[at:], f.sumSize/f.values, b, p)
		}
	}
}

// multiply adds the products of n transformed tiles to the sums of an area of
// channels that begins at a block and a panel, or sets the sums to them.
func (s *gradWorker) multiply(f *kernelGrad, v, z []float32, n, block, panel int, sums []float32, accumulate bool) {
	width := f.kernels.width
	blocks, panels := min(f.areaC, f.cBlocks-block), min(f.areaK, f.panels-panel)
	even := n + n&1 // the row after an odd number is zero
	calls := f.values * ceil(even, productTiles) * panels * blocks
	piecesX, piecesY, call := s.fetchX.pieces(), s.fetchY.pieces(), 0
	for e := range f.values {
		ve := v[e*f.vStride()+block*f.block*lane:]
		ze := z[f.point(e)*f.zStride()+panel*f.block*width:]
		se := sums[e*(f.sumSize/f.values):]
		ahead := f.ahead(v, z, min(e+1, f.values-1), block, panel, blocks, panels)
		for t := 0; t < even; t += productTiles {
			rows := min(productTiles, even-t)
			for p := range panels {
				columns := f.width(panel + p)
				groups := f.kernels.gradWide
				if columns < width {
					groups = f.kernels.gradLane
				}
				b := &ze[p*f.block*width+t*columns]
				for q := range blocks {
					a := ve[q*f.block*lane+t*lane:]
					c := se[(p*f.areaC+q)*lane*width:]
					row := 0
					for _, g := range groups {
						g.run(rows, &a[row], b, &c[row*columns], accumulate || t > 0, ahead.next(rows))
						row += g.rows
					}
					call++
					s.fetchX.step(piecesX*call/calls - s.fetchX.next)
					s.fetchY.step(piecesY*call/calls - s.fetchY.next)
				}
			}
		}
	}
}

// prefetcher hands the products of an element the next one's data, piece by piece.
type prefetcher struct{ v, z []float32 }

func (f *kernelGrad) ahead(v, z []float32, e, block, panel, blocks, panels int) prefetcher {
	return prefetcher{
		v[e*f.vStride()+block*f.block*lane:][:blocks*f.block*lane],
		z[f.point(e)*f.zStride()+panel*f.block*f.kernels.width:][:panels*f.block*f.kernels.width],
	}
}

// next returns where the product of so many rows shall prefetch from.
func (p *prefetcher) next(rows int) *float32 {
	from := &p.v
	if len(p.v) < 2 {
		from = &p.z
	}
	at := &(*from)[0]
	*from = (*from)[min(rows/2*align/4, len(*from)-1):]
	return at
}

// transform transforms tiles t0 to t1 of input and gradient to the places from on
// in v and z.
func (s *gradWorker) transform(f *kernelGrad, v, z []float32, from, t0, t1 int) {
	n := t1 - t0
	for t := range n {
		s.offset[t] = 4 * (from + t) * lane
	}
	for i := range s.inPlace {
		s.inPlace[i] = 4 * i * f.vStride()
	}
	s.stripper.run(f.x, 0, f.c, t0, t1, v, f.block*lane, f.vStride(), s.offset, s.inPlace)
	s.sort(f, from, t0, t1)
	for k0 := 0; k0 < f.k; k0 += lane {
		s.gradient(f, z, k0, from)
	}
	if n%2 == 0 {
		return
	}
	for e := range f.values {
		for q := range f.cBlocks {
			clear(v[e*f.vStride()+(q*f.block+from+n)*lane:][:lane])
		}
	}
	for e := range f.points {
		for p := range f.panels {
			columns := f.width(p)
			clear(z[e*f.zStride()+p*f.block*f.kernels.width+(from+n)*columns:][:columns])
		}
	}
}

// sort lists whole tiles with their places in z, for panels of full width, and y;
// and those that a border cuts, with their place and number.
func (s *gradWorker) sort(f *kernelGrad, from, t0, t1 int) {
	s.whole, s.cut = s.whole[:0], s.cut[:0]
	for t := t0; t < t1; t++ {
		n, ty, tx := f.place(t)
		if tileOut*(ty+1) > f.outH || tileOut*(tx+1) > f.outW {
			s.cut = append(s.cut, [2]int{from + t - t0, t})
			continue
		}
		pixel := (n*f.outH+tileOut*ty)*f.outW + tileOut*tx
		s.whole = append(s.whole, [2]int{4 * (from + t - t0) * f.kernels.width, f.y.size * pixel * f.k})
	}
	s.whole = withAhead(s.whole)
}

// gradient transforms lane channels of the sorted tiles' gradient to z.
func (s *gradWorker) gradient(f *kernelGrad, z []float32, k0, from int) {
	width := f.kernels.width
	panel := k0 / width
	columns := f.width(panel)
	if columns < width { // the last panel: its rows are shorter
		for i := range s.whole {
			s.whole[i][0] = s.whole[i][0] / width * columns
		}
	}
	a := &s.tileArgs
	a.tmp, a.m, a.stride = &s.tmp[0], &z[panel*f.block*width+k0%width], 4*f.zStride()
	if f.k-k0 >= lane {
		if len(s.whole) > 0 {
			a.y, a.rowStride, a.colStride = f.y.at(k0), f.y.size*f.outW*f.k, f.y.size*f.k
			a.offset, a.tiles = &s.whole[0], len(s.whole)
			f.kernels.of(f.y).stride(f.stride2()).grad(a)
		}
	} else {
		for _, at := range s.whole {
			s.gradientCut(f, at[0], at[1]/f.y.size+k0, tileOut, tileOut, f.k-k0)
		}
	}
	for _, at := range s.cut {
		n, ty, tx := f.place(at[1])
		pixel := (n*f.outH+tileOut*ty)*f.outW + tileOut*tx
		s.gradientCut(f, 4*at[0]*columns, pixel*f.k+k0,
			min(tileOut, f.outH-tileOut*ty), min(tileOut, f.outW-tileOut*tx), min(lane, f.k-k0))
	}
}

// gradientCut transforms one tile of which y has height x width pixels of cols
// channels, from its number first on; the others' gradient is zero.
func (s *gradWorker) gradientCut(f *kernelGrad, m, first, height, width, cols int) {
	clear(s.edge)
	edge := float32s(s.edge)
	edge.size = f.y.size
	for i := range height {
		for j := range width {
			copy(edge.bytes((i*tileOut+j)*lane, cols), f.y.bytes(first+(i*f.outW+j)*f.k, cols))
		}
	}
	var offset [1 + prefetchedTiles][2]int
	offset[0][0] = m
	a := &s.tileArgs
	a.y, a.rowStride, a.colStride = edge.at(0), edge.size*tileOut*lane, edge.size*lane
	a.offset, a.tiles = &offset[0], 1
	f.kernels.of(f.y).stride(f.stride2()).grad(a)
}

// kernel transforms the sums of a block of input and a panel of output channels,
// whose elements are stride floats apart, to the kernel's gradient.
func (s *gradWorker) kernel(f *kernelGrad, sums []float32, stride, block, panel int) {
	columns := f.width(panel)
	rows := min(lane, f.c-block*lane)
	out := f.kernels.kernelOut
	if f.stride2() {
		out = f.kernels.splitKernelOut
	}
	a := &s.dwArgs
	a.tmp, a.rows, a.fromRow, a.stride = &s.tmp[0], rows, 4*columns, 4*stride
	for n := 0; n < columns; n += lane {
		k0 := panel*f.kernels.width + n
		dw := f.dw[block*lane*f.k+k0:]
		a.from = unsafe.Pointer(&sums[n])
		if f.k-k0 >= lane {
			a.to, a.toRow, a.tap = &dw[0], 4*f.k, 4*f.c*f.k
			out(a)
			continue
		}
		a.to, a.toRow, a.tap = &s.taps[0], 4*lane, 4*lane*lane
		out(a)
		for tap := range 9 {
			for r := range rows {
				copy(dw[(tap*f.c+r)*f.k:][:f.k-k0], s.taps[(tap*lane+r)*lane:])
			}
		}
	}
}
