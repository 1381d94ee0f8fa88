package gemm

import "math"

// refF32 computes rows [m0, m1) of C: the definition of the product.
func refF32(s Shape, c, a, b []float32, m0, m1 int) {
	for m := m0; m < m1; m++ {
		for n := range s.N {
			var sum float32
			for k := range s.K {
				i, j := s.index(m, n, k)
				sum += a[i] * b[j]
			}
			c[m*s.LDC+n] = sum
		}
	}
}

// index returns where op(A)[m,k] and op(B)[k,n] are stored.
func (s Shape) index(m, n, k int) (i, j int) {
	i, j = m*s.LDA+k, k*s.LDB+n
	if s.TransA {
		i = k*s.LDA + m
	}
	if s.TransB {
		j = n*s.LDB + k
	}
	return i, j
}

// widen returns the float32 with the bits of a bfloat16.
func widen(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// round returns the nearest bfloat16, ties to even; NaN stays NaN.
func round(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
