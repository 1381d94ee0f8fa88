package train

import (
	"math"
	"strings"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/byol-go/byol/run"
)

// AugmentConfig translates the augment.* keys.
func AugmentConfig(a run.Augment) augment.Config {
	per := func(p run.PerView) augment.PerView { return augment.PerView{p[0], p[1]} }
	return augment.Config{
		Crop: augment.Crop{Scale: a.Crop.Scale[:], Ratio: a.Crop.Ratio[:], Interpolation: a.Crop.Interpolation},
		Flip: per(a.Flip),
		Jitter: augment.Jitter{
			P: per(a.Jitter.P), Brightness: a.Jitter.Brightness, Contrast: a.Jitter.Contrast,
			Saturation: a.Jitter.Saturation, Hue: a.Jitter.Hue, Style: a.Jitter.Style,
		},
		Gray:      per(a.Gray),
		Blur:      augment.Blur{P: per(a.Blur.P), Sigma: a.Blur.Sigma[:]},
		Solarize:  augment.Solarize{P: per(a.Solarize.P), Threshold: a.Solarize.Threshold},
		Normalize: augment.Normalize{Mean: a.Normalize.Mean, Std: a.Normalize.Std},
	}
}

// NewMethod lays out the method that a resolved configuration describes.
func NewMethod(c run.Config) (method.Method, error) {
	o, err := optim.Default(c.Optim.Name)
	if err != nil {
		return nil, err
	}
	o.Momentum, o.Nesterov, o.WeightDecay, o.Trust = c.Optim.Momentum, c.Optim.Nesterov, c.Optim.WeightDecay, c.Optim.Trust
	norm, standardize := strings.CutSuffix(c.Encoder.Norm, "_ws")
	m := c.Method
	return method.New(m.Name, method.Config{
		Encoder: encoder.Config{
			Arch: c.Encoder.Arch, Width: c.Encoder.Width, Stem: encoder.Stem(c.Encoder.Stem),
			Size: c.Data.Size, Channels: c.Data.Channels, Norm: nn.NormKind(norm), Standardize: standardize,
		},
		Heads: method.HeadConfig{
			Hidden: c.Heads.Hidden, Dim: c.Heads.Dim, PredictorHidden: c.Heads.PredictorHidden,
			ProjectorNorm: nn.NormKind(c.Heads.Norm[0]), PredictorNorm: nn.NormKind(c.Heads.Norm[1]), OutputNorm: nn.NormKind(c.Heads.OutputNorm),
		},
		Target: m.Target, Tau: m.Tau, TauSchedule: m.TauSchedule,
		Predictor: m.Predictor, PredictorRate: m.PredictorLR, NoStopGradient: !m.StopGradient, Beta: m.Beta,
		Temperature: m.Temperature, Queue: m.Queue, Groups: m.Groups, Classes: m.Classes,
		Optim: o, Accumulate: c.Optim.Accumulate, Compute: dtypeOf(c.Train.Precision),
	})
}

// schedule returns the learning rate of every step of a resolved configuration.
func schedule(c run.Config, stepsPerEpoch int) optim.Schedule {
	warmup := int(math.Round(c.Optim.WarmupEpochs * float64(stepsPerEpoch)))
	return optim.Schedule{Peak: c.Optim.LR, Warmup: min(warmup, c.Train.Steps), Steps: c.Train.Steps, Shape: c.Optim.Schedule}
}
