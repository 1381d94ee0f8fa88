package imaging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// Decode decodes a picture of any known format to opt.Channels channels, with the
// orientation of its metadata applied. Of an animation it returns the first frame
// on its canvas. It is safe for concurrent use and for hostile input: see the
// package documentation for the errors and Limits for what bounds it.
//
// JPEG is decoded as libjpeg does by default, to the bit: its accurate integer
// transform, its "fancy" triangle upsampling of chroma and its colour conversion.
// (Package image/jpeg has another transform, and its users repeat chroma samples.)
// Alpha is dropped, not blended, as Pillow's convert("RGB") does: the colour
// stored under transparent pixels shows. Samples of 16 bits keep their high byte.
func Decode(data []byte, opt Options) (*Image, error) {
	m := &Image{}
	if err := DecodeInto(m, data, opt); err != nil {
		return nil, err
	}
	return m, nil
}

// DecodeInto is Decode into m, whose memory is used again where the format allows
// it (JPEG that is not to be turned); a loader that decodes picture after picture
// saves the cost of fresh memory. After an error the samples of m are undefined.
func DecodeInto(m *Image, data []byte, opt Options) error {
	pixel.Trust()
	opt, err := opt.withDefaults()
	if err != nil {
		return err
	}
	h, err := readHeader(data, opt)
	if err != nil {
		return err
	}
	release := reserve(h.bytes(len(data), opt.Channels))
	defer release()
	out, err := decodeGuarded(h, data, opt.Channels, m)
	if err != nil {
		return named(h.format, err)
	}
	*m = *Orient(out, h.orientation)
	return nil
}

// DecodeFile decodes the file at path; errors name it. Only regular files are
// read (a pipe or a device could block for ever), and none above the limit.
func DecodeFile(path string, opt Options) (*Image, error) {
	data, err := ReadFile(path, opt.Limits)
	if err != nil {
		return nil, err
	}
	m, err := Decode(data, opt)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ReadFile reads a regular file of at most limits.MaxFileBytes.
func ReadFile(path string, limits Limits) ([]byte, error) {
	limit := limits.withDefaults().MaxFileBytes
	stat, err := os.Stat(path) // before opening: opening a pipe blocks
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: not a regular file", path, ErrFormat)
	}
	tooLarge := func(n int64) error {
		return fmt.Errorf("%s: %w: a file of %d bytes (at most %d are read)", path, ErrTooLarge, n, limit)
	}
	if stat.Size() > limit {
		return nil, tooLarge(stat.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, stat.Size()+1) // one more, to notice a file that grows
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s: %w: the file changed while it was read", path, ErrCorrupt)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return data[:n], nil
	}
	return nil, fmt.Errorf("reading %s: %w", path, err)
}

// Large decodes wait for each other, so that the process's memory is bounded even
// when every worker meets a large picture at once.
const (
	largeDecode  = 32 << 20
	largeInTotal = 512 << 20
)

var large = semaphore.NewWeighted(largeInTotal)

// reserve waits until n bytes may be used and returns what gives them back.
func reserve(n int64) (release func()) {
	if n < largeDecode {
		return func() {}
	}
	n = min(n, largeInTotal)
	_ = large.Acquire(context.Background(), n) // fails only when the context ends
	return func() { large.Release(n) }
}

// decodeGuarded decodes, into the memory of spare or new memory, and turns a panic
// of a decoder into an error.
func decodeGuarded(h *header, data []byte, channels int, spare *Image) (m *Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("%w: the decoder failed (%.80s)", ErrCorrupt, fmt.Sprint(r))
		}
	}()
	switch h.format {
	case JPEG:
		return decodeJPEG(data, channels, spare)
	case PNG:
		return decodePNG(data, channels)
	case GIF:
		return decodeGIF(h, data, channels)
	case BMP:
		return decodeBMP(data, channels)
	case TIFF:
		return decodeTIFF(h, data, channels)
	case WebP:
		return decodeWebP(h, channels)
	}
	return nil, fmt.Errorf("%w: %v", ErrUnsupported, h.format)
}

// classify wraps a decoder's error as ErrUnsupported or ErrCorrupt and drops the
// decoder's own prefix, since the format is named already.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge) {
		return err
	}
	text := err.Error()
	for _, prefix := range []string{"png: ", "gif: ", "tiff: ", "webp: ", "vp8: ", "vp8l: ", "invalid format: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if strings.Contains(text, "unsupported") || strings.Contains(text, "not implemented") {
		text = strings.TrimPrefix(text, "unsupported feature: ")
		return fmt.Errorf("%w: %s; convert it to PNG", ErrUnsupported, text)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		text = "the file is cut off"
	}
	return fmt.Errorf("%w: %s", ErrCorrupt, text)
}
