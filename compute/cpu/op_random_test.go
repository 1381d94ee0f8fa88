package cpu

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// TestPhilox has the known answers of the authors' Random123 (kat_vectors, philox4x32 10).
func TestPhilox(t *testing.T) {
	for _, c := range []struct {
		low, high, key uint64
		want           [4]uint32
	}{
		{0, 0, 0, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{math.MaxUint64, math.MaxUint64, math.MaxUint64, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(c.low, c.high, c.key); got != c.want {
			t.Errorf("counter %#x %#x, key %#x: %#x, want %#x", c.high, c.low, c.key, got, c.want)
		}
	}
}

// TestRNGBitGenerator checks how the blocks become elements of each size, the state after them, and that threads do not matter.
func TestRNGBitGenerator(t *testing.T) {
	key, low, high := uint64(0x0123456789abcdef), uint64(math.MaxUint64-2), uint64(42)
	state := opBuffer([]uint64{key, low, high}, 3)
	word := func(i int) uint32 { // the i-th word of the stream; the counter carries after three steps
		step := uint64(i / 4)
		carry := uint64(0)
		if low+step < low {
			carry = 1
		}
		return philox(low+step, high+carry, key)[i%4]
	}
	for _, n := range []int{1, 7, 33, 70001} {
		for _, dtype := range []dtypes.DType{dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64} {
			out := opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
				next, values, err := b.RNGBitGenerator(in[0], shapes.Make(dtype, n))
				return []backends.Op{next, values}, err
			}, state)
			words := n
			for i := range n {
				var got, want uint64
				switch dtype {
				case dtypes.Uint8:
					got, want = uint64(view[uint8](out[1].bytes)[i]), uint64(uint8(word(i)))
				case dtypes.Uint16:
					got, want = uint64(view[uint16](out[1].bytes)[i]), uint64(uint16(word(i)))
				case dtypes.Uint32:
					got, want = uint64(view[uint32](out[1].bytes)[i]), uint64(word(i))
				case dtypes.Uint64:
					words = 2 * n
					got, want = view[uint64](out[1].bytes)[i], uint64(word(2*i))|uint64(word(2*i+1))<<32
				}
				if got != want {
					t.Fatalf("%s, element %d of %d: %#x, want %#x", dtype, i, n, got, want)
				}
			}
			steps := uint64(ceilDiv(words, 4))
			next := []uint64{key, low + steps, high}
			if low+steps < low {
				next[2]++
			}
			if got := view[uint64](out[0].bytes); !slices.Equal(got, next) {
				t.Errorf("%s: state %#x after %d elements, want %#x", dtype, got, n, next)
			}
		}
	}
}

// TestFFT compares with the defining sums, for lengths that are powers of two, primes and others.
func TestFFT(t *testing.T) {
	sum := func(x []complex128, n, k int, sign float64) (s complex128) {
		for i, v := range x {
			s += v * cmplx.Exp(complex(0, sign*2*math.Pi*float64(i*k%n)/float64(n)))
		}
		return s
	}
	run := func(kind backends.FFTType, length []int, x *Buffer) *Buffer {
		return opRunSame(t, func(b *Builder, in []backends.Op) ([]backends.Op, error) {
			return opOne(b.FFT(in[0], kind, length))
		}, x)[0]
	}
	for _, n := range []int{1, 2, 3, 8, 11, 12, 30} {
		x := opRamp(dtypes.Complex128, 3, n)
		forward, inverse := run(backends.FFTForward, []int{n}, x), run(backends.FFTInverse, []int{n}, x)
		reals := opRamp(dtypes.Float64, 3, n)
		half := run(backends.FFTForwardReal, []int{n}, reals)
		back := run(backends.FFTInverseReal, []int{n}, half)
		for row := range 3 {
			xs, rs := opValues(x)[row*n:(row+1)*n], opValues(reals)[row*n:(row+1)*n]
			for k := range n {
				opNear(t, fmt.Sprint("forward ", n), opValues(forward)[row*n+k], sum(xs, n, k, -1))
				opNear(t, fmt.Sprint("inverse ", n), opValues(inverse)[row*n+k], sum(xs, n, k, 1)/complex(float64(n), 0))
				opNear(t, fmt.Sprint("back ", n), opValues(back)[row*n+k], rs[k])
			}
			for k := range n/2 + 1 {
				opNear(t, fmt.Sprint("real ", n), opValues(half)[row*(n/2+1)+k], sum(rs, n, k, -1))
			}
		}
	}
	// Over several axes: the inverse gives the input back, also of a real array.
	x := opRamp(dtypes.Complex64, 2, 3, 4, 5)
	opWant2(t, "complex", run(backends.FFTInverse, []int{3, 4, 5}, run(backends.FFTForward, []int{3, 4, 5}, x)), x)
	r := opRamp(dtypes.Float32, 2, 3, 4)
	opWant2(t, "real", run(backends.FFTInverseReal, []int{3, 4}, run(backends.FFTForwardReal, []int{3, 4}, r)), r)
}

func opNear(t *testing.T, name string, got, want complex128) {
	t.Helper()
	if cmplx.Abs(got-want) > 1e-12*(1+cmplx.Abs(want)) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

func opWant2(t *testing.T, name string, got, want *Buffer) {
	t.Helper()
	for i, w := range opValues(want) {
		if g := opValues(got)[i]; cmplx.Abs(g-w) > 1e-5 {
			t.Errorf("%s, element %d: %v, want %v", name, i, g, w)
		}
	}
}
