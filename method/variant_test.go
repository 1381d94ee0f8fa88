package method

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
)

// TestVariants takes a step with everything that a configuration can choose:
// the loss is finite and in range, and all online weights move.
func TestVariants(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"published":     nil,
		"no predictor":  func(c *Config) { c.Predictor = false },
		"random target": func(c *Config) { c.Target = TargetRandom },
		"online target": func(c *Config) { c.Target = TargetOnline },
		"imagenet stem": func(c *Config) { c.Encoder.Stem = encoder.StemImageNet },
		"group norm, standardized": func(c *Config) {
			c.Encoder.Norm, c.Encoder.Standardize, c.Encoder.Width = nn.GroupNorm, true, 0.25
			c.Heads.ProjectorNorm, c.Heads.PredictorNorm = nn.LayerNorm, nn.LayerNorm
		},
		"layer norm": func(c *Config) {
			c.Encoder.Norm, c.Heads.ProjectorNorm, c.Heads.PredictorNorm = nn.LayerNorm, nn.LayerNorm, nn.GroupNorm
		},
		"no norm": func(c *Config) {
			c.Encoder.Norm, c.Heads.ProjectorNorm, c.Heads.PredictorNorm = nn.NoNorm, nn.NoNorm, nn.NoNorm
		},
		"plain heads": func(c *Config) { c.Heads.ProjectorNorm, c.Heads.PredictorNorm = nn.NoNorm, nn.NoNorm },
		"bottlenecks": func(c *Config) { c.Encoder.Arch = "resnet50" },
		"adamw":       func(c *Config) { c.Optim, _ = optim.Default(optim.AdamW) },
		"lars":        func(c *Config) { c.Optim, _ = optim.Default(optim.LARS) },
		"lars-clip":   func(c *Config) { c.Optim, _ = optim.Default(optim.LARSClip) },
	} {
		t.Run(name, func(t *testing.T) {
			b := tiny(t, change)
			before := b.Init(1)
			after, m := step(t, b, before, "a", "b", 0.1, 0.9)
			if !(m.Loss >= 0 && m.Loss <= 8) || !(m.GradientNorm > 0) {
				t.Errorf("loss %v, gradient norm %v", m.Loss, m.GradientNorm)
			}
			for _, v := range []float64{m.TargetStd, m.PositiveCosine, m.NegativeCosine} {
				if math.IsNaN(v) || v > 1.5 {
					t.Errorf("metrics %+v", m)
				}
			}
			for i, s := range b.Specs() {
				if slices.ContainsFunc(after[i], func(v float32) bool { return v != v }) {
					t.Errorf("%s has NaN", s.Name)
				}
				if strings.HasPrefix(s.Name, "online.") && s.Kind.Trainable() && slices.Equal(after[i], before[i]) {
					t.Errorf("%s did not move", s.Name)
				}
			}
		})
	}
}
