package imaging

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// header is everything that is learnt about a file before pixels are allocated.
type header struct {
	format      Format
	w, h        int // as stored
	channels    int // 1, 3 or 4 (CMYK)
	orientation int
	perPixel    float64 // bytes of decoder buffers per pixel, without file and result
	extra       int64   // bytes of decoder buffers beside that

	jpeg jpegHeader
	gif  gifHeader
	tiff tiffHeader
	webp webpHeader
}

// DecodeConfig reads the header of a picture: format, size as shown, channels,
// orientation and what decoding would cost. Limits are checked as Decode does.
func DecodeConfig(data []byte, opt Options) (Info, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Info{}, err
	}
	h, err := readHeader(data, opt)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: h.format, W: h.w, H: h.h, Channels: h.channels, Orientation: h.orientation}
	if h.orientation >= 5 {
		info.W, info.H = info.H, info.W
	}
	info.Bytes = h.bytes(len(data), opt.Channels)
	return info, nil
}

// readHeader recognises the format, reads the header and applies the limits.
func readHeader(data []byte, opt Options) (*header, error) {
	if n := int64(len(data)); n > opt.Limits.MaxFileBytes {
		return nil, fmt.Errorf("%w: a file of %d bytes (at most %d are read)", ErrTooLarge, n, opt.Limits.MaxFileBytes)
	}
	format, err := Sniff(data)
	if err != nil {
		return nil, err
	}
	h := &header{format: format, orientation: 1}
	switch format {
	case JPEG:
		err = h.readJPEG(data)
	case PNG:
		err = h.readPNG(data)
	case GIF:
		err = h.readGIF(data)
	case BMP:
		err = h.readBMP(data)
	case TIFF:
		err = h.readTIFF(data)
	case WebP:
		err = h.readWebP(data)
	}
	if err != nil {
		return nil, named(format, err)
	}
	if err := h.check(data, opt); err != nil {
		return nil, named(format, err)
	}
	return h, nil
}

// named puts the name of the format before the reason.
func named(f Format, err error) error { return fmt.Errorf("%v: %w", f, err) }

// bytes estimates the memory of one decode with the given result channels.
func (h *header) bytes(file, channels int) int64 {
	result := float64(channels)
	if h.orientation != 1 {
		result *= 2 // turned into a second picture
	}
	return int64(float64(h.w)*float64(h.h)*(h.perPixel+result)) + h.extra + int64(file)
}

// maxSide bounds width and height: decoders spend some time on every row however
// short it is, so that a picture one pixel wide could take minutes. It is twice
// what JPEG can hold.
const maxSide = 1 << 17

// check applies the limits to what the header announces.
func (h *header) check(data []byte, opt Options) error {
	if h.w < 1 || h.h < 1 {
		return fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, h.w, h.h)
	}
	if h.w > maxSide || h.h > maxSide || int64(h.w)*int64(h.h) > opt.Limits.MaxPixels {
		return fmt.Errorf("%w: %d x %d pixels (at most %d, and %d along a side)", ErrTooLarge, h.w, h.h, opt.Limits.MaxPixels, maxSide)
	}
	if n := h.bytes(len(data), opt.Channels); n > opt.Limits.MaxBytes {
		return fmt.Errorf("%w: decoding %d x %d pixels would take %d MiB (at most %d)",
			ErrTooLarge, h.w, h.h, n>>20, opt.Limits.MaxBytes>>20)
	}
	return nil
}

var errShortHeader = fmt.Errorf("%w: the header is cut off", ErrCorrupt)

// readPNG reads IHDR and looks for eXIf in the chunks that follow (PNG third
// edition, 5.3, 11.2.1 and 11.3.4.5).
func (h *header) readPNG(data []byte) error {
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return errShortHeader
	}
	h.w, h.h = int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
	depth, colour, interlace := data[24], data[25], data[28]
	h.channels = 3
	if colour == 0 || colour == 4 {
		h.channels = 1
	}
	// What image/png allocates: 1 byte a pixel for gray and palettes, 4 for all else
	// (gray with a transparent level included), twice that for 16 bits. Interlaced
	// pictures hold a pass beside the whole, and two rows are held in any case.
	h.perPixel = 4
	if colour == 3 || colour == 0 && !bytes.Contains(data, []byte("tRNS")) {
		h.perPixel = 1
	}
	if depth == 16 {
		h.perPixel *= 2
	}
	if interlace == 1 {
		h.perPixel *= 1.5
	}
	h.extra = int64(min(h.w, 1<<27)) * 16
	for i := 33; i+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[i:]))
		if n > int64(len(data)-i-12) {
			break
		}
		if string(data[i+4:i+8]) == "eXIf" {
			h.orientation = exifOrientation(data[i+8 : i+8+int(n)])
			break
		}
		i += 12 + int(n)
	}
	return nil
}

// gifHeader holds the colour tables, since image/gif forgets the colour of the
// transparent index, and the first frame's place on the canvas.
type gifHeader struct {
	transparent int // index, or -1
	palette     []byte
}

// readGIF reads the logical screen and the blocks before the first frame
// (GIF89a, sections 18 to 23).
func (h *header) readGIF(data []byte) error {
	if len(data) < 13 {
		return errShortHeader
	}
	h.w, h.h = int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	h.channels, h.perPixel, h.gif.transparent = 3, 1, -1
	i := 13
	table := func(fields byte) ([]byte, error) {
		if fields&0x80 == 0 {
			return nil, nil
		}
		n := 3 << (1 + fields&7)
		if i+n > len(data) {
			return nil, errShortHeader
		}
		i += n
		return data[i-n : i], nil
	}
	var err error
	if h.gif.palette, err = table(data[10]); err != nil {
		return err
	}
	for i < len(data) {
		switch data[i] {
		case 0x21: // extension: label, then sub-blocks
			if i+8 <= len(data) && data[i+1] == 0xf9 && data[i+2] == 4 {
				h.gif.transparent = -1
				if data[i+3]&1 != 0 {
					h.gif.transparent = int(data[i+6])
				}
			}
			for i += 2; i < len(data) && data[i] != 0; {
				i += 1 + int(data[i])
			}
			i++
		case 0x2c: // image descriptor
			if i+10 > len(data) {
				return errShortHeader
			}
			le := binary.LittleEndian
			x, y := int(le.Uint16(data[i+1:])), int(le.Uint16(data[i+3:]))
			w, ht := int(le.Uint16(data[i+5:])), int(le.Uint16(data[i+7:]))
			if w == 0 || ht == 0 || x+w > h.w || y+ht > h.h {
				return fmt.Errorf("%w: the first frame lies outside the canvas", ErrCorrupt)
			}
			fields := data[i+9]
			i += 10
			local, err := table(fields)
			if local != nil {
				h.gif.palette = local
			}
			return err
		case 0x3b:
			return fmt.Errorf("%w: it has no frame", ErrCorrupt)
		default:
			return fmt.Errorf("%w: unknown block 0x%02x", ErrCorrupt, data[i])
		}
	}
	return errShortHeader
}
