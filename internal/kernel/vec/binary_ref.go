package vec

import "math"

func addRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func addScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + s
	}
}

func subRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func subScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - s
	}
}

func scalarSubRef(dst []float32, s float32, b []float32) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] = s - b[i]
	}
}

func mulRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func mulScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * s
	}
}

func divRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

func divScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] / s
	}
}

func scalarDivRef(dst []float32, s float32, b []float32) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] = s / b[i]
	}
}

func maximumRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = maxNaN(a[i], b[i])
	}
}

func maxScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = maxNaN(a[i], s)
	}
}

func minimumRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = minNaN(a[i], b[i])
	}
}

func minScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = minNaN(a[i], s)
	}
}

func powRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = pow1(a[i], b[i])
	}
}

func powScalarRef(dst, a []float32, s float32) {
	switch s { // the two exponents that a single rounding can serve
	case 2:
		mul(dst, a, a)
		return
	case -1:
		scalarDiv(dst, 1, a)
		return
	}
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = pow1(a[i], s)
	}
}

func scalarPowRef(dst []float32, s float32, b []float32) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] = pow1(s, b[i])
	}
}

func maxNaN(a, b float32) float32 {
	if a > b || a != a {
		return a
	}
	return b
}

func minNaN(a, b float32) float32 {
	if a < b || a != a {
		return a
	}
	return b
}

func pow1(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) }
