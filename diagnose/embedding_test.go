package diagnose

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// Four axes and their opposites, each seen twice: everything can be worked out by hand.
func TestDescribe(t *testing.T) {
	const rows, cols = 8, 4
	a := make([]float32, rows*cols)
	for i := range rows {
		a[i*cols+i/2] = float32(2 * (1 - 2*(i%2))) // ±2 on an axis
	}
	e := Describe(a, a, rows, cols)
	near(t, "std", e.Std, math.Sqrt(2./7)*2, 1e-6) // per channel: two of eight rows at ±1
	near(t, "rank", e.Rank, 4, 1e-6)
	near(t, "top share", e.TopShare, .25, 1e-6)
	near(t, "positive cosine", e.CosPositive, 1, 1e-6)
	near(t, "negative cosine", e.CosNegative, -1./7, 1e-6) // of seven others, one is opposite
	// 28 pairs: 4 of opposite rows at squared distance 4, 24 at right angles at 2.
	near(t, "uniformity", e.Uniformity, math.Log((4*math.Exp(-8)+24*math.Exp(-4))/28), 1e-6)
	near(t, "match", e.Match, 1, 0)
	if e.Of != rows {
		t.Errorf("among %d, want %d", e.Of, rows)
	}
	b := append(append([]float32(nil), a[cols:]...), a[:cols]...) // the next picture's
	near(t, "match of strangers", Describe(a, b, rows, cols).Match, 0, 0)
}

func TestDescribeCollapse(t *testing.T) {
	const rows, cols = 16, 8
	same := make([]float32, rows*cols)
	for i := range same {
		same[i] = float32(1 + i%cols)
	}
	e := Describe(same, same, rows, cols)
	near(t, "std", e.Std, 0, 1e-6)
	near(t, "rank", e.Rank, 1, 1e-6)
	near(t, "negative cosine", e.CosNegative, 1, 1e-6)
	near(t, "uniformity", e.Uniformity, 0, 1e-6)
	near(t, "match", e.Match, 0, 0) // ties are no match
	same[5] = float32(math.NaN())
	if e := Describe(same, same, rows, cols); !math.IsNaN(e.Std) || !math.IsNaN(e.Match) {
		t.Errorf("with a NaN: %+v", e)
	}
	zero := make([]float32, rows*cols)
	if e := Describe(zero, zero, rows, cols); e.Std != 0 || e.Rank != 0 || e.TopShare != 0 {
		t.Errorf("of zeros: %+v", e)
	}
}

// The power iteration agrees with the eigenvalues of the covariance.
func TestTopShare(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows, cols = 64, 24
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(r.NormFloat64()) * float32(1+3*(i%cols/20)) // a few directions are larger
	}
	mean := means(x, cols)
	centred := make([]float32, len(x))
	for i, v := range x {
		centred[i] = float32(float64(v) - mean[i%cols])
	}
	singular, ok := SingularValues(centred, rows, cols)
	if !ok {
		t.Fatal("not finite")
	}
	sum := 0.0
	for _, s := range singular {
		sum += s * s
	}
	largest := singular[len(singular)-1]
	near(t, "top share", topShare(x, cols), largest*largest/sum, .01)
}

func TestDescribePixels(t *testing.T) {
	const rows, size, channels = 6, 25, 3
	a, b := make([]float32, rows*size*channels), make([]float32, rows*size*channels)
	for i := range a {
		n, p, c := i/(size*channels), i/channels%size, i%channels
		a[i] = float32(n%2*4 + c) // pictures differ by 4 from their neighbours
		if p%2 == 1 {
			a[i] += 2 // half the pixels are off by 2
		}
		b[i] = a[i] + .5 // views by .5
	}
	p := DescribePixels(a, b, rows, channels)
	near(t, "views", p.View, .5, 1e-6)
	near(t, "pictures", p.Picture, math.Sqrt((3.5*3.5+4.5*4.5)/2), 1e-6)
	near(t, "detail", p.Detail, 2*math.Sqrt(12./25*13/25), 1e-6)
	if p := DescribePixels(a[:size*channels], b[:size*channels], 1, channels); !math.IsNaN(p.Picture) {
		t.Errorf("a single picture differs from others by %v", p.Picture)
	}
}
