package cpu

import (
	"slices"

	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/gomlx/gomlx/backends"
)

// recomputation says what a computation lets go after the forward pass and computes anew
// when the backward pass reads it: the same kernel on the same values, and so the same
// bits. Batch norm forbids the other way to less memory, parts of a batch: its statistics
// would be those of the parts.
type recomputation int

const (
	keepAll        recomputation = iota
	recomputeNorms               // norms with their ReLU: one pass over memory each
	recomputeConvs               // convolutions too: a third more arithmetic of the online network's
)

const (
	recomputeBytes = 64 << 10 // smaller values are kept
	recomputeGap   = 16       // nodes between two readings; what is read sooner again is kept
)

// recompute looks for values that lie unread for long, and lets a copy of the node that
// made them run before the reading that ends the pause. The outputs of norms that end a
// residual block are kept: they are where all others of the block start from.
//
// It works on a scheduled program, from the last node to the first, since a copy reads
// values that may have been let go themselves.
func recompute(p *program, what recomputation) {
	if what == keepAll {
		return
	}
	r := recomputer{before: map[*node][]*node{}, place: map[*node]*node{}, at: map[*node]int{}, users: p.users(), results: map[value]bool{}}
	for i, n := range p.nodes {
		r.at[n] = i
	}
	for _, v := range p.outputs {
		r.results[v] = true
	}
	for _, n := range slices.Backward(p.nodes) {
		if n.op == opNormApply && len(n.inputs) == 3 || what >= recomputeConvs && isForwardConv(n) {
			r.consider(n)
		}
	}
	var nodes []*node
	for _, n := range p.nodes {
		nodes = append(append(nodes, r.before[n]...), n)
	}
	p.nodes = nodes
}

func isForwardConv(n *node) bool {
	c, ok := n.attr.(convCall)
	return ok && c.form == conv.Forward
}

type recomputer struct {
	before  map[*node][]*node // copies that run before a node of the program
	place   map[*node]*node   // the inverse
	at      map[*node]int     // position of a node; of a copy that of its place
	users   map[value][]*node
	results map[value]bool
}

// consider recomputes a node's value if that lets memory go.
func (r *recomputer) consider(n *node) {
	v := value{n, 0}
	if r.results[v] || byteLen(v.shape()) < recomputeBytes {
		return
	}
	readers := slices.Clone(r.users[v])
	slices.SortStableFunc(readers, func(a, b *node) int { return r.at[a] - r.at[b] })
	split, pause := 0, recomputeGap-1
	for i := 1; i < len(readers); i++ {
		if gap := r.at[readers[i]] - r.at[readers[i-1]]; gap > pause {
			split, pause = i, gap
		}
	}
	if split == 0 || slices.ContainsFunc(readers, func(u *node) bool { return u.op == opView }) {
		return
	}
	for _, in := range n.inputs { // which must not be held for this alone
		if byteLen(in.shape()) >= recomputeBytes && !r.livesAt(in, r.at[readers[split]]) {
			return
		}
	}
	c := *n
	c.inputs = slices.Clone(n.inputs)
	again, place := &c, r.placeOf(readers[split])
	r.at[again], r.place[again] = r.at[place], place
	r.before[place] = append([]*node{again}, r.before[place]...) // in front of what reads it
	for _, in := range again.inputs {
		r.users[in] = append(r.users[in], again)
	}
	r.users[v], r.users[value{again, 0}] = readers[:split:split], readers[split:]
	for _, u := range readers[split:] {
		for i, in := range u.inputs {
			if in == v {
				u.inputs[i] = value{again, 0}
			}
		}
	}
}

// placeOf returns the node of the program before which a copy runs; others stay where they are.
func (r *recomputer) placeOf(n *node) *node {
	if p, ok := r.place[n]; ok {
		return p
	}
	return n
}

// livesAt reports whether a value is there at a position anyway.
func (r *recomputer) livesAt(v value, at int) bool {
	if r.results[v] || v.op == backends.OpTypeParameter || v.op == backends.OpTypeConstant {
		return true
	}
	return slices.ContainsFunc(r.users[v], func(u *node) bool { return r.at[u] >= at })
}
