package imaging

import (
	"encoding/binary"
	"fmt"
	"image"
	"sync"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// jpegDecoder decodes baseline, extended and progressive Huffman-coded JPEG with
// one, three or four components of 8 bits (ITU-T T.81). It exists beside
// image/jpeg because decoding is most of what a photograph costs in training: it
// is faster, holds half the memory of a progressive picture, reuses its buffers,
// and its transform is libjpeg's, so that pixels are what Pillow gives.
//
// The file's header has passed header.readJPEG and the limits before.
type jpegDecoder struct {
	bits        bitReader
	w, h        int
	progressive bool
	comps       []jpegComponent
	maxH, maxV  int
	mcusX       int // of the whole picture
	mcusY       int
	quant       [4][64]int32 // natural order
	hasQuant    [4]bool
	dc, ac      [4]huffman
	restart     int // interval in MCUs, 0 for none
	eobRun      int
	jfif        bool
	adobe       int // the APP14 transform, -1 when absent
}

// jpegComponent is one colour plane.
type jpegComponent struct {
	id      byte
	h, v    int // sampling factors
	tq      byte
	quant   [64]int32 // latched at the component's first scan
	scanned bool
	blocksX int // blocks a row, over whole MCUs
	blocksY int
	scanX   int // blocks a row and column in a scan of this component alone
	scanY   int
	plane   []uint8 // [blocksY*8, blocksX*8]
	coef    []int16 // [blocksY, blocksX, 64], natural order; progressive only
	pred    int32   // DC predictor
	dcTable *huffman
	acTable *huffman
}

var jpegPool = sync.Pool{New: func() any { return new(jpegDecoder) }}

// maxPooled is the largest plane that a pooled decoder keeps.
const maxPooled = 4 << 20

var errCutOff = fmt.Errorf("%w: the file is cut off", ErrCorrupt)

// decodeJPEG decodes a JPEG file to m.
func decodeJPEG(data []byte, channels int, m *Image) (*Image, error) {
	d := jpegPool.Get().(*jpegDecoder)
	defer d.recycle()
	d.reset(data)
	if err := d.markers(data); err != nil {
		return nil, err
	}
	for i := range d.comps {
		c := &d.comps[i]
		if !c.scanned {
			return nil, errCutOff
		}
		if d.progressive {
			c.reconstruct()
		}
	}
	m.Reset(d.w, d.h, channels)
	d.result(m)
	return m, nil
}

func (d *jpegDecoder) reset(data []byte) {
	comps := d.comps[:0]
	*d = jpegDecoder{adobe: -1}
	d.comps = comps
	d.bits.data = data
}

func (d *jpegDecoder) recycle() {
	d.bits = bitReader{}
	for i := range d.comps {
		if c := &d.comps[i]; len(c.plane) > maxPooled || 2*len(c.coef) > maxPooled {
			c.plane, c.coef = nil, nil
		}
	}
	jpegPool.Put(d)
}

// markers walks the segments (T.81, annex B) and decodes the scans.
func (d *jpegDecoder) markers(data []byte) error {
	for i := 2; ; {
		for i < len(data) && data[i] != 0xff { // extraneous bytes, as libjpeg skips them
			i++
		}
		for i < len(data) && data[i] == 0xff {
			i++
		}
		if i >= len(data) {
			return errCutOff // without an end marker it may lack scans; Pillow refuses it too
		}
		marker := data[i]
		i++
		if marker == 0 || marker >= 0xd0 && marker <= 0xd8 || marker == 0x01 {
			continue
		}
		if marker == 0xd9 {
			return nil
		}
		if i+2 > len(data) {
			return errCutOff
		}
		end := i + int(binary.BigEndian.Uint16(data[i:]))
		if end < i+2 || end > len(data) {
			return errCutOff
		}
		body := data[i+2 : end]
		i = end
		var err error
		switch marker {
		case 0xc0, 0xc1, 0xc2:
			d.progressive = marker == 0xc2
			err = d.frame(body)
		case 0xc4:
			err = d.huffmanTables(body)
		case 0xdb:
			err = d.quantTables(body)
		case 0xdd:
			if len(body) < 2 {
				return errCutOff
			}
			d.restart = int(binary.BigEndian.Uint16(body))
		case 0xda:
			d.bits.start(end)
			if err = d.scan(body); err == nil {
				i = d.bits.pos
			}
		case 0xc8, 0xde, 0xdf:
			err = fmt.Errorf("%w: marker 0x%02x", ErrUnsupported, marker)
		case 0xe0:
			d.jfif = d.jfif || len(body) >= 5 && string(body[:5]) == "JFIF\x00"
		case 0xee:
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				d.adobe = int(body[11])
			}
		}
		if marker < 0xc0 || marker >= 0xf0 && marker < 0xfe {
			err = fmt.Errorf("%w: unknown marker 0x%02x", ErrCorrupt, marker)
		}
		if err != nil {
			return err
		}
	}
}

