package conv

import "testing"

func TestAlgorithmOf(t *testing.T) {
	layer := Shape{N: 8, H: 32, W: 30, C: 64, K: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	stem := layer
	stem.C = 3
	for _, f := range []Form{Forward, InputGrad, KernelGrad} {
		a := AlgorithmOf(layer, f, false)
		// 8 rows of 8 tiles, the last of which is cut; 36 products where there are 9 a pixel.
		if want := 2 * 36 * 8 * 64 * 64. * 64; a.Name != "winograd" || a.FLOP != want || a.BF16 {
			t.Errorf("%v: %+v, want winograd with %g", f, a, want)
		}
		restore := SetWinograd(false)
		if a := AlgorithmOf(layer, f, false); a.Name != "direct" || a.FLOP != layer.FLOP() {
			t.Errorf("%v without Winograd: %+v", f, a)
		}
		restore()
		if a := AlgorithmOf(stem, f, false); a.Name != "direct" || a.FLOP != stem.FLOP() {
			t.Errorf("%v of three channels: %+v", f, a)
		}
	}
	down := layer
	down.StrideH, down.StrideW, down.K = 2, 2, 128
	for _, f := range []Form{Forward, InputGrad, KernelGrad} {
		// 4 rows of 4 tiles of the output, 81 products each instead of 144.
		a := AlgorithmOf(down, f, false)
		if want := 2 * 81 * 8 * 16 * 64. * 128; a.Name == "winograd" && a.FLOP != want || a.Name == "direct" && a.FLOP != down.FLOP() {
			t.Errorf("%v of stride 2: %+v, want winograd with %g", f, a, want)
		}
	}
}
