package reduce

import "math"

// lanes is how many float32 sums run side by side: element i goes to lane i mod lanes.
// They are then added in halves, the last sixteen in float64.
const lanes = 64

func foldLanes(l *[lanes]float32) float64 {
	for h := lanes / 2; h >= 16; h /= 2 {
		for i := range h {
			l[i] += l[i+h]
		}
	}
	var d [16]float64
	for i := range d {
		d[i] = float64(l[i])
	}
	for h := 8; h >= 1; h /= 2 {
		for i := range h {
			d[i] += d[i+h]
		}
	}
	return d[0]
}

func sumRef(x []float32) float64 {
	var l [lanes]float32
	for i, v := range x {
		l[i%lanes] += v
	}
	return foldLanes(&l)
}

func prod(x []float32) float64 {
	var d [4]float64 // four chains hide the latency of the multiplication
	for i := range d {
		d[i] = 1
	}
	n := len(x) &^ 3
	for i := 0; i < n; i += 4 {
		d[0] *= float64(x[i])
		d[1] *= float64(x[i+1])
		d[2] *= float64(x[i+2])
		d[3] *= float64(x[i+3])
	}
	for _, v := range x[n:] {
		d[0] *= float64(v)
	}
	return d[0] * d[1] * (d[2] * d[3])
}

func maximumRef(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func minimumRef(x []float32) float32 {
	m := float32(math.Inf(1))
	for _, v := range x {
		m = min(m, v)
	}
	return m
}
