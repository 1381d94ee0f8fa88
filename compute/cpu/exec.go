package cpu

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// Executable is a compiled computation. Executions from several goroutines run one
// after the other: they share the executable's arena.
type Executable struct {
	backend *Backend
	name    string
	params  []*node
	steps   []step
	outputs []value
	plan    *plan
	held    *atomic.Int64 // counts PeakBytes, see Backend.LimitMemory

	mu      sync.Mutex
	arena   *arena    // allocated by the first execution
	buffers []*Buffer // one per value of the plan, in its order
	trace   func(NodeTiming)
}

var _ backends.Executable = (*Executable)(nil)

// step is the call of one node's kernel.
type step struct {
	call
	eval    func(c *call)
	scratch int // index in plan.storages, or -1
}

// newExecutable plans the memory of a program whose every node has a kernel.
func newExecutable(b *Builder, p *program) *Executable {
	e := &Executable{backend: b.backend, name: b.name, params: p.params, outputs: p.outputs}
	e.plan = newPlan(p, b.backend.pool.Threads(), b.backend.options.off)
	e.buffers = make([]*Buffer, len(e.plan.values))
	for i, v := range e.plan.values {
		e.buffers[i] = &Buffer{shape: v.shape()}
	}
	for i, n := range p.nodes {
		if n.op == backends.OpTypeParameter || n.op == backends.OpTypeConstant {
			continue
		}
		s := step{call: call{node: n, pool: b.backend.pool}, eval: kernels[n.op].eval, scratch: e.plan.scratch[i]}
		if s.eval == nil {
			continue // a view of its input
		}
		for _, in := range n.inputs {
			s.in = append(s.in, e.buffers[e.plan.index[in]])
		}
		for out := range n.shapes {
			s.out = append(s.out, e.buffers[e.plan.index[value{n, out}]])
		}
		e.steps = append(e.steps, s)
	}
	return e
}

// Finalize drops the computation's memory.
func (e *Executable) Finalize() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held.Add(-int64(e.PeakBytes()))
	e.arena.free()
	e.arena, e.steps, e.buffers, e.plan = nil, nil, nil, nil
}

// PeakBytes is the memory that an execution holds at most besides its inputs: the arena
// and the outputs that take no donated input's place. It is known before anything is
// allocated.
func (e *Executable) PeakBytes() int {
	if e.plan == nil {
		return 0
	}
	return e.plan.peakBytes()
}

// InputBytes is the size of all inputs together.
func (e *Executable) InputBytes() int {
	bytes := 0
	for _, n := range e.params {
		bytes += byteLen(n.shapes[0])
	}
	return bytes
}

// Inputs returns the names and shapes of the parameters, in the order of Execute's inputs.
func (e *Executable) Inputs() ([]string, []shapes.Shape) {
	names := make([]string, len(e.params))
	in := make([]shapes.Shape, len(e.params))
	for i, n := range e.params {
		names[i], in[i] = n.attr.(parameter).name, n.shapes[0]
	}
	return names, in
}

// Outputs returns the shapes of the results.
func (e *Executable) Outputs() []shapes.Shape {
	out := make([]shapes.Shape, len(e.outputs))
	for i, v := range e.outputs {
		out[i] = v.shape()
	}
	return out
}

// Execute runs the computation. Donated inputs are invalid afterwards, and their memory
// serves for results of the same size where the plan allows it.
func (e *Executable) Execute(inputs []backends.Buffer, donate []bool, _ backends.DeviceNum) (out []backends.Buffer, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.plan == nil {
		return nil, fmt.Errorf("computation %q was finalized", e.name)
	}
	args, err := e.arguments(inputs)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("computation %q: %v", e.name, r)
		}
	}()
	free := reusable(args, donate)
	memory := e.bind(args, free)
	e.run()
	out = e.results(args, free, memory)
	e.unbind()
	for i, arg := range args {
		if i < len(donate) && donate[i] {
			*arg = Buffer{}
		}
	}
	return out, nil
}

