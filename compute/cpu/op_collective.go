package cpu

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
)

// AllReduce returns the operands: the backend is one device, whose reduction over all
// devices is its own value.
func (b *Builder) AllReduce(operands []backends.Op, _ backends.ReduceOpType, replicaGroups [][]int) ([]backends.Op, error) {
	in, err := b.operands(backends.OpTypeAllReduce, operands...)
	if err != nil {
		return nil, err
	}
	for _, group := range replicaGroups {
		if len(group) > 1 {
			return nil, fmt.Errorf("AllReduce over devices %v: backend %q has one device", group, Name)
		}
	}
	out := make([]backends.Op, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out, nil
}
