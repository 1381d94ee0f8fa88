package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// TestRecompute takes steps with less and less memory: norms are computed again, then
// convolutions too, and the losses have the same bits.
func TestRecompute(t *testing.T) {
	for _, compute := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		c := cifarConfig()
		c.Encoder.Width, c.Compute = 0.125, compute
		c.Heads.Hidden, c.Heads.Dim = 64, 16
		var want []float32
		var convs, norms int
		config, last := "", 0
		for level := range 3 {
			exe, step := byolStep(t, config, c, 16, 32)
			if err := exe.CheckPlan(); err != nil {
				t.Error(err)
			}
			got := []float32{step(), step(), step()}
			ops := exe.Ops()
			switch peak := exe.PeakBytes(); level {
			case 0:
				want, convs, norms = got, ops["Conv forward"], ops["NormApply relu"]
			case 1: // once in each block, and in the stem, of two views; little is gained by the last
				if n := ops["NormApply relu"] - norms; ops["Conv forward"] != convs || n < 12 || n > 18 || peak > last*9/10 {
					t.Errorf("%s: %v, of %d bytes; before %d convolutions, %d norms, %d bytes", compute, ops, peak, convs, norms, last)
				}
			case 2:
				if n := ops["Conv forward"] - convs; n < 24 || n > 40 || peak > last*9/10 {
					t.Errorf("%s: %v, of %d bytes; before %d convolutions, %d bytes", compute, ops, peak, convs, last)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, level %d: losses %v, want %v", compute, level, got, want)
			}
			last = exe.PeakBytes()
			config = fmt.Sprintf("memory=%d", exe.InputBytes()+last-1)
		}
		if exe, _ := byolStep(t, config+",recompute=off", c, 2, 32); exe.Ops()["Conv forward"] != convs {
			t.Errorf("%s: recomputes where it need not", compute)
		}
	}
}
