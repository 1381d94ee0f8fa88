package vec

import (
	"math"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// Tanh is odd down to the sign of zero, as in XLA.
func TestTanhKeepsTheSignOfZero(t *testing.T) {
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		x := make([]float32, 40)
		for i := range x {
			x[i] = float32(math.Copysign(0, -1))
		}
		Tanh(x, x)
		for i, y := range x {
			if y != 0 || !math.Signbit(float64(y)) {
				t.Errorf("%v: tanh(-0) = %v at %d", level, y, i)
				break
			}
		}
		restore()
	}
}
