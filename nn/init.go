package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// Init draws the initial values of a tensor, in this program's layout.
//
// They depend on seed and the spec's name only, not on other tensors nor on
// the order in which they are drawn:
//
//   - convolution kernels: Kaiming normal over the fan-out, N(0, 2/(KH·KW·Out)),
//     as in torchvision;
//   - linear weights and biases: uniform in ±1/√FanIn, as in PyTorch;
//   - norm scales and running variances 1, offsets and means 0 (no zero γ);
//   - slots 0; directions uniform on the sphere.
func Init(s Spec, seed uint64) []float32 {
	out := make([]float32, s.Size())
	switch s.Kind {
	case ConvKernel:
		std := math.Sqrt(2 / float64(s.Shape[0]*s.Shape[1]*s.Shape[3]))
		random := source(s.Name, seed)
		for i := range out {
			out[i] = float32(random.NormFloat64() * std)
		}
	case LinearWeight, Bias:
		fanIn := s.FanIn
		if s.Kind == LinearWeight {
			fanIn = s.Shape[0]
		}
		bound := 1 / math.Sqrt(float64(fanIn))
		random := source(s.Name, seed)
		for i := range out {
			out[i] = float32((2*random.Float64() - 1) * bound)
		}
	case NormScale, RunningVar:
		for i := range out {
			out[i] = 1
		}
	case Directions:
		random := source(s.Name, seed)
		for row := range slices.Chunk(out, s.Shape[1]) {
			direction(row, random)
		}
	}
	return out
}

// direction draws a vector of length 1.
func direction(v []float32, random *rand.Rand) {
	square := 0.0
	for i := range v {
		v[i] = float32(random.NormFloat64())
		square += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
}

// source returns the random numbers of one tensor.
func source(name string, seed uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// InitAll draws every tensor of specs, in order.
func InitAll(specs []Spec, seed uint64) [][]float32 {
	out := make([][]float32, len(specs))
	for i, s := range specs {
		out[i] = Init(s, seed)
	}
	return out
}

// Tensors copies host values, one slice for each spec, into float32 tensors of
// the specs' shapes.
func Tensors(specs []Spec, values [][]float32) []*tensors.Tensor {
	out := make([]*tensors.Tensor, len(specs))
	for i, s := range specs {
		out[i] = tensors.FromFlatDataAndDimensions(values[i], s.Shape...)
	}
	return out
}
