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

// Embedder runs a model on batches.
//
// The weights that it begins with are constants of what it compiles, where the backend
// gains by that: batch norms go into the kernels, and the kernels are brought into the
// form that products take once, not in every call. After SetValues they are parameters,
// since weights that change are not worth it.
type Embedder struct {
	model   *Model
	backend compute.Backend
	batch   int // pictures that a call takes at most
	chunk   int // pictures that go through the network at once
	fixed   bool
	exec    *graph.Exec
	state   []*tensors.Tensor // nil if fixed
}

// NewEmbedder returns an embedder of the model, in evaluation mode, for up to batch
// pictures in a call.
func NewEmbedder(backend compute.Backend, m *Model, batch int) (*Embedder, error) {
	if batch < 1 {
		return nil, fmt.Errorf("embed: batches of %d pictures", batch)
	}
	e := &Embedder{model: m, backend: backend, batch: batch, chunk: batch}
	if e.fixed = compute.PreparesConstants(backend); e.fixed {
		e.chunk = m.chunk(batch)
	}
	if err := e.compile(); err != nil {
		return nil, err
	}
	return e, nil
}

// chunkBytes is the size of the largest activation of a chunk, at most: more would leave
// the caches, and the weights need not be read much more often than that.
const chunkBytes = 32 << 20

// chunk returns how many of batch pictures go through the network at once: as many as
// chunkBytes allows, but such that a batch falls into equal parts.
func (m *Model) chunk(batch int) int {
	bytes := 4 * batch * m.Encoder.LargestActivation(m.Size)
	parts := min(batch, (bytes+chunkBytes-1)/chunkBytes)
	return (batch + parts - 1) / parts
}

// compile describes the network to the backend, which builds it in the first call.
func (e *Embedder) compile() (err error) {
	specs := e.model.Encoder.Specs()
	forward := func(state []*graph.Node, x *graph.Node) *graph.Node {
		return e.model.Encoder.Forward(nn.NewScope(specs, state, false, dtypes.Float32), x)
	}
	if e.fixed {
		e.exec, err = graph.NewExec(e.backend, func(x *graph.Node) *graph.Node {
			state := make([]*graph.Node, len(specs))
			for i, t := range nn.Tensors(specs, e.model.Values) {
				state[i] = graph.ConstTensor(x.Graph(), t)
				t.FinalizeAll()
			}
			return forward(state, x)
		})
	} else {
		e.exec, err = graph.NewExec(e.backend, func(inputs []*graph.Node) *graph.Node {
			return forward(inputs[:len(specs)], inputs[len(specs)])
		})
		if e.state == nil {
			e.state = nn.Tensors(specs, e.model.Values)
		}
	}
	if err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	return nil
}

// Model returns the model that runs.
func (e *Embedder) Model() *Model { return e.model }

// Batch returns the pictures of a full batch.
func (e *Embedder) Batch() int { return e.batch }

// SetValues replaces the weights, in the order and layout of the encoder's specs.
func (e *Embedder) SetValues(values [][]float32) {
	e.finalize()
	e.state = nn.Tensors(e.model.Encoder.Specs(), values)
	if e.fixed {
		e.fixed, e.chunk = false, e.batch
		e.exec.Finalize()
		e.exec = nil
	}
}

// Embed encodes n pictures [n,Size,Size,Channels], normalised, n at most Batch, and
// returns their features [n,Features].
func (e *Embedder) Embed(pictures []float32, n int) ([]float32, error) {
	m := e.model
	each := m.Size * m.Size * m.Channels
	if n < 1 || n > e.batch || len(pictures) < n*each {
		return nil, fmt.Errorf("embed: %d values for %d pictures of %d x %d x %d, at most %d at once", len(pictures), n, m.Size, m.Size, m.Channels, e.batch)
	}
	if e.exec == nil {
		if err := e.compile(); err != nil {
			return nil, err
		}
	}
	features := make([]float32, 0, n*m.Encoder.Features)
	for from := 0; from < n; from += e.chunk {
		to := min(n, from+e.chunk)
		part, err := e.part(pictures[from*each : to*each])
		if err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		features = append(features, part[:(to-from)*m.Encoder.Features]...)
	}
	return features, nil
}

// part encodes one chunk. A smaller one costs as much as a full one.
func (e *Embedder) part(pictures []float32) ([]float32, error) {
	m := e.model
	x := tensors.FromShape(shapes.Make(dtypes.Float32, e.chunk, m.Size, m.Size, m.Channels))
	defer x.FinalizeAll()
	if err := tensors.MutableFlatData(x, func(flat []float32) { copy(flat, pictures) }); err != nil {
		return nil, err
	}
	args := make([]any, 0, len(e.state)+1)
	for _, t := range e.state {
		args = append(args, t)
	}
	out, err := e.exec.Exec(append(args, x)...)
	if err != nil {
		return nil, err
	}
	defer out[0].FinalizeAll()
	return tensors.CopyFlatData[float32](out[0])
}

// Close frees the compiled model and its weights.
func (e *Embedder) Close() {
	if e.exec != nil {
		e.exec.Finalize()
	}
	e.finalize()
}

func (e *Embedder) finalize() {
	for _, t := range e.state {
		t.FinalizeAll()
	}
	e.state = nil
}
