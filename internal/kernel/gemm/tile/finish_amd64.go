//go:build amd64 && !purego

package tile

import "github.com/byol-go/byol/internal/kernel/isa"

// RowsF32Finished is [RowsF32] with its sums finished.
func RowsF32Finished(l isa.Level, g *RowsArgs, f Finish) {
	b := (*byte)(g.B)
	switch {
	case l >= isa.AVX512 && g.Cols > 16:
		rowsF32AVX512x32Finished(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add, f.Bias, f.Floor)
	case l >= isa.AVX512:
		rowsF32AVX512x16Finished(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add, f.Bias, f.Floor)
	case l >= isa.AVX2 && g.Cols > 8:
		rowsF32AVX2x16Finished(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add, f.Bias, f.Floor)
	case l >= isa.AVX2:
		rowsF32AVX2x8Finished(g.A, b, g.C, g.Taps, g.K, g.Cols, g.Add, f.Bias, f.Floor)
	default:
		rowsFinishedAfter(l, g, f)
	}
}
