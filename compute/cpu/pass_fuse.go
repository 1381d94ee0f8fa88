package cpu

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// maxGroup bounds the nodes of a fused group: their registers should stay in cache.
const maxGroup = 48

// fuse merges element-wise nodes of equal size that feed each other, and sums over their
// leading axes, into nodes that are computed block by block, so that what is between them
// never goes to memory. Broadcast operands are read where they are.
func fuse(p *program) {
	f := newFuser(p)
	for i, n := range p.nodes {
		f.enter(i, n)
	}
	f.emit(p)
}

// fuser holds the groups while they grow. A group is known by the index of its first
// member; a node that cannot be fused is a group of its own.
type fuser struct {
	p       *program
	group   []int      // by node: its group
	members [][]int    // by group: its nodes, ascending
	inputs  [][]source // by node: where it reads from, looking through views and broadcasts
	fusible []bool     // by node
	ready   []int      // by group: see readiness
	users   map[value][]*node
}

func newFuser(p *program) *fuser {
	n := len(p.nodes)
	f := &fuser{p: p, group: make([]int, n), members: make([][]int, n), inputs: make([][]source, n), fusible: make([]bool, n), ready: make([]int, n), users: p.users()}
	for i, n := range p.nodes {
		n.index = i
	}
	return f
}

// enter adds the next node: as a group of its own, then merged with the groups of its
// inputs where that closes no circle.
func (f *fuser) enter(i int, n *node) {
	f.group[i], f.members[i] = i, []int{i}
	f.fusible[i] = isFusible(n)
	if f.fusible[i] {
		for _, in := range n.inputs {
			f.inputs[i] = append(f.inputs[i], sourceOf(in, iteration(n)))
		}
	} else {
		for _, in := range n.inputs {
			f.inputs[i] = append(f.inputs[i], source{value: in})
		}
	}
	f.ready[i] = f.readiness(i)
	if !f.fusible[i] {
		return
	}
	for _, in := range f.inputs[i] {
		a, b := f.group[in.node.index], f.group[i]
		if a != b && in.full() && f.fusible[in.node.index] && !f.leftToReader(n, a) && f.mayMerge(a, b) {
			f.merge(a, b)
		}
	}
}

// readiness is when a new group can run: the number, in the recorded order, of the last
// node before it that does work and is not fused. It never falls along the way from one
// group to one that needs it.
func (f *fuser) readiness(i int) int {
	n := f.p.nodes[i]
	switch {
	case n.op == backends.OpTypeParameter || n.op == backends.OpTypeConstant:
		return 0
	case f.fusible[i] || n.op == opView || n.op == backends.OpTypeBroadcastInDim:
		last := 0
		for _, in := range f.inputs[i] {
			last = max(last, f.ready[f.group[in.node.index]])
		}
		return last
	}
	return i
}

// leftToReader reports whether a comparison of what group a computes is better made by
// its reader, which can only run later: otherwise a mask would have to be kept as well as
// what it was made of. The backward pass reads the outputs of ReLUs in this way.
func (f *fuser) leftToReader(n *node, a int) bool {
	if blockOps[n.op].compare == nil {
		return false
	}
	for _, user := range f.users[value{n, 0}] {
		for _, in := range user.inputs {
			if from := in.node.index; in.node != n && (from > n.index || f.ready[f.group[from]] > f.ready[a]) {
				return true
			}
		}
	}
	return false
}

// mayMerge reports whether two groups, of which a runs before b, can be one.
func (f *fuser) mayMerge(a, b int) bool {
	if len(f.members[a])+len(f.members[b]) > maxGroup || spaceOf(f.p.nodes[a]) != spaceOf(f.p.nodes[b]) {
		return false
	}
	for _, i := range f.members[a] { // a sum is the end of a group: nobody in it reads it
		if isSum(f.p.nodes[i]) {
			for _, j := range f.members[b] {
				if slices.ContainsFunc(f.inputs[j], func(s source) bool { return s.node.index == i }) {
					return false
				}
			}
		}
	}
	if sumPeriod(f.p, append(slices.Clone(f.members[a]), f.members[b]...)) > maxBlock {
		return false
	}
	if f.delays(a, b) || f.delays(b, a) {
		return false
	}
	// Nothing else may stand between them. If they become ready at different times, the
	// earlier has no reader outside (see delays), so nothing does.
	return f.ready[a] != f.ready[b] || !f.between(a, b) && !f.between(b, a)
}

