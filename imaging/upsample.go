package imaging

import (
	"image"
	"image/color"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// upsampler gives the chroma of a picture at the resolution of its luma, a row at
// a time. Ratios of two use libjpeg's triangle filter; four repeats samples.
type upsampler struct {
	src    *image.YCbCr
	w, h   int
	webp   bool // round as libwebp
	cb, cr []uint8
}

// row returns the two chroma rows for luma row y, each of w samples; they are
// valid until the next call.
func (u *upsampler) row(y int) (cb, cr []uint8) {
	s := u.src
	if s.SubsampleRatio == image.YCbCrSubsampleRatio444 {
		return s.Cb[y*s.CStride:][:u.w], s.Cr[y*s.CStride:][:u.w]
	}
	if u.cb == nil {
		u.cb, u.cr = make([]uint8, u.w), make([]uint8, u.w)
	}
	u.plane(u.cb, s.Cb, y)
	u.plane(u.cr, s.Cr, y)
	return u.cb, u.cr
}

func (u *upsampler) plane(dst, src []uint8, y int) {
	stride := u.src.CStride
	ratioX, ratioY := ratio(u.src.SubsampleRatio)
	cw, ch := (u.w+ratioX-1)/ratioX, (u.h+ratioY-1)/ratioY
	cy := y / ratioY
	near := src[cy*stride:][:cw]
	far := near
	bias := uint8(1)
	if ratioY == 2 {
		// The other row that counts lies above even rows and below odd ones; at
		// the edges of the picture it is the row itself.
		other := cy - 1
		if y%2 == 1 {
			other, bias = cy+1, 2
		}
		other = min(max(other, 0), ch-1)
		far = src[other*stride:][:cw]
	}
	switch {
	case u.webp:
		pixel.UpsampleWebP(dst, near, far)
	case ratioX == 2 && cw <= 2: // libjpeg repeats samples there
		for x := range dst {
			dst[x] = near[x/2]
		}
	case ratioX == 2 && ratioY == 2:
		pixel.UpsampleH2V2(dst, near, far)
	case ratioX == 2:
		pixel.UpsampleH2(dst, near)
	case ratioX == 1 && ratioY == 2:
		for x, n := range near {
			dst[x] = uint8((3*int(n) + int(far[x]) + int(bias)) >> 2)
		}
	default:
		for x := range dst {
			dst[x] = near[x/ratioX]
		}
	}
}

// ratio returns the luma samples per chroma sample along x and y.
func ratio(r image.YCbCrSubsampleRatio) (x, y int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// straight returns a colour without its alpha, as it is stored.
func straight(c color.Color) [3]uint8 {
	switch c := c.(type) {
	case color.RGBA:
		if c.A == 255 || c.A == 0 {
			return [3]uint8{c.R, c.G, c.B}
		}
	case color.NRGBA:
		return [3]uint8{c.R, c.G, c.B}
	case color.RGBA64:
		return [3]uint8{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)}
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return [3]uint8{n.R, n.G, n.B}
}
