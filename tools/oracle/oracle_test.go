//go:build xla_oracle && cgo

package oracle

import (
	"fmt"
	"math"
	"math/cmplx"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/xla"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// array is an input: a flat slice of a dtype's Go type, and its dimensions.
type array struct {
	flat any
	dims []int
}

func (a array) shape() shapes.Shape {
	return shapes.Make(dtypes.FromGoType(reflect.TypeOf(a.flat).Elem()), a.dims...)
}

// oracleCase is one graph. Differences of up to ulps units in the last place, or of
// tolerance times the largest magnitude, pass.
type oracleCase struct {
	name      string
	inputs    []array
	build     func(b backends.Builder, in []backends.Op) ([]backends.Op, error)
	ulps      float64
	tolerance float64
}

// run executes a case on one backend.
func (c oracleCase) run(backend backends.Backend) (out []any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	b := backend.Builder(c.name)
	ops := make([]backends.Op, len(c.inputs))
	buffers := make([]backends.Buffer, len(c.inputs))
	for i, in := range c.inputs {
		if ops[i], err = b.Parameter(fmt.Sprintf("p%d", i), in.shape(), nil); err != nil {
			return nil, err
		}
		if buffers[i], err = backend.BufferFromFlatData(0, in.flat, in.shape()); err != nil {
			return nil, err
		}
	}
	outputs, err := c.build(b, ops)
	if err != nil {
		return nil, err
	}
	exec, err := b.Compile(outputs, nil)
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	results, err := exec.Execute(buffers, make([]bool, len(buffers)), 0)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		shape, err := backend.BufferShape(r)
		if err != nil {
			return nil, err
		}
		flat := reflect.MakeSlice(reflect.SliceOf(shape.DType.GoType()), shape.Size(), shape.Size()).Interface()
		if err := backend.BufferToFlatData(r, flat); err != nil {
			return nil, err
		}
		out = append(out, array{flat, shape.Dimensions})
	}
	return out, nil
}

func TestOperations(t *testing.T) {
	plugin := os.Getenv("BYOL_XLA_PLUGIN")
	if plugin == "" {
		t.Fatal("BYOL_XLA_PLUGIN must be the absolute path of a PJRT plugin for CPUs")
	}
	xla.EnableAutoInstall(false)
	theirs, err := xla.New(strings.TrimPrefix(plugin, "xla:"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := cpu.New("")
	if err != nil {
		t.Fatal(err)
	}
	same, differ, known := 0, 0, 0
	for _, c := range cases() {
		want, err := c.run(theirs)
		if err != nil {
			t.Logf("%s: XLA refuses: %s", c.name, firstLine(err))
			continue
		}
		got, err := c.run(ours)
		diff := ""
		if err != nil {
			diff = firstLine(err)
		}
		for i := 0; diff == "" && i < len(want); i++ {
			diff = c.compare(got[i].(array), want[i].(array))
		}
		if diff == "" {
			same++
		} else if why := expected(c.name); why != "" {
			known++
			t.Logf("%s: %s (known: %s)", c.name, diff, why)
		} else {
			differ++
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	t.Logf("%d cases agree, %d differ in a known way, %d differ", same, known, differ)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// compare returns how results differ, or nothing.
func (c oracleCase) compare(got, want array) string {
	if !got.shape().Equal(want.shape()) {
		return fmt.Sprintf("shape %s, XLA has %s", got.shape(), want.shape())
	}
	g, w := reflect.ValueOf(got.flat), reflect.ValueOf(want.flat)
	scale := 0.0
	for i := range w.Len() {
		if m := cmplx.Abs(number(w.Index(i))); !math.IsInf(m, 0) && !math.IsNaN(m) {
			scale = max(scale, m)
		}
	}
	bad, first, worst := 0, -1, 0.0
	for i := range w.Len() {
		if g.Index(i).Interface() == w.Index(i).Interface() && math.Signbit(real(number(g.Index(i)))) == math.Signbit(real(number(w.Index(i)))) {
			continue
		}
		d := distance(number(g.Index(i)), number(w.Index(i)), got.shape().DType)
		if math.IsNaN(d) || d > c.ulps && !(cmplx.Abs(number(g.Index(i))-number(w.Index(i))) <= c.tolerance*scale) {
			bad++
			if first < 0 {
				first = i
			}
		}
		worst = max(worst, d)
	}
	if bad == 0 {
		return ""
	}
	var at []string
	for _, in := range c.inputs {
		v := reflect.ValueOf(in.flat)
		if v.Len() == w.Len() {
			at = append(at, fmt.Sprint(v.Index(first)))
		}
	}
	return fmt.Sprintf("%d of %d differ, first at %d: inputs (%s): %v, XLA %v (worst %g ulp)",
		bad, w.Len(), first, strings.Join(at, ", "), g.Index(first), w.Index(first), worst)
}

// number returns any element as a complex number.
func number(v reflect.Value) complex128 {
	if f, ok := v.Interface().(interface{ Float32() float32 }); ok { // half floats
		return complex(float64(f.Float32()), 0)
	}
	switch {
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case v.CanInt():
		return complex(float64(v.Int()), 0)
	case v.CanUint():
		return complex(float64(v.Uint()), 0)
	case v.CanFloat():
		return complex(v.Float(), 0)
	}
	return v.Complex()
}

// distance is the difference in units in the last place; NaN if only one is NaN or only signs of zeros differ.
func distance(a, b complex128, t dtypes.DType) float64 {
	part := func(a, b float64) float64 {
		switch {
		case math.IsNaN(a) && math.IsNaN(b), a == b && math.Signbit(a) == math.Signbit(b):
			return 0
		case math.IsNaN(a) || math.IsNaN(b) || a == b:
			return math.NaN()
		case math.IsInf(a, 0) || math.IsInf(b, 0):
			return math.Inf(1)
		}
		bits, lowest := 52.0, -1022.0
		switch t {
		case dtypes.Float32, dtypes.Complex64:
			bits, lowest = 23, -126
		case dtypes.Float16:
			bits, lowest = 10, -14
		case dtypes.BFloat16:
			bits, lowest = 7, -126
		}
		if b == 0 && math.Abs(a) < math.Pow(2, lowest) {
			return 0 // XLA flushes subnormal results
		}
		_, exp := math.Frexp(max(math.Abs(a), math.Abs(b)))
		return math.Abs(a-b) / math.Pow(2, max(float64(exp-1), lowest)-bits)
	}
	return max(part(real(a), real(b)), part(imag(a), imag(b)))
}
