package compute

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/internal/trace"
)

// Trace has a backend record into r every node of what it compiles from now on, and what
// each thread does, until r is no longer in detail. Only "cpu" can; others are left alone.
// It is called before anything is compiled.
func Trace(b Backend, r *trace.Recorder) {
	own, ok := b.(*cpu.Backend)
	if !ok || r == nil {
		return
	}
	t := &tracer{recorder: r}
	own.ObserveThreads(t.thread)
	own.OnCompile(func(e *cpu.Executable) {
		t.executables = append(t.executables, e)
		e.SetTrace(func(n cpu.NodeTiming) { t.node(e.Name(), n) })
	})
	r.AfterDetail(func() {
		own.OnCompile(nil)
		own.ObserveThreads(nil)
		for _, e := range t.executables {
			e.SetTrace(nil)
		}
	})
}

// tracer joins what threads and nodes report.
type tracer struct {
	recorder    *trace.Recorder
	executables []*cpu.Executable

	mu   sync.Mutex
	work []threadWork // of the node that runs
}

type threadWork struct {
	thread     int
	start, end time.Time
}

func (t *tracer) thread(thread int, start, end time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work = append(t.work, threadWork{thread, start, end})
}

// node is called when a node has run: the work of the threads since the last one is its.
func (t *tracer) node(computation string, n cpu.NodeTiming) {
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
