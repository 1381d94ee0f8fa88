//go:build cgo

package compute

import "github.com/gomlx/gomlx/backends/xla"

// XLA needs cgo to load its plugins. Nothing is ever downloaded unasked.
func init() { xla.EnableAutoInstall(false) }
