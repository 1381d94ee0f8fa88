package embed

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/internal/kernel/isa"
)

// trained returns a model whose statistics and norms are not those of the beginning.
func trained(t *testing.T, arch, stem, norm string, size int) *Model {
	t.Helper()
	m, err := Random(Meta{Arch: arch, Width: 0.25, Stem: stem, Norm: norm, Size: size, Channels: 3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i, s := range m.Encoder.Specs() {
		for j := range m.Values[i] {
			switch {
			case strings.HasSuffix(s.Name, ".running_var"):
				m.Values[i][j] = float32(math.Exp(r.NormFloat64() / 2))
			case strings.HasSuffix(s.Name, ".running_mean"), strings.HasSuffix(s.Name, ".bias"):
				m.Values[i][j] = float32(r.NormFloat64() / 4)
			case len(s.Shape) == 1:
				m.Values[i][j] = float32(1 + r.NormFloat64()/4)
			}
		}
	}
	return m
}

func embedded(t *testing.T, m *Model, threads, batch, n int, change bool) []float32 {
	t.Helper()
	backend, err := compute.New("cpu", threads)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	e, err := NewEmbedder(backend, m, batch)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if change {
		e.SetValues(m.Values)
	}
	r := rand.New(rand.NewPCG(5, 6))
	pictures := make([]float32, n*m.Size*m.Size*m.Channels)
	for i := range pictures {
		pictures[i] = float32(r.NormFloat64())
	}
	f, err := e.Embed(pictures, n)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFixedWeights compares weights that are constants, with batch norms in the kernels,
// with weights that are parameters.
func TestFixedWeights(t *testing.T) {
	for _, c := range []struct {
		arch, stem, norm string
		size             int
	}{
		{"resnet18", "cifar", "batch", 24}, {"resnet50", "imagenet", "batch", 64},
		{"resnet18", "cifar", "group", 16}, {"resnet18", "cifar", "batch_ws", 16}, {"resnet18", "cifar", "none", 16},
	} {
		m := trained(t, c.arch, c.stem, c.norm, c.size)
		for _, level := range isa.Available() {
			if level == isa.Generic && c.arch == "resnet50" {
				continue // takes seconds in Go
			}
			restore := isa.Set(level)
			want, got := embedded(t, m, 2, 3, 3, true), embedded(t, m, 2, 3, 3, false)
			restore()
			largest, worst := 0.0, 0.0
			for i := range want {
				largest = max(largest, math.Abs(float64(want[i])))
				worst = max(worst, math.Abs(float64(got[i]-want[i])))
			}
			if !(worst <= 1e-4*largest) || largest == 0 {
				t.Errorf("%v %v: off by %v of %v", c, level, worst, largest)
			}
		}
	}
}

// TestChunks wants a picture's features to be the same bits in any place of a batch that
// goes through the network in parts, whatever the number of threads.
func TestChunks(t *testing.T) {
	m := trained(t, "resnet18", "imagenet", "batch", 160)
	const batch, n = 100, 60
	parts := (batch + m.chunk(batch) - 1) / m.chunk(batch)
	if parts < 2 {
		t.Fatalf("a batch of %d goes through in %d parts", batch, parts)
	}
	one, two := embedded(t, m, 1, batch, n, false), embedded(t, m, 2, batch, n, false)
	if !slices.Equal(one, two) {
		t.Error("the number of threads changes the features")
	}
	if first := embedded(t, m, 2, batch, 3, false); !slices.Equal(first, one[:len(first)]) {
		t.Error("the pictures beside it change a picture's features")
	}
}
