package cpu

import (
	"fmt"
	"math"
	"math/bits"
	"math/cmplx"
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// fftAttr: the transform's kind and its length along each of the last axes.
type fftAttr struct {
	kind   backends.FFTType
	length []int
}

func init() {
	register(backends.OpTypeFFT, kernel{eval: evalFFT})
}

// FFT records a discrete Fourier transform over the last len(fftLength) axes. The inverse
// ones are divided by the number of elements. A transform of real numbers keeps the
// first n/2+1 of its n results, of which the others are the conjugates.
func (b *Builder) FFT(operand backends.Op, fftType backends.FFTType, fftLength []int) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeFFT, operand)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape().Clone()
	first := shape.Rank() - len(fftLength)
	if len(fftLength) == 0 || first < 0 {
		return nil, fmt.Errorf("FFT: %d lengths for %s", len(fftLength), shape)
	}
	dims := slices.Clone(fftLength)
	last := len(dims) - 1
	half := fftLength[last]/2 + 1
	real, isComplex := shape.DType, shape.DType.IsComplex()
	if isComplex {
		real = shape.DType.RealDType()
	}
	complexType := dtypes.Complex64
	if real == dtypes.Float64 {
		complexType = dtypes.Complex128
	}
	switch {
	case isComplex == (fftType == backends.FFTForwardReal), real != dtypes.Float32 && real != dtypes.Float64:
		return nil, fmt.Errorf("FFT: %s is not defined for %s", fftType, shape.DType)
	case fftType == backends.FFTInverseReal:
		dims[last] = half
	}
	if !slices.Equal(shape.Dimensions[first:], dims) {
		return nil, fmt.Errorf("FFT: %s of lengths %v does not fit %s", fftType, fftLength, shape)
	}
	shape.DType = complexType
	switch fftType {
	case backends.FFTForwardReal:
		shape.Dimensions[shape.Rank()-1] = half
	case backends.FFTInverseReal:
		shape.DType = real
		shape.Dimensions[shape.Rank()-1] = fftLength[last]
	}
	return b.add(backends.OpTypeFFT, fftAttr{fftType, slices.Clone(fftLength)}, shape, in...), nil
}

// evalFFT transforms one array after the other, each axis in turn, in complex128.
func evalFFT(c *call) {
	attr := c.attr.(fftAttr)
	x, out := c.in[0], c.out[0]
	n := 1
	for _, l := range attr.length {
		n *= l
	}
	if out.shape.Size() == 0 {
		return
	}
	length := attr.length[len(attr.length)-1]
	inLast, outLast := x.shape.Dim(-1), out.shape.Dim(-1)
	rows := n / length
	read := convertSpan(x.shape.DType, dtypes.Complex128)
	write := convertSpan(dtypes.Complex128, out.shape.DType)
	inSize, outSize := x.shape.DType.Size(), out.shape.DType.Size()
	c.pool.For(out.shape.Size()/(rows*outLast), func(part, _ int) {
		block := make([]complex128, n)
		for r := range rows {
			row := block[r*length : (r+1)*length]
			at := (part*rows + r) * inLast * inSize
			read(bytesOf(row[:inLast]), [3][]byte{x.bytes[at : at+inLast*inSize]})
		}
		transformAxes(block, attr)
		for r := range rows {
			row := block[r*length : (r+1)*length]
			at := (part*rows + r) * outLast * outSize
			write(out.bytes[at:at+outLast*outSize], [3][]byte{bytesOf(row[:outLast])})
		}
	})
}

// transformAxes transforms a row-major array of attr.length along all its axes.
func transformAxes(x []complex128, attr fftAttr) {
	inverse := attr.kind == backends.FFTInverse || attr.kind == backends.FFTInverseReal
	strides := rowMajor(attr.length)
	last := len(attr.length) - 1
	for axis := range attr.length { // the last one last: its real input is completed before
		length, stride := attr.length[axis], strides[axis]
		line := make([]complex128, length)
		for start := range x {
			if start/stride%length != 0 {
				continue
			}
			for i := range line {
				line[i] = x[start+i*stride]
			}
			if axis == last && attr.kind == backends.FFTInverseReal {
				for i := length/2 + 1; i < length; i++ {
					line[i] = cmplx.Conj(line[length-i])
				}
				line[0] = complex(real(line[0]), 0)
				if length%2 == 0 {
					line[length/2] = complex(real(line[length/2]), 0)
				}
			}
			transform(line, inverse)
			for i, v := range line {
				x[start+i*stride] = v
			}
		}
	}
}

// transform replaces x by its discrete Fourier transform.
func transform(x []complex128, inverse bool) {
	n := len(x)
	if inverse { // conjugate, transform forwards, conjugate
		for i, v := range x {
			x[i] = cmplx.Conj(v)
		}
		defer func() {
			for i, v := range x {
				x[i] = cmplx.Conj(v) / complex(float64(n), 0)
			}
		}()
	}
	if n&(n-1) == 0 {
		radix2(x)
	} else {
		bluestein(x)
	}
}

// root returns exp(-2πi·k/n).
func root(k, n int) complex128 {
	sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
	return complex(cos, sin)
}

// radix2 transforms a power of two of elements: in bit-reversed order, then butterflies.
func radix2(x []complex128) {
	n := len(x)
	shift := bits.LeadingZeros64(uint64(n)) + 1
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); n > 1 && j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		half := size / 2
		for k := range half {
			w := root(k, size)
			for i := k; i < n; i += size {
				a, b := x[i], x[i+half]*w
				x[i], x[i+half] = a+b, a-b
			}
		}
	}
}

// bluestein transforms any number of elements as a convolution with a chirp, whose
// length is a power of two (Bluestein 1970).
func bluestein(x []complex128) {
	n := len(x)
	m := 1 << bits.Len(uint(2*n-2))
	a, b := make([]complex128, m), make([]complex128, m)
	chirp := make([]complex128, n)
	for i := range n {
		chirp[i] = root(i*i%(2*n), 2*n)
		a[i] = x[i] * chirp[i]
		b[i] = cmplx.Conj(chirp[i])
		if i > 0 {
			b[m-i] = b[i]
		}
	}
	radix2(a)
	radix2(b)
	for i := range a {
		a[i] = cmplx.Conj(a[i] * b[i])
	}
	radix2(a)
	for i := range x {
		x[i] = cmplx.Conj(a[i]) / complex(float64(m), 0) * chirp[i]
	}
}
