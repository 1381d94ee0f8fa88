package vec

// Fill sets every element of dst to v.
func Fill[T any](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	const piece = 1024 // memmove fills the rest from a piece in L1
	head := dst[:min(len(dst), piece)]
	for i := range head {
		head[i] = v
	}
	for n := piece; n < len(dst); n += piece {
		copy(dst[n:], head)
	}
}

// Gather sets dst[i] = src[offset + i·stride], for a stride of any sign.
func Gather[T any](dst, src []T, offset, stride int) {
	for i := range dst {
		dst[i] = src[offset]
		offset += stride
	}
}
