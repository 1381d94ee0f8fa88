package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/internal/nearest"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/optim"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// The names of the methods.
const (
	NameBYOL       = "byol"
	NameSimCLR     = "simclr"
	NameMoCo       = "moco"
	NameSimSiam    = "simsiam"
	NameSupervised = "supervised"
)

// Names returns the names of the methods, the paper's first.
func Names() []string {
	return []string{NameBYOL, NameSimCLR, NameMoCo, NameSimSiam, NameSupervised}
}

// The networks that can serve as BYOL's target.
const (
	TargetEMA    = "ema"    // an exponential moving average of the online network: the paper
	TargetRandom = "random" // the online network as it was drawn, for ever (table 5a, τ = 1)
	TargetOnline = "online" // the online network itself, without gradient (τ = 0)
)

// The schedules of τ.
const (
	TauCosine = "cosine" // from Tau to 1
	TauFixed  = "fixed"
)

// Config describes what all methods have, an encoder, heads and an optimiser,
// and what some of them read. Start from [DefaultConfig].
type Config struct {
	Encoder encoder.Config
	Heads   HeadConfig

	// Of methods with a target network: BYOL, and MoCo as far as τ goes.
	Target      string  // BYOL's: TargetEMA, TargetRandom or TargetOnline
	Tau         float64 // τ, of the moving average, at the first step
	TauSchedule string  // TauCosine or TauFixed

	// Of methods with a predictor: BYOL and SimSiam.
	Predictor     bool    // without it, the projection itself has to match the target
	PredictorRate float64 // multiplies the predictor's learning rate; 0 means 1
	// NoStopGradient differentiates through the target too, which lets the
	// network collapse. The target must be the online network.
	NoStopGradient bool

	// Beta is the weight β of negative pairs in BYOL's loss, 0 to 1; see
	// [BYOL].
	Beta float64

	// Temperature, by which cosines are divided where other pictures are
	// pushed away: SimCLR, MoCo, and BYOL with Beta.
	Temperature float64

	Queue  int // keys that MoCo remembers as negatives
	Groups int // parts of a batch with batch statistics of their own, in MoCo; 0 means 1

	Classes int // of Supervised

	Optim      optim.Config
	Accumulate int // micro-batches of a step; 0 means 1

	// Compute is the type of convolutions and linear layers: Float32, or
	// BFloat16 with float32 weights, norms, loss and optimiser. Zero means
	// Float32. Tests use Float64, and then the state is float64 too.
	Compute dtypes.DType
}

// DefaultConfig is BYOL's, the paper's for 1000 epochs, with ResNet-50 on large
// pictures.
func DefaultConfig() Config {
	lars, err := optim.Default(optim.LARS)
	if err != nil {
		panic(err) // the name is our own
	}
	return Config{
		Encoder: encoder.Config{Arch: "resnet50", Stem: encoder.StemImageNet},
		Heads:   HeadConfig{Hidden: 4096, Dim: 256, ProjectorNorm: nn.BatchNorm, PredictorNorm: nn.BatchNorm},
		Target:  TargetEMA, Tau: 0.996, TauSchedule: TauCosine, Predictor: true,
		Optim: lars, Compute: dtypes.Float32,
	}
}

// New lays out the method of that name. It fails on an unknown name, naming the
// nearest, and on values out of range.
func New(name string, c Config) (Method, error) {
	switch name {
	case NameBYOL:
		return NewBYOL(c)
	case NameSimCLR:
		return NewSimCLR(c)
	case NameMoCo:
		return NewMoCo(c)
	case NameSimSiam:
		return NewSimSiam(c)
	case NameSupervised:
		return NewSupervised(c)
	}
	hint := ""
	if n, ok := nearest.Of(strings.ToLower(name), Names()); ok {
		hint = fmt.Sprintf(": did you mean %q?", n)
	}
	return nil, fmt.Errorf("method: unknown method %q%s (have %s)", name, hint, strings.Join(Names(), ", "))
}

// validate checks what every method reads.
func (c Config) validate() error {
	switch {
	case !(c.PredictorRate >= 0):
		return fmt.Errorf("method: %v times the rate for the predictor: want at least 0", c.PredictorRate)
	case c.Accumulate < 0:
		return fmt.Errorf("method: %d micro-batches: want at least 1", c.Accumulate)
	case !slices.Contains([]dtypes.DType{dtypes.Float32, dtypes.BFloat16, dtypes.Float64}, c.Compute):
		return fmt.Errorf("method: cannot compute in %s: want float32 or bfloat16", c.Compute)
	}
	return c.Optim.Validate()
}

// validateTau checks the moving average.
func (c Config) validateTau() error {
	switch {
	case c.TauSchedule != TauCosine && c.TauSchedule != TauFixed:
		return fmt.Errorf("method: unknown schedule of tau %q: want cosine or fixed", c.TauSchedule)
	case !(c.Tau >= 0 && c.Tau <= 1):
		return fmt.Errorf("method: tau %v: want 0 to 1", c.Tau)
	}
	return nil
}

// validateTemperature checks the temperature of a contrastive loss.
func (c Config) validateTemperature() error {
	if !(c.Temperature > 0) {
		return fmt.Errorf("method: temperature %v: want more than 0", c.Temperature)
	}
	return nil
}

// tau is that of the moving average at step k of steps.
func (c Config) tau(k, steps int) float64 {
	if c.TauSchedule == TauFixed {
		return c.Tau
	}
	return optim.Tau(c.Tau, k, steps)
}

// master is the type of weights, loss and optimiser.
func (c Config) master() dtypes.DType {
	if c.Compute == dtypes.Float64 {
		return dtypes.Float64
	}
	return dtypes.Float32
}
