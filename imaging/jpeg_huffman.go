package imaging

import (
	"encoding/binary"
	"fmt"
)

// zigzag maps the order of coefficients in a file to natural order (T.81, figure
// 5). The last entries catch runs that pass the end of a damaged block.
var zigzag = [64 + 16]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
}

var errBadHuffman = fmt.Errorf("%w: bad Huffman table", ErrCorrupt)

// fastBits is how many bits the look-up tables take.
const fastBits = 10

// huffman is a code (T.81, annex C).
type huffman struct {
	// fast holds, for the next fastBits bits, symbol<<8 | length of the code, or 0
	// if the code is longer.
	fast [1 << fastBits]uint16
	// value holds, where code and coefficient fit fastBits together, coefficient<<16
	// | run<<8 | bits of both, or 0: one look-up instead of two.
	value  [1 << fastBits]int32
	limit  [18]uint32 // first 16-bit prefix beyond the codes of each length
	delta  [17]int32  // index of a code in symbols, less the code
	symbol [256]uint8
	ok     bool
}

// set builds the code from the number of codes of each length and the symbols; it
// returns how many symbols it took.
func (h *huffman) set(counts, symbols []byte, ac bool) (int, error) {
	n := 0
	for _, c := range counts {
		n += int(c)
	}
	if n == 0 || n > 256 || n > len(symbols) {
		return 0, errBadHuffman
	}
	*h = huffman{}
	copy(h.symbol[:], symbols[:n])
	code, index := 0, 0
	for length := 1; length <= 16; length++ {
		h.delta[length] = int32(index - code)
		for range counts[length-1] {
			if code >= 1<<length {
				return 0, errBadHuffman
			}
			if length <= fastBits {
				for k := range 1 << (fastBits - length) {
					h.fast[code<<(fastBits-length)|k] = uint16(symbols[index])<<8 | uint16(length)
				}
			}
			code++
			index++
		}
		h.limit[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	h.limit[17] = 1 << 16
	if ac {
		h.setValues()
	}
	h.ok = true
	return n, nil
}

// setValues fills h.value.
func (h *huffman) setValues() {
	for prefix, e := range h.fast {
		length, size, run := int(e&255), int(e>>8&15), int32(e>>12)
		if length == 0 || size == 0 || length+size > fastBits {
			continue
		}
		v := int32(prefix >> (fastBits - length - size) & (1<<size - 1))
		h.value[prefix] = extend(v, size)<<16 | run<<8 | int32(length+size)
	}
}

// extend is EXTEND of T.81, F.2.2.1: size bits to a signed value.
func extend(v int32, size int) int32 {
	if size > 0 && v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// bitReader reads the entropy-coded bytes of a scan, most significant bit first,
// without the zero that follows a 0xff. At a marker it goes on with zeros and
// counts them, so that the inner loops need no check; short tells afterwards.
type bitReader struct {
	data  []byte
	pos   int    // never beyond a marker
	acc   uint64 // the next n bits, at the top
	n     int
	zeros int // how many of the bits read in were made up
}

func (r *bitReader) start(pos int) { r.pos, r.acc, r.n, r.zeros = pos, 0, 0, 0 }

// short says whether bits were taken that the file does not have.
func (r *bitReader) short() bool { return r.n < r.zeros }

// fill makes sure of at least 32 bits, and of 57 where the file has them.
func (r *bitReader) fill() {
	if r.pos+8 <= len(r.data) {
		v := binary.BigEndian.Uint64(r.data[r.pos:])
		const low, high = 0x0101010101010101, 0x8080808080808080
		if (^v-low)&v&high == 0 { // no byte is 0xff
			r.acc |= v >> r.n
			took := (64 - r.n) >> 3
			r.pos += took
			r.n += 8 * took
			if r.n < 64 { // the bits behind are read again
				r.acc &^= 1<<(64-r.n) - 1
			}
			return
		}
	}
	for r.n <= 56 {
		var b byte
		switch {
		case r.pos >= len(r.data):
			r.zeros += 8
		case r.data[r.pos] != 0xff:
			b = r.data[r.pos]
			r.pos++
		case r.pos+1 < len(r.data) && r.data[r.pos+1] == 0:
			b = 0xff
			r.pos += 2
		default:
			r.zeros += 8
		}
		r.acc |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// need makes sure of 32 bits: a code and the bits that follow it.
func (r *bitReader) need() {
	if r.n < 32 {
		r.fill()
	}
}

// take reads count bits, at most 16; need was called before.
func (r *bitReader) take(count int) int32 {
	v := int32(r.acc >> (64 - count))
	r.acc <<= count
	r.n -= count
	return v
}

// symbolOf reads one code; need was called before. A code that is not in the
// table counts as 16 bits and symbol 0, as in libjpeg: a damaged picture fails
// where its data ends, or shows.
func (r *bitReader) symbolOf(h *huffman) int {
	if e := h.fast[r.acc>>(64-fastBits)]; e != 0 {
		r.acc <<= e & 255
		r.n -= int(e & 255)
		return int(e >> 8)
	}
	prefix := uint32(r.acc >> 48)
	length := fastBits + 1
	for prefix >= h.limit[length] {
		length++
	}
	if length > 16 {
		r.take(16)
		return 0
	}
	i := int32(prefix>>(16-length)) + h.delta[length]
	r.acc <<= length
	r.n -= length
	return int(h.symbol[i&255])
}
