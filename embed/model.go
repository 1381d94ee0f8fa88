// Package embed is a trained encoder, loaded and ready: pictures in, vectors out.
//
// A [Model] is the encoder's weights with what is needed to use them: architecture,
// picture size and normalisation. It is read from encoder.safetensors, a run's folder
// or a checkpoint, and written under torchvision's names in PyTorch's layout, so that
// torchvision loads it too.
package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/encoder"
	"github.com/byol-go/byol/nn"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/safetensors"
)

// Meta is what a file of weights does not say of itself. It is stored in the metadata
// of encoder.safetensors.
type Meta struct {
	Arch     string    `json:"arch"`
	Width    float64   `json:"width"`
	Stem     string    `json:"stem"` // cifar or imagenet
	Norm     string    `json:"norm"`
	Size     int       `json:"size"` // pixels of a picture's side
	Channels int       `json:"channels"`
	Mean     []float64 `json:"mean"` // of each channel, in [0,1] units
	Std      []float64 `json:"std"`
}

// metaKey is the entry of the safetensors metadata that holds Meta as JSON.
const metaKey = "byol"

// MetaOf returns the part of a resolved configuration that belongs to the encoder.
func MetaOf(c run.Config) Meta {
	return Meta{
		Arch: c.Encoder.Arch, Width: c.Encoder.Width, Stem: c.Encoder.Stem, Norm: c.Encoder.Norm,
		Size: c.Data.Size, Channels: c.Data.Channels,
		Mean: c.Augment.Normalize.Mean, Std: c.Augment.Normalize.Std,
	}
}

// NewEncoder lays out the network that the metadata describes.
func (m Meta) NewEncoder() (*encoder.Encoder, error) {
	norm, standardize := strings.CutSuffix(m.Norm, "_ws")
	return encoder.New(encoder.Config{
		Arch: m.Arch, Width: m.Width, Stem: encoder.Stem(m.Stem), Size: m.Size, Channels: m.Channels,
		Norm: nn.NormKind(norm), Standardize: standardize,
	})
}

// Model is an encoder with weights.
type Model struct {
	Meta
	Encoder *encoder.Encoder
	Values  [][]float32 // in the order and layout of Encoder.Specs
}

// NewModel puts weights, in the order and layout of the encoder's specs, to metadata.
func NewModel(meta Meta, values [][]float32) (*Model, error) {
	e, err := meta.NewEncoder()
	if err != nil {
		return nil, err
	}
	specs := e.Specs()
	if len(values) != len(specs) {
		return nil, fmt.Errorf("%s has %d tensors, not %d", meta.Arch, len(specs), len(values))
	}
	for i, s := range specs {
		if len(values[i]) != s.Size() {
			return nil, fmt.Errorf("tensor %q: %d values, want %v", s.Name, len(values[i]), s.Shape)
		}
	}
	return &Model{Meta: meta, Encoder: e, Values: values}, nil
}

// Random returns an encoder as it is before training with that seed: what a judgement
// is set beside.
func Random(meta Meta, seed uint64) (*Model, error) {
	e, err := meta.NewEncoder()
	if err != nil {
		return nil, err
	}
	return NewModel(meta, nn.InitAll(nn.Prefixed(encoder.OnlinePrefix, e.Specs()), seed))
}

// Save writes encoder.safetensors: torchvision's names and layout, float32; the same
// weights give the same bytes.
func (m *Model) Save(path string) error {
	specs := m.Encoder.Specs()
	tensors := make([]safetensors.Tensor, len(specs))
	for i, s := range specs {
		values, err := nn.ToTorch(s, m.Values[i])
		if err != nil {
			return err
		}
		tensors[i] = safetensors.FromFloat32(s.Name, nn.TorchShape(s), values)
	}
	meta, err := json.Marshal(m.Meta)
	if err != nil {
		return err
	}
	return safetensors.WriteFile(path, tensors, map[string]string{metaKey: string(meta), "format": "pt"})
}

// ErrNoMeta says that a file of weights does not say how to use them.
var ErrNoMeta = errors.New("the file does not say which network it holds")

