// Package compute picks a GoMLX backend by name.
//
// Names are "cpu" (this program's own backend, always there), and, in builds with cgo,
// "xla:PLUGIN" for XLA, where PLUGIN is the absolute path of a PJRT plugin or one of
// XLA's names such as cuda.
package compute

import (
	"fmt"
	"slices"
	"strings"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/backends"
)

// Backend runs graphs: GoMLX's interface, under a name that keeps its package out of the
// rooms above.
type Backend = backends.Backend

// New returns the backend of that name with the given number of threads (0: all of
// the machine's), which only "cpu" heeds. A failure to load a plugin is an error,
// never a panic.
func New(name string, threads int) (b Backend, err error) {
	kind, config, _ := strings.Cut(name, ":")
	if kind == cpu.Name {
		if threads > 0 {
			config = strings.TrimPrefix(fmt.Sprintf("%s,threads=%d", config, threads), ",")
		}
		own, err := cpu.New(config)
		if err != nil {
			return nil, err
		}
		return own, nil
	}
	if !slices.Contains(Names(), kind) {
		return nil, fmt.Errorf("unknown backend %q: this build has %s", name, strings.Join(Names(), ", "))
	}
	defer func() {
		if r := recover(); r != nil { // XLA's loader panics on a bad plugin
			b, err = nil, fmt.Errorf("backend %q: %v", name, r)
		}
	}()
	if b, err = backends.NewWithConfig(name); err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err) // b may be a typed nil pointer
	}
	return b, nil
}

// Names lists the backends compiled in, sorted. XLA registers itself under aliases too;
// those are left out.
func Names() []string {
	aliases := []string{"hlo", "shlo", "stablehlo"}
	return slices.Sorted(func(yield func(string) bool) {
		for _, name := range backends.List() {
			if !slices.Contains(aliases, name) && !yield(name) {
				return
			}
		}
	})
}
