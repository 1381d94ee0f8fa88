package cpu

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/backends"
)

// storageKind says whose memory a storage is.
type storageKind int

const (
	inArena     storageKind = iota // the executable's, shared by storages of other times
	ofParameter                    // an input's
	ofConstant                     // the graph's
	ofOutput                       // a result's: it outlives the execution
)

// storage is memory that holds one value, several that are views of each other, or
// several of which each is written over the one before.
type storage struct {
	kind      storageKind
	bytes     int
	def, last int     // first and last node that touches it; len(nodes) for a result's end
	offset    int     // in the arena
	param     int     // input number of ofParameter
	constant  *Buffer // of ofConstant
	donor     int     // of ofOutput: the input whose memory it takes when donated, or -1
}

// plan says where each value of a program lives.
type plan struct {
	values     []value
	index      map[value]int
	storageOf  []*storage // by value
	storages   []*storage
	scratch    []int // by node: its temporary storage in storages, or -1
	arenaBytes int
	nodes      int
}

// newPlan gives every value its memory: one arena for what lives during the execution
// only, memory of their own for results. With off["inplace"] no node writes over an
// operand; with off["plan"] no two storages share memory.
func newPlan(p *program, threads int, off map[string]bool) *plan {
	m := &plan{index: map[value]int{}, nodes: len(p.nodes)}
	m.addValues(p)
	last := m.lastUses(p)
	m.assign(p, last, !off["inplace"])
	for i, n := range p.nodes {
		m.scratch = append(m.scratch, -1)
		if k := kernels[n.op]; k.scratch != nil {
			if bytes := k.scratch(n, threads); bytes > 0 {
				m.scratch[i] = len(m.storages)
				m.storages = append(m.storages, &storage{bytes: bytes, def: i, last: i, donor: -1})
			}
		}
	}
	if !off["inplace"] {
		m.pairDonors(p)
	}
	m.place(off["plan"])
	return m
}

func (m *plan) addValues(p *program) {
	for _, n := range p.params {
		m.addValue(value{n, 0})
	}
	for _, n := range p.nodes {
		for out := range n.shapes {
			m.addValue(value{n, out})
		}
	}
}

func (m *plan) addValue(v value) {
	if _, known := m.index[v]; !known {
		m.index[v] = len(m.values)
		m.values = append(m.values, v)
	}
}

// lastUses returns per value the index of the last node that reads it itself (readers
// of its views count for the views), at least its own; len(nodes) for outputs.
func (m *plan) lastUses(p *program) []int {
	last := make([]int, len(m.values))
	for i, v := range m.values {
		last[i] = v.node.index
		if v.op == backends.OpTypeParameter {
			last[i] = -1
		}
	}
	for i, n := range p.nodes {
		for _, in := range n.inputs {
			last[m.index[in]] = i
		}
	}
	for _, v := range p.outputs {
		last[m.index[v]] = len(p.nodes)
	}
	// A view is read when its origin is: from the last node backwards, so that views of
	// views count.
	for i := len(p.nodes) - 1; i >= 0; i-- {
		if n := p.nodes[i]; isView(n) {
			in := m.index[n.inputs[0]]
			last[in] = max(last[in], last[m.index[value{n, 0}]])
		}
	}
	return last
}

// isView reports whether a node's result is its input's memory.
func isView(n *node) bool { return n.op == opView }

// assign makes the storages, in the order of the nodes.
func (m *plan) assign(p *program, last []int, inPlace bool) {
	m.storageOf = make([]*storage, len(m.values))
	isOutput := make([]bool, len(m.values))
	for _, v := range p.outputs {
		isOutput[m.index[v]] = true
	}
	add := func(v value, kind storageKind) *storage {
		i := m.index[v]
		s := &storage{kind: kind, bytes: byteLen(v.shape()), def: v.node.index, last: last[i], donor: -1}
		m.storages = append(m.storages, s)
		m.storageOf[i] = s
		return s
	}
	for _, n := range p.params {
		s := add(value{n, 0}, ofParameter)
		s.param, s.def = n.attr.(parameter).index, -1
	}
	for _, n := range p.nodes {
		switch {
		case n.op == backends.OpTypeParameter:
		case n.op == backends.OpTypeConstant:
			add(value{n, 0}, ofConstant).constant = n.attr.(*Buffer)
		case isView(n):
			i, s := m.index[value{n, 0}], m.storageOf[m.index[n.inputs[0]]]
			m.storageOf[i] = s
			if isOutput[i] && s.kind == inArena {
				s.kind = ofOutput
			}
		default:
			taken := map[*storage]bool{}
			for out := range n.shapes {
				v := value{n, out}
				i := m.index[v]
				if isOutput[i] { // not over an operand: a donated input may take it from here on
					add(v, ofOutput)
					continue
				}
				if s := m.overwritable(n, out, last, taken); inPlace && s != nil {
					taken[s] = true
					s.last = max(s.last, last[i])
					m.storageOf[i] = s
					continue
				}
				add(v, inArena)
			}
		}
	}
}

