package winograd

import "unsafe"

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
	strip []float32 // [4·maxRun+2][6][lane]
	tail  []byte    // [6][4·maxRun+2][lane] numbers: the last channels, padded with zeros
	args  stripArgs
}

const stripCols = tileOut*maxRun + 2

// zeroLen returns the length of the row of zeros.
func zeroLen(g *grid, c int) int { return min(g.w, stripCols) * c }

func newStripper(a *arena, g *grid, c int, k *kernels, zero []float32) stripper {
	return stripper{
		grid: g, c: c, k: k, zero: zero,
		strip: take[float32](a, stripCols*tileIn*lane),
		tail:  take[byte](a, 4*tileIn*stripCols*lane),
	}
}

// run transforms channels c0 to c1 of tiles t0 to t1 of x, channel block after
// channel block, to v, where tile t lies offset[t-t0] bytes from the start and the
// next block of its channels blockStride floats further; elements are stride floats
// apart. c0 is a multiple of lane, and so is c1 if it is not the last channel.
func (s *stripper) run(x numbers, c0, c1, t0, t1 int, v []float32, blockStride, stride int, offset []int) {
	a := &s.args
	a.blockStride, a.stride = 4*blockStride, 4*stride
	for t := t0; t < t1; {
		n, ty, tx := s.grid.place(t)
		tiles := min(s.grid.tw-tx, maxRun, t1-t)
		a.tiles, a.offset = tiles, &offset[t-t0]
		s.segment(x, c0, c1, n, ty, tx, v)
		t += tiles
	}
}

// segment transforms a run of tiles in one row of tiles.
func (s *stripper) segment(x numbers, c0, c1, n, ty, tx int, v []float32) {
	g, a := s.grid, &s.args
	left, top := tileOut*tx-g.padLeft, tileOut*ty-g.padTop
	cols := tileOut*a.tiles + 2
	from, to := min(max(0, -left), cols), max(min(cols, g.w-left), 0) // inside the image
	from = min(from, to)
	clear(s.strip[:from*tileIn*lane])
	clear(s.strip[to*tileIn*lane : cols*tileIn*lane])
	a.strip, a.first, a.cols = &s.strip[0], 4*from*tileIn*lane, to-from

	row := func(i int) int { // where the first pixel inside the image is, if there is one
		if y := top + i; y >= 0 && y < g.h && from < to {
			return ((n*g.h+y)*g.w + left + from) * s.c
		}
		return -1
	}
	rest := (c1 - c0) % lane
	if a.blocks = (c1 - c0) / lane; a.blocks > 0 {
		for i := range a.rows {
			a.rows[i] = unsafe.Pointer(&s.zero[0])
			if r := row(i); r >= 0 {
				a.rows[i] = x.at(r + c0)
			}
		}
		a.colStride, a.v = x.size*s.c, &v[0]
		s.k.of(x).inputStrip(a)
	}
	if rest == 0 {
		return
	}
	padded := lane * x.size
	for i := range a.rows {
		tail := s.tail[i*stripCols*padded:][:stripCols*padded]
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
	s.k.of(x).inputStrip(a)
}

func ceil(a, b int) int { return (a + b - 1) / b }
