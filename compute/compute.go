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
		return cpu.New(config)
	}
	if !slices.Contains(backends.List(), kind) {
		return nil, fmt.Errorf("unknown backend %q: this build has %s", name, strings.Join(Names(), ", "))
	}
	defer func() {
		if r := recover(); r != nil { // XLA's loader panics on a bad plugin
			b, err = nil, fmt.Errorf("backend %q: %v", name, r)
		}
	}()
	return backends.NewWithConfig(name)
}

// Names lists the backends compiled in, sorted.
func Names() []string { return slices.Sorted(slices.Values(backends.List())) }
