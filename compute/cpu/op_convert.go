package cpu

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

func init() {
	register(backends.OpTypeConvertDType, kernel{eval: func(c *call) {
		elementwise(c, convertSpan(c.in[0].shape.DType, c.out[0].shape.DType))
	}})
	register(backends.OpTypeBitcast, kernel{eval: func(c *call) { copy(c.out[0].bytes, c.in[0].bytes) }, inPlace: true})
	register(backends.OpTypeIota, kernel{eval: evalIota})
}

// ConvertDType records x as another type. A float becomes the integer towards zero, the
// nearest bound if it is out of range and 0 if NaN; an integer loses its upper bits; a
// number is true unless 0; a complex number loses its imaginary part.
func (b *Builder) ConvertDType(x backends.Op, dtype dtypes.DType) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeConvertDType, x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape().Clone()
	for _, t := range []dtypes.DType{shape.DType, dtype} {
		if _, err := elemOf(backends.OpTypeConvertDType, t); err != nil {
			return nil, err
		}
	}
	shape.DType = dtype
	return b.add(backends.OpTypeConvertDType, nil, shape, in...), nil
}

// kind is a family of types with a widest one.
type kind int

const (
	kindInt     kind = iota // int64
	kindUint                // uint64; bool too
	kindFloat               // float64
	kindComplex             // complex128
)

// wide is a block of elements of the widest type of one kind.
type wide struct {
	kind kind
	i    []int64
	u    []uint64
	f    []float64
	c    []complex128
}

// wideLen is the number of elements of a block.
const wideLen = 512

var widePool = sync.Pool{New: func() any {
	return &wide{i: make([]int64, wideLen), u: make([]uint64, wideLen), f: make([]float64, wideLen), c: make([]complex128, wideLen)}
}}

// convertSpan returns the conversion between two types: a direct loop for those that
// training uses, and by way of the widest type for the others.
func convertSpan(from, to dtypes.DType) span {
	type pair [2]dtypes.DType
	switch (pair{from, to}) {
	case pair{from, from}:
		return func(out []byte, in [3][]byte) { copy(out, in[0]) }
	case pair{dtypes.Float32, dtypes.BFloat16}:
		return span1(vec.ToBF16)
	case pair{dtypes.BFloat16, dtypes.Float32}:
		return span1(vec.FromBF16)
	case pair{dtypes.Float32, dtypes.Float16}:
		return span1(toFloat16)
	case pair{dtypes.Float16, dtypes.Float32}:
		return span1(fromFloat16)
	case pair{dtypes.Float32, dtypes.Float64}:
		return span1(castLoop[float64, float32])
	case pair{dtypes.Float64, dtypes.Float32}:
		return span1(castLoop[float32, float64])
	case pair{dtypes.Int32, dtypes.Float32}:
		return span1(castLoop[float32, int32])
	case pair{dtypes.Int64, dtypes.Float32}:
		return span1(castLoop[float32, int64])
	case pair{dtypes.Uint8, dtypes.Float32}, pair{dtypes.Bool, dtypes.Float32}:
		return span1(castLoop[float32, uint8])
	}
	src, dst := elems[from], elems[to]
	inSize, outSize := from.Size(), to.Size()
	return func(out []byte, in [3][]byte) {
		block := widePool.Get().(*wide)
		defer widePool.Put(block)
		block.kind = src.kind()
		total := len(out) / outSize
		for lo := 0; lo < total; lo += wideLen {
			n := min(wideLen, total-lo)
			src.toWide(*block, in[0][lo*inSize:(lo+n)*inSize])
			dst.fromWide(out[lo*outSize:(lo+n)*outSize], *block, n)
		}
	}
}

func castLoop[D, S ordered](dst []D, src []S) {
	for i, x := range src {
		dst[i] = D(x)
	}
}

func (boolElem) kind() kind { return kindUint }

func (boolElem) toWide(dst wide, src []byte) { castLoop(dst.u, src) }

func (boolElem) fromWide(dst []byte, src wide, n int) {
	switch src.kind {
	case kindInt:
		notEqualLoop(view[bool](dst), src.i[:n], zeros[int64](n))
	case kindUint:
		notEqualLoop(view[bool](dst), src.u[:n], zeros[uint64](n))
	case kindFloat:
		notEqualLoop(view[bool](dst), src.f[:n], zeros[float64](n))
	case kindComplex:
		notEqualLoop(view[bool](dst), src.c[:n], zeros[complex128](n))
	}
}

func zeros[T any](n int) []T { return make([]T, n) }

func (intElem[T]) kind() kind {
	if lowest, _ := intRange[T](); lowest < 0 {
		return kindInt
	}
	return kindUint
}

func (e intElem[T]) toWide(dst wide, src []byte) {
	if e.kind() == kindInt {
		castLoop(dst.i, view[T](src))
	} else {
		castLoop(dst.u, view[T](src))
	}
}

