package encoder

import (
	"strings"
	"testing"

	"github.com/byol-go/byol/nn"
)

func TestArchitectures(t *testing.T) {
	// Parameters without classifier and features, as torchvision counts them.
	for _, c := range []struct {
		config     Config
		parameters int
		features   int
	}{
		{Config{Arch: "resnet18", Size: 224}, 11176512, 512},
		{Config{Arch: "resnet34", Size: 224}, 21284672, 512},
		{Config{Arch: "resnet50", Size: 224}, 23508032, 2048},
		{Config{Arch: "resnet101", Size: 224}, 42500160, 2048},
		{Config{Arch: "resnet152", Size: 224}, 58143808, 2048},
		{Config{Arch: "resnet200", Size: 224}, 62624832, 2048},
		{Config{Arch: "resnet18", Size: 32}, 11168832, 512},
		{Config{Arch: "resnet18", Size: 224, Channels: 1}, 11170240, 512},
		{Config{Arch: "resnet50", Size: 224, Width: 2}, 93907072, 4096},
		{Config{Arch: "resnet18", Size: 32, Width: .25}, 700176, 128},
	} {
		e, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range nn.Trainable(e.Specs()) {
			n += s.Size()
		}
		if n != c.parameters || e.Features != c.features {
			t.Errorf("%+v: %d parameters, %d features; want %d, %d", c.config, n, e.Features, c.parameters, c.features)
		}
	}
}

func TestStem(t *testing.T) {
	for _, c := range []struct {
		stem Stem
		size int
		want Stem
	}{
		{StemAuto, 64, StemCIFAR}, {StemAuto, 65, StemImageNet}, {"", 32, StemCIFAR},
		{StemImageNet, 32, StemImageNet}, {StemCIFAR, 0, StemCIFAR},
	} {
		e, err := New(Config{Arch: "resnet18", Stem: c.stem, Size: c.size})
		if err != nil {
			t.Fatal(err)
		}
		if e.Stem != c.want {
			t.Errorf("stem %q at %d pixels: got %q, want %q", c.stem, c.size, e.Stem, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	ok := Config{Arch: "resnet18", Size: 32}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Arch = "ResNet5" }, `did you mean "resnet50"`},
		{func(c *Config) { c.Arch = "resnet81" }, `did you mean "resnet18"`},
		{func(c *Config) { c.Width = -1 }, "width -1"},
		{func(c *Config) { c.Channels = 4 }, "4 input channels"},
		{func(c *Config) { c.Size = 0 }, "needs the size"},
		{func(c *Config) { c.Stem = "patch" }, `unknown stem "patch"`},
		{func(c *Config) { c.Norm = "instance" }, `unknown norm "instance"`},
	} {
		config := ok
		c.change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one that contains %q", config, err, c.want)
		}
	}
}
