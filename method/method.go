// Package method holds what is learnt from views without labels, each method in
// its own file: [BYOL] is the paper.
//
// A method is a list of named state tensors and a pure graph function from
// state and batch to new state and metrics. It knows nothing of data, loops or
// checkpoints.
package method

import (
	"fmt"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// EncoderPrefix begins the names of the state tensors of the encoder that a
// method trains; what follows is torchvision's name.
const EncoderPrefix = encoder.OnlinePrefix

// Method is a way to learn. Its functions of nodes build a graph and panic, as
// GoMLX's do, if shapes do not fit.
type Method interface {
	// Specs lists all that the next step depends on, in the order in which
	// the graph functions take and return it.
	Specs() []nn.Spec

	// Init draws the state of the first step, in the order of Specs.
	Init(seed uint64) [][]float32

	// Step learns from a batch: the whole of one, or the last of
	// AccumulateSteps micro-batches.
	Step(state []*graph.Node, batch Batch, scalars Scalars) ([]*graph.Node, Metrics)

	// Accumulate adds the gradients of one of the earlier micro-batches to the
	// state and leaves the weights as they are.
	Accumulate(state []*graph.Node, batch Batch) ([]*graph.Node, Metrics)

	// AccumulateSteps is the number of micro-batches of one step: 1 if there
	// is no accumulation.
	AccumulateSteps() int

	// Tau is the target's decay rate at step k of steps.
	Tau(k, steps int) float64
}

// Batch is the input of a step: two views of the same pictures.
type Batch struct {
	View1, View2 *graph.Node // [B,H,W,C]
}

// Scalars are the values of the schedules at a step.
type Scalars struct {
	Rate *graph.Node // the learning rate
	Tau  *graph.Node // the target's decay rate
}

// Metrics are what a step says about itself.
type Metrics struct {
	Loss *graph.Node // the mean over the batch

	// TargetStd is the mean over the channels of the standard deviation (n−1)
	// over the batch of view 1's normalised target projection, times √d: near
	// 1 if the projections spread over the sphere, 0 if they have collapsed.
	TargetStd *graph.Node

	// PositiveCosine and NegativeCosine are the mean cosines of the target
	// projections of the two views of one picture, and of two pictures.
	PositiveCosine, NegativeCosine *graph.Node

	GradientNorm *graph.Node // over all parameters, before the optimiser

	Projection *graph.Node // [B,d], view 1's normalised target projection
}

// Values are metrics on the host.
type Values struct {
	Loss, TargetStd, PositiveCosine, NegativeCosine, GradientNorm float64

	Projection []float32 // [B,d], row by row
	Batch, Dim int
}

// StepGraph returns Step as a function from and to flat lists, as an executor
// wants it. Inputs: the state, view 1, view 2, rate, τ. Outputs: the new state
// in the same order, so that the inputs' memory can be donated, and the two
// tensors that [ReadMetrics] takes.
func StepGraph(m Method) func(inputs []*graph.Node) []*graph.Node {
	return func(inputs []*graph.Node) []*graph.Node {
		n := arguments(m, inputs, 4)
		in := inputs[n:]
		state, metrics := m.Step(inputs[:n], Batch{in[0], in[1]}, Scalars{in[2], in[3]})
		return append(state, metrics.nodes()...)
	}
}

// AccumulateGraph is [StepGraph] for Accumulate. Inputs: the state, view 1,
// view 2.
func AccumulateGraph(m Method) func(inputs []*graph.Node) []*graph.Node {
	return func(inputs []*graph.Node) []*graph.Node {
		n := arguments(m, inputs, 2)
		in := inputs[n:]
		state, metrics := m.Accumulate(inputs[:n], Batch{in[0], in[1]})
		return append(state, metrics.nodes()...)
	}
}

func arguments(m Method, inputs []*graph.Node, others int) int {
	n := len(m.Specs())
	if len(inputs) != n+others {
		panic(fmt.Errorf("method: %d inputs, want %d: %d state tensors and %d others", len(inputs), n+others, n, others))
	}
	return n
}

// nodes packs the scalars into one tensor [5], followed by the projection.
func (m Metrics) nodes() []*graph.Node {
	scalars := graph.Stack([]*graph.Node{m.Loss, m.TargetStd, m.PositiveCosine, m.NegativeCosine, m.GradientNorm}, 0)
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
	if len(scalars) != 5 || len(dims) != 2 {
		return Values{}, fmt.Errorf("method: metrics of shapes %s and %s", outputs[0].Shape(), outputs[1].Shape())
	}
	return Values{
		Loss: float64(scalars[0]), TargetStd: float64(scalars[1]),
		PositiveCosine: float64(scalars[2]), NegativeCosine: float64(scalars[3]), GradientNorm: float64(scalars[4]),
		Projection: projection, Batch: dims[0], Dim: dims[1],
	}, nil
}
