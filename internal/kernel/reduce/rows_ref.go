package reduce

// The column kernels add, for columns [0, len(s)) of rows rows of x that are stride
// elements apart, row by row.

func colSumRef(s, x []float32, rows, stride int) {
	for r := range rows {
		row := x[r*stride : r*stride+len(s)]
		for j := range s {
			s[j] += row[j]
		}
	}
}

// colStatsRef adds Σ(x−k) to s1 and Σ(x−k)² to s2.
func colStatsRef(s1, s2, x, k []float32, rows, stride int) {
	s2, k = s2[:len(s1)], k[:len(s1)]
	for r := range rows {
		row := x[r*stride : r*stride+len(s1)]
		for j := range s1 {
			d := row[j] - k[j]
			s1[j] += d
			s2[j] += d * d
		}
	}
}

// colGradRef adds Σdy to s1 and Σdy·(x−mean) to s2.
func colGradRef(s1, s2, dy, x, mean []float32, rows, stride int) {
	s2, mean = s2[:len(s1)], mean[:len(s1)]
	for r := range rows {
		row, g := x[r*stride:r*stride+len(s1)], dy[r*stride:r*stride+len(s1)]
		for j := range s1 {
			s1[j] += g[j]
			s2[j] += g[j] * (row[j] - mean[j])
		}
	}
}

// colGradReLURef is colGradRef with dy taken as 0 where y ≤ 0.
func colGradReLURef(s1, s2, dy, x, y, mean []float32, rows, stride int) {
	s2, mean = s2[:len(s1)], mean[:len(s1)]
	for r := range rows {
		row, g, m := x[r*stride:r*stride+len(s1)], dy[r*stride:r*stride+len(s1)], y[r*stride:r*stride+len(s1)]
		for j := range s1 {
			if m[j] <= 0 {
				continue
			}
			s1[j] += g[j]
			s2[j] += g[j] * (row[j] - mean[j])
		}
	}
}

// colGradReLUKeepRef is colGradReLURef that also stores the masked dy in kept.
func colGradReLUKeepRef(s1, s2, kept, dy, x, y, mean []float32, rows, stride int) {
	s2, mean = s2[:len(s1)], mean[:len(s1)]
	for r := range rows {
		lo, hi := r*stride, r*stride+len(s1)
		row, g, m, out := x[lo:hi], dy[lo:hi], y[lo:hi], kept[lo:hi]
		for j := range s1 {
			v := g[j]
			if m[j] <= 0 {
				v = 0
			}
			out[j] = v
			s1[j] += v
			s2[j] += v * (row[j] - mean[j])
		}
	}
}

// colGradAddReLUKeepRef is colGradReLUKeepRef on the sum of dy and dz.
func colGradAddReLUKeepRef(s1, s2, kept, dy, dz, x, y, mean []float32, rows, stride int) {
	s2, mean = s2[:len(s1)], mean[:len(s1)]
	for r := range rows {
		lo, hi := r*stride, r*stride+len(s1)
		row, g, h, m, out := x[lo:hi], dy[lo:hi], dz[lo:hi], y[lo:hi], kept[lo:hi]
		for j := range s1 {
			v := g[j] + h[j]
			if m[j] <= 0 {
				v = 0
			}
			out[j] = v
			s1[j] += v
			s2[j] += v * (row[j] - mean[j])
		}
	}
}

// colGradAffineReLURef is colGradRef with dy taken as 0 where x·a + b ≤ 0.
func colGradAffineReLURef(s1, s2, dy, x, mean, a, b []float32, rows, stride int) {
	s2, mean, a, b = s2[:len(s1)], mean[:len(s1)], a[:len(s1)], b[:len(s1)]
	for r := range rows {
		row, g := x[r*stride:r*stride+len(s1)], dy[r*stride:r*stride+len(s1)]
		for j := range s1 {
			if row[j]*a[j]+b[j] <= 0 {
				continue
			}
			s1[j] += g[j]
			s2[j] += g[j] * (row[j] - mean[j])
		}
	}
}
