package vec

// Neg sets dst[i] = -x[i].
func Neg(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	neg(dst, x)
}

// Abs sets dst[i] = |x[i]|.
func Abs(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	abs(dst, x)
}

// Square sets dst[i] = x[i]².
func Square(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	square(dst, x)
}

// Sqrt sets dst[i] = √x[i], rounded once.
func Sqrt(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	sqrt(dst, x)
}

// Rsqrt sets dst[i] = 1/√x[i], by a square root and a division.
func Rsqrt(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	rsqrt(dst, x)
}

// Exp sets dst[i] = e^x[i]; at most 1.25 ulp off, subnormal results included.
func Exp(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	exp(dst, x)
}

// Log sets dst[i] = ln x[i]; at most 1 ulp off.
func Log(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	log(dst, x)
}

// Log1p sets dst[i] = ln(1 + x[i]).
func Log1p(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	log1pRef(dst, x)
}

// Expm1 sets dst[i] = e^x[i] - 1.
func Expm1(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	expm1Ref(dst, x)
}

// Tanh sets dst[i] = tanh x[i]; at most 1.5 ulp off.
func Tanh(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	tanh(dst, x)
}

// Logistic sets dst[i] = 1/(1 + e^-x[i]); at most 2.5 ulp off.
func Logistic(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	logistic(dst, x)
}

// Erf sets dst[i] = erf x[i], the error function.
func Erf(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	erfRef(dst, x)
}

// Sign sets dst[i] = -1, x[i] or 1 for x[i] below, at (either zero, NaN) or above zero.
func Sign(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	sign(dst, x)
}

// Floor sets dst[i] = the greatest whole number ≤ x[i].
func Floor(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	floor(dst, x)
}

// Ceil sets dst[i] = the least whole number ≥ x[i].
func Ceil(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	ceil(dst, x)
}

// Round sets dst[i] = x[i] rounded to the nearest whole number, halves to even.
func Round(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	round(dst, x)
}

// Sin sets dst[i] = sin x[i].
func Sin(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	sinRef(dst, x)
}

// Cos sets dst[i] = cos x[i].
func Cos(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	cosRef(dst, x)
}

// ReLU sets dst[i] = 0 where x[i] ≤ 0, else x[i]; NaN stays.
func ReLU(dst, x []float32) {
	if len(x) != len(dst) {
		panic(lengthMismatch)
	}
	relu(dst, x)
}
