package conv

// Algorithm is the way in which a call computes: what it is measured by.
type Algorithm struct {
	Name string  // "direct", or "winograd" for F(4x4,3x3)
	FLOP float64 // multiplications and additions of its products; Winograd's transforms come on top
	BF16 bool    // the products multiply bfloat16; otherwise float32
}

// AlgorithmOf returns the way that form f of shape s is computed with the instruction set
// in use, in float32 or (is16) bfloat16.
func AlgorithmOf(s Shape, f Form, is16 bool) Algorithm {
	if _, _, ok := byWinograd(s, f, is16); !ok || winogradOff.Load() {
		return Algorithm{"direct", s.FLOP(), kindOf(is16) == bf16}
	}
	h, w := s.OutH(), s.OutW()
	if f == InputGrad {
		h, w = s.H, s.W
	}
	const side, products = 4, 36 // pixels of a tile; products per tile and pair of channels
	tiles := s.N * ((h + side - 1) / side) * ((w + side - 1) / side)
	return Algorithm{"winograd", 2 * products * float64(tiles) * float64(s.C) * float64(s.K), false}
}
