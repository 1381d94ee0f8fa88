package cpu

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/backends"
)

// smallConstant is the size in bytes up to which constants are compared.
const smallConstant = 256

// shareCommon keeps one of several nodes that compute the same from the same.
func shareCommon(p *program) {
	seen := map[string][]value{}
	numbers := map[*node]int{}
	p.rewrite(func(r *rewriter, n *node) []value {
		key, ok := commonKey(n, numbers)
		if !ok {
			numbers[n] = len(numbers)
			return nil
		}
		if same, dup := seen[key]; dup {
			return same
		}
		numbers[n] = len(numbers)
		values := make([]value, len(n.shapes))
		for i := range values {
			values[i] = value{n, i}
		}
		seen[key] = values
		return nil
	})
}

// commonKey describes what a node computes; false if it has to stay on its own. The attrs
// are plain structs of numbers, so that their printed form tells them apart.
func commonKey(n *node, numbers map[*node]int) (string, bool) {
	var b strings.Builder
	switch n.op {
	case backends.OpTypeParameter:
		return "", false
	case backends.OpTypeConstant:
		buf := n.attr.(*Buffer)
		if len(buf.bytes) > smallConstant {
			return "", false
		}
		fmt.Fprintf(&b, "constant %s %x", buf.shape, buf.bytes)
		return b.String(), true
	}
	fmt.Fprintf(&b, "%d %T%+v %v", n.op, n.attr, n.attr, n.shapes)
	for _, in := range n.inputs {
		fmt.Fprintf(&b, " %d.%d", numbers[in.node], in.out)
	}
	return b.String(), true
}