// Load reads a model from an encoder.safetensors written by Save, from a checkpoint's
// folder, or from a run's folder: its encoder.safetensors, or, while it is not finished,
// its newest whole checkpoint.
func Load(path string) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if !info.IsDir() {
		return loadFile(path)
	}
	folder := run.Folder(path)
	if folder.IsRun() {
		m, err := loadFile(folder.Encoder())
		if !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		c, _, err := checkpoint.Latest(folder.Checkpoints())
		if err != nil {
			return nil, fmt.Errorf("model: run without an encoder: %w", err)
		}
		return fromCheckpoint(folder, c)
	}
	if owner := run.Folder(filepath.Dir(filepath.Dir(filepath.Clean(path)))); owner.IsRun() {
		c, err := checkpoint.Load(path)
		if err != nil {
			return nil, err
		}
		return fromCheckpoint(owner, c)
	}
	return nil, fmt.Errorf("model: %s is neither a run, nor a checkpoint of one, nor a .safetensors file", path)
}

func loadFile(path string) (*Model, error) {
	tensors, metadata, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	text, ok := metadata[metaKey]
	if !ok {
		return nil, fmt.Errorf("model: %s: %w; start a training from it with --init", path, ErrNoMeta)
	}
	var meta Meta
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		return nil, fmt.Errorf("model: %s: metadata: %w", path, err)
	}
	e, err := meta.NewEncoder()
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	values, err := FromTorch(e.Specs(), tensors)
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	return &Model{Meta: meta, Encoder: e, Values: values}, nil
}

// fromCheckpoint takes the online encoder out of a training's state.
func fromCheckpoint(folder run.Folder, c checkpoint.Checkpoint) (*Model, error) {
	config, err := run.ReadConfig(folder.Config())
	if err != nil {
		return nil, err
	}
	meta := MetaOf(config)
	e, err := meta.NewEncoder()
	if err != nil {
		return nil, err
	}
	byName := map[string]safetensors.Tensor{}
	for _, t := range c.Tensors {
		byName[t.Name] = t
	}
	var values [][]float32
	for _, s := range e.Specs() {
		v, err := byName[encoder.OnlinePrefix+s.Name].Float32()
		if err != nil || len(v) != s.Size() {
			return nil, fmt.Errorf("checkpoint of step %d: no tensor %q of shape %v", c.Step, encoder.OnlinePrefix+s.Name, s.Shape)
		}
		values = append(values, v)
	}
	return &Model{Meta: meta, Encoder: e, Values: values}, nil
}

// FromTorch brings tensors in PyTorch's layout, as torchvision and timm name those of
// their ResNets, into the order and layout of an encoder's specs. A classifier (fc) and
// batch norm's counters are left out; anything else missing, left over or of another
// shape is an error that names it.
func FromTorch(specs []nn.Spec, tensors []safetensors.Tensor) ([][]float32, error) {
	byName := map[string]safetensors.Tensor{}
	for _, t := range tensors {
		if !strings.HasPrefix(t.Name, "fc.") && !strings.HasSuffix(t.Name, ".num_batches_tracked") {
			byName[t.Name] = t
		}
	}
	values := make([][]float32, len(specs))
	for i, s := range specs {
		t, ok := byName[s.Name]
		if !ok {
			return nil, fmt.Errorf("tensor %q is missing: is it another architecture or norm?", s.Name)
		}
		delete(byName, s.Name)
		if fmt.Sprint(t.Shape) != fmt.Sprint(nn.TorchShape(s)) {
			return nil, fmt.Errorf("tensor %q has shape %v, want %v: is it another architecture, width, stem or number of channels?", s.Name, t.Shape, nn.TorchShape(s))
		}
		wide, err := t.Float32()
		if err != nil {
			return nil, err
		}
		if values[i], err = nn.FromTorch(s, wide); err != nil {
			return nil, err
		}
	}
	for _, t := range tensors {
		if _, left := byName[t.Name]; left {
			return nil, fmt.Errorf("tensor %q has no place in this network: is it another architecture?", t.Name)
		}
	}
	return values, nil
}
