package method

import (
	"fmt"
	"math"

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

	GradientNorm *graph.Node // over all parameters, before the optimiser

	// Accuracy is the share of labelled views that are classified right; nil in
	// a method without classifier.
	Accuracy *graph.Node

	Projection *graph.Node // [B,d], view 1's normalised projection
}

// Values are metrics on the host.
type Values struct {
	Loss, TargetStd, PositiveCosine, NegativeCosine, GradientNorm float64

	Accuracy float64 // NaN in a method without classifier, or without a label in the batch

	Projection []float32 // [B,d], row by row
	Batch, Dim int
}

// metricsOf looks at the two views' normalised projections [B,d], those of the
// target where there is one.
func metricsOf(loss, view1, view2 *graph.Node, grads []*graph.Node) Metrics {
	batch, d := view1.Shape().Dim(0), view1.Shape().Dim(1)
	centred := graph.Sub(view1, graph.ReduceAndKeep(view1, graph.ReduceMean, 0))
	variance := graph.DivScalar(graph.ReduceSum(graph.Square(centred), 0), float64(max(1, batch-1))) // [d]

	// All pairs' cosines add up to the product of the sums of the vectors.
	positive := graph.ReduceAllSum(graph.Mul(view1, view2))
	all := graph.ReduceAllSum(graph.Mul(graph.ReduceSum(view1, 0), graph.ReduceSum(view2, 0)))
	pairs := float64(max(1, batch*(batch-1)))
	return Metrics{
		Loss:           loss,
		TargetStd:      graph.MulScalar(graph.ReduceAllMean(graph.Sqrt(variance)), math.Sqrt(float64(d))),
		PositiveCosine: graph.DivScalar(positive, float64(batch)),
		NegativeCosine: graph.DivScalar(graph.Sub(all, positive), pairs),
		GradientNorm:   norm(grads),
		Projection:     view1,
	}
}

// nodes packs the scalars into one tensor [6], followed by the projection.
func (m Metrics) nodes() []*graph.Node {
	accuracy := m.Accuracy
	if accuracy == nil {
		accuracy = graph.Scalar(m.Loss.Graph(), m.Loss.DType(), math.NaN())
	}
	scalars := graph.Stack([]*graph.Node{m.Loss, m.TargetStd, m.PositiveCosine, m.NegativeCosine, m.GradientNorm, accuracy}, 0)
	return []*graph.Node{
		graph.ConvertDType(scalars, dtypes.Float32),
		graph.ConvertDType(m.Projection, dtypes.Float32),
	}
}

// ReadMetrics reads the outputs of a step's graph that follow the state.
func ReadMetrics(outputs []*tensors.Tensor) (Values, error) {
	if len(outputs) != 2 {
		return Values{}, fmt.Errorf("method: %d tensors of metrics, want 2", len(outputs))
	}
	scalars, err := tensors.CopyFlatData[float32](outputs[0])
	if err != nil {
		return Values{}, fmt.Errorf("method: reading metrics: %w", err)
	}
	projection, err := tensors.CopyFlatData[float32](outputs[1])
	if err != nil {
		return Values{}, fmt.Errorf("method: reading projections: %w", err)
	}
	dims := outputs[1].Shape().Dimensions
	if len(scalars) != 6 || len(dims) != 2 {
		return Values{}, fmt.Errorf("method: metrics of shapes %s and %s", outputs[0].Shape(), outputs[1].Shape())
	}
	return Values{
		Loss: float64(scalars[0]), TargetStd: float64(scalars[1]),
		PositiveCosine: float64(scalars[2]), NegativeCosine: float64(scalars[3]), GradientNorm: float64(scalars[4]),
		Accuracy:   float64(scalars[5]),
		Projection: projection, Batch: dims[0], Dim: dims[1],
	}, nil
}
