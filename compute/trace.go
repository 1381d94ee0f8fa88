package compute

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/internal/trace"
)

// Tracer knows what a backend compiled and records its nodes.
type Tracer struct {
	recorder    *trace.Recorder
	backend     *cpu.Backend
	executables []*cpu.Executable
	on          bool

	mu   sync.Mutex
	work []threadWork // of the node that runs
}

// Trace collects what a backend compiles from now on, which it records into r once the
// tracer is started. Only "cpu" can; of others the tracer sees nothing.
func Trace(b Backend, r *trace.Recorder) *Tracer {
	t := &Tracer{recorder: r}
	own, ok := b.(*cpu.Backend)
	if !ok {
		return t
	}
	t.backend = own
	own.OnCompile(func(e *cpu.Executable) {
		t.executables = append(t.executables, e)
		if t.on {
			t.trace(e)
		}
	})
	return t
}

// Executables lists what was compiled.
func (t *Tracer) Executables() []*cpu.Executable { return t.executables }

// Start records every node, and what each thread does, until the recorder is no longer in
// detail. No computation may be running.
func (t *Tracer) Start() {
	if t.backend == nil || t.recorder == nil {
		return
	}
	t.on = true
	t.backend.ObserveThreads(t.thread)
	for _, e := range t.executables {
		t.trace(e)
	}
	t.recorder.AfterDetail(func() {
		t.on = false
		t.backend.ObserveThreads(nil)
		for _, e := range t.executables {
			e.SetTrace(nil)
		}
	})
}

func (t *Tracer) trace(e *cpu.Executable) {
	e.SetTrace(func(n cpu.NodeTiming) { t.node(e.Name(), n) })
}

type threadWork struct {
	thread     int
	start, end time.Time
}

func (t *Tracer) thread(thread int, start, end time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work = append(t.work, threadWork{thread, start, end})
}

// node is called when a node has run: the work of the threads since the last one is its.
func (t *Tracer) node(computation string, n cpu.NodeTiming) {
	t.mu.Lock()
	work := t.work
	t.work = nil
	t.mu.Unlock()
	end := n.Start.Add(n.Duration)
	if len(work) == 0 { // not spread over the threads
		work = []threadWork{{0, n.Start, end}}
	}
	shapes := make([]string, len(n.Shapes))
	for i, s := range n.Shapes {
		shapes[i] = s.String()
	}
	args := map[string]any{
		"computation": computation, "node": n.Index, "bytes": n.Bytes,
		"in": strings.Join(shapes[:n.Inputs], " "), "out": strings.Join(shapes[n.Inputs:], " "),
	}
	if n.Algorithm != "" {
		args["algorithm"] = n.Algorithm
	}
	if n.FLOP > 0 {
		args["flop"], args["gflop_per_s"] = n.FLOP, n.FLOP/n.Duration.Seconds()/1e9
	}
	name := n.Op
	if out := n.Shapes[n.Inputs:]; len(out) > 0 {
		name += fmt.Sprintf(" %v", out[0].Dimensions)
	}
	t.recorder.Add("nodes", name, n.Start, end, args)
	for _, w := range work {
		t.recorder.Add(fmt.Sprintf("thread %d", w.thread), name, w.start, w.end, nil)
	}
}
