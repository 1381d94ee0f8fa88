package imaging

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// jpegHeader is what the markers of a JPEG file say.
type jpegHeader struct {
	scans      int
	components int
}

const (
	// maxJPEGWork bounds scans times pixels of a JPEG. A progressive picture has
	// about ten scans, each of which visits every block; a hostile one can have
	// thousands of scans of a few bytes each.
	maxJPEGWork = 400 << 20
	// maxJPEGScans bounds the scans of any JPEG; the largest number that
	// a useful encoder makes is below 100.
	maxJPEGScans = 500
)

// readJPEG walks the markers to the end of the picture (ITU-T T.81, annex B),
// as the decoder does, so that the number of scans is right.
func (h *header) readJPEG(data []byte) error {
	samples := 0.0 // per pixel, over all components
	progressive := false
	for i := 2; ; {
		for i < len(data) && data[i] != 0xff { // between segments: extraneous bytes
			i++
		}
		for i < len(data) && data[i] == 0xff {
			i++
		}
		if i >= len(data) {
			break
		}
		marker := data[i]
		i++
		if marker == 0 || marker >= 0xd0 && marker <= 0xd8 || marker == 0x01 {
			continue
		}
		if marker == 0xd9 {
			break
		}
		if i+2 > len(data) {
			break
		}
		n := int(binary.BigEndian.Uint16(data[i:]))
		if n < 2 {
			return fmt.Errorf("%w: a segment shorter than its length field", ErrCorrupt)
		}
		end := i + n
		if end > len(data) {
			break
		}
		body := data[i+2 : end]
		switch {
		case marker == 0xe1 && h.orientation == 1 && bytes.HasPrefix(body, []byte("Exif\x00")):
			h.orientation = exifOrientation(body)
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if h.jpeg.components != 0 {
				return fmt.Errorf("%w: two frame headers", ErrCorrupt)
			}
			var err error
			if samples, err = h.readSOF(marker, body); err != nil {
				return err
			}
			progressive = marker == 0xc2
		case marker == 0xda:
			if h.jpeg.scans++; h.jpeg.scans > maxJPEGScans {
				return fmt.Errorf("%w: more than %d scans", ErrTooLarge, maxJPEGScans)
			}
		}
		i = end
	}
	if h.jpeg.components == 0 || h.jpeg.scans == 0 {
		return errShortHeader
	}
	if work := int64(h.w) * int64(h.h) * int64(h.jpeg.scans); work > maxJPEGWork && h.jpeg.scans > 4 {
		return fmt.Errorf("%w: %d scans of %d x %d pixels", ErrTooLarge, h.jpeg.scans, h.w, h.h)
	}
	h.perPixel = samples
	if progressive {
		h.perPixel += 2 * samples // 16-bit coefficients
	}
	return nil
}

// readSOF reads a frame header (T.81, B.2.2) and returns the samples per pixel
// over all components.
func (h *header) readSOF(marker byte, body []byte) (samples float64, err error) {
	kind := ""
	switch {
	case marker == 0xc3 || marker == 0xc7 || marker == 0xcb || marker == 0xcf:
		kind = "lossless"
	case marker >= 0xc9:
		kind = "arithmetic-coded"
	case marker >= 0xc5:
		kind = "hierarchical"
	}
	if kind != "" {
		return 0, fmt.Errorf("%w: %s JPEG cannot be read; re-save it as a baseline JPEG or a PNG", ErrUnsupported, kind)
	}
	if len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return 0, errShortHeader
	}
	if body[0] != 8 {
		return 0, fmt.Errorf("%w: JPEG with %d bits a sample; re-save it with 8", ErrUnsupported, body[0])
	}
	h.h, h.w = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	n := int(body[5])
	h.jpeg.components, h.channels = n, n
	if n != 1 && n != 3 && n != 4 {
		return 0, fmt.Errorf("%w: JPEG with %d components", ErrUnsupported, n)
	}
	maxH, maxV := 1, 1
	for c := range n {
		hv := body[7+3*c]
		maxH, maxV = max(maxH, int(hv>>4)), max(maxV, int(hv&15))
	}
	for c := range n {
		hv := body[7+3*c]
		if n == 1 {
			return 1, nil
		}
		samples += float64(int(hv>>4)*int(hv&15)) / float64(maxH*maxV)
	}
	return samples, nil
}
