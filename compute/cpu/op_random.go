package cpu

import (
	"fmt"
	"math/bits"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

func init() {
	register(backends.OpTypeRNGBitGenerator, kernel{eval: evalRNGBitGenerator})
}

// RNGBitGenerator records the next random bits of a Philox 4x32-10 generator (Salmon et
// al. 2011) and its state after them. The state is [key, counter low, counter high],
// [3]uint64, and the bits are those that XLA makes of it.
func (b *Builder) RNGBitGenerator(state backends.Op, shape shapes.Shape) (newState, values backends.Op, err error) {
	in, err := b.operands(backends.OpTypeRNGBitGenerator, state)
	if err != nil {
		return nil, nil, err
	}
	if !in[0].shape().Equal(backends.RNGStateShape) {
		return nil, nil, fmt.Errorf("RNGBitGenerator: state %s, want %s", in[0].shape(), backends.RNGStateShape)
	}
	if _, err := elemOf(backends.OpTypeRNGBitGenerator, shape.DType); err != nil || shape.DType == dtypes.Bool || shape.DType.IsComplex() {
		return nil, nil, unsupported(backends.OpTypeRNGBitGenerator, shape.DType)
	}
	n := b.addMulti(backends.OpTypeRNGBitGenerator, nil, []shapes.Shape{in[0].shape(), shape.Clone()}, in...)
	return value{n, 0}, value{n, 1}, nil
}

// evalRNGBitGenerator makes 128 bits for each step of the counter. They are used in
// order; types below 32 bits take the low bits of 32 each.
func evalRNGBitGenerator(c *call) {
	state, newState := flat[uint64](c.in[0]), flat[uint64](c.out[0])
	key, low, high := state[0], state[1], state[2]
	out := c.out[1]
	size, n := out.shape.DType.Size(), out.shape.Size()
	words := n * max(1, size/4) // 32-bit words wanted
	steps := ceilDiv(words, 4)
	const partSteps = partLen / 4
	c.pool.For(ceilDiv(steps, partSteps), func(part, _ int) {
		for step := part * partSteps; step < min((part+1)*partSteps, steps); step++ {
			lo, carry := bits.Add64(low, uint64(step), 0)
			block := philox(lo, high+carry, key)
			storeWords(out.bytes, size, 4*step, block[:min(4, words-4*step)])
		}
	})
	var carry uint64
	newState[0] = key
	newState[1], carry = bits.Add64(low, uint64(steps), 0)
	newState[2] = high + carry
}

// storeWords writes consecutive words from the given one on, shortened to elements of the size.
func storeWords(out []byte, size, first int, words []uint32) {
	switch size {
	case 1:
		for i, w := range words {
			out[first+i] = uint8(w)
		}
	case 2:
		dst := view[uint16](out)
		for i, w := range words {
			dst[first+i] = uint16(w)
		}
	default:
		copy(view[uint32](out)[first:], words)
	}
}

// philox encrypts a 128-bit counter with a 64-bit key in ten rounds.
func philox(low, high, key uint64) [4]uint32 {
	x0, x1, x2, x3 := uint32(low), uint32(low>>32), uint32(high), uint32(high>>32)
	k0, k1 := uint32(key), uint32(key>>32)
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, x0)
		hi1, lo1 := bits.Mul32(0xCD9E8D57, x2)
		x0, x1, x2, x3 = hi1^x1^k0, lo1, hi0^x3^k1, lo0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{x0, x1, x2, x3}
}