// arguments checks the inputs.
func (e *Executable) arguments(inputs []backends.Buffer) ([]*Buffer, error) {
	if len(inputs) != len(e.params) {
		return nil, fmt.Errorf("computation %q: %d inputs given, %d wanted", e.name, len(inputs), len(e.params))
	}
	args := make([]*Buffer, len(inputs))
	for i, in := range inputs {
		var err error
		if args[i], err = asBuffer(in); err != nil {
			return nil, fmt.Errorf("computation %q, input %d: %w", e.name, i, err)
		}
		if want := e.params[i].shapes[0]; !args[i].shape.Equal(want) {
			return nil, fmt.Errorf("computation %q, input %d: shape %s, want %s", e.name, i, args[i].shape, want)
		}
	}
	return args, nil
}

// reusable says which inputs' memory results may take: donated ones that the caller
// cannot write to and that are given once.
func reusable(args []*Buffer, donate []bool) []bool {
	given := make(map[*Buffer]int, len(args))
	for _, a := range args {
		given[a]++
	}
	free := make([]bool, len(args))
	for i, a := range args {
		free[i] = i < len(donate) && donate[i] && !a.shared && given[a] == 1
	}
	return free
}

// bind points every buffer at its memory: the arena, the inputs, or results that live
// on, whose memory it returns by storage.
func (e *Executable) bind(args []*Buffer, free []bool) map[*storage][]byte {
	p := e.plan
	if e.arena == nil {
		e.arena = newArena(e, p.arenaBytes)
		arena := e.arena.bytes
		for i, s := range p.storageOf {
			if s.kind == inArena {
				e.buffers[i].bytes = arena[s.offset : s.offset+s.bytes : s.offset+s.bytes]
			}
			if s.kind == ofConstant {
				e.buffers[i].bytes = s.constant.bytes
			}
		}
		for i := range e.steps {
			if k := e.steps[i].scratch; k >= 0 {
				s := p.storages[k]
				e.steps[i].call.scratch = arena[s.offset : s.offset+s.bytes : s.offset+s.bytes]
			}
		}
	}
	memory := make(map[*storage][]byte)
	for _, s := range p.storages {
		if s.kind != ofOutput {
			continue
		}
		if s.donor >= 0 && free[s.donor] {
			memory[s] = args[s.donor].bytes
		} else {
			memory[s] = alignedBytes(s.bytes)
		}
	}
	for i, s := range p.storageOf {
		switch s.kind {
		case ofParameter:
			e.buffers[i].bytes = args[s.param].bytes
		case ofOutput:
			e.buffers[i].bytes = memory[s]
		}
	}
	return memory
}

// unbind lets go of the memory that is not the executable's own.
func (e *Executable) unbind() {
	for i, s := range e.plan.storageOf {
		if s.kind == ofParameter || s.kind == ofOutput {
			e.buffers[i].bytes = nil
		}
	}
}

func (e *Executable) run() {
	if e.trace != nil {
		e.runTraced()
		return
	}
	for i := range e.steps {
		e.steps[i].eval(&e.steps[i].call)
	}
}

// results makes one buffer per output. Each owns its memory: the caller may finalize or
// donate it alone. An output that is an input or a constant, or given twice, is copied,
// unless the input was donated for it.
func (e *Executable) results(args []*Buffer, free []bool, memory map[*storage][]byte) []backends.Buffer {
	out := make([]backends.Buffer, len(e.outputs))
	taken := make(map[*storage]bool)
	for i, v := range e.outputs {
		s := e.plan.storageOf[e.plan.index[v]]
		buf := &Buffer{shape: v.shape()}
		switch {
		case s.kind == ofOutput && !taken[s]:
			buf.bytes = memory[s]
		case s.kind == ofParameter && free[s.param] && !taken[s]:
			buf.bytes = args[s.param].bytes
		default:
			buf.bytes = alignedBytes(s.bytes)
			copy(buf.bytes, e.buffers[e.plan.index[v]].bytes)
		}
		taken[s] = true
		out[i] = buf
	}
	return out
}
