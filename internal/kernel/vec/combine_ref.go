package vec

func selectVVRef(dst []float32, cond []bool, a, b []float32) {
	cond, a, b = cond[:len(dst)], a[:len(dst)], b[:len(dst)]
	for i := range dst {
		if cond[i] {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func selectVSRef(dst []float32, cond []bool, a []float32, s float32) {
	cond, a = cond[:len(dst)], a[:len(dst)]
	for i := range dst {
		if cond[i] {
			dst[i] = a[i]
		} else {
			dst[i] = s
		}
	}
}

func selectSVRef(dst []float32, cond []bool, s float32, b []float32) {
	cond, b = cond[:len(dst)], b[:len(dst)]
	for i := range dst {
		if cond[i] {
			dst[i] = s
		} else {
			dst[i] = b[i]
		}
	}
}

func selectSSRef(dst []float32, cond []bool, s, t float32) {
	cond = cond[:len(dst)]
	for i := range dst {
		if cond[i] {
			dst[i] = s
		} else {
			dst[i] = t
		}
	}
}

func reluGradRef(dst, x, dy []float32) {
	x, dy = x[:len(dst)], dy[:len(dst)]
	for i := range dst {
		if x[i] <= 0 {
			dst[i] = 0
		} else {
			dst[i] = dy[i]
		}
	}
}

func mulAddRef(dst, a, b, c []float32) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	for i := range dst {
		dst[i] = a[i]*b[i] + c[i]
	}
}

func takeEqualRef(dst, x, y, rem []float32) {
	x, y, rem = x[:len(dst)], y[:len(dst)], rem[:len(dst)]
	for i := range dst {
		if !(x[i] < y[i] || x[i] > y[i]) { // equal, or one of them is NaN
			dst[i] += rem[i]
			rem[i] = 0
		}
	}
}
