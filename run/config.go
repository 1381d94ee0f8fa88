// Package run is a training run on disk: its configuration, its presets, its events
// (metrics.jsonl and TensorBoard's) and its folder. Package train writes runs; eval,
// embed and report read them.
package run

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/goccy/go-yaml"
)

// Config is everything that decides a run's result, and a few things that do not. Every
// field is a key of config.yaml and of --set, named by its yaml tags joined with dots.
type Config struct {
	Data    Data    `yaml:"data"`
	Augment Augment `yaml:"augment"`
	Encoder Encoder `yaml:"encoder"`
	Heads   Heads   `yaml:"heads"`
	Method  Method  `yaml:"method"`
	Optim   Optim   `yaml:"optim"`
	Train   Train   `yaml:"train"`
	Eval    Eval    `yaml:"eval"`
}

// Data says which pictures a run reads.
type Data struct {
	Train     string  `yaml:"train"`      // folder, list, binary file or builtin:glyphs
	Test      string  `yaml:"test"`       // judged by kNN; empty: the source's own test split, if it has one
	Limit     int     `yaml:"limit"`      // first N training pictures (round-robin over a folder's classes); 0: all
	TestLimit int     `yaml:"test_limit"` // the same for the test pictures
	Size      int     `yaml:"size"`       // side of a view in pixels; 0: the pictures' own up to 64, else 128
	Channels  int     `yaml:"channels"`   // 3, or 1 for gray; 0: the source's own
	Workers   int     `yaml:"workers"`    // loader goroutines; 0: as many as threads
	MaxBad    float64 `yaml:"max_bad"`    // share of unreadable pictures above which training stops
}

// PerView is a probability for both views, or one for each. In YAML and in --set it is
// one number or two.
type PerView [2]float64

// Augment describes the two views' random augmentations, in the order in which they are
// applied (RECIPES of BYOL: Grill et al. 2020, appendix B). Ranges are [low, high].
type Augment struct {
	Crop      Crop      `yaml:"crop"`
	Flip      PerView   `yaml:"flip"` // probability of a horizontal flip
	Jitter    Jitter    `yaml:"jitter"`
	Gray      PerView   `yaml:"gray"` // probability of dropping colour
	Blur      Blur      `yaml:"blur"`
	Solarize  Solarize  `yaml:"solarize"`
	Normalize Normalize `yaml:"normalize"`
}

// Crop is a random crop, resized to data.size.
type Crop struct {
	Scale         [2]float64 `yaml:"scale"`         // share of the picture's area
	Ratio         [2]float64 `yaml:"ratio"`         // width to height, log-uniform
	Interpolation string     `yaml:"interpolation"` // bicubic or bilinear
}

// Jitter is a random change of colour, its four steps in random order.
type Jitter struct {
	P          PerView `yaml:"p"`
	Brightness float64 `yaml:"brightness"`
	Contrast   float64 `yaml:"contrast"`
	Saturation float64 `yaml:"saturation"`
	Hue        float64 `yaml:"hue"`
	Style      string  `yaml:"style"` // torchvision (multiplicative brightness) or paper (additive)
}

// Blur is a Gaussian blur with a kernel of a tenth of the size.
type Blur struct {
	P     PerView    `yaml:"p"`
	Sigma [2]float64 `yaml:"sigma"` // pixels
}

// Solarize inverts the values at or above a threshold.
type Solarize struct {
	P         PerView `yaml:"p"`
	Threshold float64 `yaml:"threshold"` // in [0,1]
}

// Normalize subtracts the mean and divides by the deviation of each channel, in [0,1]
// units. Empty means ImageNet's (their average for gray pictures).
type Normalize struct {
	Mean []float64 `yaml:"mean"`
	Std  []float64 `yaml:"std"`
}

// Encoder is the network that is kept after training.
type Encoder struct {
	Arch  string  `yaml:"arch"`  // resnet18, 34, 50, 101, 152, 200
	Width float64 `yaml:"width"` // multiplies every layer's channels
	Stem  string  `yaml:"stem"`  // auto, cifar (3x3) or imagenet (7x7 and max-pool); auto: cifar up to 64 pixels
	Norm  string  `yaml:"norm"`  // batch, group, group_ws (with weight standardisation), layer or none
}

