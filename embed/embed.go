package embed

import (
	"fmt"
	"github.com/byol-go/byol/compute"

	"github.com/byol-go/byol/nn"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// Embedder runs a model on batches of one size.
type Embedder struct {
	model *Model
	batch int
	exec  *graph.Exec
	state []*tensors.Tensor
}

// NewEmbedder compiles the model, in evaluation mode, for batches of the given size.
func NewEmbedder(backend compute.Backend, m *Model, batch int) (e *Embedder, err error) {
	defer func() {
		if r := recover(); r != nil { // GoMLX panics while a graph is built
			e, err = nil, fmt.Errorf("embed: %v", r)
		}
	}()
	specs := m.Encoder.Specs()
	exec, err := graph.NewExec(backend, func(inputs []*graph.Node) *graph.Node {
		scope := nn.NewScope(specs, inputs[:len(specs)], false, dtypes.Float32)
		return m.Encoder.Forward(scope, inputs[len(specs)])
	})
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return &Embedder{model: m, batch: batch, exec: exec, state: nn.Tensors(specs, m.Values)}, nil
}

// Model returns the model that runs.
func (e *Embedder) Model() *Model { return e.model }

// Batch returns the pictures of a full batch.
func (e *Embedder) Batch() int { return e.batch }

// SetValues replaces the weights, in the order and layout of the encoder's specs.
func (e *Embedder) SetValues(values [][]float32) {
	e.finalize()
	e.state = nn.Tensors(e.model.Encoder.Specs(), values)
}

// Embed encodes n pictures [n,Size,Size,Channels], normalised, n at most Batch, and
// returns their features [n,Features]. A part of a batch costs as much as a full one.
func (e *Embedder) Embed(pictures []float32, n int) ([]float32, error) {
	m := e.model
	each := m.Size * m.Size * m.Channels
	if n < 1 || n > e.batch || len(pictures) < n*each {
		return nil, fmt.Errorf("embed: %d values for %d pictures of %d x %d x %d, at most %d at once", len(pictures), n, m.Size, m.Size, m.Channels, e.batch)
	}
	x := tensors.FromShape(shapes.Make(dtypes.Float32, e.batch, m.Size, m.Size, m.Channels))
	defer x.FinalizeAll()
	if err := tensors.MutableFlatData(x, func(flat []float32) { copy(flat, pictures[:n*each]) }); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	args := make([]any, 0, len(e.state)+1)
	for _, t := range e.state {
		args = append(args, t)
	}
	out, err := e.exec.Exec(append(args, x)...)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	defer out[0].FinalizeAll()
	features, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return features[:n*m.Encoder.Features], nil
}

// Close frees the compiled model and its weights.
func (e *Embedder) Close() {
	e.exec.Finalize()
	e.finalize()
}

func (e *Embedder) finalize() {
	for _, t := range e.state {
		t.FinalizeAll()
	}
	e.state = nil
}
