// Package method holds the ways to learn from pairs of views, each in its own
// file: [BYOL] is the paper; [SimCLR], [MoCo], [SimSiam] and [Supervised], with
// the same encoder, data and loop, are what it is measured against.
//
// A method is a list of named state tensors and a pure graph function from
// state and batch to new state and metrics. It knows nothing of data, loops or
// checkpoints.
package method

import (
	"fmt"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/graph"
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

	// UsesLabels reports whether a batch needs labels.
	UsesLabels() bool

	// Tau is the target's decay rate at step k of steps; 0 if the online
	// network is its own target.
	Tau(k, steps int) float64
}

// Batch is the input of a step: two views of the same pictures, and what they
// show, at which only [Supervised] looks.
type Batch struct {
	View1, View2 *graph.Node // [B,H,W,C]
	Label        *graph.Node // [B] int32, -1 where unknown; nil unless the method uses labels
}

// Scalars are the values of the schedules at a step.
type Scalars struct {
	Rate *graph.Node // the learning rate
	Tau  *graph.Node // the target's decay rate
}

// StepGraph returns Step as a function from and to flat lists, as an executor
// wants it. Inputs: the state, view 1, view 2, labels if the method uses them,
// rate, τ. Outputs: the new state in the same order, so that the inputs' memory
// can be donated, and the two tensors that [ReadMetrics] takes.
func StepGraph(m Method) func(inputs []*graph.Node) []*graph.Node {
	return func(inputs []*graph.Node) []*graph.Node {
		state, batch, in := arguments(m, inputs, 2)
		state, metrics := m.Step(state, batch, Scalars{Rate: in[0], Tau: in[1]})
		return append(state, metrics.nodes()...)
	}
}

// AccumulateGraph is [StepGraph] for Accumulate, without rate and τ.
func AccumulateGraph(m Method) func(inputs []*graph.Node) []*graph.Node {
	return func(inputs []*graph.Node) []*graph.Node {
		state, batch, _ := arguments(m, inputs, 0)
		state, metrics := m.Accumulate(state, batch)
		return append(state, metrics.nodes()...)
	}
}

// arguments takes the inputs of a step's graph apart.
func arguments(m Method, inputs []*graph.Node, scalars int) (state []*graph.Node, batch Batch, others []*graph.Node) {
	n, views := len(m.Specs()), 2
	if m.UsesLabels() {
		views = 3
	}
	if len(inputs) != n+views+scalars {
		panic(fmt.Errorf("method: %d inputs, want %d state tensors, %d of the batch and %d scalars", len(inputs), n, views, scalars))
	}
	in := inputs[n:]
	batch = Batch{View1: in[0], View2: in[1]}
	if m.UsesLabels() {
		batch.Label = in[2]
	}
	return inputs[:n], batch, in[views:]
}
