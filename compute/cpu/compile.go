package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// program is a computation while the passes rewrite it.
type program struct {
	nodes   []*node // inputs stand before their users; all are needed for the outputs
	params  []*node // all of them, also those that nothing needs
	outputs []value
}

// pass is one step of compilation.
type pass struct {
	name string
	must bool // cannot be switched off: without it the program does not run
	run  func(p *program)
}

// passes in the order in which they run.
func passes() []pass {
	return []pass{
		{name: "simplify", run: simplify},
		{name: "cse", run: shareCommon},
		{name: "contract", run: contract},
		{name: "norm", run: lowerNorms},
		{name: "lower", must: true, run: lower},
		{name: "relu", run: reuseReLUOutput},
		{name: "norm", run: absorbIntoNorms},
		{name: "given", run: giveKernels},
		{name: "alias", run: dropCopies},
		{name: "fuse", run: fuse},
	}
}

// passNames lists the compile passes that a configuration can switch off: those that
// rewrite the graph, "recompute" (values computed again where they would not fit into the
// memory; see Backend.LimitMemory), and "plan" (memory shared by values that do not live at the same
// time), "inplace" (results written over operands) and "schedule" (order of the nodes).
func passNames() []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range passes() {
		if !p.must && !seen[p.name] {
			seen[p.name] = true
			names = append(names, p.name)
		}
	}
	return append(names, "schedule", "recompute", "inplace", "plan")
}

func isPass(name string) bool {
	for _, p := range passNames() {
		if p == name {
			return true
		}
	}
	return false
}

// compile runs the passes and plans the memory.
func compile(b *Builder, outputs []value) (e *Executable, err error) {
	defer func() {
		if r := recover(); r != nil { // a pass met a node that recording should have refused
			e, err = nil, fmt.Errorf("computation %q: compilation: %v", b.name, r)
		}
	}()
	for level := keepAll; ; level++ { // as little recomputation as the memory allows
		if e, err = compileAt(b, outputs, level); err != nil {
			return nil, err
		}
		if err = b.backend.checkMemory(e); err == nil {
			break
		}
		if level == recomputeConvs || b.backend.options.off["recompute"] {
			return nil, err
		}
	}
	e.held = b.backend.held
	e.held.Add(int64(e.PeakBytes()))
	if f := b.backend.onCompile; f != nil {
		f(e)
	}
	return e, nil
}

// compileAt compiles with a certain recomputation.
func compileAt(b *Builder, outputs []value, what recomputation) (*Executable, error) {
	p := newProgram(b, outputs)
	off := b.backend.options.off
	for _, pass := range passes() {
		if off[pass.name] {
			continue
		}
		pass.run(p)
		p.sweep()
	}
	if !off["schedule"] {
		schedule(p)
		p.sweep()
	}
	recompute(p, what)
	p.sweep()
	for _, n := range p.nodes {
		if _, ok := kernels[n.op]; !ok && n.op != backends.OpTypeParameter && n.op != backends.OpTypeConstant {
			return nil, fmt.Errorf("computation %q: no kernel for %s", b.name, opName(n.op))
		}
	}
	return newExecutable(b, p), nil
}

// checkMemory compares what an execution will hold, and the arenas of the computations
// compiled before, with the backend's limit.
func (b *Backend) checkMemory(e *Executable) error {
	if b.memory == 0 {
		return nil
	}
	m := &MemoryError{Computation: e.name, Inputs: int64(e.InputBytes()), Peak: int64(e.PeakBytes()), Limit: max(0, b.memory-b.held.Load())}
	if m.Inputs+m.Peak > m.Limit {
		return m
	}
	return nil
}

// newProgram copies the recorded nodes, so that passes may change them.
func newProgram(b *Builder, outputs []value) *program {
	copies := make(map[*node]*node, len(b.nodes))
	p := &program{}
	mapped := func(v value) value { return value{copies[v.node], v.out} }
	for _, n := range b.nodes {
		c := *n
		c.inputs = make([]value, len(n.inputs))
		for i, in := range n.inputs {
			c.inputs[i] = mapped(in)
		}
		copies[n] = &c
		p.nodes = append(p.nodes, &c)
	}
	for _, n := range b.params {
		p.params = append(p.params, copies[n])
	}
	for _, v := range outputs {
		p.outputs = append(p.outputs, mapped(v))
	}
	p.sweep()
	return p
}

// sweep drops the nodes that no output needs and numbers the others.
func (p *program) sweep() {
	needed := make(map[*node]bool, len(p.nodes))
	for _, v := range p.outputs {
		needed[v.node] = true
	}
	for i := len(p.nodes) - 1; i >= 0; i-- {
		if n := p.nodes[i]; needed[n] {
			for _, in := range n.inputs {
				needed[in.node] = true
			}
		}
	}
	kept := p.nodes[:0:0]
	for _, n := range p.nodes {
		if needed[n] {
			n.index = len(kept)
			kept = append(kept, n)
		}
	}
	p.nodes = kept
}

// rewrite rebuilds the program in order. f sees each node with its inputs replaced
// already and returns what stands for its outputs from now on, nil to keep the node as
// it is. It may add nodes; the node itself is not part of the program unless it is kept.
func (p *program) rewrite(f func(r *rewriter, n *node) []value) {
	r := &rewriter{}
	subst := make(map[value]value, len(p.nodes))
	for _, n := range p.nodes {
		for i, in := range n.inputs {
			if v, ok := subst[in]; ok {
				n.inputs[i] = v
			}
		}
		repl := f(r, n)
		if repl == nil {
			r.nodes = append(r.nodes, n)
			continue
		}
		if len(repl) != len(n.shapes) {
			panic(fmt.Sprintf("%s: %d replacements for %d outputs", opName(n.op), len(repl), len(n.shapes)))
		}
		for i, v := range repl {
			if v.node == nil {
				continue // nobody uses this output, says f
			}
			if v.shape().Size() != n.shapes[i].Size() || v.shape().DType != n.shapes[i].DType {
				panic(fmt.Sprintf("%s of shape %s replaced by %s", opName(n.op), n.shapes[i], v.shape()))
			}
			subst[value{n, i}] = v
		}
	}
	for i, v := range p.outputs {
		if s, ok := subst[v]; ok {
			p.outputs[i] = s
		}
	}
	p.nodes = r.nodes
}

// rewriter collects the nodes of the rewritten program.
type rewriter struct{ nodes []*node }

// add appends a node with one output.
func (r *rewriter) add(op backends.OpType, attr any, shape shapes.Shape, inputs ...value) value {
	return r.addMulti(op, attr, []shapes.Shape{shape}, inputs...)[0]
}

// addMulti appends a node with several outputs.
func (r *rewriter) addMulti(op backends.OpType, attr any, out []shapes.Shape, inputs ...value) []value {
	n := &node{op: op, attr: attr, inputs: inputs, shapes: out, index: len(r.nodes)}
	r.nodes = append(r.nodes, n)
	values := make([]value, len(out))
	for i := range out {
		values[i] = value{n, i}
	}
	return values
}

// users maps every value to the nodes that read it, in order, once per reading.
func (p *program) users() map[value][]*node {
	users := make(map[value][]*node, len(p.nodes))
	for _, n := range p.nodes {
		for _, in := range n.inputs {
			users[in] = append(users[in], n)
		}
	}
	return users
}

// opName names standard operations and those that passes make.
func opName(op backends.OpType) string {
	if name, ok := internalNames[op]; ok {
		return name
	}
	return op.String()
}
