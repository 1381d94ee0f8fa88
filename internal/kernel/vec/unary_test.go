package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// ulps is the distance of got from want in units of the last place of want as float32.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case want != want || got != got:
		if want != want && got != got {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		if got == w {
			return 0
		}
		// the largest numbers and infinity are neighbours
		return math.Abs(float64(math.Float32bits(got)) - float64(math.Float32bits(w)))
	}
	unit := math.Max(math.Abs(float64(w)), 0x1p-126)
	_, e := math.Frexp(unit)
	return math.Abs(float64(got)-want) / math.Ldexp(1, e-24)
}

// TestElementary bounds the error of the vectorised elementary functions against float64
// over the whole range of float32, densely where the functions bend, at special values
// and in every tail length, and holds AVX-512 to the bits of AVX2.
func TestElementary(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	cases := []struct {
		name  string
		run   func(dst, x []float32)
		want  func(float64) float64
		bound float64
	}{
		{"Exp", Exp, math.Exp, 1.25}, {"Log", Log, math.Log, 1}, {"Tanh", Tanh, math.Tanh, 1.5}, {"Logistic", Logistic, logistic, 2.5},
		{"Log1p", Log1p, math.Log1p, 1}, {"Expm1", Expm1, math.Expm1, 1}, {"Erf", Erf, math.Erf, 1},
		{"Sin", Sin, math.Sin, 1}, {"Cos", Cos, math.Cos, 1},
	}
	var x []float32
	x = append(x, special...)
	for b := uint64(0); b < 1<<32; b += 65003 { // all exponents, both signs, many mantissas
		x = append(x, math.Float32frombits(uint32(b)))
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 40000 {
		x = append(x, float32(r.NormFloat64()), float32(r.Float64()*220-110), float32(r.NormFloat64()*0.05+1))
	}
	got := make([]float32, len(x))
	vectorised := map[string][]float32{} // by AVX2; AVX-512 must give the same bits
	eachLevel(t, func(t *testing.T) {
		for _, c := range cases {
			c.run(got, x)
			if first := vectorised[c.name]; first != nil {
				for i, v := range got {
					if !same(v, first[i]) {
						t.Fatalf("%s(%v) = %v, with AVX2 %v", c.name, x[i], v, first[i])
					}
				}
			} else if isa.Current() == isa.AVX2 {
				vectorised[c.name] = append([]float32{}, got...)
			}
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if u := ulps(got[i], c.want(float64(v))); u > worst {
					worst, at = u, v
				}
			}
			t.Logf("%s: at most %.2f ulp off, at %v", c.name, worst, at)
			if worst > c.bound {
				t.Errorf("%s is %.2f ulp off at %v, want at most %v", c.name, worst, at, c.bound)
			}
			for n := range 70 { // tails give what the whole vectors give
				part, src := guarded[float32](t, n, true), guarded[float32](t, n, true)
				copy(src, x)
				c.run(part, src)
				for i := range part {
					if !same(part[i], got[i]) {
						t.Fatalf("%s(%v) = %v in a slice of %d, %v in a long one", c.name, x[i], part[i], n, got[i])
					}
				}
			}
		}
	})
}

func TestPow(t *testing.T) {
	a := []float32{0, 2, -3, 0.5, float32(math.Inf(1)), float32(math.NaN())}
	dst := make([]float32, len(a))
	for _, s := range []float32{-1, 0, 0.5, 1, 2, 3} {
		PowScalar(dst, a, s)
		for i := range a {
			if u := ulps(dst[i], math.Pow(float64(a[i]), float64(s))); u > 1 {
				t.Errorf("PowScalar(%v, %v) = %v", a[i], s, dst[i])
			}
		}
		ScalarPow(dst, s, a)
		for i := range a {
			if u := ulps(dst[i], math.Pow(float64(s), float64(a[i]))); u > 1 {
				t.Errorf("ScalarPow(%v, %v) = %v", s, a[i], dst[i])
			}
		}
	}
	Pow(dst, a, a)
	if dst[1] != 4 || dst[2] != -1.0/27 {
		t.Errorf("Pow: %v", dst)
	}
}
