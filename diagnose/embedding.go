package diagnose

import (
	"fmt"
	"math"
)

// Embedding is what two views' vectors of the same pictures tell.
type Embedding struct {
	Std         float64 // mean over the channels of the deviation (n−1) of view 1's normalised vectors, times √d: 1 spread out, 0 collapsed
	Rank        float64 // RankMe: EffectiveRank of view 1's vectors, over at most 128 rows
	TopShare    float64 // share of view 1's variance that lies in its largest direction
	CosPositive float64 // mean cosine of the two views of a picture
	CosNegative float64 // mean cosine of views of different pictures
	Uniformity  float64 // ln of the mean over pairs of exp(−2‖a−b‖²), of view 1's normalised vectors (Wang and Isola 2020)
	Match       float64 // share of pictures whose view 1 is closest, among all view 2, to its own, by centred vectors
	Of          int     // pictures that Match chose among
}

// pairRows bounds the rows that are compared each with each other.
const pairRows = 128

// Describe measures view1 and view2 [rows,cols]. It is NaN throughout if a value is not
// finite.
func Describe(view1, view2 []float32, rows, cols int) Embedding {
	if len(view1) != rows*cols || len(view2) != rows*cols || rows < 1 || cols < 1 {
		panic(fmt.Sprintf("diagnose: %d and %d values for two matrices of %d x %d", len(view1), len(view2), rows, cols))
	}
	nan := math.NaN()
	for _, x := range [][]float32{view1, view2} {
		for _, v := range x {
			if v-v != 0 {
				return Embedding{nan, nan, nan, nan, nan, nan, nan, 0}
			}
		}
	}
	few := min(rows, pairRows)
	a, b := normalized(view1, cols), normalized(view2, cols)
	e := Embedding{
		Std:        spread(a, rows, cols),
		Rank:       EffectiveRank(view1[:few*cols], few, cols),
		TopShare:   topShare(view1[:few*cols], cols),
		Uniformity: uniformity(a[:few*cols], cols),
		Match:      match(view1[:few*cols], view2[:few*cols], cols),
		Of:         few,
	}
	e.CosPositive, e.CosNegative = cosines(a, b, rows, cols)
	return e
}

// normalized returns the rows with length 1; zero rows stay zero.
func normalized(x []float32, cols int) []float32 {
	out := make([]float32, len(x))
	for i := 0; i < len(x); i += cols {
		sum := 0.0
		for _, v := range x[i : i+cols] {
			sum += float64(v) * float64(v)
		}
		if sum == 0 {
			continue
		}
		scale := 1 / math.Sqrt(sum)
		for k, v := range x[i : i+cols] {
			out[i+k] = float32(float64(v) * scale)
		}
	}
	return out
}

// means returns the mean of every column.
func means(x []float32, cols int) []float64 {
	m := make([]float64, cols)
	for i := 0; i < len(x); i += cols {
		for k, v := range x[i : i+cols] {
			m[k] += float64(v)
		}
	}
	for k := range m {
		m[k] /= float64(len(x) / cols)
	}
	return m
}

// spread is the mean deviation of the columns times √cols.
func spread(x []float32, rows, cols int) float64 {
	mean, squares := means(x, cols), make([]float64, cols)
	for i := 0; i < len(x); i += cols {
		for k, v := range x[i : i+cols] {
			d := float64(v) - mean[k]
			squares[k] += d * d
		}
	}
	sum := 0.0
	for _, s := range squares {
		sum += math.Sqrt(s / float64(max(1, rows-1)))
	}
	return sum / float64(cols) * math.Sqrt(float64(cols))
}

// cosines returns the mean cosines of the rows of a with the same row of b, and with the
// others, from the rows' sum. Rows have length 1.
func cosines(a, b []float32, rows, cols int) (positive, negative float64) {
	for i, v := range a {
		positive += float64(v) * float64(b[i])
	}
	all, n := 0.0, float64(rows)
	ma, mb := means(a, cols), means(b, cols)
	for k := range ma {
		all += ma[k] * mb[k] * n * n
	}
	return positive / n, (all - positive) / max(1, n*(n-1))
}

