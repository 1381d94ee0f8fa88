package imaging

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// bmpHeader is the file and bitmap headers of a BMP file.
type bmpHeader struct {
	w, h        int
	topDown     bool
	bits        int
	compression uint32
	pixels      int // offset of the pixel data
	mask        [3]uint32
	palette     []byte // entries of entry bytes: blue, green, red
	entry       int
}

// BMP compressions (BITMAPINFOHEADER, biCompression).
const (
	bmpRGB       = 0
	bmpRLE8      = 1
	bmpRLE4      = 2
	bmpBitfields = 3
	bmpAlphaBits = 6
)

// parseBMP reads the headers of OS/2 1 (12 bytes) to Windows 5 (124 bytes).
func parseBMP(data []byte) (*bmpHeader, error) {
	le := binary.LittleEndian
	if len(data) < 26 {
		return nil, errShortHeader
	}
	size := int(le.Uint32(data[14:]))
	b := &bmpHeader{pixels: int(le.Uint32(data[10:])), entry: 4}
	colours := 0
	switch {
	case size == 12:
		b.w, b.h = int(le.Uint16(data[18:])), int(int16(le.Uint16(data[20:])))
		b.bits, b.entry = int(le.Uint16(data[24:])), 3
	case size >= 40 && size <= 256:
		if len(data) < 14+size {
			return nil, errShortHeader
		}
		b.w, b.h = int(int32(le.Uint32(data[18:]))), int(int32(le.Uint32(data[22:])))
		b.bits, b.compression = int(le.Uint16(data[28:])), le.Uint32(data[30:])
		colours = int(le.Uint32(data[46:]))
	default:
		return nil, fmt.Errorf("%w: a BMP header of %d bytes; convert it to PNG", ErrUnsupported, size)
	}
	if b.h < 0 {
		b.h, b.topDown = -b.h, true
	}
	after := 14 + size // where the masks of the smallest header and the palette begin
	if err := b.setMasks(data, size, &after); err != nil {
		return nil, err
	}
	if b.bits <= 8 {
		if colours <= 0 || colours > 1<<b.bits {
			colours = 1 << b.bits
		}
		end := after + colours*b.entry
		if b.pixels >= after { // a palette may be shorter than its header says
			end = min(end, b.pixels)
		}
		if end > len(data) {
			return nil, errShortHeader
		}
		b.palette = data[after:end]
	}
	if b.pixels < after || b.pixels > len(data) {
		return nil, fmt.Errorf("%w: the pixels lie outside the file", ErrCorrupt)
	}
	return b, nil
}

// setMasks checks depth and compression and finds the masks of the channels.
func (b *bmpHeader) setMasks(data []byte, size int, after *int) error {
	le := binary.LittleEndian
	unsupported := fmt.Errorf("%w: BMP with %d bits and compression %d; convert it to PNG", ErrUnsupported, b.bits, b.compression)
	switch b.compression {
	case bmpRGB:
		switch b.bits {
		case 1, 2, 4, 8, 24:
		case 16:
			b.mask = [3]uint32{0x7c00, 0x03e0, 0x001f}
		case 32:
			b.mask = [3]uint32{0xff0000, 0x00ff00, 0x0000ff}
		default:
			return unsupported
		}
	case bmpRLE8, bmpRLE4:
		if b.compression == bmpRLE8 && b.bits != 8 || b.compression == bmpRLE4 && b.bits != 4 {
			return unsupported
		}
	case bmpBitfields, bmpAlphaBits:
		if b.bits != 16 && b.bits != 32 {
			return unsupported
		}
		if len(data) < 14+40+12 {
			return errShortHeader
		}
		for c := range b.mask {
			b.mask[c] = le.Uint32(data[54+4*c:])
		}
		if size == 40 {
			*after += 12
			if b.compression == bmpAlphaBits {
				*after += 4
			}
		}
	default:
		return unsupported
	}
	return nil
}

// rowBytes is the size of a row in the file, padded to four bytes.
func (b *bmpHeader) rowBytes() int { return (b.w*b.bits + 31) / 32 * 4 }

func (h *header) readBMP(data []byte) error {
	b, err := parseBMP(data)
	if err != nil {
		return err
	}
	h.w, h.h, h.channels = b.w, b.h, 3
	if b.w < 1 || b.h < 1 || b.w > 1<<24 || b.h > 1<<24 {
		return nil // refused by the general check
	}
	if b.compression == bmpRLE4 || b.compression == bmpRLE8 {
		h.perPixel = 1
		return nil
	}
	// Pixels that are not compressed must be there, so that a short file cannot
	// ask for a large picture; the last row's padding may be missing.
	need := int64(b.rowBytes())*int64(b.h-1) + int64((b.w*b.bits+7)/8)
	if int64(len(data)-b.pixels) < need {
		return fmt.Errorf("%w: the file is cut off", ErrCorrupt)
	}
	return nil
}

