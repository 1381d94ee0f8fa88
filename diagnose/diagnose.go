// Package diagnose measures whether a representation is spread out or has collapsed,
// without labels.
package diagnose

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// EffectiveRank returns exp of the entropy of the singular values of x [rows,cols],
// normalised to sum 1 (Roy and Vetterli 2007; RankMe, arXiv 2210.02885): between 1,
// everything on one line, and min(rows, cols). It is NaN if x holds a value that is not
// finite, and 0 if x is all zero.
func EffectiveRank(x []float32, rows, cols int) float64 {
	if len(x) != rows*cols {
		panic(fmt.Sprintf("diagnose: %d values for a matrix of %d x %d", len(x), rows, cols))
	}
	singular, ok := SingularValues(x, rows, cols)
	if !ok {
		return math.NaN()
	}
	var sum, entropy float64
	for _, s := range singular {
		sum += s
	}
	if sum == 0 {
		return 0
	}
	for _, s := range singular {
		if p := s / sum; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	return math.Exp(entropy)
}

// SingularValues returns the min(rows, cols) singular values of x [rows,cols], ascending,
// from the eigenvalues of the smaller of xxᵀ and xᵀx in float64: values below about 1e-8
// of the largest are noise and come out as 0. It reports false if x is not finite.
func SingularValues(x []float32, rows, cols int) ([]float64, bool) {
	for _, v := range x {
		if v-v != 0 {
			return nil, false
		}
	}
	if rows == 0 || cols == 0 {
		return nil, true
	}
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	m := mat.NewDense(rows, cols, wide)
	var gram mat.SymDense
	if rows <= cols {
		gram.SymOuterK(1, m) // xxᵀ
	} else {
		gram.SymOuterK(1, m.T()) // xᵀx
	}
	var eig mat.EigenSym
	if !eig.Factorize(&gram, false) {
		return nil, false
	}
	values := eig.Values(nil)
	largest := values[len(values)-1]
	for i, v := range values {
		if v < 1e-15*largest {
			v = 0
		}
		values[i] = math.Sqrt(v)
	}
	return values, true
}