// Heads are the projector and the predictor: Linear(hidden), norm, ReLU, Linear(dim), norm.
type Heads struct {
	Hidden          int      `yaml:"hidden"`
	Dim             int      `yaml:"dim"`
	PredictorHidden int      `yaml:"predictor_hidden"` // 0: as the projector's
	Norm            []string `yaml:"norm"`             // of the hidden layer: one for both heads, or projector's and predictor's
	OutputNorm      string   `yaml:"output_norm"`      // of the projector's output: none, or batch in simsiam
}

// Method is the way to learn, its target network and its experiments. Choosing another
// than the preset's brings that method's own recipe, see Build.
type Method struct {
	Name        string  `yaml:"name"`         // byol, simclr, moco, simsiam or supervised
	Tau         float64 `yaml:"tau"`          // EMA decay of the target at the start; below 0: chosen from the number of steps (byol, moco)
	TauSchedule string  `yaml:"tau_schedule"` // cosine (to 1) or fixed
	Target      string  `yaml:"target"`       // ema, random (never updated) or online (τ = 0); byol only

	Predictor    bool    `yaml:"predictor"`     // false leaves it out (byol, simsiam)
	PredictorLR  float64 `yaml:"predictor_lr"`  // multiplies the predictor's learning rate
	StopGradient bool    `yaml:"stop_gradient"` // false trains through the target too and collapses (simsiam; byol with target online)
	Beta         float64 `yaml:"beta"`          // weight of negative pairs in byol's loss, 0 to 1

	Temperature float64 `yaml:"temperature"` // of simclr, moco, and byol with beta
	Queue       int     `yaml:"queue"`       // keys that moco remembers; 0: those of 16 batches, but at most a sixth as many as pictures
	Groups      int     `yaml:"groups"`      // parts of a batch with batch statistics of their own, in moco; 0: of about 16 pictures, at most 8
	Classes     int     `yaml:"classes"`     // of supervised; 0: those of the training pictures
}

// Optim is the optimiser and its schedule. Exactly one of LR and BaseLR is set.
type Optim struct {
	Name         string  `yaml:"name"`    // lars, lars-clip, sgd or adamw
	LR           float64 `yaml:"lr"`      // peak learning rate as it is used
	BaseLR       float64 `yaml:"base_lr"` // the same per 256 pictures of a step
	Momentum     float64 `yaml:"momentum"`
	Nesterov     bool    `yaml:"nesterov"`
	WeightDecay  float64 `yaml:"weight_decay"`
	Trust        float64 `yaml:"trust"` // LARS' η; 0: .001, or .02 for lars-clip
	WarmupEpochs float64 `yaml:"warmup_epochs"`
	Schedule     string  `yaml:"schedule"`   // cosine (to 0) or constant, after the warm-up
	Accumulate   int     `yaml:"accumulate"` // batches whose gradients one step sums; the target moves once a step
}

// Train is the length and the manner of a run.
type Train struct {
	Epochs          int           `yaml:"epochs"`
	Steps           int           `yaml:"steps"` // instead of epochs, if set
	Time            time.Duration `yaml:"time"`  // instead of epochs, if set: turned into steps once
	Batch           int           `yaml:"batch"` // pictures; one step sees accumulate batches
	Seed            uint64        `yaml:"seed"`
	Precision       string        `yaml:"precision"` // fp32 or bf16
	Backend         string        `yaml:"backend"`
	Threads         int           `yaml:"threads"`          // 0: all
	Memory          string        `yaml:"memory"`           // bound on what the process holds, as 2GB or 800MiB; "": what is available
	CheckpointEvery int           `yaml:"checkpoint_every"` // steps; 0: once an epoch, at least every 500 steps
	Keep            int           `yaml:"keep"`             // newest checkpoints kept, besides the best
	LogEvery        int           `yaml:"log_every"`        // steps between "step" events
	OnCollapse      string        `yaml:"on_collapse"`      // warn, or stop: save and end when the verdict is bad
}

