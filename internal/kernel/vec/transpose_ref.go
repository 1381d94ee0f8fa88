package vec

// transposeRef transposes rows [r0, r1) and columns [c0, c1) in tiles of which both
// sides fit L1.
func transposeRef[T any](dst, src []T, rows, cols, r0, r1, c0, c1 int) {
	const tile = 32
	for rt := r0; rt < r1; rt += tile {
		for ct := c0; ct < c1; ct += tile {
			for c := ct; c < min(ct+tile, c1); c++ {
				for r := rt; r < min(rt+tile, r1); r++ {
					dst[c*rows+r] = src[r*cols+c]
				}
			}
		}
	}
}
