package compute_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/gomlx/gomlx/pkg/core/graph"
)

func TestNew(t *testing.T) {
	b, err := compute.New("cpu", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	if !strings.Contains(b.Description(), "2 threads") {
		t.Errorf("description %q does not tell of 2 threads", b.Description())
	}
	sum := graph.MustExecOnce(b, func(x, y *graph.Node) *graph.Node { return graph.Add(x, y) }, float32(2), float32(3))
	if got := sum.Value(); got != float32(5) {
		t.Errorf("2 + 3 = %v", got)
	}
	if !slices.Contains(compute.Names(), "cpu") {
		t.Errorf("names %v lack cpu", compute.Names())
	}
}

func TestNewRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"":                       "unknown backend",
		"gpu":                    "unknown backend",
		"cpu:threads=0":          "threads",
		"cpu:fusion=of":          "unknown option",
		"xla:/no/such/plugin.so": "", // with cgo the loader's words, without: unknown backend
	} {
		b, err := compute.New(name, 0)
		if err == nil {
			b.Finalize()
			t.Errorf("%q: no error", name)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		} else if b != nil {
			t.Errorf("%q: an error and a backend %T", name, b)
		}
	}
}
