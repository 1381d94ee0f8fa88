package imaging

import (
	"encoding/binary"
	"fmt"
)

// webpHeader says where the first picture of a WebP file lies.
type webpHeader struct {
	vp8, vp8l, alph []byte // chunk payloads; of vp8 and vp8l one is set
	x, y            int    // place of an animation's first frame on the canvas
	w, h            int    // size of that picture
}

// maxWebPTrees is the memory of the largest set of Huffman trees that x/image's
// vp8l accepts: 2,600 groups of 52 kB. A tree takes up to some 64 times the bytes
// that describe it.
const maxWebPTrees = 136 << 20

// readWebP walks the chunks of the container (RFC 9649, section 2) to the first
// picture, and to EXIF, which may follow it.
func (h *header) readWebP(data []byte) error {
	h.channels = 3
	end := len(data)
	if n := int64(binary.LittleEndian.Uint32(data[4:])) + 8; n < int64(end) {
		end = int(n)
	}
	if end < 20 {
		return errShortHeader
	}
	canvas := false
	for i := 12; i+8 <= end; {
		id := string(data[i : i+4])
		n := int64(binary.LittleEndian.Uint32(data[i+4:]))
		if n > int64(end-i-8) {
			if h.webp.vp8 == nil && h.webp.vp8l == nil {
				return fmt.Errorf("%w: the %q chunk is cut off", ErrCorrupt, id)
			}
			break // damaged metadata after a whole picture
		}
		body := data[i+8 : i+8+int(n)]
		switch {
		case id == "VP8X" && len(body) >= 10:
			canvas = true
			h.w, h.h = uint24(body[4:])+1, uint24(body[7:])+1
		case id == "EXIF":
			h.orientation = exifOrientation(body)
		case id == "ANMF" && h.webp.vp8 == nil && h.webp.vp8l == nil:
			if err := h.readFrame(body); err != nil {
				return err
			}
		default:
			h.webp.take(id, body)
		}
		i += 8 + int(n) + int(n&1)
	}
	if err := h.webp.size(); err != nil {
		return err
	}
	if !canvas {
		h.w, h.h = h.webp.w, h.webp.h
	}
	if h.webp.x+h.webp.w > h.w || h.webp.y+h.webp.h > h.h {
		return fmt.Errorf("%w: the picture does not fit its canvas", ErrCorrupt)
	}
	// Lossy: planes and filter strengths; the decoded alpha passes through an RGBA
	// picture. Lossless: RGBA, a copy for the palette, and subsampled transforms.
	h.perPixel = 2
	if h.webp.alph != nil {
		h.perPixel = 12
	}
	if h.webp.vp8l != nil {
		h.perPixel = 10
		h.extra = min(maxWebPTrees, 64*int64(len(h.webp.vp8l)))
	}
	return nil
}

// readFrame finds the picture in an animation frame (RFC 9649, section 2.7.1.1).
func (h *header) readFrame(body []byte) error {
	if len(body) < 16 {
		return errShortHeader
	}
	h.webp.x, h.webp.y = 2*uint24(body), 2*uint24(body[3:])
	for i := 16; i+8 <= len(body); {
		n := int64(binary.LittleEndian.Uint32(body[i+4:]))
		if n > int64(len(body)-i-8) {
			return fmt.Errorf("%w: the first frame is cut off", ErrCorrupt)
		}
		h.webp.take(string(body[i:i+4]), body[i+8:i+8+int(n)])
		i += 8 + int(n) + int(n&1)
	}
	return nil
}

// take keeps the first picture's chunks.
func (w *webpHeader) take(id string, body []byte) {
	if w.vp8 != nil || w.vp8l != nil {
		return
	}
	switch id {
	case "ALPH":
		w.alph = body
	case "VP8 ":
		w.vp8 = body
	case "VP8L":
		w.vp8l = body
	}
}

// size reads the picture's own size: RFC 6386, section 9.1, and RFC 9649, 3.4.
func (w *webpHeader) size() error {
	switch b := w.vp8; {
	case b != nil:
		if len(b) < 10 || b[0]&1 != 0 || string(b[3:6]) != "\x9d\x01\x2a" {
			return fmt.Errorf("%w: bad VP8 frame header", ErrCorrupt)
		}
		w.w, w.h = int(binary.LittleEndian.Uint16(b[6:]))&0x3fff, int(binary.LittleEndian.Uint16(b[8:]))&0x3fff
	case len(w.vp8l) >= 5 && w.vp8l[0] == 0x2f:
		v := binary.LittleEndian.Uint32(w.vp8l[1:])
		w.w, w.h = int(v&0x3fff)+1, int(v>>14&0x3fff)+1
	default:
		return fmt.Errorf("%w: it holds no picture", ErrCorrupt)
	}
	if w.w == 0 || w.h == 0 {
		return fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, w.w, w.h)
	}
	return nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
