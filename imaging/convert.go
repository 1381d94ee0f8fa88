package imaging

import (
	"fmt"
	"image"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// luma is Pillow's L = R·299/1000 + G·587/1000 + B·114/1000 in 16-bit fixed point
// (ITU-R 601-2).
func luma(r, g, b uint8) uint8 {
	return uint8((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 0x8000) >> 16)
}

// ToGray returns the gray picture of m, which is m itself if it is gray.
func ToGray(m *Image) *Image {
	if m.C == 1 {
		return m
	}
	g := New(m.W, m.H, 1)
	for i := range g.Pix {
		g.Pix[i] = luma(m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2])
	}
	return g
}

// ToRGB returns m with three channels, which is m itself if it has them.
func ToRGB(m *Image) *Image {
	if m.C == 3 {
		return m
	}
	rgb := New(m.W, m.H, 3)
	for i, v := range m.Pix {
		rgb.Pix[3*i], rgb.Pix[3*i+1], rgb.Pix[3*i+2] = v, v, v
	}
	return rgb
}

// put stores one colour, as gray if row has one channel.
func put(row []uint8, x, channels int, r, g, b uint8) {
	if channels == 1 {
		row[x] = luma(r, g, b)
		return
	}
	p := row[3*x : 3*x+3 : 3*x+3]
	p[0], p[1], p[2] = r, g, b
}

// putGray stores one gray level, three times if row has three channels.
func putGray(row []uint8, x, channels int, v uint8) {
	if channels == 1 {
		row[x] = v
		return
	}
	p := row[3*x : 3*x+3 : 3*x+3]
	p[0], p[1], p[2] = v, v, v
}

// palette is a colour table with its gray levels.
type palette struct {
	rgb  [256][3]uint8
	gray [256]uint8
}

func (p *palette) setGray() {
	for i, c := range p.rgb {
		p.gray[i] = luma(c[0], c[1], c[2])
	}
}

// expand looks up the colours of one row of indices.
func (p *palette) expand(row, indices []uint8, channels int) {
	if channels == 1 {
		for x, i := range indices {
			row[x] = p.gray[i]
		}
		return
	}
	for x, i := range indices {
		copy(row[3*x:3*x+3], p.rgb[i][:])
	}
}

// fromImage converts what the decoders return. Alpha is dropped; colours stored
// multiplied by it are divided first.
func fromImage(src image.Image, channels int) (*Image, error) {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 1 || h < 1 {
		return nil, fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, w, h)
	}
	m := New(w, h, channels)
	switch s := src.(type) {
	case *image.Gray:
		for y := range h {
			fromGray(m.Row(y), s.Pix[y*s.Stride:][:w], channels, 1)
		}
	case *image.Gray16:
		for y := range h {
			fromGray(m.Row(y), s.Pix[y*s.Stride:][:2*w], channels, 2)
		}
	case *image.Paletted:
		var table palette
		for i, c := range s.Palette[:min(256, len(s.Palette))] {
			table.rgb[i] = straight(c)
		}
		table.setGray()
		for y := range h {
			table.expand(m.Row(y), s.Pix[y*s.Stride:][:w], channels)
		}
	case *image.NRGBA:
		for y := range h {
			from4(m.Row(y), s.Pix[y*s.Stride:][:4*w], channels)
		}
	case *image.NRGBA64:
		for y := range h {
			from8(m.Row(y), s.Pix[y*s.Stride:][:8*w], channels)
		}
	case *image.RGBA:
		for y := range h {
			row := s.Pix[y*s.Stride:][:4*w]
			unmultiply(row)
			from4(m.Row(y), row, channels)
		}
	case *image.RGBA64:
		for y := range h {
			row := s.Pix[y*s.Stride:][:8*w]
			unmultiply16(row)
			from8(m.Row(y), row, channels)
		}
	default:
		for y := range h {
			row := m.Row(y)
			for x := range w {
				c := straight(src.At(b.Min.X+x, b.Min.Y+y))
				put(row, x, channels, c[0], c[1], c[2])
			}
		}
	}
	return m, nil
}

// fromGray copies gray samples of size bytes each, of which the first counts.
func fromGray(row, src []uint8, channels, size int) {
	if channels == 1 && size == 1 {
		copy(row, src)
		return
	}
	for x := range len(src) / size {
		putGray(row, x, channels, src[x*size])
	}
}

// from4 and from8 drop the alpha of a row of RGBA with 8 and 16 bits a sample.
func from4(row, src []uint8, channels int) {
	if channels == 3 {
		for x := 0; 4*x+4 <= len(src); x++ {
			p, q := row[3*x:3*x+3:3*x+3], src[4*x:4*x+4:4*x+4]
			p[0], p[1], p[2] = q[0], q[1], q[2]
		}
		return
	}
	for x := range row {
		row[x] = luma(src[4*x], src[4*x+1], src[4*x+2])
	}
}

func from8(row, src []uint8, channels int) {
	for x := range len(src) / 8 {
		put(row, x, channels, src[8*x], src[8*x+2], src[8*x+4])
	}
}

// unmultiply divides the colours of an RGBA row by alpha, in place: 255·c/a,
// rounded down and clipped, and black where a is 0, as Pillow unpacks "RGBa".
func unmultiply(row []uint8) {
	for i := 0; i+4 <= len(row); i += 4 {
		a := uint32(row[i+3])
		if a == 255 {
			continue
		}
		for c := i; c < i+3; c++ {
			v := uint32(0)
			if a != 0 {
				v = min(255, 255*uint32(row[c])/a)
			}
			row[c] = uint8(v)
		}
	}
}

func unmultiply16(row []uint8) {
	for i := 0; i+8 <= len(row); i += 8 {
		a := uint32(row[i+6])<<8 | uint32(row[i+7])
		if a == 0xffff {
			continue
		}
		for c := i; c < i+6; c += 2 {
			v := uint32(0)
			if a != 0 {
				v = min(0xffff, 0xffff*(uint32(row[c])<<8|uint32(row[c+1]))/a)
			}
			row[c], row[c+1] = uint8(v>>8), uint8(v)
		}
	}
}

// swing is the range of luma and chroma samples.
type swing int

const (
	fullSwing    swing = iota // 0 to 255: JFIF
	studioSwing               // 16 to 235 and 240: ITU-R 601, WebP
	noConversion              // the planes are red, green and blue
)

// fromYCbCr upsamples the chroma of each row, as libjpeg or as libwebp does, and
// converts it to m, which has the picture's size.
func fromYCbCr(m *Image, s *image.YCbCr, sw swing) {
	up := upsampler{src: s, w: m.W, h: m.H, webp: sw == studioSwing}
	var rgb []uint8
	if m.C == 1 {
		rgb = make([]uint8, 3*m.W)
	}
	for y := range m.H {
		luminance := s.Y[y*s.YStride:][:m.W]
		cb, cr := up.row(y)
		if m.C == 3 {
			rgb = m.Row(y)
		}
		switch sw {
		case fullSwing:
			pixel.YCbCrToRGB(rgb, luminance, cb, cr)
		case studioSwing:
			pixel.YUVToRGB(rgb, luminance, cb, cr)
		case noConversion:
			for x, v := range luminance {
				rgb[3*x], rgb[3*x+1], rgb[3*x+2] = v, cb[x], cr[x]
			}
		}
		if m.C == 1 {
			row := m.Row(y)
			for x := range row {
				row[x] = luma(rgb[3*x], rgb[3*x+1], rgb[3*x+2])
			}
		}
	}
}
