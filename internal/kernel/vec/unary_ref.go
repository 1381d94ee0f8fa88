package vec

import "math"

func negRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = -x[i]
	}
}

func absRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = math.Float32frombits(math.Float32bits(x[i]) &^ (1 << 31))
	}
}

func squareRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * x[i]
	}
}

func sqrtRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Sqrt(float64(x[i])))
	}
}

func rsqrtRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = 1 / float32(math.Sqrt(float64(x[i])))
	}
}

func expRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Exp(float64(x[i])))
	}
}

func logRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Log(float64(x[i])))
	}
}

func log1pRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Log1p(float64(x[i])))
	}
}

func expm1Ref(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Expm1(float64(x[i])))
	}
}

func tanhRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Tanh(float64(x[i])))
	}
}

func logisticRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(1 / (1 + math.Exp(-float64(x[i]))))
	}
}

func erfRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Erf(float64(x[i])))
	}
}

func signRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = sign1(x[i])
	}
}

func floorRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Floor(float64(x[i])))
	}
}

func ceilRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Ceil(float64(x[i])))
	}
}

func roundRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.RoundToEven(float64(x[i])))
	}
}

func sinRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Sin(float64(x[i])))
	}
}

func cosRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Cos(float64(x[i])))
	}
}

func reluRef(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = relu1(x[i])
	}
}

func sign1(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func relu1(x float32) float32 {
	if x <= 0 {
		return 0
	}
	return x
}
