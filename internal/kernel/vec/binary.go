package vec

// Add sets dst[i] = a[i] + b[i].
func Add(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	add(dst, a, b)
}

// AddScalar is Add with the same right operand s for every element.
func AddScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	addScalar(dst, a, s)
}

// Sub sets dst[i] = a[i] - b[i].
func Sub(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	sub(dst, a, b)
}

// SubScalar is Sub with the same right operand s for every element.
func SubScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	subScalar(dst, a, s)
}

// ScalarSub is Sub with the same left operand s for every element.
func ScalarSub(dst []float32, s float32, b []float32) {
	if len(b) != len(dst) {
		panic(lengthMismatch)
	}
	scalarSub(dst, s, b)
}

// Mul sets dst[i] = a[i] * b[i].
func Mul(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	mul(dst, a, b)
}

// MulScalar is Mul with the same right operand s for every element.
func MulScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	mulScalar(dst, a, s)
}

// Div sets dst[i] = a[i] / b[i].
func Div(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	div(dst, a, b)
}

// DivScalar is Div with the same right operand s for every element.
func DivScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	divScalar(dst, a, s)
}

// ScalarDiv is Div with the same left operand s for every element.
func ScalarDiv(dst []float32, s float32, b []float32) {
	if len(b) != len(dst) {
		panic(lengthMismatch)
	}
	scalarDiv(dst, s, b)
}

// Max sets dst[i] = a[i] if a[i] > b[i] or a[i] is NaN, else b[i]: NaN in either operand gives NaN.
func Max(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	maximum(dst, a, b)
}

// MaxScalar is Max with the same right operand s for every element.
func MaxScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	maxScalar(dst, a, s)
}

// Min sets dst[i] = a[i] if a[i] < b[i] or a[i] is NaN, else b[i]: NaN in either operand gives NaN.
func Min(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	minimum(dst, a, b)
}

// MinScalar is Min with the same right operand s for every element.
func MinScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	minScalar(dst, a, s)
}

// Pow sets dst[i] = a[i] to the power b[i], by math.Pow in float64.
func Pow(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		panic(lengthMismatch)
	}
	powRef(dst, a, b)
}

// PowScalar is Pow with the same right operand s for every element.
func PowScalar(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		panic(lengthMismatch)
	}
	powScalarRef(dst, a, s)
}

// ScalarPow is Pow with the same left operand s for every element.
func ScalarPow(dst []float32, s float32, b []float32) {
	if len(b) != len(dst) {
		panic(lengthMismatch)
	}
	scalarPowRef(dst, s, b)
}
