package cpu

import (
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// The passes of a batch norm over the last axis, with the ReLU and the residual sum around
// it. Arrays are float32 or bfloat16, all of one call alike; vectors, one value per
// channel, are float32.

// normApply is the attr of opNormApply: y = x·scale + shift, + residual if there is a
// fourth input, then a ReLU. Inputs: x, scale, shift, residual.
type normApply struct{ relu bool }

func (a normApply) describe() string {
	if a.relu {
		return "relu"
	}
	return "linear"
}

// normMask says where dy counts as 0, and by which further inputs.
type normMask int

const (
	noMask    normMask = iota
	maskOfOut          // where y ≤ 0; input y
	maskOfIn           // where x·scale + shift ≤ 0; inputs scale and shift
)

// normSums is the attr of opNormSums, whose results are Σdy and Σdy·(x−mean) per channel.
// Inputs: dy, x, mean, and those of the mask. With keep, which needs maskOfOut, the masked
// dy is a third result; with added, which needs keep, dy is the sum of the first and the
// last input.
type normSums struct {
	mask        normMask
	keep, added bool
}

func (a normSums) describe() string {
	return flags("sums", a.mask == maskOfOut, "masked", a.mask == maskOfIn, "masked by x", a.keep, "kept", a.added, "added")
}

// normGrad is the attr of opNormGrad, whose result is a·dy + b·x + d. Inputs: dy, x, a, b,
// d, and those of the mask.
type normGrad struct{ mask normMask }

func (a normGrad) describe() string {
	return flags("grad", a.mask == maskOfOut, "masked", a.mask == maskOfIn, "masked by x")
}

// normOperations counts a pass's operations per element, as fusedAttr.FLOP does.
func normOperations(attr any, inputs int) float64 {
	switch a := attr.(type) {
	case channelStats: // the shift, a sum, and a product in a sum
		return 4
	case normApply:
		n := float64(inputs - 1) // the product in a sum, a residual
		if a.relu {
			n++
		}
		return n
	case normSums:
		return []float64{noMask: 4, maskOfOut: 5, maskOfIn: 7}[a.mask] + map[bool]float64{true: 1}[a.added]
	case normGrad:
		return []float64{noMask: 4, maskOfOut: 5, maskOfIn: 7}[a.mask]
	}
	return 0
}

// flags writes a name and those words that follow a true.
func flags(name string, pairs ...any) string {
	words := []string{name}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			words = append(words, pairs[i+1].(string))
		}
	}
	return strings.Join(words, " ")
}

func init() {
	// x, the residual and dy may be overwritten: each kernel reads an element of all
	// arrays before it writes that element.
	register(opNormApply, kernel{eval: byElement(evalNormApply[float32], evalNormApply[uint16]),
		share: func(_ *node, _, in int) bool { return in == 0 || in == 3 }})
	register(opNormSums, kernel{eval: byElement(evalNormSums[float32], evalNormSums[uint16]),
		scratch: func(n *node, _ int) int {
			rows, c := normRows(n.inputs[1])
			return reduce.BatchGradScratchBytes(rows, c)
		},
		share: func(n *node, out, in int) bool {
			return out == 2 && (in == 0 || n.attr.(normSums).added && in == len(n.inputs)-1)
		}})
	register(opNormGrad, kernel{eval: byElement(evalNormGrad[float32], evalNormGrad[uint16]),
		share: func(_ *node, _, in int) bool { return in < 2 }})
}

// byElement picks a kernel by the type of the first input.
func byElement(wide, half func(c *call)) func(c *call) {
	return func(c *call) {
		if c.in[0].shape.DType == dtypes.BFloat16 {
			half(c)
			return
		}
		wide(c)
	}
}

// normRows returns the size of an array as rows of channels.
func normRows(x value) (rows, channels int) {
	channels = x.shape().Dimensions[x.shape().Rank()-1]
	return x.shape().Size() / channels, channels
}

func evalNormApply[T reduce.Element](c *call) {
	y, x := flat[T](c.out[0]), flat[T](c.in[0])
	scale, shift := flat[float32](c.in[1]), flat[float32](c.in[2])
	relu := c.attr.(normApply).relu
	if len(c.in) == 3 {
		if relu {
			reduce.AffineReLU(c.pool, y, x, scale, shift)
		} else {
			reduce.Affine(c.pool, y, x, scale, shift)
		}
		return
	}
	if residual := flat[T](c.in[3]); relu {
		reduce.AffineAddReLU(c.pool, y, x, residual, scale, shift)
	} else {
		reduce.AffineAdd(c.pool, y, x, residual, scale, shift)
	}
}

func evalNormSums[T reduce.Element](c *call) {
	a := c.attr.(normSums)
	rows, channels := normRows(c.inputs[1])
	sumDY, sumDYX := flat[float32](c.out[0]), flat[float32](c.out[1])
	dy, x, mean := flat[T](c.in[0]), flat[T](c.in[1]), flat[float32](c.in[2])
	var kept []T
	if a.keep {
		kept = flat[T](c.out[2])
	}
	switch {
	case a.added:
		reduce.BatchGradSumsAddReLU(c.pool, sumDY, sumDYX, kept, dy, flat[T](c.in[4]), x, flat[T](c.in[3]), mean, rows, channels, c.scratch)
	case a.mask == maskOfOut:
		reduce.BatchGradSumsReLU(c.pool, sumDY, sumDYX, kept, dy, x, flat[T](c.in[3]), mean, rows, channels, c.scratch)
	case a.mask == maskOfIn:
		reduce.BatchGradSumsAffineReLU(c.pool, sumDY, sumDYX, dy, x, mean, flat[float32](c.in[3]), flat[float32](c.in[4]), rows, channels, c.scratch)
	default:
		reduce.BatchGradSums(c.pool, sumDY, sumDYX, dy, x, mean, rows, channels, c.scratch)
	}
}

func evalNormGrad[T reduce.Element](c *call) {
	dx, dy, x := flat[T](c.out[0]), flat[T](c.in[0]), flat[T](c.in[1])
	a, b, d := flat[float32](c.in[2]), flat[float32](c.in[3]), flat[float32](c.in[4])
	switch c.attr.(normGrad).mask {
	case maskOfOut:
		reduce.BatchGradApplyReLU(c.pool, dx, dy, x, flat[T](c.in[5]), a, b, d)
	case maskOfIn:
		reduce.BatchGradApplyAffineReLU(c.pool, dx, dy, x, a, b, d, flat[float32](c.in[5]), flat[float32](c.in[6]))
	default:
		reduce.BatchGradApply(c.pool, dx, dy, x, a, b, d)
	}
}

// usersOf says who reads the values of a program.
type usersOf struct {
	users   map[value][]*node
	outputs []value
}

func newUsersOf(p *program) usersOf { return usersOf{p.users(), p.outputs} }

// only reports whether a value is read by the given nodes alone, once each, and is no
// result of the program.
func (u usersOf) only(v value, nodes ...*node) bool {
	return len(u.users[v]) == len(nodes) && !u.isOutput(v) && !slices.ContainsFunc(u.users[v], func(n *node) bool { return !slices.Contains(nodes, n) })
}

func (u usersOf) isOutput(v value) bool { return slices.Contains(u.outputs, v) }

// narrowed reports whether every reader of a value turns it to bfloat16 first.
func (u usersOf) narrowed(v value) bool {
	return !u.isOutput(v) && !slices.ContainsFunc(u.users[v], func(n *node) bool {
		return n.op != backends.OpTypeConvertDType || n.shapes[0].DType != dtypes.BFloat16
	})
}
