package train

import (
	"fmt"
	"math"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// observed is what is seen around a step that is measured.
type observed struct {
	values        method.Values
	before, after method.Weights
	pixels        diagnose.Pixels
}

// health puts what was observed into the fields of a step event.
func (o observed) health() *run.Health {
	v := o.values
	z := diagnose.Describe(v.Projections[0], v.Projections[1], v.Batch, v.Dim)
	f := diagnose.Describe(v.Features[0], v.Features[1], v.Batch, v.FeatureDim)
	update := o.after.Update(o.before)
	return &run.Health{
		TopShare: run.Number(z.TopShare), Alignment: run.Number(2 - 2*z.CosPositive), Uniformity: run.Number(z.Uniformity),
		FeatureStd: run.Number(f.Std), FeatureRank: run.Number(f.Rank), FeatureTopShare: run.Number(f.TopShare),
		FeatureCosPositive: run.Number(f.CosPositive), FeatureCosNegative: run.Number(f.CosNegative),
		FeatureMatch: run.Number(f.Match), Match: run.Number(z.Match), MatchOf: z.Of,
		TargetDistance: run.Number(o.before.TargetDistance),
		EncoderNorm:    run.Number(o.before.Norms.Encoder), ProjectorNorm: run.Number(o.before.Norms.Projector), PredictorNorm: run.Number(o.before.Norms.Predictor),
		EncoderUpdate: run.Number(update.Encoder), ProjectorUpdate: run.Number(update.Projector), PredictorUpdate: run.Number(update.Predictor),
		EncoderGrad: run.Number(v.GradientNorms.Encoder), ProjectorGrad: run.Number(v.GradientNorms.Projector), PredictorGrad: run.Number(v.GradientNorms.Predictor),
		ViewDifference: run.Number(o.pixels.View), PictureDifference: run.Number(o.pixels.Picture), Detail: run.Number(o.pixels.Detail),
	}
}

// Weights measures the state's weights.
func (s *Stepper) Weights() (method.Weights, error) {
	specs := method.MeasuredSpecs(s.method)
	if s.measure == nil {
		var params []shapes.Shape
		for _, spec := range specs {
			params = append(params, shapes.Make(dtypes.Float32, spec.Shape...))
		}
		var err error
		if s.measure, err = compute.Compile(s.backend, "measurements", params, method.MeasureGraph(s.method)); err != nil {
			return method.Weights{}, err
		}
	}
	at := map[string]int{}
	for i, spec := range s.method.Specs() {
		at[spec.Name] = i
	}
	args := make([]any, len(specs))
	for i, spec := range specs {
		args[i] = s.state[at[spec.Name]]
	}
	out, err := compute.Run(s.measure, args...)
	if err != nil {
		return method.Weights{}, fmt.Errorf("train: measuring the weights: %w", err)
	}
	w, err := method.ReadWeights(s.method, out)
	for _, t := range out {
		t.FinalizeAll()
	}
	return w, err
}

// observe takes one step and measures around it.
func (s *session) observe(f *feed, lr, tau float64) (o observed, err error) {
	if o.before, err = s.stepper.Weights(); err != nil {
		return o, err
	}
	look := func(b Batch) {
		o.pixels = diagnose.DescribePixels(b.Views[0], b.Views[1], s.config.Train.Batch, s.config.Data.Channels)
	}
	if o.values, err = f.step(s.stepper, lr, tau, look); err != nil {
		return o, err
	}
	o.after, err = s.stepper.Weights()
	return o, err
}

// rank is the effective rank of a step's projections.
func (o observed) rank() float64 {
	if !Finite(o.values) {
		return math.NaN()
	}
	return diagnose.EffectiveRank(o.values.Projections[0], o.values.Batch, o.values.Dim)
}
