package vec

// Eq sets dst[i] = a[i] == b[i].
func Eq(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	eq(dst, a, b)
}

// EqScalar sets dst[i] = a[i] == s.
func EqScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	eqScalar(dst, a, s)
}

// Ne sets dst[i] = a[i] != b[i].
func Ne(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	ne(dst, a, b)
}

// NeScalar sets dst[i] = a[i] != s.
func NeScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	neScalar(dst, a, s)
}

// Lt sets dst[i] = a[i] < b[i].
func Lt(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	lt(dst, a, b)
}

// LtScalar sets dst[i] = a[i] < s.
func LtScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	ltScalar(dst, a, s)
}

// Le sets dst[i] = a[i] <= b[i].
func Le(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	le(dst, a, b)
}

// LeScalar sets dst[i] = a[i] <= s.
func LeScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	leScalar(dst, a, s)
}

// Gt sets dst[i] = a[i] > b[i].
func Gt(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	gt(dst, a, b)
}

// GtScalar sets dst[i] = a[i] > s.
func GtScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	gtScalar(dst, a, s)
}

// Ge sets dst[i] = a[i] >= b[i].
func Ge(dst []bool, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	ge(dst, a, b)
}

// GeScalar sets dst[i] = a[i] >= s.
func GeScalar(dst []bool, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	geScalar(dst, a, s)
}
