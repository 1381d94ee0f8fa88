// Package imaging decodes pictures safely and does exact geometry on pixels:
// orientation, cropping, antialiased resizing, gray and colour. It knows nothing
// of learning.
//
// Use [Decode] for any bytes that a user, a crawler or an attacker may have
// written: the format is recognised by content, the header is checked against
// [Limits] before a pixel is allocated, and whatever goes wrong inside a decoder
// comes back as an error that wraps one of [ErrFormat], [ErrUnsupported],
// [ErrTooLarge] or [ErrCorrupt]. Limits are amounts of work and memory computed
// from the file alone, never clocks, so a picture that is accepted once is
// accepted on every machine and under any load.
//
// Pixels follow Pillow (PIL) where conventions differ, because published results
// on small data were made with it: alpha is dropped as Image.convert("RGB") does,
// gray is ITU-R 601 in 16-bit fixed point, CMYK is converted without a profile,
// resizing is Pillow's antialiased fixed-point filter.
package imaging

import (
	"errors"
	"fmt"
)

// Image is a picture of 8-bit samples, interleaved by row: sample (x, y, c) is
// Pix[(y*W+x)*C+c]. C is 1 (gray) or 3 (red, green, blue); there is no padding.
type Image struct {
	W, H, C int
	Pix     []uint8 // [H,W,C]
}

// New returns a black picture of w x h pixels with c (1 or 3) channels.
// It panics with a named message for sizes that no picture has.
func New(w, h, c int) *Image {
	m := &Image{}
	m.Reset(w, h, c)
	return m
}

// Reset gives m the size w x h x c and reuses its memory where that suffices;
// the samples are undefined afterwards unless memory was newly allocated.
func (m *Image) Reset(w, h, c int) {
	if w < 1 || h < 1 || c != 1 && c != 3 {
		panic(fmt.Sprintf("imaging: no picture of %d x %d pixels with %d channels", w, h, c))
	}
	n := w * h * c
	if cap(m.Pix) < n {
		m.Pix = make([]uint8, n)
	}
	m.W, m.H, m.C, m.Pix = w, h, c, m.Pix[:n]
}

// Stride is the number of samples in a row, W*C.
func (m *Image) Stride() int { return m.W * m.C }

// Row returns the samples of row y, [W,C].
func (m *Image) Row(y int) []uint8 { return m.Pix[y*m.W*m.C : (y+1)*m.W*m.C] }

// The kinds of failure. Errors from this package wrap exactly one of them.
var (
	// ErrFormat: the bytes are no picture in any format known to this package.
	ErrFormat = errors.New("not a picture in a known format")
	// ErrUnsupported: a picture, but in a format or variant that cannot be read
	// here; the message says how to convert it.
	ErrUnsupported = errors.New("unsupported picture")
	// ErrTooLarge: the header announces more pixels, memory or work than Limits allow.
	ErrTooLarge = errors.New("picture too large")
	// ErrCorrupt: the file is damaged, truncated or contradicts itself.
	ErrCorrupt = errors.New("corrupt picture")
)

// Limits bound what one decode may cost. A zero field means its default.
type Limits struct {
	// MaxFileBytes is the size of the largest file read; default 128 MiB.
	MaxFileBytes int64
	// MaxPixels is the largest width times height; default 64 Mi (67 million),
	// above the 50-megapixel photographs that telephones take. No side may exceed
	// 131,072 pixels in any case.
	MaxPixels int64
	// MaxBytes bounds the memory of one decode: the file, the decoder's own
	// buffers and the result, estimated from the header; default 384 MiB, which
	// leaves a worker that holds little else below 512 MiB.
	MaxBytes int64
}

// Defaults for the fields of Limits.
const (
	DefaultMaxFileBytes = 128 << 20
	DefaultMaxPixels    = 64 << 20
	DefaultMaxBytes     = 384 << 20
)

func (l Limits) withDefaults() Limits {
	if l.MaxFileBytes == 0 {
		l.MaxFileBytes = DefaultMaxFileBytes
	}
	if l.MaxPixels == 0 {
		l.MaxPixels = DefaultMaxPixels
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	return l
}

// Options say what Decode should return. The zero value asks for RGB.
type Options struct {
	Channels int // 1 (gray) or 3 (RGB); 0 means 3
	Limits   Limits
}

func (o Options) withDefaults() (Options, error) {
	switch o.Channels {
	case 0:
		o.Channels = 3
	case 1, 3:
	default:
		return o, fmt.Errorf("imaging: %d channels: want 1 (gray) or 3 (RGB)", o.Channels)
	}
	o.Limits = o.Limits.withDefaults()
	return o, nil
}

// Info is what the header of a picture says.
type Info struct {
	Format      Format
	W, H        int // as shown, after the orientation is applied
	Channels    int // colour channels of the file without alpha: 1, 3, or 4 for CMYK
	Orientation int // EXIF orientation, 1 to 8; 1 when absent or broken
	// Bytes is the estimated memory of decoding it: file, buffers and result.
	Bytes int64
}