// delays reports whether merging makes group a wait for what only b needs, to the harm of
// others: of those who read a's results, or of the memory, if a has several operands of
// full size that would be kept instead of one result. The two views of a training step
// come together in sums of small vectors; this keeps one from waiting for the other.
func (f *fuser) delays(a, b int) bool {
	if f.ready[a] >= f.ready[b] {
		return false
	}
	operands := map[value]bool{}
	for _, i := range f.members[a] {
		for _, n := range f.users[value{f.p.nodes[i], 0}] {
			if g := f.group[n.index]; g != a && g != b && n.index <= f.members[b][len(f.members[b])-1] || n.index > f.members[b][len(f.members[b])-1] {
				return true
			}
		}
		for _, in := range f.inputs[i] {
			if in.full() && f.group[in.node.index] != a {
				operands[in.value] = true
			}
		}
	}
	const small = 1 << 14 // elements
	return len(operands) > 1 && spaceOf(f.p.nodes[f.members[a][0]]) > small
}

// between reports whether some group other than the two needs first and is needed by
// second. Such a group becomes ready when they do.
func (f *fuser) between(first, second int) bool {
	seen := map[int]bool{first: true, second: true}
	var needsFirst func(g int) bool
	needsFirst = func(g int) bool {
		for _, i := range f.members[g] {
			for _, in := range f.inputs[i] {
				from := f.group[in.node.index]
				if from == first && g != second {
					return true
				}
				if !seen[from] && f.ready[from] >= f.ready[first] {
					seen[from] = true
					if needsFirst(from) {
						return true
					}
				}
			}
		}
		return false
	}
	return needsFirst(second)
}

// merge joins b to a.
func (f *fuser) merge(a, b int) {
	keep, drop := min(a, b), max(a, b)
	for _, i := range f.members[drop] {
		f.group[i] = keep
	}
	f.members[keep] = append(f.members[keep], f.members[drop]...)
	slices.Sort(f.members[keep])
	f.members[drop] = nil
	f.ready[keep] = max(f.ready[keep], f.ready[drop])
}

// emit rebuilds the program with one node per group, in an order that respects them.
func (f *fuser) emit(p *program) {
	outside := f.readOutside()
	subst := map[value]value{}
	var nodes []*node
	done := make([]bool, len(p.nodes))
	var visit func(g int)
	visit = func(g int) {
		if done[g] {
			return
		}
		done[g] = true
		for _, in := range f.reads(g) {
			visit(f.group[in.node.index])
		}
		for _, n := range f.build(g, outside, subst) {
			nodes = append(nodes, n)
		}
	}
	// By last member: a group runs when the last of its members would have.
	last := make([]int, 0, len(p.nodes))
	for i := range p.nodes {
		if g := f.group[i]; f.members[g][len(f.members[g])-1] == i {
			last = append(last, g)
		}
	}
	for _, g := range last {
		visit(g)
	}
	for i, v := range p.outputs {
		if s, ok := subst[v]; ok {
			p.outputs[i] = s
		}
	}
	p.nodes = nodes
}

// isFused reports whether a group becomes a node of its own. A sum alone has a better kernel.
func (f *fuser) isFused(g int) bool {
	first := f.members[g][0]
	return f.fusible[first] && (len(f.members[g]) > 1 || !isSum(f.p.nodes[first]))
}

// reads lists what a group's members read: fused, they look through views and broadcasts.
func (f *fuser) reads(g int) []source {
	var all []source
	for _, i := range f.members[g] {
		if f.isFused(g) {
			all = append(all, f.inputs[i]...)
			continue
		}
		for _, in := range f.p.nodes[i].inputs {
			all = append(all, source{value: in})
		}
	}
	return all
}

// readOutside finds the values that are read outside their group, by groups that the
// outputs need. The others, such as broadcasts that all readers look through, fall away.
func (f *fuser) readOutside() map[value]bool {
	outside, needed := map[value]bool{}, map[int]bool{}
	var need func(g int)
	need = func(g int) {
		if needed[g] {
			return
		}
		needed[g] = true
		for _, in := range f.reads(g) {
			if from := f.group[in.node.index]; from != g || !in.full() {
				outside[in.value] = true
				need(from)
			}
		}
	}
	for _, v := range f.p.outputs {
		outside[v] = true
		need(f.group[v.node.index])
	}
	return outside
}

// build returns the node that stands for a group.
func (f *fuser) build(g int, outside map[value]bool, subst map[value]value) []*node {
	members := f.members[g]
	replace := func(n *node) {
		for k, in := range n.inputs {
			if s, ok := subst[in]; ok {
				n.inputs[k] = s
			}
		}
	}
	first := f.p.nodes[members[0]]
	if !f.isFused(g) {
		replace(first)
		return []*node{first}
	}
	b := newBlockBuilder(spaceOf(first))
	n := &node{op: opFused}
	for _, i := range members {
		b.member(f.p.nodes[i], f.inputs[i])
	}
	for _, i := range members {
		if v := (value{f.p.nodes[i], 0}); outside[v] {
			subst[v] = value{n, len(n.shapes)}
			n.shapes = append(n.shapes, v.shape())
			b.output(v)
		}
	}
	attr, inputs := b.finish()
	n.attr, n.inputs = attr, inputs
	replace(n)
	return []*node{n}
}