// overwritable finds an operand whose memory an output of n may take: no later node
// reads it, it has the same size, and the kernel reads an element before it writes it.
func (m *plan) overwritable(n *node, out int, last []int, taken map[*storage]bool) *storage {
	for k, in := range n.inputs {
		s := m.storageOf[m.index[in]]
		if s.kind == inArena && !taken[s] && s.last == n.index && s.bytes == byteLen(n.shapes[out]) && mayShare(n, out, k) {
			return s
		}
	}
	return nil
}

// mayShare reports whether the kernel of n may write an output over an input.
func mayShare(n *node, out, in int) bool {
	k := kernels[n.op]
	if k.share != nil {
		return k.share(n, out, in)
	}
	return k.inPlace && out == 0
}

// pairDonors finds for results the input whose memory they may take if it is donated:
// one of the same size that no node reads after the result's first writing. Preferred are
// the input of the same number, which in a training step is the old state of the new one,
// then one that the writing node itself reads, then any.
func (m *plan) pairDonors(p *program) {
	params := make([]*storage, len(p.params))
	for i, n := range p.params {
		params[i] = m.storageOf[m.index[value{n, 0}]]
	}
	used := make([]bool, len(params))
	pair := func(s *storage, param int) {
		if s.kind == ofOutput && s.donor < 0 && !used[param] && m.mayTake(p, s, params[param]) {
			s.donor, used[param] = param, true
		}
	}
	var results []*storage
	for i, v := range p.outputs {
		s := m.storageOf[m.index[v]]
		results = append(results, s)
		if i < len(params) {
			pair(s, i)
		}
	}
	for _, s := range results {
		if s.kind == ofOutput {
			for _, in := range p.nodes[s.def].inputs {
				if d := m.storageOf[m.index[in]]; d.kind == ofParameter {
					pair(s, d.param)
				}
			}
		}
	}
	for _, s := range results {
		for param := range params {
			pair(s, param)
		}
	}
}

// mayTake reports whether a result may be written to an input's memory.
func (m *plan) mayTake(p *program, s, param *storage) bool {
	if param.bytes != s.bytes || param.last > s.def {
		return false
	}
	if param.last < s.def {
		return true
	}
	n := p.nodes[s.def]
	for out := range n.shapes {
		for in, v := range n.inputs {
			if m.storageOf[m.index[value{n, out}]] == s && m.storageOf[m.index[v]] == param && !mayShare(n, out, in) {
				return false
			}
		}
	}
	return true
}

// place gives the arena's storages their offsets: the largest first, each into the
// smallest gap between those that live at the same time. With apart, nothing shares.
func (m *plan) place(apart bool) {
	var todo []*storage
	for _, s := range m.storages {
		if s.kind == inArena && s.bytes > 0 {
			todo = append(todo, s)
		}
	}
	slices.SortStableFunc(todo, func(a, b *storage) int {
		if c := cmp.Compare(b.bytes, a.bytes); c != 0 {
			return c
		}
		return cmp.Compare(b.last-b.def, a.last-a.def)
	})
	var placed []*storage // by offset
	for _, s := range todo {
		s.offset = gap(placed, s, apart)
		at, _ := slices.BinarySearchFunc(placed, s.offset, func(o *storage, off int) int { return cmp.Compare(o.offset, off) })
		placed = slices.Insert(placed, at, s)
		m.arenaBytes = max(m.arenaBytes, s.offset+roundUp(s.bytes, align))
	}
}

// gap finds the best offset for s among the placed storages, which are sorted by offset.
func gap(placed []*storage, s *storage, apart bool) int {
	best, bestSize, end := -1, 0, 0
	need := roundUp(s.bytes, align)
	for _, o := range placed {
		if !apart && (o.last < s.def || s.last < o.def) {
			continue
		}
		if size := o.offset - end; size >= need && (best < 0 || size < bestSize) {
			best, bestSize = end, size
		}
		end = max(end, o.offset+roundUp(o.bytes, align))
	}
	if best < 0 {
		return end
	}
	return best
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// peakBytes is the arena and the results that take no donated input's place.
func (m *plan) peakBytes() int {
	total := m.arenaBytes
	for _, s := range m.storages {
		if s.kind == ofOutput && s.donor < 0 {
			total += s.bytes
		}
	}
	return total
}

// check reports two storages that hold something at the same time in the same memory.
// Tests run it on every plan.
func (m *plan) check() error {
	var arena []*storage
	for _, s := range m.storages {
		if s.kind == inArena && s.bytes > 0 {
			arena = append(arena, s)
		}
	}
	for i, a := range arena {
		if a.offset < 0 || a.offset%align != 0 || a.offset+a.bytes > m.arenaBytes {
			return fmt.Errorf("storage of %d bytes at %d in an arena of %d", a.bytes, a.offset, m.arenaBytes)
		}
		for _, b := range arena[:i] {
			if a.last >= b.def && b.last >= a.def && a.offset < b.offset+b.bytes && b.offset < a.offset+a.bytes {
				return fmt.Errorf("storages of nodes %d to %d and %d to %d overlap in memory", a.def, a.last, b.def, b.last)
			}
		}
	}
	return nil
}
