package cpu

import (
	"maps"

	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// call is one evaluation of a node.
type call struct {
	*node
	in, out []*Buffer // as the node's inputs and shapes; out holds undefined contents
	pool    *par.Pool
	scratch []byte // as many bytes as the kernel's scratch function asked for, 64-byte aligned
}

// kernel evaluates the nodes of one operation.
type kernel struct {
	// eval writes every element of c.out. It panics on what recording should have
	// refused; Execute turns that into an error. Nil for what passes replace or views.
	eval func(c *call)
	// scratch returns the temporary bytes that eval needs; nil means none.
	scratch func(n *node, threads int) int
	// inPlace says that out[0] may be the memory of any input of the same byte length:
	// eval reads an element before it writes the one at the same place.
	inPlace bool
	// share, if set, says instead of inPlace whether an output may be the memory of an input.
	share func(n *node, out, in int) bool
}

// kernels by operation: the standard ones, and from opInternal on those that passes make.
var kernels = map[backends.OpType]kernel{}

// opInternal is the first operation number that passes may use for nodes of their own.
const opInternal = backends.OpTypeLast + 1

func register(op backends.OpType, k kernel) {
	if _, dup := kernels[op]; dup {
		panic("cpu: two kernels for " + op.String())
	}
	kernels[op] = k
}

var supportedTypes = map[dtypes.DType]bool{
	dtypes.Bool: true, dtypes.Int8: true, dtypes.Int16: true, dtypes.Int32: true, dtypes.Int64: true,
	dtypes.Uint8: true, dtypes.Uint16: true, dtypes.Uint32: true, dtypes.Uint64: true,
	dtypes.BFloat16: true, dtypes.Float16: true, dtypes.Float32: true, dtypes.Float64: true,
	dtypes.Complex64: true, dtypes.Complex128: true,
}

func capabilities() backends.Capabilities {
	c := backends.Capabilities{
		Operations: map[backends.OpType]bool{backends.OpTypeParameter: true, backends.OpTypeConstant: true},
		DTypes:     maps.Clone(supportedTypes),
	}
	for op := range kernels {
		if op < opInternal {
			c.Operations[op] = true
		}
	}
	return c
}