func decodeBMP(data []byte, channels int) (*Image, error) {
	b, err := parseBMP(data)
	if err != nil {
		return nil, err
	}
	var table palette
	for i := range len(b.palette) / b.entry {
		p := b.palette[i*b.entry:]
		table.rgb[i] = [3]uint8{p[2], p[1], p[0]}
	}
	table.setGray()
	indices := make([]uint8, b.w)
	var rle []uint8
	if b.compression == bmpRLE4 || b.compression == bmpRLE8 {
		if rle, err = b.expandRLE(data[b.pixels:]); err != nil {
			return nil, err
		}
	}
	m := New(b.w, b.h, channels)
	for i := range b.h {
		y := b.h - 1 - i
		if b.topDown {
			y = i
		}
		row := m.Row(y)
		if rle != nil {
			table.expand(row, rle[i*b.w:][:b.w], channels)
			continue
		}
		src := data[b.pixels+i*b.rowBytes():]
		switch b.bits {
		case 24:
			for x := range b.w {
				put(row, x, channels, src[3*x+2], src[3*x+1], src[3*x])
			}
		case 16, 32:
			b.maskedRow(row, src, channels)
		default:
			perByte := 8 / b.bits
			for x := range indices {
				shift := 8 - b.bits*(x%perByte+1)
				indices[x] = src[x/perByte] >> shift & (1<<b.bits - 1)
			}
			table.expand(row, indices, channels)
		}
	}
	return m, nil
}

// maskedRow converts a row of 16- or 32-bit pixels; a channel of n bits is
// stretched to 0..255, rounded down as in Pillow.
func (b *bmpHeader) maskedRow(row, src []uint8, channels int) {
	var shift [3]int
	var top [3]uint64
	for c, m := range b.mask {
		if m != 0 {
			shift[c] = bits.TrailingZeros32(m)
			top[c] = uint64(m >> shift[c])
		}
	}
	for x := range b.w {
		var v uint32
		if b.bits == 16 {
			v = uint32(binary.LittleEndian.Uint16(src[2*x:]))
		} else {
			v = binary.LittleEndian.Uint32(src[4*x:])
		}
		var rgb [3]uint8
		for c, m := range b.mask {
			if m != 0 {
				rgb[c] = uint8(uint64(v&m>>shift[c]) * 255 / top[c])
			}
		}
		put(row, x, channels, rgb[0], rgb[1], rgb[2])
	}
}

// expandRLE expands run-length coded indices, [H,W] in the file's row order
// (BMP's BI_RLE8 and BI_RLE4). Pixels that are skipped keep index 0.
func (b *bmpHeader) expandRLE(src []byte) ([]uint8, error) {
	out := make([]uint8, b.w*b.h)
	x, y := 0, 0
	set := func(v uint8) {
		if x < b.w && y < b.h {
			out[y*b.w+x] = v
		}
		x++
	}
	for i := 0; y < b.h; {
		if i+2 > len(src) {
			return nil, fmt.Errorf("%w: the file is cut off", ErrCorrupt)
		}
		count, value := int(src[i]), src[i+1]
		i += 2
		switch {
		case count > 0:
			for k := range count {
				set(b.rleIndex(value, k))
			}
		case value == 0: // end of row
			x, y = 0, y+1
		case value == 1: // end of picture
			return out, nil
		case value == 2: // move
			if i+2 > len(src) {
				return nil, fmt.Errorf("%w: the file is cut off", ErrCorrupt)
			}
			x, y = x+int(src[i]), y+int(src[i+1])
			i += 2
		default: // literal indices, padded to two bytes
			n := (int(value)*b.bits + 15) / 16 * 2
			if i+n > len(src) {
				return nil, fmt.Errorf("%w: the file is cut off", ErrCorrupt)
			}
			for k := range int(value) {
				set(b.rleIndex(src[i+k*b.bits/8], k))
			}
			i += n
		}
	}
	return out, nil
}

// rleIndex is the k-th index of a run of the byte v: in four bits, high half first.
func (b *bmpHeader) rleIndex(v uint8, k int) uint8 {
	if b.bits == 8 {
		return v
	}
	if k%2 == 0 {
		return v >> 4
	}
	return v & 15
}
