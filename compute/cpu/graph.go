package cpu

import (
	"fmt"
	"reflect"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// node is one recorded operation. Its kernel is found by op (see kernels).
type node struct {
	index  int // position in the builder's list; inputs stand before it
	op     backends.OpType
	inputs []value
	shapes []shapes.Shape // of its outputs, one for most operations
	attr   any            // what the operation needs besides its inputs, of a type of its own
}

// value is one output of a node; it is what backends.Op holds.
type value struct {
	*node
	out int
}

func (v value) shape() shapes.Shape { return v.shapes[v.out] }

// Builder records the nodes of a computation.
type Builder struct {
	notimplemented.Builder
	backend  *Backend
	name     string
	nodes    []*node
	params   []*node // in the order of their inputs at execution
	compiled bool
}

var _ backends.Builder = (*Builder)(nil)

func newBuilder(b *Backend, name string) *Builder {
	builder := &Builder{backend: b, name: name}
	builder.ErrFn = func(op backends.OpType) error {
		return fmt.Errorf("operation %s: %w in backend %q", op, notimplemented.NotImplementedError, Name)
	}
	return builder
}

// Name of the computation.
func (b *Builder) Name() string { return b.name }

// add records a node and returns its first output.
func (b *Builder) add(op backends.OpType, attr any, shape shapes.Shape, inputs ...value) value {
	return value{b.addMulti(op, attr, []shapes.Shape{shape}, inputs...), 0}
}

// addMulti records a node with several outputs.
func (b *Builder) addMulti(op backends.OpType, attr any, out []shapes.Shape, inputs ...value) *node {
	n := &node{index: len(b.nodes), op: op, inputs: inputs, shapes: out, attr: attr}
	b.nodes = append(b.nodes, n)
	return n
}

// operands checks that ops were recorded by this builder and that it is still open.
func (b *Builder) operands(op backends.OpType, ops ...backends.Op) ([]value, error) {
	if b.compiled {
		return nil, fmt.Errorf("%s: computation %q is compiled already", op, b.name)
	}
	values := make([]value, len(ops))
	for i, o := range ops {
		v, ok := o.(value)
		if !ok || v.node == nil {
			return nil, fmt.Errorf("%s: operand %d (%T) is not of backend %q", op, i, o, Name)
		}
		if v.index >= len(b.nodes) || b.nodes[v.index] != v.node {
			return nil, fmt.Errorf("%s: operand %d belongs to another computation than %q", op, i, b.name)
		}
		values[i] = v
	}
	return values, nil
}

// OpShape returns the shape of a recorded value.
func (b *Builder) OpShape(op backends.Op) (shapes.Shape, error) {
	v, err := b.operands(backends.OpTypeInvalid, op)
	if err != nil {
		return shapes.Invalid(), err
	}
	return v[0].shape(), nil
}

// parameter is the attr of an OpTypeParameter node.
type parameter struct {
	name  string
	index int // among the inputs of an execution
}

// Parameter records an input of the computation.
func (b *Builder) Parameter(name string, shape shapes.Shape, sharding *backends.ShardingSpec) (backends.Op, error) {
	if sharding != nil {
		return nil, fmt.Errorf("parameter %q: backend %q has one device and does not shard", name, Name)
	}
	v := b.add(backends.OpTypeParameter, parameter{name, len(b.params)}, shape)
	b.params = append(b.params, v.node)
	return v, nil
}

// Constant records a constant; flat is a slice of a Go type that stands for a dtype. Its attr is the *Buffer.
func (b *Builder) Constant(flat any, dims ...int) (backends.Op, error) {
	t := reflect.TypeOf(flat)
	if t == nil || t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("constant: want a slice, have %T", flat)
	}
	dtype := dtypes.FromGoType(t.Elem())
	if dtype == dtypes.InvalidDType {
		return nil, fmt.Errorf("constant: no dtype for elements of %T", flat)
	}
	shape := shapes.Make(dtype, dims...)
	bytes, err := flatBytes(flat, shape)
	if err != nil {
		return nil, fmt.Errorf("constant: %w", err)
	}
	buf := newBuffer(shape)
	copy(buf.bytes, bytes)
	return b.add(backends.OpTypeConstant, buf, shape), nil
}

// Compile turns the recorded nodes into an Executable; the builder is closed after it.
func (b *Builder) Compile(outputs []backends.Op, shardings []*backends.ShardingSpec) (backends.Executable, error) {
	for _, s := range shardings {
		if s != nil {
			return nil, fmt.Errorf("computation %q: backend %q has one device and does not shard", b.name, Name)
		}
	}
	values, err := b.operands(backends.OpTypeInvalid, outputs...)
	if err != nil {
		return nil, fmt.Errorf("computation %q: %w", b.name, err)
	}
	b.compiled = true
	e, err := compile(b, values)
	for _, n := range b.nodes { // GoMLX keeps them, and constants may be all of a network's weights
		n.attr = nil
	}
	if err != nil {
		return nil, err // and not e, a nil pointer that the interface would hide
	}
	return e, nil
}