// isFusible reports whether a node can be a member of a group.
func isFusible(n *node) bool {
	if len(n.shapes) != 1 || spaceOf(n) == 0 {
		return false
	}
	if isSum(n) {
		return n.shapes[0].DType == dtypes.Float32 && n.shapes[0].Size() <= maxBlock
	}
	if !blockType(n.shapes[0].DType) {
		return false
	}
	for _, in := range n.inputs {
		s := sourceOf(in, iteration(n))
		if !blockType(in.shape().DType) || in.shape().DType == dtypes.Bool && !s.full() {
			return false
		}
	}
	op, ok := blockOps[n.op]
	isBool := n.shapes[0].DType == dtypes.Bool
	switch {
	case op.logical != nil || n.op == backends.OpTypeLogicalNot:
		return isBool
	case op.compare != nil: // of numbers
		return n.inputs[0].shape().DType != dtypes.Bool
	}
	return ok && !isBool
}

func blockType(d dtypes.DType) bool {
	return d == dtypes.Float32 || d == dtypes.BFloat16 || d == dtypes.Bool
}

// spaceOf is the number of elements over which a node iterates.
func spaceOf(n *node) int {
	if n.op == backends.OpTypeReduceSum {
		return n.inputs[0].shape().Size()
	}
	return n.shapes[0].Size()
}

// isSum reports whether a node sums over leading axes, so that element i of its operand
// goes to element i modulo the result's size.
func isSum(n *node) bool {
	if n.op != backends.OpTypeReduceSum {
		return false
	}
	dims, axes := n.inputs[0].shape().Dimensions, n.attr.(reduceAttr).axes
	kept := false
	for axis, dim := range dims {
		if dim == 1 {
			continue
		}
		reduced := slices.Contains(axes, axis) || len(axes) == 0
		if reduced && kept {
			return false
		}
		kept = kept || !reduced
	}
	return true
}

// sumPeriod is the least number of elements that every sum among the nodes divides.
func sumPeriod(p *program, members []int) int {
	period := 1
	for _, i := range members {
		if n := p.nodes[i]; isSum(n) {
			period = lcm(period, n.shapes[0].Size())
		}
	}
	return period
}

func lcm(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// source is where a member reads an operand: element i of the iteration is the element
// of value that the strides say.
type source struct {
	value
	dims, strides []int // merged axes of the iteration and the operand's stride along each; nil if full
}

// full reports whether element i of the iteration is element i of the value.
func (s source) full() bool { return s.dims == nil }

// iteration is the shape over which a node iterates.
func iteration(n *node) shapes.Shape {
	if n.op == backends.OpTypeReduceSum {
		return n.inputs[0].shape()
	}
	return n.shapes[0]
}

// sourceOf finds the memory behind an operand of a node that iterates over a shape.
func sourceOf(v value, over shapes.Shape) source {
	if v.shape().Size() != over.Size() {
		return newSource(behindWidening(v), over, broadcastStrides(v.shape(), over))
	}
	v = behindWidening(v)
	if v.op != backends.OpTypeBroadcastInDim {
		return source{value: v}
	}
	in := v.inputs[0]
	strides, step := make([]int, v.shape().Rank()), rowMajor(in.shape().Dimensions)
	for i, axis := range v.attr.(broadcastInDimAttr).axes {
		if in.shape().Dimensions[i] != 1 {
			strides[axis] = step[i]
		}
	}
	return newSource(behindWidening(in), v.shape(), strides)
}

// newSource merges the axes.
func newSource(v value, shape shapes.Shape, strides []int) source {
	dims, merged := mergeAxes(shape.Dimensions, strides)
	if len(dims) == 1 && merged[0][0] == 1 {
		return source{value: v}
	}
	return source{v, dims, merged[0]}
}

// behindViews returns the value whose memory v is.
func behindViews(v value) value {
	for v.op == opView {
		v = v.inputs[0]
	}
	return v
}

// behindWidening looks through views and through conversions of bfloat16 to float32,
// which every block does for itself as it reads: the narrow values are what stays in memory.
func behindWidening(v value) value {
	for {
		v = behindViews(v)
		if v.op != backends.OpTypeConvertDType || v.shape().DType != dtypes.Float32 || v.inputs[0].shape().DType != dtypes.BFloat16 {
			return v
		}
		v = v.inputs[0]
	}
}
