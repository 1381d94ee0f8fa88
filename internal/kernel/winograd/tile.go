package winograd

// maxRun is the longest run of tiles that is transformed at once: its strip, four
// columns a tile, stays in the first-level cache.
const maxRun = 16

// grid is a convolution seen from its output: the pixels read, padded, and the
// tiles of the pixels written, in the order of images, rows and columns.
type grid struct {
	n, h, w         int // of the input
	padTop, padLeft int
	outH, outW      int
	th, tw          int // tiles of an image
}

func newGrid(n, h, w, padTop, padLeft, outH, outW int) grid {
	return grid{n, h, w, padTop, padLeft, outH, outW, ceil(outH, tileOut), ceil(outW, tileOut)}
}

func (g *grid) tiles() int { return g.n * g.th * g.tw }

// place returns the image, row and column of tiles of a tile.
func (g *grid) place(tile int) (n, ty, tx int) {
	return tile / (g.th * g.tw), tile / g.tw % g.th, tile % g.tw
}

// panels is how a block's tiles are divided for the products: full panels first,
// then short ones. The last panel may hold fewer tiles than it has rows.
type panels struct {
	full, short         int // how many
	fullRows, shortRows int
}

func newPanels(k *kernels, tiles int) panels {
	full, rest := tiles/k.panel, tiles%k.panel
	p := panels{full: full, fullRows: k.panel, shortRows: k.short}
	switch {
	case rest == 0:
	case rest > k.short:
		p.full++
	case full > 0 && k.panel+rest <= 2*k.short:
		p.full, p.short = full-1, 2
	default:
		p.short = 1
	}
	return p
}

func (p panels) count() int { return p.full + p.short }

// rows returns how many rows of products the panels give, tiles or not.
func (p panels) rows() int { return p.full*p.fullRows + p.short*p.shortRows }

// at returns the panel that holds a tile and the row in it.
func (p panels) at(tile int) (panel, row int) {
	if rest := tile - p.full*p.fullRows; rest >= 0 {
		return p.full + rest/p.shortRows, rest % p.shortRows
	}
	return tile / p.fullRows, tile % p.fullRows
}

// stripper transforms input tiles; each worker has its own.
type stripper struct {
	grid  *grid
	c     int // channels of x
	k     *kernels
	zero  []float32 // a row of the image in the padding, shared
	strip []float32 // [4·maxRun+2][6][lane]
	tail  []float32 // [6][4·maxRun+2][lane]: the last channels, padded with zeros
	args  stripArgs
}

const stripCols = tileOut*maxRun + 2

// zeroLen returns the length of the row of zeros.
func zeroLen(g *grid, c int) int { return min(g.w, stripCols) * c }

func newStripper(a *arena, g *grid, c int, k *kernels, zero []float32) stripper {
	return stripper{
		grid: g, c: c, k: k, zero: zero,
		strip: take[float32](a, stripCols*tileIn*lane),
		tail:  take[float32](a, tileIn*stripCols*lane),
	}
}

// run transforms tiles t0 to t1 of x, channel block after channel block, to v,
// where tile t lies offset[t-t0] bytes from the start and the next block of its
// channels blockStride floats further; elements are stride floats apart.
func (s *stripper) run(x []float32, t0, t1 int, v []float32, blockStride, stride int, offset []int) {
	for t := t0; t < t1; {
		n, ty, tx := s.grid.place(t)
		tiles := min(s.grid.tw-tx, maxRun, t1-t)
		s.segment(x, n, ty, tx, tiles, v, blockStride, stride, offset[t-t0:])
		t += tiles
	}
}

// segment transforms a run of tiles in one row of tiles.
func (s *stripper) segment(x []float32, n, ty, tx, tiles int, v []float32, blockStride, stride int, offset []int) {
	g := s.grid
	left, top := tileOut*tx-g.padLeft, tileOut*ty-g.padTop
	cols := tileOut*tiles + 2
	from, to := min(max(0, -left), cols), max(min(cols, g.w-left), 0) // inside the image
	from = min(from, to)
	clear(s.strip[:from*tileIn*lane])
	clear(s.strip[to*tileIn*lane : cols*tileIn*lane])

	a := &s.args
	for i := range a.rows {
		a.rows[i] = &s.zero[0]
		if y := top + i; y >= 0 && y < g.h && from < to {
			a.rows[i] = &x[((n*g.h+y)*g.w+left+from)*s.c]
		}
	}
	a.strip, a.first, a.cols, a.colStride = &s.strip[0], 4*from*tileIn*lane, to-from, 4*s.c
	a.blocks, a.blockStride = s.c/lane, 4*blockStride
	a.v, a.stride, a.tiles, a.offset = &v[0], 4*stride, tiles, &offset[0]
	if a.blocks > 0 {
		s.k.inputStrip(a)
	}
	rest := s.c % lane
	if rest == 0 {
		return
	}
	first := s.c - rest
	for i := range a.rows {
		row := s.tail[i*stripCols*lane:][:(to-from)*lane]
		clear(row)
		a.rows[i] = &s.tail[i*stripCols*lane]
		if y := top + i; y >= 0 && y < g.h {
			for col := range to - from {
				copy(row[col*lane:], x[((n*g.h+y)*g.w+left+from+col)*s.c+first:][:rest])
			}
		}
	}
	a.colStride, a.blocks, a.v = 4*lane, 1, &v[first/lane*blockStride]
	s.k.inputStrip(a)
}

func ceil(a, b int) int { return (a + b - 1) / b }
