package vec

// Select sets dst[i] = a[i] where cond[i], else b[i].
func Select(dst []float32, cond []bool, a, b []float32) {
	if len(cond) != len(dst) || len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	selectVV(dst, cond, a, b)
}

// SelectVS sets dst[i] = a[i] where cond[i], else s.
func SelectVS(dst []float32, cond []bool, a []float32, s float32) {
	if len(cond) != len(dst) || len(a) != len(dst) {
		panic(lengthMismatch)
	}
	selectVS(dst, cond, a, s)
}

// SelectSV sets dst[i] = s where cond[i], else b[i].
func SelectSV(dst []float32, cond []bool, s float32, b []float32) {
	if len(cond) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	selectSV(dst, cond, s, b)
}

// SelectSS sets dst[i] = s where cond[i], else t.
func SelectSS(dst []float32, cond []bool, s, t float32) {
	if len(cond) != len(dst) {
		panic(lengthMismatch)
	}
	selectSS(dst, cond, s, t)
}

// ReLUGrad sets dst[i] = 0 where x[i] ≤ 0, else dy[i]. The mask is the same for the
// input x of the ReLU and for its output.
func ReLUGrad(dst, x, dy []float32) {
	if len(x) != len(dst) || len(dy) != len(dst) {
		panic(lengthMismatch)
	}
	reluGrad(dst, x, dy)
}

// MulAdd sets dst[i] = a[i]·b[i] + c[i].
func MulAdd(dst, a, b, c []float32) {
	if len(a) != len(dst) || len(b) != len(dst) || len(c) != len(dst) {
		panic(lengthMismatch)
	}
	mulAdd(dst, a, b, c)
}

// TakeEqual sets dst[i] += rem[i] and rem[i] = 0 where x[i] equals y[i] or either is
// NaN. Called for the elements x of a pooling window in order, with y the window's
// maximum and rem its gradient, it gives the gradient to the first maximum.
func TakeEqual(dst, x, y, rem []float32) {
	if len(x) != len(dst) || len(y) != len(dst) || len(rem) != len(dst) {
		panic(lengthMismatch)
	}
	takeEqual(dst, x, y, rem)
}
