// Package nntest helps to test models: it runs graphs on the backend under
// test, and fills tensors by a formula that the golden scripts in tools/golden
// repeat in Python, so that no weights need be stored.
//
// The backend is "cpu", or what the environment variable BYOL_TEST_BACKEND
// names, as in "xla:/path/of/xla_cpu_pjrt.so".
package nntest

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"os"
	"sync"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// EnvVar names the environment variable that chooses the backend.
const EnvVar = "BYOL_TEST_BACKEND"

var backend = sync.OnceValues(func() (compute.Backend, error) {
	name := os.Getenv(EnvVar)
	if name == "" {
		name = "cpu"
	}
	return compute.New(name, 0)
})

// Backend returns the backend under test.
func Backend(tb testing.TB) compute.Backend {
	tb.Helper()
	b, err := backend()
	if err != nil {
		tb.Fatalf("backend (%s=%q): %v", EnvVar, os.Getenv(EnvVar), err)
	}
	return b
}

// Exec compiles f for inputs (tensors or Go values) and runs it once.
func Exec(tb testing.TB, f func([]*graph.Node) []*graph.Node, inputs ...any) []*tensors.Tensor {
	tb.Helper()
	e, err := graph.NewExec(Backend(tb), f)
	if err != nil {
		tb.Fatal(err)
	}
	defer e.Finalize()
	out, err := e.Exec(inputs...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Floats returns the elements of a float32 or float64 tensor.
func Floats(tb testing.TB, t *tensors.Tensor) []float64 {
	tb.Helper()
	if t.DType() == dtypes.Float64 {
		flat, err := tensors.CopyFlatData[float64](t)
		if err != nil {
			tb.Fatal(err)
		}
		return flat
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		tb.Fatal(err)
	}
	out := make([]float64, len(flat))
	for i, v := range flat {
		out[i] = float64(v)
	}
	return out
}

// Uniform returns n numbers in [0,1), multiples of 2⁻²⁴, that depend on name
// and their index only.
func Uniform(name string, n int) []float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	seed := h.Sum64()
	out := make([]float64, n)
	for i := range out {
		// SplitMix64 (Steele, Lea, Flood 2014).
		z := seed + (uint64(i)+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		out[i] = float64((z^z>>31)>>40) / (1 << 24)
	}
	return out
}

// Symmetric returns n numbers in [-1,1).
func Symmetric(name string, n int) []float64 {
	out := Uniform(name, n)
	for i, u := range out {
		out[i] = 2*u - 1
	}
	return out
}

// Float32 rounds.
func Float32(values []float64) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

// Fill returns the tensor's values by the formula, in this program's layout,
// rounded to float32. name is the tensor's name on both sides; the formula runs
// over PyTorch's order.
func Fill(tb testing.TB, s nn.Spec, name string) []float32 {
	tb.Helper()
	scale, shift := 0.0, 0.0
	switch s.Kind {
	case nn.ConvKernel:
		scale = math.Sqrt(6 / float64(s.Shape[0]*s.Shape[1]*s.Shape[2]))
	case nn.LinearWeight, nn.Bias:
		scale = 1 / math.Sqrt(float64(s.FanIn))
	case nn.NormScale, nn.RunningVar:
		scale, shift = 0.25, 1
	case nn.NormOffset, nn.RunningMean:
		scale = 0.2
	case nn.Directions:
		scale = 1 / math.Sqrt(float64(s.Shape[1]))
	case nn.Slot:
		return make([]float32, s.Size())
	}
	values := Symmetric(name, s.Size())
	for i, v := range values {
		values[i] = v*scale + shift
	}
	out, err := nn.FromTorch(s, Float32(values))
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Tensor makes a tensor of type t, float32 or float64, from float32 values.
func Tensor(t dtypes.DType, values []float32, dims ...int) *tensors.Tensor {
	if t != dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(values, dims...)
	}
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return tensors.FromFlatDataAndDimensions(wide, dims...)
}

// Golden reads a JSON file of testdata into v.
func Golden(tb testing.TB, file string, v any) {
	tb.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatalf("golden (made by tools/golden): %v", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		tb.Fatalf("golden %s: %v", file, err)
	}
}

// Close fails if got differs from want by more than tolerance·max(1, |want|).
func Close(tb testing.TB, what string, got, want, tolerance float64) {
	tb.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		tb.Errorf("%s: got %.9g, want %.9g: off by %.2g, more than %.2g", what, got, want, got-want, tolerance)
	}
}

// CloseAll applies Close element by element, relative to the largest of want.
func CloseAll(tb testing.TB, what string, got, want []float64, tolerance float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*largest) {
			tb.Errorf("%s: element %d: got %.9g, want %.9g: off by %.2g, more than %.2g of %.3g",
				what, i, got[i], want[i], got[i]-want[i], tolerance, largest)
			return
		}
	}
}
