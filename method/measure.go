package method

import (
	"fmt"
	"math"
	"strings"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// Weights are what can be measured of a state by itself.
type Weights struct {
	// Norms are the Euclidean norms of the weights of convolutions and linear
	// layers; NaN for a part that the method does not have.
	Norms Parts

	// TargetDistance is ‖θ−ξ‖/‖θ‖ over the weights that a target network
	// follows; NaN without target network.
	TargetDistance float64

	sample []float32
	parts  [numParts]int // lengths of the parts of the sample
}

// samplePerTensor is how many values of a weight tensor go into the sample.
const samplePerTensor = 128

// MeasuredSpecs are the tensors of a state that [MeasureGraph] takes.
func MeasuredSpecs(m Method) []nn.Spec {
	online, target := measured(m)
	return append(online, target...)
}

// measured returns the weights of the online network, and those of the target network.
func measured(m Method) (online, target []nn.Spec) {
	for _, s := range m.Specs() {
		switch {
		case !s.Kind.Weight():
		case partOf(s.Name) >= 0:
			online = append(online, s)
		case strings.HasPrefix(s.Name, "target."):
			target = append(target, s)
		}
	}
	return online, target
}

// MeasureGraph returns the function from the tensors of MeasuredSpecs to the two
// that [ReadWeights] takes.
func MeasureGraph(m Method) func(inputs []*graph.Node) []*graph.Node {
	online, target := measured(m)
	return func(inputs []*graph.Node) []*graph.Node {
		theta, xi := inputs[:len(online)], inputs[len(online):]
		g, at := inputs[0].Graph(), map[string]*graph.Node{}
		var sample, scalars []*graph.Node
		for i, s := range online {
			at[s.Name] = theta[i]
		}
		for _, list := range byPart(online, theta) {
			if len(list) == 0 {
				scalars = append(scalars, graph.Scalar(g, inputs[0].DType(), math.NaN()))
				continue
			}
			scalars = append(scalars, norm(list))
			for _, w := range list {
				size := w.Shape().Size()
				sample = append(sample, graph.Slice(graph.Reshape(w, size), graph.AxisRange(0, min(samplePerTensor, size))))
			}
		}
		distance := graph.Scalar(g, inputs[0].DType(), math.NaN())
		if len(xi) > 0 {
			differences, followed := make([]*graph.Node, len(xi)), make([]*graph.Node, len(xi))
			for i, s := range target {
				followed[i] = at["online."+s.Name[len("target."):]]
				differences[i] = graph.Sub(followed[i], xi[i])
			}
			distance = graph.Div(norm(differences), norm(followed))
		}
		scalars = append(scalars, distance)
		return []*graph.Node{
			graph.ConvertDType(graph.Stack(scalars, 0), dtypes.Float32),
			graph.ConvertDType(graph.Concatenate(sample, 0), dtypes.Float32),
		}
	}
}

// ReadWeights reads the outputs of the graph of MeasureGraph for the same method.
func ReadWeights(m Method, outputs []*tensors.Tensor) (Weights, error) {
	var flat [2][]float32
	for i := range flat {
		var err error
		if flat[i], err = tensors.CopyFlatData[float32](outputs[i]); err != nil {
			return Weights{}, fmt.Errorf("method: reading what was measured of the weights: %w", err)
		}
	}
	s := flat[0]
	w := Weights{Norms: Parts{float64(s[0]), float64(s[1]), float64(s[2])}, TargetDistance: float64(s[3]), sample: flat[1]}
	online, _ := measured(m)
	for _, spec := range online {
		w.parts[partOf(spec.Name)] += min(samplePerTensor, spec.Size())
	}
	return w, nil
}

// Update is the length of the change from before to w over the norm of the weights,
// from a sample of up to 128 values of every tensor.
func (w Weights) Update(before Weights) Parts {
	var ratio [numParts]float64
	at := 0
	for p, n := range w.parts {
		var change, length float64
		for i := at; i < at+n; i++ {
			d, v := float64(w.sample[i])-float64(before.sample[i]), float64(before.sample[i])
			change += d * d
			length += v * v
		}
		at += n
		ratio[p] = math.Sqrt(change / length) // NaN without the part
	}
	return Parts{ratio[0], ratio[1], ratio[2]}
}
