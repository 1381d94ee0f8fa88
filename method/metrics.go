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

// Metrics are what a step says about itself.
type Metrics struct {
	Loss *graph.Node // the mean over the batch

	// TargetStd is the mean over the channels of the standard deviation (n−1)
	// over the batch of view 1's normalised projection, times √d: near 1 if the
	// projections spread over the sphere, 0 if they have collapsed. The
	// projection is the target's; that of the online network in a method without
	// target; the features themselves in one without projector.
	TargetStd *graph.Node

	// PositiveCosine and NegativeCosine are the mean cosines of these
	// projections of the two views of one picture, and of two pictures.
	PositiveCosine, NegativeCosine *graph.Node

	GradientNorm  *graph.Node           // over all parameters, before the optimiser
	GradientNorms [numParts]*graph.Node // over those of a part; nil in a method without it

	// Accuracy is the share of labelled views that are classified right; nil in
	// a method without classifier.
	Accuracy *graph.Node

	Projections [2]*graph.Node // [B,d], the views' normalised projections
	Features    [2]*graph.Node // [B,Features], what the online encoder makes of the views
}

// Values are metrics on the host.
type Values struct {
	Loss, TargetStd, PositiveCosine, NegativeCosine, GradientNorm float64

	Accuracy float64 // NaN in a method without classifier, or without a label in the batch

	GradientNorms Parts // NaN for what the method does not have

	Projections, Features  [2][]float32 // [B,Dim] and [B,FeatureDim], row by row
	Batch, Dim, FeatureDim int
}

// Parts are a quantity of each part of the online network: encoder, projector and
// predictor, or the classifier in its place.
type Parts struct{ Encoder, Projector, Predictor float64 }

// The parts in order.
const (
	partEncoder = iota
	partProjector
	partPredictor
	numParts
)

// partOf returns the part of the online network that a tensor belongs to, -1 for none.
func partOf(name string) int {
	for part, prefixes := range [numParts][]string{{"online.encoder."}, {"online.projector."}, {"online.predictor.", "online.classifier."}} {
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				return part
			}
		}
	}
	return -1
}

// byPart sorts values of parameters by the part they belong to.
func byPart[T any](params []nn.Spec, values []T) (parts [numParts][]T) {
	for i, s := range params {
		if p := partOf(s.Name); p >= 0 {
			parts[p] = append(parts[p], values[i])
		}
	}
	return parts
}

// metricsOf looks at the two views' normalised projections [B,d], those of the
// target where there is one, at the online encoder's features [B,Features], and at
// the gradients of params.
func metricsOf(loss *graph.Node, projections, features [2]*graph.Node, params []nn.Spec, grads []*graph.Node) Metrics {
	view1, view2 := projections[0], projections[1]
	batch, d := view1.Shape().Dim(0), view1.Shape().Dim(1)
	centred := graph.Sub(view1, graph.ReduceAndKeep(view1, graph.ReduceMean, 0))
	variance := graph.DivScalar(graph.ReduceSum(graph.Square(centred), 0), float64(max(1, batch-1))) // [d]

	// All pairs' cosines add up to the product of the sums of the vectors.
	positive := graph.ReduceAllSum(graph.Mul(view1, view2))
	all := graph.ReduceAllSum(graph.Mul(graph.ReduceSum(view1, 0), graph.ReduceSum(view2, 0)))
	pairs := float64(max(1, batch*(batch-1)))
	m := Metrics{
		Loss:           loss,
		TargetStd:      graph.MulScalar(graph.ReduceAllMean(graph.Sqrt(variance)), math.Sqrt(float64(d))),
		PositiveCosine: graph.DivScalar(positive, float64(batch)),
		NegativeCosine: graph.DivScalar(graph.Sub(all, positive), pairs),
		Projections:    projections,
		Features:       features,
	}
	var lengths []*graph.Node
	for part, list := range byPart(params, grads) {
		if len(list) > 0 {
			m.GradientNorms[part] = norm(list)
			lengths = append(lengths, m.GradientNorms[part])
		}
	}
	m.GradientNorm = norm(lengths)
	return m
}

// nodes packs the scalars into one tensor [6+parts], followed by projections and features.
func (m Metrics) nodes() []*graph.Node {
	g, dtype := m.Loss.Graph(), m.Loss.DType()
	orNaN := func(x *graph.Node) *graph.Node {
		if x == nil {
			return graph.Scalar(g, dtype, math.NaN())
		}
		return x
	}
	scalars := []*graph.Node{m.Loss, m.TargetStd, m.PositiveCosine, m.NegativeCosine, m.GradientNorm, orNaN(m.Accuracy)}
	for _, n := range m.GradientNorms {
		scalars = append(scalars, orNaN(n))
	}
	out := []*graph.Node{graph.Stack(scalars, 0), m.Projections[0], m.Projections[1], m.Features[0], m.Features[1]}
	for i, n := range out {
		out[i] = graph.ConvertDType(n, dtypes.Float32)
	}
	return out
}

// ReadMetrics reads the outputs of a step's graph that follow the state.
func ReadMetrics(outputs []*tensors.Tensor) (Values, error) {
	if len(outputs) != 5 {
		return Values{}, fmt.Errorf("method: %d tensors of metrics, want 5", len(outputs))
	}
	flat := make([][]float32, len(outputs))
	for i, name := range []string{"metrics", "projections", "projections", "features", "features"} {
		var err error
		if flat[i], err = tensors.CopyFlatData[float32](outputs[i]); err != nil {
			return Values{}, fmt.Errorf("method: reading %s: %w", name, err)
		}
	}
	scalars, dims, features := flat[0], outputs[1].Shape().Dimensions, outputs[3].Shape().Dimensions
	if len(scalars) != 6+numParts || len(dims) != 2 || len(features) != 2 {
		return Values{}, fmt.Errorf("method: metrics of shapes %s, %s and %s", outputs[0].Shape(), outputs[1].Shape(), outputs[3].Shape())
	}
	return Values{
		Loss: float64(scalars[0]), TargetStd: float64(scalars[1]),
		PositiveCosine: float64(scalars[2]), NegativeCosine: float64(scalars[3]), GradientNorm: float64(scalars[4]),
		Accuracy:      float64(scalars[5]),
		GradientNorms: Parts{float64(scalars[6]), float64(scalars[7]), float64(scalars[8])},
		Projections:   [2][]float32(flat[1:3]), Features: [2][]float32(flat[3:5]),
		Batch: dims[0], Dim: dims[1], FeatureDim: features[1],
	}, nil
}
