package cpu

import (
	"bytes"
	"fmt"
	"math"
	"math/cmplx"
	"reflect"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// opGraph records the outputs of a test's graph from its inputs.
type opGraph func(b *Builder, in []backends.Op) ([]backends.Op, error)

// opRun runs a graph on a backend of the given configuration.
func opRun(t *testing.T, config string, graph opGraph, in ...*Buffer) []*Buffer {
	t.Helper()
	backend, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	b := newBuilder(backend, t.Name())
	ops := make([]backends.Op, len(in))
	args := make([]backends.Buffer, len(in))
	for i, buf := range in {
		if ops[i], err = b.Parameter(fmt.Sprint("p", i), buf.shape, nil); err != nil {
			t.Fatal(err)
		}
		args[i] = buf
	}
	outputs, err := graph(b, ops)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := b.Compile(outputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Execute(args, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*Buffer, len(results))
	for i, r := range results {
		out[i] = r.(*Buffer)
	}
	return out
}

// opRunSame runs a graph on one, two and three threads and wants the same bits of all.
func opRunSame(t *testing.T, graph opGraph, in ...*Buffer) []*Buffer {
	t.Helper()
	first := opRun(t, "threads=1", graph, in...)
	for threads := 2; threads <= 3; threads++ {
		for i, out := range opRun(t, fmt.Sprintf("threads=%d", threads), graph, in...) {
			if !bytes.Equal(out.bytes, first[i].bytes) {
				t.Errorf("output %d: %d threads give other bits than one", i, threads)
			}
		}
	}
	return first
}

// opOne wraps a graph of one output.
func opOne(op backends.Op, err error) ([]backends.Op, error) { return []backends.Op{op}, err }

// opBuffer returns a buffer with a copy of the elements, whose Go type gives the dtype.
func opBuffer[T dtypes.Supported](flat []T, dims ...int) *Buffer {
	buf := newBuffer(shapes.Make(dtypes.FromGenericsType[T](), dims...))
	copy(view[T](buf.bytes), flat)
	return buf
}

// opRamp returns numbers in no particular order: -11 to 11, in quarters for floats, 0 to 4 for unsigned types.
func opRamp(t dtypes.DType, dims ...int) *Buffer {
	buf := newBuffer(shapes.Make(t, dims...))
	values := make([]complex128, buf.shape.Size())
	for i := range values {
		v := float64((i*7919+13)%23) - 11
		switch {
		case t.IsUnsigned() || t == dtypes.Bool:
			v = float64((i*7919 + 3) % 5)
		case t.IsComplex():
			values[i] = complex(v/4, float64((i*31)%7)-3)
			continue
		case t.IsFloat():
			v /= 4
		}
		values[i] = complex(v, 0)
	}
	elems[t].fromWide(buf.bytes, wide{kind: kindComplex, c: values}, len(values))
	return buf
}

// opValues returns the elements as complex numbers, converted by reflection rather than by the kernels.
func opValues(b *Buffer) []complex128 {
	v := reflect.ValueOf(b.anyFlat())
	out := make([]complex128, v.Len())
	for i := range out {
		e := v.Index(i)
		if half, ok := e.Interface().(interface{ Float32() float32 }); ok {
			out[i] = complex(float64(half.Float32()), 0)
			continue
		}
		switch {
		case e.Kind() == reflect.Bool:
			if e.Bool() {
				out[i] = 1
			}
		case e.CanInt():
			out[i] = complex(float64(e.Int()), 0)
		case e.CanUint():
			out[i] = complex(float64(e.Uint()), 0)
		case e.CanFloat():
			out[i] = complex(e.Float(), 0)
		default:
			out[i] = e.Complex()
		}
	}
	return out
}

// opTolerance is the relative rounding error to expect of a few operations.
func opTolerance(t dtypes.DType) float64 {
	switch t {
	case dtypes.Float16:
		return 2e-3
	case dtypes.BFloat16:
		return 1.6e-2
	case dtypes.Float32, dtypes.Complex64:
		return 1e-6
	}
	return 1e-14
}

// opWant compares a buffer with wanted values, element by element.
func opWant(t *testing.T, name string, got *Buffer, want []complex128) {
	t.Helper()
	values := opValues(got)
	if len(values) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(values), len(want))
	}
	for i, w := range want {
		g := values[i]
		if cmplx.IsNaN(w) && cmplx.IsNaN(g) || g == w {
			continue
		}
		if d := cmplx.Abs(g - w); !(d <= opTolerance(got.shape.DType)*(cmplx.Abs(w)+1e-3)) {
			t.Fatalf("%s: element %d is %v, want %v", name, i, g, w)
		}
	}
}

var (
	opReal    = []dtypes.DType{dtypes.Int8, dtypes.Int16, dtypes.Int32, dtypes.Int64, dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64, dtypes.Float16, dtypes.BFloat16, dtypes.Float32, dtypes.Float64}
	opNumbers = append(append([]dtypes.DType{}, opReal...), dtypes.Complex64, dtypes.Complex128)
)

// opIndex calls f with every index of an array and its position in row-major order.
func opIndex(dims []int, f func(n int, at []int)) {
	total := 1
	for _, d := range dims {
		total *= d
	}
	at := make([]int, len(dims))
	for n := range total {
		f(n, at)
		advance(at, dims)
	}
}

// opAt returns the row-major position of an index.
func opAt(dims, at []int) int {
	n := 0
	for axis, d := range dims {
		n = n*d + at[axis]
	}
	return n
}

var (
	opNaN = math.NaN()
	opInf = math.Inf(1)
)