// topShare is the largest eigenvalue of the rows' covariance over the sum of all, by power
// iteration; 0 without any variance.
func topShare(x []float32, cols int) float64 {
	const iterations = 16 // shares differ by a percent at most then
	mean := means(x, cols)
	centred := make([]float64, len(x))
	total, largest, at := 0.0, 0.0, 0
	for i := 0; i < len(x); i += cols {
		sum := 0.0
		for k, v := range x[i : i+cols] {
			d := float64(v) - mean[k]
			centred[i+k] = d
			sum += d * d
		}
		if total += sum; sum > largest {
			largest, at = sum, i
		}
	}
	if total == 0 {
		return 0
	}
	direction, next := append([]float64(nil), centred[at:at+cols]...), make([]float64, cols)
	value := 0.0
	for range iterations {
		length := 0.0
		for _, v := range direction {
			length += v * v
		}
		length = math.Sqrt(length)
		clear(next)
		for i := 0; i < len(x); i += cols {
			dot := 0.0
			for k, v := range centred[i : i+cols] {
				dot += v * direction[k]
			}
			dot /= length
			for k, v := range centred[i : i+cols] {
				next[k] += dot * v
			}
		}
		value = 0
		for _, v := range next {
			value += v * v
		}
		value = math.Sqrt(value)
		direction, next = next, direction
	}
	return value / total
}

// uniformity is the logarithm of the mean Gaussian potential of the pairs of rows, which
// have length 1; 0 for a single row.
func uniformity(x []float32, cols int) float64 {
	rows := len(x) / cols
	if rows < 2 {
		return 0
	}
	sum := 0.0
	for i := range rows {
		for j := range i {
			sum += math.Exp(4*float64(dot(x[i*cols:][:cols], x[j*cols:][:cols])) - 4) // ‖a−b‖² = 2 − 2a·b
		}
	}
	return math.Log(sum / float64(rows*(rows-1)/2))
}

// match is the share of rows of a whose nearest row of b, by the cosine of what is left
// after both views' common mean is taken off, is the one of the same number. Ties are no match.
func match(a, b []float32, cols int) float64 {
	ma, mb := means(a, cols), means(b, cols)
	centre := func(x []float32) []float32 {
		out := make([]float32, len(x))
		for i, v := range x {
			out[i] = float32(float64(v) - (ma[i%cols]+mb[i%cols])/2)
		}
		return normalized(out, cols)
	}
	a, b = centre(a), centre(b)
	rows, hits := len(a)/cols, 0
	for i := range rows {
		row := a[i*cols:][:cols]
		own, best := dot(row, b[i*cols:][:cols]), true
		for j := 0; j < rows && best; j++ {
			best = j == i || dot(row, b[j*cols:][:cols]) < own
		}
		if best {
			hits++
		}
	}
	return float64(hits) / float64(rows)
}

// dot is the product of two rows.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for len(a) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return s0 + s1 + s2 + s3
}

// Pixels is how much the views of a batch differ, in the units of the network's input.
type Pixels struct {
	View    float64 // root mean squared difference of a picture's two views
	Picture float64 // the same, of a view and the other view of another picture; NaN for a single picture
	Detail  float64 // root mean squared deviation of pixels from the mean of their view and channel
}

// Bounds on what is looked at: so many pictures, and samples of each.
const (
	pixelRows    = 128
	pixelSamples = 1024
)

// DescribePixels measures view1 and view2 [rows,H,W,channels] on a regular sample.
func DescribePixels(view1, view2 []float32, rows, channels int) Pixels {
	size := len(view1) / rows / channels // pixels of a view
	every := max(1, size*channels/pixelSamples) | 1
	few := min(rows, pixelRows)
	var view, picture, detail float64
	n := 0
	sums, squares := make([]float64, channels), make([]float64, channels)
	for i := range few {
		clear(sums)
		clear(squares)
		a := view1[i*size*channels:][:size*channels]
		b := view2[i*size*channels:][:size*channels]
		other := view2[(i+1)%few*size*channels:][:size*channels]
		seen := 0
		for p := 0; p < size; p += every {
			for c := range channels {
				k := p*channels + c
				x, own, another := float64(a[k]), float64(b[k]), float64(other[k])
				view += (x - own) * (x - own)
				picture += (x - another) * (x - another)
				sums[c] += x
				squares[c] += x * x
			}
			seen++
		}
		for c, s := range sums {
			detail += max(0, squares[c]-s*s/float64(seen))
		}
		n += seen * channels
	}
	root := func(sum float64) float64 { return math.Sqrt(sum / float64(n)) }
	out := Pixels{View: root(view), Picture: root(picture), Detail: root(detail)}
	if few < 2 {
		out.Picture = math.NaN()
	}
	return out
}
