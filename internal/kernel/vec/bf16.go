package vec

// ToBF16 sets dst[i] = src[i] as bfloat16 bits, rounded to nearest, ties to even. A NaN
// stays one (quiet, its sign and upper payload kept); subnormal numbers are rounded
// like all others, which is why VCVTNEPS2BF16, which flushes them, is not used.
func ToBF16(dst []uint16, src []float32) {
	if len(src) != len(dst) {
		panic(lengthMismatch)
	}
	toBF16(dst, src)
}

// FromBF16 sets dst[i] to the value of the bfloat16 bits src[i], which is exact.
func FromBF16(dst []float32, src []uint16) {
	if len(src) != len(dst) {
		panic(lengthMismatch)
	}
	fromBF16(dst, src)
}
