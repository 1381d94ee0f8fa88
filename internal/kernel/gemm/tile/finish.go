package tile

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// Finish is what a tile does to its sums before it writes them: to each it adds the bias
// of its column, and, with Add, what C holds; what then is below the floor becomes it. A
// NaN stays one.
type Finish struct {
	Bias  *float32 // [PanelWidth]
	Floor float32
}

// finishAfter finishes what a tile has written.
func finishAfter(g *RowsArgs, rows int, f Finish) {
	bias := unsafe.Slice(f.Bias, g.Cols)
	for r := range rows {
		for j, v := range unsafe.Slice((*float32)(at(g.C, r)), g.Cols) {
			if v += bias[j]; v < f.Floor {
				v = f.Floor
			}
			*(*float32)(unsafe.Add(at(g.C, r), 4*j)) = v
		}
	}
}

func rowsFinishedAfter(l isa.Level, g *RowsArgs, f Finish) {
	RowsF32(l, g)
	finishAfter(g, Rows(l), f)
}
