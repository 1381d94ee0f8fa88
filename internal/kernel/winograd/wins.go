package winograd

import "github.com/byol-go/byol/internal/kernel/isa"

// Wins reports whether this package is faster than a direct convolution of float32
// at the shape. It is a fixed rule by shape and instruction set, never a timing, so
// that a program computes the same bits whenever it runs. Below 16 channels it is
// never worth it, nor for outputs of 2x2, nor for a few tiles of a large kernel.
func Wins(s Shape, f Form) bool {
	const perTile, perWeight, direct = 700, 400, 1.2
	return s.cost(f, perTile, perWeight) < direct*s.directCost()
}

// WinsBF16 is [Wins] for bfloat16. Where the processor multiplies bfloat16, a direct
// convolution takes half the time, more if the channels are few: there one of stride 2
// always goes directly.
func WinsBF16(s Shape, f Form) bool {
	const perTile, perWeight = 500, 300
	narrow := float64(max(min(s.C, s.K), lane))
	direct := 1.2
	if isa.Current() >= isa.AVX512BF16 {
		if s.Stride == 2 {
			return false
		}
		direct = 0.5 + 7.5/narrow
		if f == FormKernelGrad {
			direct = 0.65 + 4/narrow
		}
	}
	return s.cost(f, perTile, perWeight) < direct*s.directCost()
}

// cost is the time of a form, in that of the tile products' multiplications. The
// transforms cost perTile for each tile and channel and perWeight for each weight,
// memory included, in F(4x4,3x3), and in proportion to the values of a tile for stride
// 2. They are measured, and with them how much longer a multiplication of a direct
// convolution takes.
func (s Shape) cost(f Form, perTile, perWeight float64) float64 {
	s.check()
	g := s.grid()
	if f == FormInputGrad && s.Stride == 1 {
		g = newGrid(sourceTile, s.N, s.OutH, s.OutW, 0, 0, s.H, s.W)
	}
	c, k, tiles := float64(ceil(s.C, lane)*lane), float64(ceil(s.K, lane)*lane), float64(g.tiles())
	values, points := 1.0, 1.0 // of a tile's input and output, relative to F(4x4,3x3)
	if s.Stride == 2 {
		values, points = splitTile/float64(elements), pairTile/float64(elements)
	}
	return values*(elements*max(tiles, 8)+perWeight)*c*k + perTile*tiles*(values*c+points*k)
}

// directCost is the number of multiplications of a direct convolution.
func (s Shape) directCost() float64 {
	return 9 * float64(s.N*s.OutH*s.OutW) * float64(s.C*s.K)
}
