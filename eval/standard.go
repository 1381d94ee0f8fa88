package eval

import (
	"fmt"
	"math"

	"github.com/byol-go/byol/internal/kernel/par"
)

// Standard is an affine map of each feature: (x − Mean)·Scale.
type Standard struct {
	Mean, Scale []float64 // [D]
}

// negligibleDeviation is the deviation, relative to the largest of all features, below
// which a feature is taken as constant and mapped to 0.
const negligibleDeviation = 1e-6

// Standardize returns the map that gives every feature mean 0 and deviation 1 over the
// rows. A value that is not finite is an error that names its row.
func Standardize(f Features) (Standard, error) {
	s := Standard{Mean: make([]float64, f.D), Scale: make([]float64, f.D)}
	if err := f.check(); err != nil {
		return s, err
	}
	for i := range f.N {
		for j, v := range f.row(i) {
			s.Mean[j] += float64(v)
		}
	}
	for j := range s.Mean {
		s.Mean[j] /= float64(f.N)
	}
	for i := range f.N {
		for j, v := range f.row(i) {
			d := float64(v) - s.Mean[j]
			s.Scale[j] += float64(d * d)
		}
	}
	largest := 0.0
	for j, sum := range s.Scale {
		s.Scale[j] = math.Sqrt(sum / float64(f.N))
		largest = max(largest, s.Scale[j])
	}
	for j, deviation := range s.Scale {
		s.Scale[j] = 0
		if deviation > negligibleDeviation*largest {
			s.Scale[j] = 1 / deviation
		}
	}
	return s, nil
}

// Apply returns the mapped rows.
func (s Standard) Apply(pool *par.Pool, f Features) Features {
	out := f
	out.X = make([]float32, len(f.X))
	pool.For(f.N, func(i, _ int) {
		to := out.X[i*f.D : (i+1)*f.D]
		for j, v := range f.row(i) {
			to[j] = float32((float64(v) - s.Mean[j]) * s.Scale[j])
		}
	})
	return out
}

// row returns the features of one picture.
func (f Features) row(i int) []float32 { return f.X[i*f.D : (i+1)*f.D] }

// Rows returns copies of the given rows.
func (f Features) Rows(rows []int) Features {
	out := Features{X: make([]float32, 0, len(rows)*f.D), N: len(rows), D: f.D}
	for _, i := range rows {
		out.X = append(out.X, f.row(i)...)
		if f.Labels != nil {
			out.Labels = append(out.Labels, f.Labels[i])
		}
	}
	return out
}

// Known returns the rows whose label is known, and ErrNoLabels if there are none.
func (f Features) Known() (Features, error) {
	var keep []int
	for i, l := range f.Labels {
		if l >= 0 {
			keep = append(keep, i)
		}
	}
	switch len(keep) {
	case 0:
		return f, ErrNoLabels
	case f.N:
		return f, nil
	}
	return f.Rows(keep), nil
}

// check returns an error for a matrix of another size, or that names the first row with
// a value that is not finite.
func (f Features) check() error {
	if len(f.X) != f.N*f.D {
		return fmt.Errorf("features: %d values for %d rows of %d", len(f.X), f.N, f.D)
	}
	for i, v := range f.X {
		if v-v != 0 {
			return fmt.Errorf("features: row %d holds a value that is not finite", i/f.D)
		}
	}
	return nil
}
