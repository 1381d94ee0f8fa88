//go:build arm64 && !purego

package isa

func detect() Level { return NEON }
