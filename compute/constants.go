package compute

import "github.com/byol-go/byol/compute/cpu"

// PreparesConstants reports whether a backend does work on a graph's constants once that it
// does on parameters in every execution, so that weights that stay should be constants.
// XLA would only compile for longer.
func PreparesConstants(b Backend) bool {
	_, ok := b.(*cpu.Backend)
	return ok
}
