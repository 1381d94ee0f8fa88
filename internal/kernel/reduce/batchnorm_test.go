package reduce

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
)

var normShapes = [][2]int{{1, 1}, {9, 3}, {11000, 3}, {300, 16}, {2100, 17}, {33, 40}, {64, 64}, {1100, 64}, {70, 100}, {80, 512}, {40, 1500}}

// TestBatchStats compares with float64, for data whose mean is far from zero, too, and
// for a block whose first row is an outlier.
func TestBatchStats(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range normShapes {
			rows, c := shape[0], shape[1]
			for _, data := range []struct {
				name          string
				mean, outlier float32
				bound         float64 // relative error of the variance
			}{{"centred", 0, 0, 1e-5}, {"mean 1e4", 1e4, 0, 1e-4}, {"outlier", 1, 1e4, 1e-5}} {
				x := random(t, rows*c, 1)
				for i := range x {
					x[i] += data.mean
					if i < c {
						x[i] += data.outlier
					}
				}
				var mean0, variance0 []float32
				for _, p := range pools {
					mean, variance := random(t, c, 2), random(t, c, 3)
					BatchStats(p, mean, variance, x, rows, c, make([]byte, BatchStatsScratchBytes(rows, c)))
					for j := range c {
						m, v := moments(x, rows, c, j)
						if math.Abs(float64(mean[j])-m) > 2e-7*math.Abs(m)+2e-6*math.Sqrt(v) || math.Abs(float64(variance[j])-v) > data.bound*v {
							t.Fatalf("[%d,%d] %s: column %d has mean %v, variance %v, want %v, %v", rows, c, data.name, j, mean[j], variance[j], m, v)
						}
						if mean0 != nil && (mean[j] != mean0[j] || variance[j] != variance0[j]) {
							t.Fatalf("[%d,%d]: column %d differs on %d threads", rows, c, j, p.Threads())
						}
					}
					mean0, variance0 = mean, variance
				}
			}
		}
	})
}

func moments(x []float32, rows, c, j int) (mean, variance float64) {
	for r := range rows {
		mean += float64(x[r*c+j])
	}
	mean /= float64(rows)
	for r := range rows {
		d := float64(x[r*c+j]) - mean
		variance += d * d
	}
	return mean, variance / float64(rows)
}

func TestBatchStatsNonFinite(t *testing.T) {
	eachLevel(t, func(t *testing.T, _ []*par.Pool) {
		rows, c := 100, 20
		x := random(t, rows*c, 1)
		x[50*c+3], x[70*c+4] = nan, inf
		mean, variance := make([]float32, c), make([]float32, c)
		BatchStats(nil, mean, variance, x, rows, c, make([]byte, BatchStatsScratchBytes(rows, c)))
		for j := range c {
			bad := variance[j] != variance[j]
			if bad != (j == 3 || j == 4) {
				t.Errorf("column %d: mean %v, variance %v", j, mean[j], variance[j])
			}
		}
		BatchStats(nil, mean, variance, []float32(nil), 0, c, nil)
		if mean[0] == mean[0] || variance[0] == variance[0] {
			t.Errorf("no rows: mean %v, variance %v", mean[0], variance[0])
		}
	})
}

// TestBatchNorm follows a batch norm with residual and ReLU, forward and backward, and
// compares with the formulas in float64.
func TestBatchNorm(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range normShapes {
			rows, c := shape[0], shape[1]
			x, dy, res := random(t, rows*c, 1), random(t, rows*c, 2), random(t, rows*c, 3)
			gamma, beta := random(t, c, 4), random(t, c, 5)
			const eps = 1e-5
			for _, relu := range []bool{false, true} {
				var first []float32
				for _, p := range pools {
					got := norm(t, p, x, dy, res, gamma, beta, rows, c, eps, relu)
					if first == nil {
						first = got
						verifyNorm(t, got, x, dy, res, gamma, beta, rows, c, eps, relu)
						continue
					}
					for i := range got {
						if !same(got[i], first[i]) {
							t.Fatalf("[%d,%d]: element %d differs on %d threads", rows, c, i, p.Threads())
						}
					}
				}
			}
		}
	})
}

