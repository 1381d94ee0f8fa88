//go:build cgo

package deps

import _ "github.com/gomlx/gomlx/backends/xla"
