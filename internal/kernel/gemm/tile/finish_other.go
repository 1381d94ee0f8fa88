//go:build (!amd64 && !arm64) || purego

package tile

import "github.com/byol-go/byol/internal/kernel/isa"

// RowsF32Finished is [RowsF32] with its sums finished.
func RowsF32Finished(l isa.Level, g *RowsArgs, f Finish) { rowsFinishedAfter(l, g, f) }
