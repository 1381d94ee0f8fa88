//go:build (!amd64 && !arm64) || purego

package winograd

var kernelsRef = refKernels()

// current returns the kernels of the instruction set in use.
func current() *kernels { return kernelsRef }
