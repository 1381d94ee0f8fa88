package cpu

import "math"

// float16 is held as uint16, as bfloat16 is. Rounding is to the nearest, ties to even;
// a NaN stays a NaN and becomes quiet.

func fromFloat16(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	for i, h := range src {
		sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
		switch exp {
		case 0: // zero or subnormal: frac units of 2^-24
			f := float32(frac) * (1.0 / (1 << 24))
			dst[i] = math.Float32frombits(math.Float32bits(f) | sign)
		case 0x1f:
			dst[i] = math.Float32frombits(sign | 0x7f800000 | frac<<13)
		default:
			dst[i] = math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
		}
	}
}

func toFloat16(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	for i, f := range src {
		b := math.Float32bits(f)
		sign, abs := uint16(b>>16&0x8000), b&0x7fffffff
		switch {
		case abs > 0x7f800000: // NaN
			dst[i] = sign | 0x7e00 | uint16(abs>>13&0x3ff)
		case abs >= 0x477ff000: // rounds to 65536 or is infinite
			dst[i] = sign | 0x7c00
		case abs < 0x38800000: // below 2^-14: subnormal, in units of 2^-24
			units := math.Float32frombits(abs) * (1 << 24)
			dst[i] = sign | uint16(math.RoundToEven(float64(units)))
		default:
			abs -= (127 - 15) << 23
			dst[i] = sign | uint16((abs+0xfff+abs>>13&1)>>13)
		}
	}
}

func fromComplex64(dst []complex128, src []complex64) {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = complex128(c)
	}
}

func toComplex64(dst []complex64, src []complex128) {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = complex64(c)
	}
}
