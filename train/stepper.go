package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/safetensors"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// Stepper holds a method's state on a backend and takes training steps. The state's
// memory is handed to each step and comes back as the new state, updated in place.
type Stepper struct {
	method     method.Method
	backend    compute.Backend
	shape      [4]int
	step       *graph.Graph
	accumulate *graph.Graph // nil if a step is one batch
	measure    *graph.Graph // nil until Weights is called
	memory     int64        // bytes, see Memory
	state      []*tensors.Tensor
	views      [2]*tensors.Tensor // of the batch at hand; the memory stays
}

// Batch is two views of the same pictures, and what they show.
type Batch struct {
	Views [2][]float32 // [B,H,W,C] each
	Label []int32      // [B], -1 unknown; only methods that use labels look at it
}

// ViewShape is the shape [B,H,W,C] of a view of a batch in a resolved configuration.
func ViewShape(c run.Config) [4]int {
	return [4]int{c.Train.Batch, c.Data.Size, c.Data.Size, c.Data.Channels}
}

// NewStepper compiles the steps of m on batches of views of that shape [B,H,W,C]. It holds
// no memory but the plan: SetState must place a state before the first step. Where a step
// would not fit into the backend's memory, the error says what would.
func NewStepper(backend compute.Backend, m method.Method, shape [4]int) (*Stepper, error) {
	s := &Stepper{method: m, backend: backend, shape: shape}
	batch := []shapes.Shape{shapes.Make(dtypes.Float32, shape[:]...), shapes.Make(dtypes.Float32, shape[:]...)}
	if m.UsesLabels() {
		batch = append(batch, shapes.Make(dtypes.Int32, shape[0]))
	}
	scalars := []shapes.Shape{shapes.Make(dtypes.Float32), shapes.Make(dtypes.Float32)}
	var err error
	if s.step, err = s.compile("step", method.StepGraph(m), append(batch, scalars...)); err != nil {
		return nil, err
	}
	if m.AccumulateSteps() > 1 {
		if s.accumulate, err = s.compile("accumulate", method.AccumulateGraph(m), batch); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// compile builds and compiles the graph of build, whose inputs are the state and others.
func (s *Stepper) compile(name string, build func([]*graph.Node) []*graph.Node, others []shapes.Shape) (*graph.Graph, error) {
	var params []shapes.Shape
	for _, spec := range s.method.Specs() {
		params = append(params, shapes.Make(dtypes.Float32, spec.Shape...))
	}
	var g *graph.Graph
	held, err := memoryOf(s.backend, func() (err error) {
		g, err = compute.Compile(s.backend, name, append(params, others...), build)
		return err
	})
	s.memory = max(s.memory, held)
	return g, explainMemory(err, s.shape)
}

// Step learns from AccumulateSteps batches, at learning rate lr and decay rate tau. Losses
// and statistics are the means over the batches; the projections are those of the last. A
// state that is no longer finite shows in the values (see Finite), not as an
// error.
func (s *Stepper) Step(batches []Batch, lr, tau float64) (method.Values, error) {
	if len(batches) != s.method.AccumulateSteps() {
		panic(fmt.Sprintf("train: %d batches for a step of %d", len(batches), s.method.AccumulateSteps()))
	}
	var mean method.Values
	for i, b := range batches {
		g, scalars := s.accumulate, []any(nil)
		if i == len(batches)-1 {
			g, scalars = s.step, []any{float32(lr), float32(tau)}
		}
		v, err := s.run(g, b, scalars)
		if err != nil {
			return v, err
		}
		share := 1 / float64(len(batches))
		mean.Loss += share * v.Loss
		mean.TargetStd += share * v.TargetStd
		mean.PositiveCosine += share * v.PositiveCosine
		mean.NegativeCosine += share * v.NegativeCosine
		mean.Accuracy += share * v.Accuracy
		mean.GradientNorm, mean.GradientNorms = v.GradientNorm, v.GradientNorms
		mean.Projections, mean.Features = v.Projections, v.Features
		mean.Batch, mean.Dim, mean.FeatureDim = v.Batch, v.Dim, v.FeatureDim
	}
	return mean, nil
}

// run executes one graph on the state, the batch and the scalars.
func (s *Stepper) run(g *graph.Graph, batch Batch, scalars []any) (method.Values, error) {
	args := make([]any, 0, len(s.state)+5)
	for _, t := range s.state {
		d, err := graph.DonateTensorBuffer(t, s.backend, 0)
		if err != nil {
			return method.Values{}, fmt.Errorf("train: %w", err)
		}
		args = append(args, d)
	}
	for i, v := range batch.Views {
		if err := s.placeView(i, v); err != nil {
			return method.Values{}, fmt.Errorf("train: view %d: %w", i+1, err)
		}
		args = append(args, s.views[i])
	}
	if s.method.UsesLabels() {
		t := tensors.FromFlatDataAndDimensions(batch.Label, s.shape[0])
		defer t.FinalizeAll()
		args = append(args, t)
	}
	out, err := compute.Run(g, append(args, scalars...)...)
	if err != nil {
		return method.Values{}, fmt.Errorf("train: %w", err)
	}
	n := len(s.state)
	s.state = out[:n:n]
	values, err := method.ReadMetrics(out[n:])
	for _, t := range out[n:] {
		t.FinalizeAll()
	}
	return values, err
}

// placeView copies a view [B,H,W,C] to where the steps read it.
func (s *Stepper) placeView(i int, view []float32) error {
	if s.views[i] == nil {
		s.views[i] = tensors.FromFlatDataAndDimensions(view, s.shape[:]...)
		return s.views[i].MaterializeOnDevice(s.backend, true, 0)
	}
	return s.views[i].MutableFlatData(func(flat any) { copy(flat.([]float32), view) })
}

// Memory is about what a step holds in bytes, state and views included; 0 if the backend
// does not tell.
func (s *Stepper) Memory() int64 { return s.memory }

// Finite reports whether a step's loss and gradients are.
func Finite(v method.Values) bool {
	sum := v.Loss + v.GradientNorm
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// State copies the state to the host, in the order of the method's specs.
func (s *Stepper) State() ([][]float32, error) {
	values := make([][]float32, len(s.state))
	for i, t := range s.state {
		var err error
		if values[i], err = tensors.CopyFlatData[float32](t); err != nil {
			return nil, fmt.Errorf("train: reading %q: %w", s.method.Specs()[i].Name, err)
		}
	}
	return values, nil
}

// SetState places a state, values in the order of the method's specs, or replaces it.
func (s *Stepper) SetState(values [][]float32) {
	s.finalizeState()
	s.state = nn.Tensors(s.method.Specs(), values)
	for _, t := range s.state { // a step would do it, but keep the copies here
		if t.MaterializeOnDevice(s.backend, false, 0) == nil {
			t.FinalizeLocal()
		}
	}
}

// Close frees the state and the compiled graphs.
func (s *Stepper) Close() {
	s.finalizeState()
	for _, t := range s.views {
		if t != nil {
			t.FinalizeAll()
		}
	}
	if s.step != nil {
		s.step.Finalize()
	}
	for _, g := range []*graph.Graph{s.accumulate, s.measure} {
		if g != nil {
			g.Finalize()
		}
	}
}

func (s *Stepper) finalizeState() {
	for _, t := range s.state {
		t.FinalizeAll()
	}
	s.state = nil
}

// toTensors names a state for a checkpoint. A value that is not finite is an error that
// names its tensor, so that nothing bad is ever persisted.
func toTensors(specs []nn.Spec, state [][]float32) ([]safetensors.Tensor, error) {
	out := make([]safetensors.Tensor, len(specs))
	for i, s := range specs {
		if slices.ContainsFunc(state[i], func(v float32) bool { return v-v != 0 }) {
			return nil, fmt.Errorf("tensor %q holds a value that is not finite", s.Name)
		}
		out[i] = safetensors.FromFloat32(s.Name, s.Shape, state[i])
	}
	return out, nil
}

// fromTensors is the inverse of toTensors.
func fromTensors(specs []nn.Spec, list []safetensors.Tensor) ([][]float32, error) {
	byName := make(map[string]safetensors.Tensor, len(list))
	for _, t := range list {
		byName[t.Name] = t
	}
	state := make([][]float32, len(specs))
	for i, s := range specs {
		t, ok := byName[s.Name]
		if !ok || !slices.Equal(t.Shape, s.Shape) {
			return nil, fmt.Errorf("no tensor %q of shape %v", s.Name, s.Shape)
		}
		var err error
		if state[i], err = t.Float32(); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// dtypeOf translates train.precision.
func dtypeOf(precision string) dtypes.DType {
	if precision == "bf16" {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}