func (intElem[T]) fromWide(dst []byte, src wide, n int) {
	out := view[T](dst)
	switch src.kind {
	case kindInt:
		castLoop(out, src.i[:n])
	case kindUint:
		castLoop(out, src.u[:n])
	case kindFloat:
		for i, x := range src.f[:n] {
			out[i] = saturate[T](x)
		}
	case kindComplex:
		for i, x := range src.c[:n] {
			out[i] = saturate[T](real(x))
		}
	}
}

// saturate truncates x to an integer within T's range.
func saturate[T integer](x float64) T {
	lowest, highest := intRange[T]()
	switch {
	case math.IsNaN(x):
		return 0
	case x <= float64(lowest):
		return lowest
	case x >= float64(highest):
		return highest
	}
	return T(x)
}

func (floatElem[T]) kind() kind { return kindFloat }

func (floatElem[T]) toWide(dst wide, src []byte) { castLoop(dst.f, view[T](src)) }

func (floatElem[T]) fromWide(dst []byte, src wide, n int) {
	out := view[T](dst)
	switch src.kind {
	case kindInt:
		castLoop(out, src.i[:n])
	case kindUint:
		castLoop(out, src.u[:n])
	case kindFloat:
		castLoop(out, src.f[:n])
	case kindComplex:
		for i, x := range src.c[:n] {
			out[i] = T(real(x))
		}
	}
}

func (complexElem) kind() kind { return kindComplex }

func (complexElem) toWide(dst wide, src []byte) { copy(dst.c, view[complex128](src)) }

func (complexElem) fromWide(dst []byte, src wide, n int) {
	out := view[complex128](dst)
	for i := range n {
		switch src.kind {
		case kindInt:
			out[i] = complex(float64(src.i[i]), 0)
		case kindUint:
			out[i] = complex(float64(src.u[i]), 0)
		case kindFloat:
			out[i] = complex(src.f[i], 0)
		case kindComplex:
			out[i] = src.c[i]
		}
	}
}

func (e narrowElem[N, W]) kind() kind { return e.wideType.kind() }

func (e narrowElem[N, W]) toWide(dst wide, src []byte) {
	narrow := view[N](src)
	block := make([]W, len(narrow))
	e.widen(block, narrow)
	e.wideType.toWide(dst, bytesOf(block))
}

func (e narrowElem[N, W]) fromWide(dst []byte, src wide, n int) {
	block := make([]W, n)
	e.wideType.fromWide(bytesOf(block), src, n)
	e.narrow(view[N](dst), block)
}

// Bitcast records the same bytes as another type. The last axis is split into, or made
// of, the parts where the sizes differ.
func (b *Builder) Bitcast(x backends.Op, targetDType dtypes.DType) (backends.Op, error) {
	in, err := b.operands(backends.OpTypeBitcast, x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape().Clone()
	if _, err := elemOf(backends.OpTypeBitcast, targetDType); err != nil {
		return nil, err
	}
	from, to := shape.DType.Size(), targetDType.Size()
	switch last := shape.Rank() - 1; {
	case from > to:
		shape.Dimensions = append(shape.Dimensions, from/to)
	case from < to && (last < 0 || shape.Dimensions[last] != to/from):
		return nil, fmt.Errorf("Bitcast: %s to %s needs a last axis of size %d", shape, targetDType, to/from)
	case from < to:
		shape.Dimensions = shape.Dimensions[:last]
	}
	shape.DType = targetDType
	return b.add(backends.OpTypeBitcast, nil, shape, in...), nil
}

// iotaAttr: the axis along which the values count.
type iotaAttr struct{ axis int }

// Iota records the numbers 0, 1, 2, ... along an axis.
func (b *Builder) Iota(shape shapes.Shape, iotaAxis int) (backends.Op, error) {
	if _, err := b.operands(backends.OpTypeIota); err != nil {
		return nil, err
	}
	if _, err := elemOf(backends.OpTypeIota, shape.DType); err != nil {
		return nil, err
	}
	if err := checkAxes(backends.OpTypeIota, shape, []int{iotaAxis}); err != nil {
		return nil, err
	}
	return b.add(backends.OpTypeIota, iotaAttr{iotaAxis}, shape.Clone()), nil
}

func evalIota(c *call) {
	out := c.out[0]
	axis, dims := c.attr.(iotaAttr).axis, out.shape.Dimensions
	line := newBuffer(shapes.Make(out.shape.DType, dims[axis]))
	count := make([]int64, dims[axis])
	for i := range count {
		count[i] = int64(i)
	}
	elems[out.shape.DType].fromWide(line.bytes, wide{kind: kindInt, i: count}, len(count))
	src := whole(line)
	src.strides = slices.Repeat([]int{0}, len(dims))
	src.strides[axis] = 1
	copyRegion(c.pool, out.shape.DType.Size(), dims, whole(out), src)
}
