// Package isa says which instruction set the kernels may use.
//
// The level is what the processor offers, capped by the environment variable
// BYOL_ISA (generic, neon, avx2, avx512 or avx512bf16), so that every path of a
// binary can be tried on one machine. Tests lower it with [Set].
package isa

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
)

// EnvVar names the environment variable that caps the level.
const EnvVar = "BYOL_ISA"

// Level is an instruction set; a higher level includes the lower ones that the
// processor's family has: NEON is arm64's, the levels above are amd64's.
type Level int32

// The levels for which kernels are written.
const (
	Generic    Level = iota // portable Go
	NEON                    // 32 registers of 4 float32; every arm64 has it
	AVX2                    // AVX2, FMA: 16 registers of 8 float32
	AVX512                  // AVX-512 F, BW, DQ, VL: 32 registers of 16 float32
	AVX512BF16              // AVX512 and VDPBF16PS
)

var names = [...]string{"generic", "neon", "avx2", "avx512", "avx512bf16"}

// String returns the name that BYOL_ISA takes.
func (l Level) String() string {
	if l < 0 || int(l) >= len(names) {
		return fmt.Sprintf("isa.Level(%d)", int32(l))
	}
	return names[l]
}

// Parse returns the level of that name.
func Parse(name string) (Level, error) {
	for l, n := range names {
		if strings.EqualFold(n, name) {
			return Level(l), nil
		}
	}
	return Generic, fmt.Errorf("%s=%q: want one of %s", EnvVar, name, strings.Join(names[:], ", "))
}

var (
	detected = detect()
	current  atomic.Int32
	envErr   error
)

func init() {
	level := detected
	if name := os.Getenv(EnvVar); name != "" {
		var limit Level
		if limit, envErr = Parse(name); envErr == nil {
			level = atMost(limit)
		}
	}
	current.Store(int32(level))
}

// Err reports a BYOL_ISA that names no level; the program should say so and stop.
func Err() error { return envErr }

// Detected returns what the processor and this build offer, without any cap.
func Detected() Level { return detected }

// Current returns the level that kernels use now.
func Current() Level { return Level(current.Load()) }

// exists says whether a level is one of this program's processor family.
func exists(l Level) bool { return l == Generic || (l == NEON) == (detected == NEON) }

// atMost returns the highest level of this machine that is not above a limit.
func atMost(limit Level) Level {
	l := min(limit, detected)
	for !exists(l) {
		l--
	}
	return l
}

// Set lowers (or restores) the current level, never above Detected, and
// returns a function that restores the former one. It is for tests and for a
// self-test that found a path wrong; it must not race with running kernels.
func Set(l Level) (restore func()) {
	old := current.Swap(int32(atMost(l)))
	return func() { current.Store(old) }
}

// Trust tries the kernels of the current level, and of lower ones until test finds one
// right. The processor at hand may be one on which nobody ever ran them.
func Trust(test func() error) {
	for Current() > Generic {
		err := test()
		if err == nil {
			return
		}
		level := Current()
		Set(level - 1)
		slog.Warn("kernels give wrong results on this processor; going on with a lower instruction set, which is slower",
			"from", level.String(), "to", Current().String(), "error", err)
	}
}

// Available lists the levels that this machine can run, lowest first.
func Available() []Level {
	var levels []Level
	for l := Generic; l <= detected; l++ {
		if exists(l) {
			levels = append(levels, l)
		}
	}
	return levels
}
