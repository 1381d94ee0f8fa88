package winograd

import "unsafe"

// fetchFunc asks for lines of 64 bytes of each of a tile's 4x4 pixels.
type fetchFunc func(pixels *byte, rowStride, colStride, lines int)

// fetcher asks for the pixels of tiles ahead of their use, piece by piece between
// products, which leave the paths to memory idle. Transforms move data as fast as those
// go, and would wait for what is not in the second-level cache. A piece is two lines of
// each pixel of a tile.
type fetcher struct {
	fetch                fetchFunc
	tiles                [][2]int // whose second number is the byte where a tile begins
	first                unsafe.Pointer
	rowStride, colStride int
	lines                int // of a pixel
	next                 int // piece: of all tiles the first lines, then the next ones
}

// pieceLines is the number of lines of a piece: those of a chunk of float32.
const pieceLines = 2

// largeImage is the size in bytes from which on pixels are fetched ahead: they come from
// far away.
const largeImage = 8 << 20

// begin sets out to fetch channels c0 to c1 of tiles of an image of so many channels,
// whose pixels are rowPixels and colPixels apart.
func (l *fetcher) begin(fetch fetchFunc, of numbers, tiles [][2]int, c0, c1, channels, rowPixels, colPixels int) {
	if c0 >= c1 {
		tiles = nil
	}
	*l = fetcher{fetch: fetch, tiles: tiles}
	if len(tiles) > 0 {
		l.first, l.lines = of.at(c0), ceil((c1-c0)*of.size, align)
		l.rowStride, l.colStride = of.size*rowPixels*channels, of.size*colPixels*channels
	}
}

// pieces returns how many there are.
func (l *fetcher) pieces() int { return len(l.tiles) * ceil(l.lines, pieceLines) }

// step fetches the next pieces, so many.
func (l *fetcher) step(pieces int) {
	end := min(l.next+pieces, l.pieces())
	for ; l.next < end; l.next++ {
		tile, line := l.next%len(l.tiles), l.next/len(l.tiles)*pieceLines
		at := unsafe.Add(l.first, l.tiles[tile][1]+line*align)
		l.fetch((*byte)(at), l.rowStride, l.colStride, min(pieceLines, l.lines-line))
	}
}

// squares returns how many squares of 4x4 pixels the tiles of the input are apart, to
// either side.
func (g *grid) squares() int {
	side := sources[g.source].step / tileOut
	return side * side
}

// pixels appends where the squares of 4x4 pixels of tiles t0 to t1 begin in the input,
// whose pixels have so many bytes.
func (g *grid) pixels(list [][2]int, t0, t1, bytes int) [][2]int {
	step := sources[g.source].step
	for t := t0; t < t1; t++ {
		n, ty, tx := g.place(t)
		for y := step * ty; y < min(step*(ty+1), g.h); y += tileOut {
			for x := step * tx; x < min(step*(tx+1), g.w); x += tileOut {
				list = append(list, [2]int{0, ((n*g.h+y)*g.w + x) * bytes})
			}
		}
	}
	return list
}
