package winograd

import "unsafe"

// fetchFunc asks for lines of 64 bytes of each of a tile's 4x4 pixels.
type fetchFunc func(pixels *byte, rowStride, colStride, lines int)

// fetcher asks for the pixels of tiles ahead of their use, a tile at a time between
// products, which leave the paths to memory idle. Transforms move data as fast as those
// go, and would wait for what is not in the second-level cache.
type fetcher struct {
	fetch                fetchFunc
	tiles                [][2]int // whose second number is the byte where a tile begins
	first                unsafe.Pointer
	rowStride, colStride int
	lines                int
}

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

// step fetches the next tiles, as many as are due after one of so many steps.
func (l *fetcher) step(tiles int) {
	tiles = min(tiles, len(l.tiles))
	for _, at := range l.tiles[:tiles] {
		l.fetch((*byte)(unsafe.Add(l.first, at[1])), l.rowStride, l.colStride, l.lines)
	}
	l.tiles = l.tiles[tiles:]
}