// Eval is how a run is judged while it trains.
type Eval struct {
	KNNEvery    int     `yaml:"knn_every"` // epochs; 0: never
	K           int     `yaml:"k"`         // neighbours, at most half the bank
	Temperature float64 `yaml:"temperature"`
}

// Default returns the configuration of a run without a preset: the published recipe on
// batches of 64. Zeros marked "chosen" are filled in by Resolve.
func Default() Config {
	return Config{
		Data: Data{MaxBad: .1},
		Augment: Augment{
			Crop:     Crop{Scale: [2]float64{.08, 1}, Ratio: [2]float64{3. / 4, 4. / 3}, Interpolation: "bicubic"},
			Flip:     PerView{.5, .5},
			Jitter:   Jitter{P: PerView{.8, .8}, Brightness: .4, Contrast: .4, Saturation: .2, Hue: .1, Style: "torchvision"},
			Gray:     PerView{.2, .2},
			Blur:     Blur{P: PerView{1, .1}, Sigma: [2]float64{.1, 2}},
			Solarize: Solarize{P: PerView{0, .2}, Threshold: .5},
		},
		Encoder: Encoder{Arch: "resnet18", Width: 1, Stem: "auto", Norm: "batch"},
		Heads:   Heads{Hidden: 4096, Dim: 256, Norm: []string{"batch"}, OutputNorm: "none"},
		Method: Method{
			Name: "byol", Tau: -1, TauSchedule: "cosine", Target: "ema", Predictor: true, PredictorLR: 1, StopGradient: true,
			Temperature: .1,
		},
		Optim: Optim{Name: "lars", Momentum: .9, WeightDecay: 1e-6, WarmupEpochs: 10, Schedule: "cosine", Accumulate: 1},
		Train: Train{Epochs: 100, Batch: 64, Seed: 1, Precision: "fp32", Backend: "cpu", Keep: 2, LogEvery: 10, OnCollapse: "warn"},
		Eval:  Eval{KNNEvery: 1, K: 200, Temperature: .1},
	}
}

// Load overlays the YAML file at path on the configuration, as Set does key by key:
// unknown keys and wrong values are errors that name them.
func (c *Config) Load(path string) error { return c.load(path, c.Set) }

func (c *Config) load(path string, set func(key, value string) error) error {
	tree, err := readTree(path)
	if err != nil {
		return err
	}
	if err := overlay("", tree, set); err != nil {
		return fmt.Errorf("config %s: %w", path, err)
	}
	return nil
}

func readTree(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("config %s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return tree, nil
}

// overlay sets every leaf of a YAML tree.
func overlay(prefix string, tree map[string]any, set func(key, value string) error) error {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key, value := prefix+name, tree[name]
		if below, ok := value.(map[string]any); ok {
			if err := overlay(key+".", below, set); err != nil {
				return err
			}
			continue
		}
		if err := set(key, scalars(value)); err != nil {
			return err
		}
	}
	return nil
}

// Pairs lists the leaves of a YAML tree of configuration keys, by key, as Set takes them.
func Pairs(tree map[string]any) [][2]string {
	var pairs [][2]string
	overlay("", tree, func(key, value string) error { // cannot fail
		pairs = append(pairs, [2]string{key, value})
		return nil
	})
	return pairs
}

// scalars writes a YAML value as --set takes it: lists as a,b.
func scalars(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = scalars(x)
		}
		return strings.Join(parts, ",")
	case float64:
		return number(v)
	}
	return fmt.Sprint(value)
}

// ReadConfig reads a configuration written by Save, which names every key: a resolved
// one has both its epochs and its steps.
func ReadConfig(path string) (Config, error) {
	c := Default()
	err := c.load(path, func(key, value string) error {
		_, err := c.set(key, value)
		return err
	})
	return c, err
}

// Save writes the configuration as YAML.
func (c Config) Save(path string) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// MarshalYAML writes one number if both views have the same.
func (p PerView) MarshalYAML() ([]byte, error) {
	if p[0] == p[1] {
		return yaml.Marshal(p[0])
	}
	return []byte(fmt.Sprintf("[%v, %v]", p[0], p[1])), nil
}
