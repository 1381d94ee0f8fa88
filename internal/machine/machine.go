// Package machine asks the operating system about memory. Where it does not tell (only
// Linux does), the answers say so.
package machine

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
)

// PeakBytes returns the process's peak resident set so far; off Linux, the memory that
// the Go runtime has taken.
func PeakBytes() int64 {
	if v, ok := field("/proc/self/status", "VmHWM:"); ok {
		return v
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// HeldBytes returns the process's resident set now; off Linux, what the Go runtime holds.
func HeldBytes() int64 {
	if v, ok := field("/proc/self/status", "VmRSS:"); ok {
		return v
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// AvailableBytes returns the memory that a process may still take without swapping: the
// system's, or what a control group leaves, whichever is less. It reports false where
// that is not known.
func AvailableBytes() (int64, bool) {
	available, ok := field("/proc/meminfo", "MemAvailable:")
	limit, okLimit := number("/sys/fs/cgroup/memory.max")
	used, okUsed := number("/sys/fs/cgroup/memory.current")
	if okLimit && okUsed {
		if left := max(0, limit-used); !ok || left < available {
			return left, true
		}
	}
	return available, ok
}

// field reads a line "Name:   N kB" of a file below /proc, in bytes.
func field(path, name string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		fields := bytes.Fields(rest)
		if len(fields) == 0 {
			return 0, false
		}
		kb, err := strconv.ParseInt(string(fields[0]), 10, 64)
		return kb << 10, err == nil
	}
	return 0, false
}

// number reads a file that holds one number; "max" is none.
func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}
