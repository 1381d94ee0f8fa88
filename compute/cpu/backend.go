// Package cpu is a GoMLX backend for CPUs: pure Go and generated assembly, no cgo,
// nothing to download. Importing it registers the backend "cpu".
//
// The way of a computation: [Builder] records nodes (graph.go, op_*.go). Compile works on
// a copy of them (compile.go): passes simplify it (pass_*.go), lower.go and lower_*.go
// choose the kernels and recognise the gradients of convolutions, matrix products and
// pooling in the forms that GoMLX writes them, and pass_fuse.go joins element-wise nodes
// and sums into programs that run block by block in L1 (block_*.go). schedule.go orders
// the nodes and plan.go gives every value its memory: one arena, donated inputs, or the
// result's own. [Executable] then calls one kernel after the other (exec.go), each of
// which spreads its work over the threads.
//
// Results are the same to the bit for any number of threads. They may differ in the last
// bits with a pass switched off, and between instruction sets: sums are taken in another
// order, and products and sums rounded once or twice.
package cpu

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
)

// Name under which the backend is registered.
const Name = "cpu"

func init() {
	backends.Register(Name, func(config string) (backends.Backend, error) { return New(config) })
}

// Backend implements backends.Backend on the processor's threads.
type Backend struct {
	notimplemented.Backend
	pool      *par.Pool
	options   options
	finalized bool
	onCompile func(*Executable)
	memory    int64         // bytes that computations may hold; 0: no limit
	held      *atomic.Int64 // bytes that those compiled since it was set hold besides their inputs
}

var _ backends.Backend = (*Backend)(nil)

// New returns a backend. The configuration is a comma-separated list of key=value:
// threads=N (default: as many as GOMAXPROCS), memory=BYTES (see [Backend.LimitMemory]), and
// one switch per compile pass, PASS=off, to compare results with and without it.
func New(config string) (*Backend, error) {
	opt, err := parseOptions(config)
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", Name+":"+config, err)
	}
	if err := isa.Err(); err != nil {
		return nil, err
	}
	selfTest()
	return &Backend{pool: par.New(opt.threads), options: opt, memory: opt.memory, held: new(atomic.Int64)}, nil
}

// options of a backend, from its configuration string.
type options struct {
	threads int
	memory  int64           // bytes; 0: no limit
	off     map[string]bool // names of compile passes switched off
}

func parseOptions(config string) (options, error) {
	opt := options{threads: runtime.GOMAXPROCS(0), off: map[string]bool{}}
	for _, field := range strings.Split(config, ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		key, val, _ := strings.Cut(field, "=")
		switch {
		case key == "threads":
			n, err := strconv.Atoi(val)
			if err != nil || n < 1 || n > 4096 {
				return opt, fmt.Errorf("threads=%q: want a number from 1 to 4096", val)
			}
			opt.threads = n
		case key == "memory":
			n, err := strconv.ParseInt(val, 10, 64)
			if err != nil || n < 1 {
				return opt, fmt.Errorf("memory=%q: want a number of bytes", val)
			}
			opt.memory = n
		case val == "off" && isPass(key):
			opt.off[key] = true
		default:
			return opt, fmt.Errorf("unknown option %q: want threads=N, memory=BYTES or PASS=off, PASS one of %s", field, strings.Join(passNames(), ", "))
		}
	}
	return opt, nil
}

// OnCompile has every later compilation report what it made, before anything of it is
// allocated or run: GoMLX's graphs do not show their executables, and this is the way to
// [Executable.PeakBytes] and [Executable.SetTrace]. Nil ends it. It returns what was
// reported to before, and must not be called while a computation is compiled.
func (b *Backend) OnCompile(report func(*Executable)) (before func(*Executable)) {
	before, b.onCompile = b.onCompile, report
	return before
}

// LimitMemory bounds what the computations compiled from now on hold together, each with
// its inputs, in bytes; 0 ends it. One that would hold more lets values go which it computes
// again when it needs them (see recompute); if that is not enough, compilation fails with
// a [MemoryError] before anything is allocated.
func (b *Backend) LimitMemory(bytes int64) { b.memory, b.held = bytes, new(atomic.Int64) }

// MemoryError says that a computation does not fit into the memory there is.
type MemoryError struct {
	Computation  string
	Inputs, Peak int64 // bytes of the inputs, and held at most besides them
	Limit        int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("computation %q needs about %d MB of memory, and %d MB are available", e.Computation, (e.Inputs+e.Peak)>>20, e.Limit>>20)
}

// Name returns "cpu".
func (b *Backend) Name() string { return Name }

// String returns "cpu".
func (b *Backend) String() string { return Name }

// Description names the instruction set and the number of threads.
func (b *Backend) Description() string {
	return fmt.Sprintf("byol CPU backend, %s/%s %s, %d threads", runtime.GOOS, runtime.GOARCH, isa.Current(), b.pool.Threads())
}

// NumDevices is 1: all threads together.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription describes the only device, number 0.
func (b *Backend) DeviceDescription(backends.DeviceNum) string { return b.Description() }

// Capabilities lists the operations and types that have kernels.
func (b *Backend) Capabilities() backends.Capabilities { return capabilities() }

// Builder starts the recording of a computation.
func (b *Backend) Builder(name string) backends.Builder { return newBuilder(b, name) }

// Finalize ends the backend's threads. No computation may be running.
func (b *Backend) Finalize() {
	if !b.finalized {
		b.finalized = true
		b.pool.Close()
	}
}

// IsFinalized reports whether Finalize was called.
func (b *Backend) IsFinalized() bool { return b.finalized }
