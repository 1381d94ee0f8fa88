package cpu

import (
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// span computes one run of consecutive elements of an operation whose output element
// depends only on the input elements of the same place. The number of elements follows
// from out; the inputs that the operation has hold as many. An input may be the memory
// of out if both have elements of the same size.
type span func(out []byte, in [3][]byte)

// elem is what the generic kernels need to know about a dtype. The methods return nil
// for operations that the type does not have.
type elem interface {
	// unary and binary return results of the same type, except Abs, Real and Imag of
	// complex numbers (their real type) and IsFinite and IsNaN (bool).
	unary(op backends.OpType) span
	binary(op backends.OpType) span
	// compare returns bools.
	compare(op backends.OpType) span
	// toWide and fromWide convert n elements from and to the widest type of their kind.
	toWide(dst wide, src []byte)
	fromWide(dst []byte, src wide, n int)
	kind() kind
	// bound returns the bytes of the lowest (sign < 0), the highest (sign > 0) value,
	// infinities where the type has them.
	bound(sign int) []byte
	// arg returns the kernel behind ArgMinMax, nil for types without an order.
	arg(isMin bool) argFunc
	// selectScatter returns the kernel behind SelectAndScatterMax and Min.
	selectScatter(isMin bool) selectFunc
}

// elems holds the kernels of every supported dtype.
var elems = map[dtypes.DType]elem{
	dtypes.Bool:       boolElem{},
	dtypes.Int8:       intElem[int8]{},
	dtypes.Int16:      intElem[int16]{},
	dtypes.Int32:      intElem[int32]{},
	dtypes.Int64:      intElem[int64]{},
	dtypes.Uint8:      intElem[uint8]{},
	dtypes.Uint16:     intElem[uint16]{},
	dtypes.Uint32:     intElem[uint32]{},
	dtypes.Uint64:     intElem[uint64]{},
	dtypes.Float16:    newNarrow(float32Elem{}, fromFloat16, toFloat16, 0x7c00),
	dtypes.BFloat16:   newNarrow(float32Elem{}, vec.FromBF16, vec.ToBF16, 0x7f80),
	dtypes.Float32:    float32Elem{},
	dtypes.Float64:    floatElem[float64]{},
	dtypes.Complex64:  newNarrow(complexElem{}, fromComplex64, toComplex64, 0),
	dtypes.Complex128: complexElem{},
}

// elemOf returns the kernels of a dtype, or an error that names the operation.
func elemOf(op backends.OpType, dtype dtypes.DType) (elem, error) {
	e, ok := elems[dtype]
	if !ok {
		return nil, fmt.Errorf("%s: type %s is not supported by backend %q", op, dtype, Name)
	}
	return e, nil
}

func unsupported(op backends.OpType, dtype dtypes.DType) error {
	return fmt.Errorf("%s is not defined for %s", op, dtype)
}

type signed interface {
	~int8 | ~int16 | ~int32 | ~int64
}

type unsigned interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

type integer interface{ signed | unsigned }

type float interface{ ~float32 | ~float64 }

type ordered interface{ integer | float }

// The classes of types. Each has its loops in the files op_unary.go, op_binary.go and
// op_compare.go, instantiated per type: no call and no branch per element.
type (
	boolElem             struct{}
	intElem[T integer]   struct{}
	floatElem[T float]   struct{}
	complexElem          struct{} // complex128
	narrowElem[N, W any] struct { // computed in a wider type W, rounded to N
		wideType elem
		widen    func(dst []W, src []N)
		narrow   func(dst []N, src []W)
		infinity uint16     // bits of +infinity, for half floats
		scratch  *sync.Pool // of *wideScratch[W]
	}
)

func newNarrow[N, W any](wideType elem, widen func([]W, []N), narrow func([]N, []W), infinity uint16) elem {
	scratch := &sync.Pool{New: func() any { return new(wideScratch[W]) }}
	return narrowElem[N, W]{wideType, widen, narrow, infinity, scratch}
}

// view returns the bytes as elements of type T.
func view[T any](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}

// bytesOf returns the memory of a slice.
func bytesOf[T any](s []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

// span1, span2 and predicate1 make spans of typed loops.
func span1[R, T any](loop func(dst []R, x []T)) span {
	return func(out []byte, in [3][]byte) { loop(view[R](out), view[T](in[0])) }
}

func span2[R, T any](loop func(dst []R, x, y []T)) span {
	return func(out []byte, in [3][]byte) { loop(view[R](out), view[T](in[0]), view[T](in[1])) }
}

// narrowBlock is how many elements are widened at a time.
const narrowBlock = 512

type wideScratch[W any] [4][narrowBlock]W

// wrap makes a span on N of one on W: widen a block, compute, narrow. With direct, the
// result is not of type W and is written as it is.
func (e narrowElem[N, W]) wrap(f span, direct bool) span {
	if f == nil {
		return nil
	}
	return func(out []byte, in [3][]byte) {
		var first N
		n := len(in[0]) / int(unsafe.Sizeof(first))
		if n == 0 {
			return
		}
		outSize := len(out) / n
		scratch := e.scratch.Get().(*wideScratch[W])
		defer e.scratch.Put(scratch)
		for lo := 0; lo < n; lo += narrowBlock {
			hi := min(lo+narrowBlock, n)
			var wideIn [3][]byte
			for i, b := range in {
				if b != nil {
					e.widen(scratch[i][:hi-lo], view[N](b)[lo:hi])
					wideIn[i] = bytesOf(scratch[i][:hi-lo])
				}
			}
			if direct {
				f(out[lo*outSize:hi*outSize], wideIn)
				continue
			}
			result := scratch[3][:hi-lo]
			f(bytesOf(result), wideIn)
			e.narrow(view[N](out)[lo:hi], result)
		}
	}
}

func (e narrowElem[N, W]) unary(op backends.OpType) span {
	if op == backends.OpTypeIsFinite || op == backends.OpTypeIsNaN {
		return e.wrap(e.wideType.unary(op), true)
	}
	if f, ok := complexPart(op); ok && e.kind() == kindComplex {
		return e.realPart(f)
	}
	return e.wrap(e.wideType.unary(op), false)
}

func (e narrowElem[N, W]) binary(op backends.OpType) span {
	return e.wrap(e.wideType.binary(op), false)
}

func (e narrowElem[N, W]) compare(op backends.OpType) span {
	return e.wrap(e.wideType.compare(op), true)
}

// realPart makes a span from complex64 to float32.
func (e narrowElem[N, W]) realPart(f func(complex128) float64) span {
	return func(out []byte, in [3][]byte) {
		dst := view[float32](out)
		for i, x := range view[complex64](in[0]) {
			dst[i] = float32(f(complex128(x)))
		}
	}
}

func (e narrowElem[N, W]) bound(sign int) []byte {
	if e.infinity == 0 {
		return nil
	}
	bits := e.infinity
	if sign < 0 {
		bits |= 0x8000
	}
	return bytesOf([]uint16{bits})
}

func (boolElem) bound(sign int) []byte { return bytesOf([]bool{sign > 0}) }

func (intElem[T]) bound(sign int) []byte {
	lowest, highest := intRange[T]()
	if sign < 0 {
		return bytesOf([]T{lowest})
	}
	return bytesOf([]T{highest})
}

func (floatElem[T]) bound(sign int) []byte { return bytesOf([]T{T(math.Inf(sign))}) }

func (complexElem) bound(int) []byte { return nil }

// intRange returns the lowest and the highest value of T.
func intRange[T integer]() (lowest, highest T) {
	var zero T
	ones := zero - 1
	if ones > zero { // unsigned
		return zero, ones
	}
	lowest = T(1) << (unsafe.Sizeof(zero)*8 - 1)
	return lowest, lowest - 1 // wraps around
}
