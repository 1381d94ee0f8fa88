package vec

func addRowsRef(dst, x, v []float32) {
	c := len(v)
	for r := 0; r < len(dst); r += c {
		for i := range v {
			dst[r+i] = x[r+i] + v[i]
		}
	}
}

func mulRowsRef(dst, x, v []float32) {
	c := len(v)
	for r := 0; r < len(dst); r += c {
		for i := range v {
			dst[r+i] = x[r+i] * v[i]
		}
	}
}

func affineRowsRef(dst, x, a, b []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			dst[r+i] = x[r+i]*a[i] + b[i]
		}
	}
}

func affineReLURowsRef(dst, x, a, b []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			dst[r+i] = relu1(x[r+i]*a[i] + b[i])
		}
	}
}

func affineAddRowsRef(dst, x, res, a, b []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			dst[r+i] = x[r+i]*a[i] + b[i] + res[r+i]
		}
	}
}

func affineAddReLURowsRef(dst, x, res, a, b []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			dst[r+i] = relu1(x[r+i]*a[i] + b[i] + res[r+i])
		}
	}
}

func gradRowsRef(dst, dy, x, a, b, d []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			dst[r+i] = a[i]*dy[r+i] + (b[i]*x[r+i] + d[i])
		}
	}
}

func gradReLURowsRef(dst, dy, x, y, a, b, d []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			g := dy[r+i]
			if y[r+i] <= 0 {
				g = 0
			}
			dst[r+i] = a[i]*g + (b[i]*x[r+i] + d[i])
		}
	}
}

func gradAffineReLURowsRef(dst, dy, x, a, b, d, scale, shift []float32) {
	c := len(a)
	for r := 0; r < len(dst); r += c {
		for i := range a {
			g := dy[r+i]
			if x[r+i]*scale[i]+shift[i] <= 0 {
				g = 0
			}
			dst[r+i] = a[i]*g + (b[i]*x[r+i] + d[i])
		}
	}
}