// norm returns y, dx, the gradient of the residual, dgamma and dbeta, one after the other.
func norm(t *testing.T, p *par.Pool, x, dy, res, gamma, beta []float32, rows, c int, eps float32, relu bool) []float32 {
	n := rows * c
	mean, variance := make([]float32, c), make([]float32, c)
	BatchStats(p, mean, variance, x, rows, c, make([]byte, BatchStatsScratchBytes(rows, c)))
	scale, shift := make([]float32, c), make([]float32, c)
	normCoefficients(scale, shift, mean, variance, gamma, beta, eps)
	y, dx, dres := guarded[float32](t, n, true), guarded[float32](t, n, true), guarded[float32](t, n, true)
	sumDy, sumDyX := make([]float32, c), make([]float32, c)
	scratch := make([]byte, BatchGradScratchBytes(rows, c))
	a, b, d, dgamma := make([]float32, c), make([]float32, c), make([]float32, c), make([]float32, c)
	if relu {
		AffineAddReLU(p, y, x, res, scale, shift)
		BatchGradSumsReLU(p, sumDy, sumDyX, nil, dy, x, y, mean, rows, c, scratch)
		kept1, kept2 := make([]float32, c), make([]float32, c)
		BatchGradSumsReLU(p, kept1, kept2, dres, dy, x, y, mean, rows, c, scratch)
		for j := range c {
			if kept1[j] != sumDy[j] || kept2[j] != sumDyX[j] {
				t.Fatalf("[%d,%d]: keeping the masked gradient changes the sums of column %d", rows, c, j)
			}
		}
	} else {
		AffineAdd(p, y, x, res, scale, shift)
		BatchGradSums(p, sumDy, sumDyX, dy, x, mean, rows, c, scratch)
		copy(dres, dy)
	}
	gradCoefficients(a, b, d, dgamma, sumDy, sumDyX, mean, variance, gamma, eps, rows)
	if relu {
		BatchGradApplyReLU(p, dx, dy, x, y, a, b, d)
	} else {
		BatchGradApply(p, dx, dy, x, a, b, d)
	}
	var all []float32
	for _, v := range [][]float32{y, dx, dres, dgamma, sumDy} {
		all = append(all, v...)
	}
	return all
}

func verifyNorm(t *testing.T, got, x, dy, res, gamma, beta []float32, rows, c int, eps float32, relu bool) {
	t.Helper()
	n := rows * c
	y, dx, dres, dgamma, dbeta := got[:n], got[n:2*n], got[2*n:3*n], got[3*n:3*n+c], got[3*n+c:]
	for j := range c {
		m, v := moments(x, rows, c, j)
		r := 1 / math.Sqrt(v+float64(eps))
		var s1, s2, size float64
		g := make([]float64, rows)
		for i := range rows {
			at := i*c + j
			want := (float64(x[at])-m)*r*float64(gamma[j]) + float64(beta[j]) + float64(res[at])
			g[i] = float64(dy[at])
			if relu && y[at] <= 0 { // the mask itself is the kernel's: a value near 0 may round either way
				g[i] = 0
				want = min(want, 0)
				want = max(want, -1e-5)
			}
			if math.Abs(float64(y[at])-want) > 2e-5*(1+math.Abs(want)) {
				t.Fatalf("[%d,%d]: y[%d,%d] = %v, want %v", rows, c, i, j, y[at], want)
			}
			if float64(dres[at]) != g[i] {
				t.Fatalf("[%d,%d]: dres[%d,%d] = %v, want %v", rows, c, i, j, dres[at], g[i])
			}
			s1 += g[i]
			s2 += g[i] * (float64(x[at]) - m)
			size += math.Abs(g[i])
		}
		if math.Abs(float64(dbeta[j])-s1) > 1e-6*size+1e-30 || math.Abs(float64(dgamma[j])-s2*r) > 1e-5*(size+1) {
			t.Fatalf("[%d,%d]: column %d: dbeta %v, dgamma %v, want %v, %v", rows, c, j, dbeta[j], dgamma[j], s1, s2*r)
		}
		for i := range rows {
			at := i*c + j
			want := float64(gamma[j]) * r * (g[i] - s1/float64(rows) - (float64(x[at])-m)*r*r*s2/float64(rows))
			if tol := 2e-5 * math.Abs(float64(gamma[j])) * r * (1 + math.Abs(g[i])); math.Abs(float64(dx[at])-want) > tol {
				t.Fatalf("[%d,%d] relu %v: dx[%d,%d] = %v, want %v", rows, c, relu, i, j, dx[at], want)
			}
		}
	}
}

