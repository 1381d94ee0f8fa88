package train

import (
	"context"
	"fmt"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// tuner is an encoder with a linear classifier, both of which learn from labels.
type tuner struct {
	model      *embed.Model
	backend    compute.Backend
	batch      int
	specs      []nn.Spec // encoder, classifier, optimiser
	classifier []nn.Spec // weight [D,classes] and bias [classes]
	classes    int
	exec       *graph.Exec
	state      []*tensors.Tensor
}

// newTuner prepares steps on batches of that size, computed in that type.
func newTuner(backend compute.Backend, m *embed.Model, classes, batch int, compute dtypes.DType) (*tuner, error) {
	limitMemory(backend, 0, 0, 0)
	layer := nn.Linear{Name: "classifier", In: m.Encoder.Features, Out: classes, Bias: true}
	t := &tuner{model: m, backend: backend, batch: batch, classes: classes, classifier: layer.Specs()}
	networks := append(nn.Prefixed("encoder.", m.Encoder.Specs()), t.classifier...)
	params := nn.Trainable(networks)
	sgd := optim.Config{Name: optim.SGD, Momentum: .9, Nesterov: true}
	slots := nn.Prefixed("optim.", sgd.Specs(params))
	t.specs = append(networks, slots...)

	var err error
	t.exec, err = graph.NewExec(backend, func(in []*graph.Node) []*graph.Node {
		n := len(t.specs)
		view, label, rate := in[n], in[n+1], in[n+2] // [B,H,W,C], [B], scalar
		s := nn.NewScope(t.specs, in[:n], true, compute)
		logits := layer.Apply(s, m.Encoder.Forward(s.In("encoder."), view)) // [B,classes]
		loss := crossEntropy(nn.Cast(logits, dtypes.Float32), label)
		grads := graph.Gradient(loss, s.Values(params)...)
		values, momentum := sgd.Update(params, s.Values(params), grads, s.Values(slots), rate)
		s.Set(params, values)
		s.Set(slots, momentum)
		return append(s.Values(t.specs), loss)
	})
	if err != nil {
		return nil, fmt.Errorf("fine-tuning: %w", err)
	}
	return t, nil
}

// crossEntropy is the mean of −log softmax(logits)[label] over the rows of logits
// [B,classes].
func crossEntropy(logits, label *graph.Node) *graph.Node {
	g, dims := logits.Graph(), logits.Shape().Dimensions
	top := graph.StopGradient(graph.ReduceAndKeep(logits, graph.ReduceMax, -1)) // [B,1]
	logits = graph.Sub(logits, top)
	sum := graph.Log(graph.ReduceSum(graph.Exp(logits), -1)) // [B]
	class := graph.Iota(g, shapes.Make(dtypes.Int32, dims...), 1)
	own := graph.Equal(class, graph.BroadcastToDims(graph.InsertAxes(label, -1), dims...))
	chosen := graph.ReduceSum(graph.Where(own, logits, graph.ZerosLike(logits)), -1) // [B]
	return graph.ReduceAllMean(graph.Sub(sum, chosen))
}

// reset places the model's weights, and a classifier drawn with that seed.
func (t *tuner) reset(seed uint64) error {
	t.finalize()
	values := append([][]float32(nil), t.model.Values...)
	for _, s := range t.specs[len(values):] {
		values = append(values, nn.Init(s, seed))
	}
	t.state = nn.Tensors(t.specs, values)
	return nil
}

// step learns from pictures [B,H,W,C] with labels [B] and returns the loss before.
func (t *tuner) step(view []float32, label []int32, rate float64) (float64, error) {
	args := make([]any, 0, len(t.state)+3)
	for _, s := range t.state {
		d, err := graph.DonateTensorBuffer(s, t.backend, 0)
		if err != nil {
			return 0, fmt.Errorf("fine-tuning: %w", err)
		}
		args = append(args, d)
	}
	m := t.model
	x := tensors.FromFlatDataAndDimensions(view, t.batch, m.Size, m.Size, m.Channels)
	defer x.FinalizeAll()
	y := tensors.FromFlatDataAndDimensions(label, t.batch)
	defer y.FinalizeAll()
	out, err := t.exec.Exec(append(args, x, y, float32(rate))...)
	if err != nil {
		return 0, fmt.Errorf("fine-tuning: %w", err)
	}
	n := len(t.specs)
	t.state = out[:n:n]
	defer out[n].FinalizeAll()
	loss, err := tensors.CopyFlatData[float32](out[n])
	if err != nil {
		return 0, fmt.Errorf("fine-tuning: %w", err)
	}
	return float64(loss[0]), nil
}

// logits returns those of the labelled test pictures, [N,classes], with their labels.
func (t *tuner) logits(ctx context.Context, pool *par.Pool, e *embed.Embedder, pics eval.Pictures) ([]float32, []int, error) {
	values := make([][]float32, len(t.model.Values)+len(t.classifier))
	for i := range values {
		var err error
		if values[i], err = tensors.CopyFlatData[float32](t.state[i]); err != nil {
			return nil, nil, fmt.Errorf("fine-tuning: reading %q: %w", t.specs[i].Name, err)
		}
		for _, v := range values[i] {
			if v-v != 0 {
				return nil, nil, fmt.Errorf("%w: tensor %q holds %v", errDiverged, t.specs[i].Name, v)
			}
		}
	}
	n := len(t.model.Values)
	e.SetValues(values[:n])
	f, err := pics.EmbedTest(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	weight, err := nn.ToTorch(t.classifier[0], values[n]) // [classes,D]
	if err != nil {
		return nil, nil, err
	}
	c := eval.Classifier{W: weight, B: values[n+1], Classes: t.classes}
	return c.Logits(pool, f), f.Labels, nil
}

// try returns accuracy and mean cross entropy on held-out pictures.
func (t *tuner) try(ctx context.Context, pool *par.Pool, e *embed.Embedder, held *dataset.Set, workers int) (float64, eval.JSONFloat, error) {
	logits, labels, err := t.logits(ctx, pool, e, eval.Pictures{Train: held, Test: held, Workers: workers})
	if err != nil {
		return 0, 0, err
	}
	top1, loss := eval.Accuracy(logits, labels, t.classes)
	return top1, eval.JSONFloat(loss), nil
}

func (t *tuner) close() {
	t.exec.Finalize()
	t.finalize()
}

func (t *tuner) finalize() {
	for _, s := range t.state {
		s.FinalizeAll()
	}
	t.state = nil
}
