package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// passNames lists the compile passes that a configuration can switch off.
func passNames() []string { return nil }

func isPass(name string) bool {
	for _, p := range passNames() {
		if p == name {
			return true
		}
	}
	return false
}

// Executable is a compiled computation. It may be executed by one goroutine at a time.
type Executable struct {
	backend *Backend
	name    string
	params  []*node
	nodes   []*node
	outputs []value
}

var _ backends.Executable = (*Executable)(nil)

func compile(b *Builder, outputs []value) (*Executable, error) {
	for _, n := range b.nodes {
		if _, ok := kernels[n.op]; !ok && n.op != backends.OpTypeParameter && n.op != backends.OpTypeConstant {
			return nil, fmt.Errorf("computation %q: no kernel for %s", b.name, n.op)
		}
	}
	return &Executable{backend: b.backend, name: b.name, params: b.params, nodes: b.nodes, outputs: outputs}, nil
}

// Finalize drops the computation's memory.
func (e *Executable) Finalize() { *e = Executable{} }

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

// Execute runs the computation. Donated inputs are invalid afterwards.
func (e *Executable) Execute(inputs []backends.Buffer, donate []bool, _ backends.DeviceNum) (out []backends.Buffer, err error) {
	if len(inputs) != len(e.params) {
		return nil, fmt.Errorf("computation %q: %d inputs given, %d wanted", e.name, len(inputs), len(e.params))
	}
	args := make([]*Buffer, len(inputs))
	for i, in := range inputs {
		if args[i], err = asBuffer(in); err != nil {
			return nil, fmt.Errorf("computation %q, input %d: %w", e.name, i, err)
		}
		if want := e.params[i].shapes[0]; !args[i].shape.Equal(want) {
			return nil, fmt.Errorf("computation %q, input %d: shape %s, want %s", e.name, i, args[i].shape, want)
		}
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("computation %q: %v", e.name, r)
		}
	}()
	results := make(map[value]*Buffer)
	for _, n := range e.nodes {
		switch n.op {
		case backends.OpTypeParameter:
			results[value{n, 0}] = args[n.attr.(parameter).index]
			continue
		case backends.OpTypeConstant:
			results[value{n, 0}] = n.attr.(*Buffer)
			continue
		}
		k := kernels[n.op]
		c := &call{node: n, pool: e.backend.pool}
		for _, in := range n.inputs {
			c.in = append(c.in, results[in])
		}
		for i, s := range n.shapes {
			buf := newBuffer(s)
			c.out = append(c.out, buf)
			results[value{n, i}] = buf
		}
		if k.scratch != nil {
			c.scratch = alignedBytes(k.scratch(n, e.backend.pool.Threads()))
		}
		k.eval(c)
	}
	for _, v := range e.outputs {
		// A copy: the caller may finalize or donate each output on its own.
		buf := newBuffer(v.shape())
		copy(buf.bytes, results[v].bytes)
		out = append(out, buf)
	}
	return out, nil
}