// TestBatchGradForms holds the sums that add two gradients, and those that take the mask
// from x, to the bits of BatchGradSumsReLU on what these stand for.
func TestBatchGradForms(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, shape := range normShapes {
			rows, c := shape[0], shape[1]
			n := rows * c
			x, dy, dz := random(t, n, 1), random(t, n, 2), random(t, n, 3)
			mean, scale, shift, b, d := random(t, c, 4), random(t, c, 5), random(t, c, 6), random(t, c, 7), random(t, c, 8)
			y, sum := make([]float32, n), make([]float32, n)
			AffineReLU(nil, y, x, scale, shift)
			for i := range sum {
				sum[i] = dy[i] + dz[i]
			}
			scratch := make([]byte, BatchGradScratchBytes(rows, c))
			for _, p := range pools {
				var want, got [4][]float32
				for i := range want {
					want[i], got[i] = make([]float32, c), guarded[float32](t, c, true)
				}
				kept, wantKept := guarded[float32](t, n, true), make([]float32, n)
				BatchGradSumsReLU(p, want[0], want[1], wantKept, sum, x, y, mean, rows, c, scratch)
				BatchGradSumsAddReLU(p, got[0], got[1], kept, dy, dz, x, y, mean, rows, c, scratch)
				BatchGradSumsReLU(p, want[2], want[3], nil, dy, x, y, mean, rows, c, scratch)
				BatchGradSumsAffineReLU(p, got[2], got[3], dy, x, mean, scale, shift, rows, c, scratch)
				for i := range want {
					for j := range c {
						if got[i][j] != want[i][j] {
							t.Fatalf("[%d,%d] sum %d of column %d: %v, want %v", rows, c, i, j, got[i][j], want[i][j])
						}
					}
				}
				dx, wantDX := guarded[float32](t, n, true), make([]float32, n)
				BatchGradApplyReLU(p, wantDX, dy, x, y, scale, b, d)
				BatchGradApplyAffineReLU(p, dx, dy, x, scale, b, d, scale, shift)
				for i := range kept {
					if kept[i] != wantKept[i] || dx[i] != wantDX[i] {
						t.Fatalf("[%d,%d] element %d: kept %v, dx %v, want %v, %v", rows, c, i, kept[i], dx[i], wantKept[i], wantDX[i])
					}
				}
			}
		}
	})
}

func TestAffineForms(t *testing.T) {
	x, res := []float32{1, -2, 3, -4}, []float32{0, 1, 0, 10} // [2, 2]
	scale, shift := []float32{1, 2}, []float32{-1, 0}
	y := make([]float32, 4)
	for _, f := range []struct {
		name string
		run  func()
		want [4]float32
	}{
		{"Affine", func() { Affine(nil, y, x, scale, shift) }, [4]float32{0, -4, 2, -8}},
		{"AffineReLU", func() { AffineReLU(nil, y, x, scale, shift) }, [4]float32{0, 0, 2, 0}},
		{"AffineAdd", func() { AffineAdd(nil, y, x, res, scale, shift) }, [4]float32{0, -3, 2, 2}},
		{"AffineAddReLU", func() { AffineAddReLU(nil, y, x, res, scale, shift) }, [4]float32{0, 0, 2, 2}},
	} {
		f.run()
		if [4]float32(y) != f.want {
			t.Errorf("%s: %v, want %v", f.name, y, f.want)
		}
	}
}

// normCoefficients sets scale and shift [c] such that x·scale+shift is the batch norm
// γ·(x−mean)/√(variance+eps)+β; gamma and beta may be nil for 1 and 0.
func normCoefficients(scale, shift, mean, variance, gamma, beta []float32, eps float32) {
	for j := range scale {
		a := 1 / math.Sqrt(float64(variance[j])+float64(eps))
		if gamma != nil {
			a *= float64(gamma[j])
		}
		b := 0.0
		if beta != nil {
			b = float64(beta[j])
		}
		scale[j] = float32(a)
		shift[j] = float32(b - float64(mean[j])*float64(scale[j]))
	}
}

// gradCoefficients sets a, b and d [c] such that a·dy+b·x+d is the gradient of the input
// of a batch norm over rows rows, and dgamma [c], the gradient of its scale (that of its
// shift is sumDy). gamma may be nil for 1, dgamma nil if not wanted.
//
// With r = 1/√(variance+eps): dx = γ·r·(dy − Σdy/n − (x−mean)·r²·Σdy(x−mean)/n).
func gradCoefficients(a, b, d, dgamma, sumDy, sumDyX, mean, variance, gamma []float32, eps float32, rows int) {
	n := float64(rows)
	for j := range a {
		r := 1 / math.Sqrt(float64(variance[j])+float64(eps))
		scale := r
		if gamma != nil {
			scale *= float64(gamma[j])
		}
		slope := -scale * r * r * float64(sumDyX[j]) / n
		a[j] = float32(scale)
		b[j] = float32(slope)
		d[j] = float32(-scale*float64(sumDy[j])/n - float64(b[j])*float64(mean[j]))
		if dgamma != nil {
			dgamma[j] = float32(r * float64(sumDyX[j]))
		}
	}
}
