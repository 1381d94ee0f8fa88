package method

import (
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/nn/nntest"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

// weights measures a state.
func weights(t *testing.T, m Method, values [][]float32) Weights {
	t.Helper()
	at := map[string][]float32{}
	for i, s := range m.Specs() {
		at[s.Name] = values[i]
	}
	specs := MeasuredSpecs(m)
	list := make([][]float32, len(specs))
	for i, s := range specs {
		list[i] = at[s.Name]
	}
	var inputs []any
	for _, x := range nn.Tensors(specs, list) {
		inputs = append(inputs, x)
	}
	w, err := ReadWeights(m, nntest.Exec(t, MeasureGraph(m), inputs...))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// length is the norm of the weights whose names begin so, and of their difference to others.
func length(m Method, a, b [][]float32, prefix string) (norm, change float64) {
	for i, s := range m.Specs() {
		if !strings.HasPrefix(s.Name, prefix) || !s.Kind.Weight() {
			continue
		}
		for k, v := range a[i] {
			d := float64(b[i][k]) - float64(v)
			norm += float64(v) * float64(v)
			change += d * d
		}
	}
	return math.Sqrt(norm), math.Sqrt(change)
}

func TestMeasureWeights(t *testing.T) {
	b := tiny(t, nil)
	before := b.Init(1)
	after, v := step(t, b, before, "view1", "view2", .05, .9)
	w0, w1 := weights(t, b, before), weights(t, b, after)
	update := w1.Update(w0)
	for prefix, c := range map[string]struct{ norm, update float64 }{
		"online.encoder.": {w0.Norms.Encoder, update.Encoder}, "online.projector.": {w0.Norms.Projector, update.Projector}, "online.predictor.": {w0.Norms.Predictor, update.Predictor},
	} {
		norm, change := length(b, before, after, prefix)
		nntest.Close(t, prefix+" norm", c.norm, norm, 1e-5)
		if ratio := c.update / (change / norm); ratio < .3 || ratio > 3 { // a sample's
			t.Errorf("%s: a change of %v of the norm, want about %v", prefix, c.update, change/norm)
		}
	}
	// The target starts as a copy; after a step it is .9 of the way behind.
	nntest.Close(t, "distance at the start", w0.TargetDistance, 0, 1e-9)
	var moved, all float64
	for _, prefix := range []string{"online.encoder.", "online.projector."} {
		_, change := length(b, before, after, prefix)
		norm, _ := length(b, after, after, prefix)
		moved, all = moved+change*change, all+norm*norm
	}
	nntest.Close(t, "distance", w1.TargetDistance, .9*math.Sqrt(moved/all), 1e-3)

	g := v.GradientNorms
	nntest.Close(t, "gradient norm", math.Sqrt(g.Encoder*g.Encoder+g.Projector*g.Projector+g.Predictor*g.Predictor), v.GradientNorm, 1e-5)
	if len(v.Features[0]) != v.Batch*v.FeatureDim || v.FeatureDim != b.Encoder().Features || len(v.Projections[1]) != v.Batch*v.Dim {
		t.Errorf("%d features for %d x %d, %d projections for %d x %d", len(v.Features[0]), v.Batch, v.FeatureDim, len(v.Projections[1]), v.Batch, v.Dim)
	}
}

// The features that a step tells of are what the online encoder makes of each view.
func TestMeasuredFeatures(t *testing.T) {
	b := tiny(t, nil)
	state := b.Init(1)
	_, v := step(t, b, state, "view1", "view2", .05, .9)
	for k, view := range []string{"view1", "view2"} {
		var inputs []any
		for _, x := range nn.Tensors(b.Specs(), state) {
			inputs = append(inputs, x)
		}
		want := nntest.Floats(t, nntest.Exec(t, func(in []*graph.Node) []*graph.Node {
			n := len(b.Specs())
			feature, _ := b.embed(b.scope(in[:n]).In("online."), in[n])
			return []*graph.Node{feature}
		}, append(inputs, noise(view))...)[0])
		for i, w := range want {
			nntest.Close(t, view, float64(v.Features[k][i]), w, 1e-5)
		}
	}
	for name, m := range baselines(t, nil) {
		_, there := step(t, m, m.Init(1), "view1", "view2", 0, .9)
		_, back := step(t, m, m.Init(1), "view2", "view1", 0, .9)
		if name == NameMoCo { // queries and keys are grouped otherwise, but features are the queries'
			there.Projections, back.Projections = there.Features, back.Features
		}
		for i, w := range there.Features[0] {
			nntest.Close(t, name+": features", float64(back.Features[1][i]), float64(w), 1e-5)
		}
		for i, w := range there.Projections[0] {
			nntest.Close(t, name+": projections", float64(back.Projections[1][i]), float64(w), 1e-5)
		}
	}
}
