package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRows tries widths around every vector length, few rows and many (the repeated
// rows of narrow shapes begin at tileLen elements), against float64.
func TestRows(t *testing.T) {
	type operands struct{ dst, x, y, z, a, b, d []float32 }
	relu := func(v float64) float64 {
		if v <= 0 {
			return 0
		}
		return v
	}
	// want returns the value and the size of its terms
	cases := []struct {
		name string
		run  func(o operands)
		want func(x, y, z, a, b, d float64) (float64, float64)
	}{
		{"AddRows", func(o operands) { AddRows(o.dst, o.x, o.a) }, func(x, y, z, a, b, d float64) (float64, float64) { return x + a, math.Abs(x + a) }},
		{"MulRows", func(o operands) { MulRows(o.dst, o.x, o.a) }, func(x, y, z, a, b, d float64) (float64, float64) { return x * a, math.Abs(x * a) }},
		{"AffineRows", func(o operands) { AffineRows(o.dst, o.x, o.a, o.b) }, func(x, y, z, a, b, d float64) (float64, float64) {
			return x*a + b, math.Abs(x*a) + math.Abs(b)
		}},
		{"AffineReLURows", func(o operands) { AffineReLURows(o.dst, o.x, o.a, o.b) }, func(x, y, z, a, b, d float64) (float64, float64) {
			return relu(x*a + b), math.Abs(x*a) + math.Abs(b)
		}},
		{"AffineAddRows", func(o operands) { AffineAddRows(o.dst, o.x, o.y, o.a, o.b) }, func(x, y, z, a, b, d float64) (float64, float64) {
			return x*a + b + y, 2*math.Abs(x*a) + 2*math.Abs(b) + math.Abs(y)
		}},
		{"AffineAddReLURows", func(o operands) { AffineAddReLURows(o.dst, o.x, o.y, o.a, o.b) }, func(x, y, z, a, b, d float64) (float64, float64) {
			return relu(x*a + b + y), 2*math.Abs(x*a) + 2*math.Abs(b) + math.Abs(y)
		}},
		{"GradRows", func(o operands) { GradRows(o.dst, o.y, o.x, o.a, o.b, o.d) }, func(x, y, z, a, b, d float64) (float64, float64) {
			return a*y + b*x + d, math.Abs(a*y) + 2*math.Abs(b*x) + 2*math.Abs(d)
		}},
		{"GradReLURows", func(o operands) { GradReLURows(o.dst, o.y, o.x, o.z, o.a, o.b, o.d) }, func(x, y, z, a, b, d float64) (float64, float64) {
			if z <= 0 {
				y = 0
			}
			return a*y + b*x + d, math.Abs(a*y) + 2*math.Abs(b*x) + 2*math.Abs(d)
		}},
		{"GradAffineReLURows", func(o operands) { GradAffineReLURows(o.dst, o.y, o.x, o.a, o.b, o.d, o.b, o.a) }, func(x, y, z, a, b, d float64) (float64, float64) {
			if x*b+a <= 0 {
				y = 0
			}
			return a*y + b*x + d, math.Abs(a*y) + 2*math.Abs(b*x) + 2*math.Abs(d)
		}},
	}
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, c := range []int{1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 130} {
			for _, rows := range []int{0, 1, 2, 3, 4, 5, 7, 8, 11, 600/c + 1, 1200/c + 3} {
				n := rows * c
				var o operands
				for _, p := range []*[]float32{&o.dst, &o.x, &o.y, &o.z} {
					*p = guarded[float32](t, n, true)
					for i := range *p {
						(*p)[i] = float32(r.NormFloat64())
					}
				}
				for _, p := range []*[]float32{&o.a, &o.b, &o.d} {
					*p = guarded[float32](t, c, true)
					for i := range *p {
						(*p)[i] = float32(r.NormFloat64())
					}
				}
				if n > 5 {
					o.x[n/2], o.z[n/3], o.z[n/2] = float32(math.NaN()), 0, float32(math.NaN())
				}
				for _, k := range cases {
					for _, inPlace := range []bool{false, true} {
						p, want := o, append([]float32{}, o.x...)
						if inPlace {
							p.dst, p.x = append([]float32{}, o.x...), nil
							p.x = p.dst
						}
						k.run(p)
						for i := range want {
							j := i % c
							v, terms := k.want(float64(want[i]), float64(o.y[i]), float64(o.z[i]), float64(o.a[j]), float64(o.b[j]), float64(o.d[j]))
							if !near(p.dst[i], v, terms) {
								t.Fatalf("%s [%d,%d], in place %v: element %d is %v, want %v", k.name, rows, c, inPlace, i, p.dst[i], v)
							}
						}
					}
				}
			}
		}
	})
}

func TestCols(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6} // [2, 3]
	v := []float32{2, 4}
	dst := make([]float32, 6)
	for _, c := range []struct {
		name string
		run  func(dst, x, v []float32)
		want []float32
	}{
		{"AddCols", AddCols, []float32{3, 4, 5, 8, 9, 10}}, {"SubCols", SubCols, []float32{-1, 0, 1, 0, 1, 2}},
		{"MulCols", MulCols, []float32{2, 4, 6, 16, 20, 24}}, {"DivCols", DivCols, []float32{0.5, 1, 1.5, 1, 1.25, 1.5}},
	} {
		c.run(dst, x, v)
		check(t, c.name, 6, dst, c.want, [][]float32{x, x})
	}
}

func TestMove(t *testing.T) {
	for _, shape := range [][2]int{{0, 5}, {1, 1}, {1, 7}, {8, 8}, {9, 17}, {33, 64}, {16, 16}, {17, 40}, {70, 31}, {128, 130}, {64, 9}} {
		rows, cols := shape[0], shape[1]
		a, at := guarded[float32](t, rows*cols, true), guarded[float32](t, rows*cols, true)
		b, bt := guarded[uint16](t, rows*cols, true), guarded[uint16](t, rows*cols, true)
		for i := range a {
			a[i], b[i] = float32(i+1), uint16(i+1)
		}
		eachLevel(t, func(t *testing.T) {
			clear(at)
			clear(bt)
			Transpose32(at, a, rows, cols)
			Transpose16(bt, b, rows, cols)
			for r := range rows {
				for c := range cols {
					if at[c*rows+r] != a[r*cols+c] || bt[c*rows+r] != b[r*cols+c] {
						t.Fatalf("[%d,%d]: element %d,%d", rows, cols, r, c)
					}
				}
			}
		})
	}
	for _, n := range []int{0, 1, 1023, 1024, 1025, 5000} {
		x := make([]int32, n)
		Fill(x, 7)
		for i, v := range x {
			if v != 7 {
				t.Fatalf("Fill %d: element %d is %d", n, i, v)
			}
		}
	}
	src := []int32{0, 1, 2, 3, 4, 5, 6, 7}
	got := make([]int32, 3)
	Gather(got, src, 7, -3)
	if got[0] != 7 || got[1] != 4 || got[2] != 1 {
		t.Errorf("Gather: %v", got)
	}
}
