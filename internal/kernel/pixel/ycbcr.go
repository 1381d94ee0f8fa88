package pixel

// The conversion of ITU-R 601 full-range YCbCr (JFIF 1.02) in the fixed point of
// libjpeg (jdcolor.c): with b = Cb-128 and r = Cr-128,
//
//	R = Y + (91881·r + 2^15) >> 16
//	G = Y + (-22554·b - 46802·r + 2^15) >> 16
//	B = Y + (116130·b + 2^15) >> 16
//
// clipped to 0..255; the constants are 1.402, .34414, .71414 and 1.772 times 2^16.
const (
	crR = 91881
	cbG = 22554
	crG = 46802
	cbB = 116130
)

// YCbCrToRGB converts len(y) pixels of full-range YCbCr to interleaved RGB, with
// libjpeg's rounding. dst holds at least 3·len(y) samples; cb and cr len(y).
func YCbCrToRGB(dst, y, cb, cr []uint8) {
	n := len(y)
	if len(dst) < 3*n || len(cb) < n || len(cr) < n {
		panic("pixel: YCbCrToRGB: dst needs 3 samples a pixel, cb and cr one")
	}
	done := ycbcrToRGB(dst, y, cb, cr)
	ycbcrToRGBRef(dst[3*done:], y[done:], cb[done:], cr[done:])
}

func ycbcrToRGBRef(dst, y, cb, cr []uint8) {
	dst, cb, cr = dst[:3*len(y)], cb[:len(y)], cr[:len(y)]
	for i, v := range y {
		l, b, r := int32(v), int32(cb[i])-128, int32(cr[i])-128
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0] = clip8(l + (crR*r+1<<15)>>16)
		p[1] = clip8(l + (-cbG*b-crG*r+1<<15)>>16)
		p[2] = clip8(l + (cbB*b+1<<15)>>16)
	}
}

// YUVToRGB converts len(y) pixels of studio-range YCbCr (luma 16..235, chroma
// 16..240) to interleaved RGB, with libwebp's rounding. Lengths as YCbCrToRGB's.
func YUVToRGB(dst, y, cb, cr []uint8) {
	n := len(y)
	if len(dst) < 3*n || len(cb) < n || len(cr) < n {
		panic("pixel: YUVToRGB: dst needs 3 samples a pixel, cb and cr one")
	}
	for i, v := range y {
		l, u, w := int32(v)*19077>>8, int32(cb[i]), int32(cr[i])
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0] = clip8((l + w*26149>>8 - 14234) >> 6)
		p[1] = clip8((l - u*6419>>8 - w*13320>>8 + 8708) >> 6)
		p[2] = clip8((l + u*33050>>8 - 17685) >> 6)
	}
}

func clip8(v int32) uint8 {
	if uint32(v) <= 255 {
		return uint8(v)
	}
	if v < 0 {
		return 0
	}
	return 255
}

// UpsampleH2V2 makes one row of full-resolution chroma from the two nearest rows
// of 4:2:0 chroma: near holds the samples that cover the row, far those of the row
// next to it on the other side. It is libjpeg's "fancy" triangle filter,
// jdsample.c h2v2_fancy_upsample. len(near) = len(far) = ceil(len(dst)/2).
func UpsampleH2V2(dst, near, far []uint8) {
	n := len(near)
	if n != len(far) || n != (len(dst)+1)/2 {
		panic("pixel: UpsampleH2V2: near and far need half of dst's samples")
	}
	if n == 0 {
		return
	}
	from, to := upsampleH2V2(dst, near, far)
	upsampleH2V2Ref(dst, near, far, 0, from)
	upsampleH2V2Ref(dst, near, far, to, n)
}

// upsampleH2V2Ref computes the output for input columns from start to end.
func upsampleH2V2Ref(dst, near, far []uint8, start, end int) {
	if start == end {
		return
	}
	last := len(near) - 1
	sum := func(i int) int32 { return 3*int32(near[i]) + int32(far[i]) }
	left := sum(max(start-1, 0))
	this := sum(start)
	for i := start; i < end; i++ {
		right := this
		if i < last {
			right = sum(i + 1)
		}
		// At the ends the missing neighbour is the sample itself.
		dst[2*i] = uint8((3*this + left + 8) >> 4)
		if 2*i+1 < len(dst) {
			dst[2*i+1] = uint8((3*this + right + 7) >> 4)
		}
		left, this = this, right
	}
}

// UpsampleWebP is UpsampleH2V2 with the rounding of libwebp's fancy upsampling
// (src/dsp/upsampling.c): each product is a mean of means.
func UpsampleWebP(dst, near, far []uint8) {
	if len(near) != len(far) || len(near) != (len(dst)+1)/2 {
		panic("pixel: UpsampleWebP: near and far need half of dst's samples")
	}
	for x := range dst {
		i := x / 2
		n, f := int32(near[i]), int32(far[i])
		j := i - 1 + x%2*2 // the column on the other side
		if j < 0 || j >= len(near) {
			dst[x] = uint8((3*n + f + 2) >> 2)
			continue
		}
		nj, fj := int32(near[j]), int32(far[j])
		mean := (n + nj + f + fj + 8 + 2*(nj+f)) >> 3
		dst[x] = uint8((mean + n) >> 1)
	}
}

// UpsampleH2 doubles a row of 4:2:2 chroma: libjpeg's h2v1_fancy_upsample.
// len(src) = ceil(len(dst)/2).
func UpsampleH2(dst, src []uint8) {
	if len(src) != (len(dst)+1)/2 {
		panic("pixel: UpsampleH2: src needs half of dst's samples")
	}
	for i, v := range src {
		this := 3 * int32(v)
		left, right := int32(v), int32(v)
		if i > 0 {
			left = int32(src[i-1])
		}
		if i+1 < len(src) {
			right = int32(src[i+1])
		}
		dst[2*i] = uint8((this + left + 1) >> 2)
		if 2*i+1 < len(dst) {
			dst[2*i+1] = uint8((this + right + 2) >> 2)
		}
	}
}
