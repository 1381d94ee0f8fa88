//go:build !linux && !darwin && !freebsd

package cpu

import "errors"

// mapMemory fails: here all memory is the Go heap's.
func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) {}
