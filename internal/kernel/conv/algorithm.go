package conv

// Algorithm is the way in which a call computes: what it is measured by.
type Algorithm struct {
	Name string  // "direct", or "winograd": F(4x4,3x3), or F(4x4,2x2) of the phases of stride 2
	FLOP float64 // multiplications and additions of its products; Winograd's transforms come on top
	BF16 bool    // the products multiply bfloat16; otherwise float32
}

// AlgorithmOf returns the way that form f of shape s is computed with the instruction set
// in use, in float32 or (is16) bfloat16.
func AlgorithmOf(s Shape, f Form, is16 bool) Algorithm {
	if _, _, ok := byWinograd(s, f, is16); !ok || winogradOff.Load() {
		return Algorithm{"direct", s.FLOP(), kindOf(is16) == bf16}
	}
	// Products per tile of 4x4 pixels and pair of channels, for one stride and the other.
	const side, products1, products2 = 4, 36, 81
	h, w, products := s.OutH(), s.OutW(), products1
	switch {
	case s.StrideH == 2:
		products = products2
	case f == InputGrad:
		h, w = s.H, s.W
	}
	tiles := s.N * ((h + side - 1) / side) * ((w + side - 1) / side)
	return Algorithm{"winograd", 2 * float64(products) * float64(tiles) * float64(s.C) * float64(s.K), false}
}
