package reduce

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
)

// TestMaxPool compares with a loop over channels that keeps the first maximum.
func TestMaxPool(t *testing.T) {
	eachLevel(t, func(t *testing.T, pools []*par.Pool) {
		for _, s := range []Pool2D{
			{N: 2, H: 8, W: 8, C: 20, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1},
			{N: 1, H: 5, W: 7, C: 3, KernelH: 2, KernelW: 3, StrideH: 1, StrideW: 2, PadRight: 2},
			{N: 3, H: 4, W: 4, C: 64, KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2},
			{N: 1, H: 3, W: 3, C: 1, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, PadTop: 1, PadLeft: 2},
		} {
			x := random(t, s.N*s.H*s.W*s.C, 1)
			for i := range x {
				x[i] = float32(int(x[i] * 2)) // many ties
			}
			oh, ow := s.OutH(), s.OutW()
			dy := random(t, s.N*oh*ow*s.C, 2)
			wantY, wantD := make([]float32, len(dy)), make([]float64, len(x))
			for n := range s.N {
				for i := range oh {
					for j := range ow {
						for c := range s.C {
							out := ((n*oh+i)*ow+j)*s.C + c
							best, at := -inf, -1
							for kh := range s.KernelH {
								for kw := range s.KernelW {
									h, w := i*s.StrideH-s.PadTop+kh, j*s.StrideW-s.PadLeft+kw
									if h < 0 || h >= s.H || w < 0 || w >= s.W {
										continue
									}
									if v := ((n*s.H+h)*s.W+w)*s.C + c; x[v] > best {
										best, at = x[v], v
									}
								}
							}
							wantY[out] = best
							if at >= 0 {
								wantD[at] += float64(dy[out])
							}
						}
					}
				}
			}
			for _, p := range pools {
				y, dx := random(t, len(dy), 3), random(t, len(x), 4)
				MaxPool(p, y, x, s)
				MaxPoolGrad(p, dx, dy, x, y, s, make([]byte, MaxPoolGradScratchBytes(p.Threads(), s)))
				for i := range y {
					if y[i] != wantY[i] {
						t.Fatalf("%+v: y[%d] = %v, want %v", s, i, y[i], wantY[i])
					}
				}
				for i := range dx {
					if math.Abs(float64(dx[i])-wantD[i]) > 1e-5 {
						t.Fatalf("%+v: dx[%d] = %v, want %v", s, i, dx[i], wantD[i])
					}
				}
			}
		}
	})
}
