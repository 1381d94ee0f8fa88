package imaging

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/image/tiff"
)

// TIFF tags (TIFF 6.0, appendix A).
const (
	tagCompression  = 259
	tagPhotometric  = 262
	tagRowsPerStrip = 278
	tagTileWidth    = 322
	tagTileHeight   = 323
)

const (
	// maxTIFFBlocks bounds the strips or tiles of a TIFF: each of them can cost a
	// decompressor of its own, even when all share the same few bytes.
	maxTIFFBlocks = 1 << 16
	// maxTIFFPixels bounds the pixels of all strips or tiles together, which can
	// be far more than the picture's, since tiles may reach beyond its edges.
	maxTIFFPixels = DefaultMaxPixels
)

// tiffHeader is what decoding needs to know beside x/image's decoder.
type tiffHeader struct {
	photometric int64 // -1 when absent
	fax         bool  // CCITT group 3 or 4
}

// readTIFF reads the first directory.
func (h *header) readTIFF(data []byte) error {
	var rows, tileW, tileH, compression int64
	h.tiff.photometric = -1
	eachTag(data, func(order binary.ByteOrder, tag, kind uint16, count uint32, value []byte) {
		v := int64(0)
		switch kind {
		case 3:
			v = int64(order.Uint16(value))
		case 4:
			v = int64(order.Uint32(value))
		}
		switch tag {
		case tagRowsPerStrip:
			rows = v
		case tagTileWidth:
			tileW = v
		case tagTileHeight:
			tileH = v
		case tagCompression:
			compression = v
		case tagPhotometric:
			h.tiff.photometric = v
		}
	})
	h.tiff.fax = compression == 3 || compression == 4
	h.orientation = exifOrientation(data)
	config, err := tiff.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return classify(err)
	}
	h.w, h.h, h.channels = config.Width, config.Height, 3
	if h.tiff.photometric == 0 || h.tiff.photometric == 1 {
		h.channels = 1
	}
	// At most 8 bytes a pixel for the picture and as much for a strip's data.
	h.perPixel = 8
	if h.channels == 1 {
		h.perPixel = 2
	}
	if h.w > maxSide || h.h > maxSide {
		return nil // refused by the general check; products below stay in range
	}
	block := int64(h.w) * int64(h.h)
	blocks := int64(1)
	switch {
	case tileW > 0 && tileH > 0:
		block = min(tileW, 1<<30) * min(tileH, 1<<30)
		blocks = (int64(h.w) + tileW - 1) / tileW * ((int64(h.h) + tileH - 1) / tileH)
	case rows > 0 && rows < int64(h.h):
		block = int64(h.w) * rows
		blocks = (int64(h.h) + rows - 1) / rows
	}
	if blocks > maxTIFFBlocks || block > maxTIFFPixels/blocks {
		return fmt.Errorf("%w: %d strips or tiles of %d pixels", ErrTooLarge, blocks, block)
	}
	h.extra = 16 * blocks
	if compression > 1 {
		// x/image lets a strip or tile grow to 8 bytes a pixel, in a buffer that
		// doubles.
		h.extra += 2 * 8 * block
	}
	return nil
}
