package winograd

import "unsafe"

// source is how tiles of an image are read and transformed.
type source int

const (
	sourceTile  source = iota // 6x6 pixels, four apart, to as many values
	sourceSplit               // 9x9 pixels, eight apart: what a stride-2 convolution reads
	sourcePair                // 5x5 pixels, four apart: its output's gradient
)

var sources = [...]struct {
	step, span int // pixels from a tile to the next, and of a tile
	maxRun     int // tiles transformed at once, at most: their strip stays in the first-level cache
}{{tileOut, tileIn, 16}, {2 * tileOut, splitSide, 6}, {tileOut, pairSide, 16}}

// columns returns how many columns of pixels a run of tiles has.
func (s source) columns(tiles int) int {
	return sources[s].step*(tiles-1) + sources[s].span
}

// stripCols returns the columns of the longest run, which a strip has room for.
func (s source) stripCols() int { return s.columns(sources[s].maxRun) }

// grid is a convolution seen from its output: the pixels read, padded, and the
// tiles of the pixels written, in the order of images, rows and columns.
type grid struct {
	source          source
	n, h, w         int // of the input
	padTop, padLeft int
	outH, outW      int
	th, tw          int // tiles of an image
}

func newGrid(source source, n, h, w, padTop, padLeft, outH, outW int) grid {
	return grid{source, n, h, w, padTop, padLeft, outH, outW, ceil(outH, tileOut), ceil(outW, tileOut)}
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

// start returns the first row of a panel.
func (p panels) start(panel int) int {
	if rest := panel - p.full; rest >= 0 {
		return p.full*p.fullRows + rest*p.shortRows
	}
	return panel * p.fullRows
}

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
	strip []float32 // [stripCols][span][lane]
	tail  []byte    // [span][stripCols][lane] numbers: the last channels, padded with zeros
	args  stripArgs
}

// zeroLen returns the length of the row of zeros.
func zeroLen(g *grid, c int) int { return min(g.w, g.source.stripCols()) * c }

func newStripper(a *arena, g *grid, c int, k *kernels, zero []float32) stripper {
	size := g.source.stripCols() * sources[g.source].span * lane
	return stripper{grid: g, c: c, k: k, zero: zero, strip: take[float32](a, size), tail: take[byte](a, 4*size)}
}

// run transforms channels c0 to c1 of tiles t0 to t1 of x, channel block after
// channel block, to v, where tile t lies offset[t-t0] bytes from the start and the
// next block of its channels blockStride floats further; elements are stride floats
// apart, or the values of sourceSplit lie at place, in bytes. c0 is a multiple of
// lane, and so is c1 if it is not the last channel.
func (s *stripper) run(x numbers, c0, c1, t0, t1 int, v []float32, blockStride, stride int, offset, place []int) {
	a := &s.args
	a.blockStride, a.stride = 4*blockStride, 4*stride
	a.ahead = x.size * sources[s.grid.source].step * s.grid.w * s.c
	if len(place) > 0 {
		a.place = &place[0]
	}
	for t := t0; t < t1; {
		n, ty, tx := s.grid.place(t)
		tiles := min(s.grid.tw-tx, sources[s.grid.source].maxRun, t1-t)
		a.tiles, a.offset = tiles, &offset[t-t0]
		s.segment(x, c0, c1, n, ty, tx, v)
		t += tiles
	}
}

// segment transforms a run of tiles in one row of tiles.
func (s *stripper) segment(x numbers, c0, c1, n, ty, tx int, v []float32) {
	g, a := s.grid, &s.args
	step, span := sources[g.source].step, sources[g.source].span
	left, top := step*tx-g.padLeft, step*ty-g.padTop
	cols := g.source.columns(a.tiles)
	from, to := min(max(0, -left), cols), max(min(cols, g.w-left), 0) // inside the image
	from = min(from, to)
	clear(s.strip[:from*span*lane])
	clear(s.strip[to*span*lane : cols*span*lane])
	a.strip, a.first, a.cols = &s.strip[0], 4*from*span*lane, to-from

	row := func(i int) int { // where the first pixel inside the image is, if there is one
		if y := top + i; y >= 0 && y < g.h && from < to {
			return ((n*g.h+y)*g.w + left + from) * s.c
		}
		return -1
	}
	rest := (c1 - c0) % lane
	if a.blocks = (c1 - c0) / lane; a.blocks > 0 {
		for i := range span {
			a.rows[i] = unsafe.Pointer(&s.zero[0])
			if r := row(i); r >= 0 {
				a.rows[i] = x.at(r + c0)
			}
		}
		a.colStride, a.v = x.size*s.c, &v[0]
		s.k.of(x).strips[g.source](a)
	}
	if rest == 0 {
		return
	}
	padded := lane * x.size
	for i := range span {
		tail := s.tail[i*cols*padded:][:cols*padded]
		a.rows[i] = unsafe.Pointer(&tail[0])
		clear(tail[:(to-from)*padded])
		if r := row(i); r >= 0 {
			for col := range to - from {
				copy(tail[col*padded:], x.bytes(r+col*s.c+c1-rest, rest))
			}
		}
	}
	a.colStride, a.v = padded, &v[a.blocks*a.blockStride/4]
	a.blocks = 1
	s.k.of(x).strips[g.source](a)
}

func ceil(a, b int) int { return (a + b - 1) / b }