// frame reads the frame header (B.2.2) and lays out the planes.
func (d *jpegDecoder) frame(body []byte) error {
	if len(body) < 6 || len(body) < 6+3*int(body[5]) || d.w != 0 {
		return errShortHeader
	}
	d.h, d.w = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	n := int(body[5])
	old := d.comps[:cap(d.comps)] // with planes that can be used again
	d.comps = make([]jpegComponent, n)
	d.maxH, d.maxV = 1, 1
	for i := range d.comps {
		b := body[6+3*i:]
		c := &d.comps[i]
		*c = jpegComponent{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), tq: b[2]}
		if n == 1 { // T.81, A.2.2: a single component is never interleaved
			c.h, c.v = 1, 1
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.tq > 3 {
			return fmt.Errorf("%w: sampling factors %d x %d, table %d", ErrCorrupt, c.h, c.v, c.tq)
		}
		for _, other := range d.comps[:i] {
			if other.id == c.id {
				return fmt.Errorf("%w: two components of one name", ErrCorrupt)
			}
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	if _, ok := d.subsampling(); !ok {
		return fmt.Errorf("%w: JPEG with unusual chroma subsampling; re-save it with 4:2:0 or 4:4:4", ErrUnsupported)
	}
	d.mcusX = (d.w + 8*d.maxH - 1) / (8 * d.maxH)
	d.mcusY = (d.h + 8*d.maxV - 1) / (8 * d.maxV)
	for i := range d.comps {
		c := &d.comps[i]
		c.blocksX, c.blocksY = d.mcusX*c.h, d.mcusY*c.v
		c.scanX = ((d.w*c.h+d.maxH-1)/d.maxH + 7) / 8
		c.scanY = ((d.h*c.v+d.maxV-1)/d.maxV + 7) / 8
		if i < len(old) {
			c.plane, c.coef = old[i].plane, old[i].coef
		}
		c.plane = grow(c.plane, 64*c.blocksX*c.blocksY)
		if d.progressive {
			c.coef = grow(c.coef, 64*c.blocksX*c.blocksY)
			clear(c.coef)
		}
	}
	return nil
}

// subsampling returns the ratio that the planes have as a picture of package image.
func (d *jpegDecoder) subsampling() (image.YCbCrSubsampleRatio, bool) {
	if len(d.comps) == 1 {
		return image.YCbCrSubsampleRatio444, true
	}
	if len(d.comps) == 4 && (d.comps[3].h != d.maxH || d.comps[3].v != d.maxV) {
		return 0, false
	}
	y, cb, cr := d.comps[0], d.comps[1], d.comps[2]
	if cb.h != cr.h || cb.v != cr.v || y.h != d.maxH || y.v != d.maxV || y.h%cb.h != 0 || y.v%cb.v != 0 {
		return 0, false
	}
	switch [2]int{y.h / cb.h, y.v / cb.v} {
	case [2]int{1, 1}:
		return image.YCbCrSubsampleRatio444, true
	case [2]int{1, 2}:
		return image.YCbCrSubsampleRatio440, true
	case [2]int{2, 1}:
		return image.YCbCrSubsampleRatio422, true
	case [2]int{2, 2}:
		return image.YCbCrSubsampleRatio420, true
	case [2]int{4, 1}:
		return image.YCbCrSubsampleRatio411, true
	case [2]int{4, 2}:
		return image.YCbCrSubsampleRatio410, true
	}
	return 0, false
}

// quantTables reads DQT (B.2.4.1).
func (d *jpegDecoder) quantTables(body []byte) error {
	for len(body) > 0 {
		wide, t := int(body[0]>>4), body[0]&15
		body = body[1:]
		if t > 3 || wide > 1 || len(body) < 64*(1+wide) {
			return fmt.Errorf("%w: bad quantisation table", ErrCorrupt)
		}
		for k := range 64 {
			v := int32(body[k])
			if wide == 1 {
				v = int32(binary.BigEndian.Uint16(body[2*k:]))
			}
			d.quant[t][zigzag[k]] = v
		}
		d.hasQuant[t] = true
		body = body[64*(1+wide):]
	}
	return nil
}

// huffmanTables reads DHT (B.2.4.2).
func (d *jpegDecoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 || body[0]>>4 > 1 || body[0]&15 > 3 {
			return errBadHuffman
		}
		table := &d.dc[body[0]&15]
		if body[0]>>4 == 1 {
			table = &d.ac[body[0]&15]
		}
		n, err := table.set(body[1:17], body[17:], body[0]>>4 == 1)
		if err != nil {
			return err
		}
		body = body[17+n:]
	}
	return nil
}

// result converts the planes to m.
func (d *jpegDecoder) result(m *Image) {
	y := &d.comps[0]
	if len(d.comps) == 1 {
		for row := range d.h {
			fromGray(m.Row(row), y.plane[row*8*y.blocksX:][:d.w], m.C, 1)
		}
		return
	}
	ratio, _ := d.subsampling()
	planes := &image.YCbCr{
		Y: y.plane, Cb: d.comps[1].plane, Cr: d.comps[2].plane,
		YStride: 8 * y.blocksX, CStride: 8 * d.comps[1].blocksX,
		SubsampleRatio: ratio, Rect: image.Rect(0, 0, d.w, d.h),
	}
	switch {
	case len(d.comps) == 4:
		d.inks(m, planes)
	case d.isRGB():
		fromYCbCr(m, planes, noConversion)
	default:
		fromYCbCr(m, planes, fullSwing)
	}
}

// inks converts a picture of four components. As Pillow has it, CMYK is stored
// inverted, Adobe's marker or not; with Adobe's transform 2 the first three are
// YCbCr of the inverted inks, that is, of red, green and blue.
func (d *jpegDecoder) inks(m *Image, planes *image.YCbCr) {
	up := upsampler{src: planes, w: d.w, h: d.h}
	black := &d.comps[3]
	cmy := make([]uint8, 3*d.w)
	for y := range d.h {
		c := planes.Y[y*planes.YStride:][:d.w]
		ma, ye := up.row(y)
		if d.adobe == 2 {
			pixel.YCbCrToRGB(cmy, c, ma, ye)
		}
		row, k := m.Row(y), black.plane[y*8*black.blocksX:][:d.w]
		for x, light := range k {
			p := cmy[3*x : 3*x+3 : 3*x+3]
			if d.adobe != 2 {
				p[0], p[1], p[2] = 255-c[x], 255-ma[x], 255-ye[x]
			}
			put(row, x, m.C, lessInk(light, p[0]), lessInk(light, p[1]), lessInk(light, p[2]))
		}
	}
}

// lessInk is what a share of ink leaves of light.
func lessInk(light, ink uint8) uint8 {
	t := uint32(light)*uint32(ink) + 128
	return light - uint8((t>>8+t)>>8)
}

// isRGB guesses the colours as libjpeg does: JFIF means YCbCr, Adobe's marker
// tells, and else the components' names do.
func (d *jpegDecoder) isRGB() bool {
	switch {
	case d.jfif:
		return false
	case d.adobe >= 0:
		return d.adobe == 0
	}
	return d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B'
}

// reconstruct transforms all blocks of a progressive component.
func (c *jpegComponent) reconstruct() {
	stride := 8 * c.blocksX
	for by := range c.scanY {
		for bx := range c.scanX {
			b := (*[64]int16)(c.coef[64*(by*c.blocksX+bx):])
			pixel.IDCT(c.plane[8*(by*stride+bx):], stride, b, &c.quant)
		}
	}
}
