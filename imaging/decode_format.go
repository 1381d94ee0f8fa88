package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/png"

	"golang.org/x/image/tiff"
	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

func decodePNG(data []byte, channels int) (*Image, error) {
	src, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, classify(err)
	}
	return fromImage(src, channels)
}

func decodeTIFF(h *header, data []byte, channels int) (*Image, error) {
	src, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, classify(err)
	}
	if m, ok := src.(*image.Gray); ok && h.tiff.fax && h.tiff.photometric == 1 {
		// x/image takes a fax's white run as white always; by TIFF 6.0, section 11,
		// and in libtiff it is 0, which this photometric interpretation shows black.
		for i, v := range m.Pix {
			m.Pix[i] = 255 - v
		}
	}
	return fromImage(src, channels)
}

// decodeGIF places the first frame on the canvas. Where it does not reach, the
// canvas has the transparent colour or else the first, as in Pillow.
func decodeGIF(h *header, data []byte, channels int) (*Image, error) {
	src, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, classify(err)
	}
	frame, ok := src.(*image.Paletted)
	if !ok {
		return nil, fmt.Errorf("%w: a GIF frame without a palette", ErrCorrupt)
	}
	var table palette
	for i := range min(256, len(h.gif.palette)/3) {
		copy(table.rgb[i][:], h.gif.palette[3*i:])
	}
	table.setGray()
	m := New(h.w, h.h, channels)
	if frame.Rect.Dx() != h.w || frame.Rect.Dy() != h.h {
		background := table.rgb[max(h.gif.transparent, 0)]
		gray := table.gray[max(h.gif.transparent, 0)]
		for i := range h.w * h.h {
			if channels == 1 {
				m.Pix[i] = gray
			} else {
				copy(m.Pix[3*i:3*i+3], background[:])
			}
		}
	}
	for y := range frame.Rect.Dy() {
		row := m.Row(y + frame.Rect.Min.Y)[frame.Rect.Min.X*channels:]
		table.expand(row, frame.Pix[y*frame.Stride:][:frame.Rect.Dx()], channels)
	}
	return m, nil
}

// decodeWebP decodes the first picture from its own chunk; an ALPH chunk is not
// looked at, since alpha is dropped.
func decodeWebP(h *header, channels int) (*Image, error) {
	var m *Image
	var err error
	if h.webp.vp8 != nil {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(h.webp.vp8), len(h.webp.vp8))
		if _, err = d.DecodeFrameHeader(); err != nil {
			return nil, classify(err)
		}
		planes, err := d.DecodeFrame()
		if err != nil {
			return nil, classify(err)
		}
		m = New(h.webp.w, h.webp.h, channels)
		fromYCbCr(m, planes, studioSwing)
	} else {
		src, err := vp8l.Decode(bytes.NewReader(h.webp.vp8l))
		if err != nil {
			return nil, classify(err)
		}
		if m, err = fromImage(src, channels); err != nil {
			return nil, err
		}
	}
	if m.W == h.w && m.H == h.h {
		return m, err
	}
	canvas := New(h.w, h.h, channels)
	for y := range m.H {
		copy(canvas.Row(y + h.webp.y)[h.webp.x*channels:], m.Row(y))
	}
	return canvas, nil
}
