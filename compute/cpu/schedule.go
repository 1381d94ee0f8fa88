package cpu

import "github.com/gomlx/gomlx/backends"

// schedule keeps the recorded order, in which a training step is written view by view,
// but runs a node as soon as it can run if that frees at least as much memory as it
// takes: a sum of two gradients need not wait for the end.
func schedule(p *program) {
	s := newScheduler(p)
	for _, n := range p.nodes { // there from the beginning
		if n.op == backends.OpTypeParameter || n.op == backends.OpTypeConstant {
			s.run(n)
		}
	}
	for _, n := range p.nodes {
		s.run(n)
	}
	p.nodes = s.order
}

type scheduler struct {
	order   []*node
	done    map[*node]bool
	readers map[value][]*node // by the value whose memory is read
	waiting map[*node]int     // operands that are not there yet
	left    map[value]int     // readings to come, by the value whose memory it is
	results map[value]bool
}

func newScheduler(p *program) *scheduler {
	s := &scheduler{done: map[*node]bool{}, readers: p.users(), waiting: map[*node]int{}, left: map[value]int{}, results: map[value]bool{}}
	for _, n := range p.nodes {
		s.waiting[n] = len(n.inputs)
		if n.op == opView {
			continue
		}
		for _, in := range n.inputs {
			s.left[behindViews(in)]++
		}
	}
	for _, v := range p.outputs {
		s.results[behindViews(v)] = true
		s.left[behindViews(v)]++
	}
	return s
}

// run appends a node, and then those that it made ready and that free memory.
func (s *scheduler) run(n *node) {
	if s.done[n] {
		return
	}
	s.done[n] = true
	s.order = append(s.order, n)
	if n.op != opView {
		for _, in := range n.inputs {
			s.left[behindViews(in)]--
		}
	}
	var ready []*node
	for out := range n.shapes {
		for _, user := range s.readers[value{n, out}] {
			if s.waiting[user]--; s.waiting[user] == 0 {
				ready = append(ready, user)
			}
		}
	}
	for _, user := range ready {
		if user.op == opView || s.grows(user) <= 0 {
			s.run(user)
		}
	}
}

// grows returns the bytes that a node takes minus those that it is the last to read.
// Results and inputs of the program do not count: their memory is there anyway.
func (s *scheduler) grows(n *node) int {
	total := 0
	for out, shape := range n.shapes {
		if !s.results[value{n, out}] {
			total += byteLen(shape)
		}
	}
	readings := map[value]int{}
	for _, in := range n.inputs {
		readings[behindViews(in)]++
	}
	for v, count := range readings {
		if s.left[v] == count && !s.results[v] && v.op != backends.OpTypeParameter && v.op != backends.OpTypeConstant {
			total -= byteLen(v.shape())
		}
	}
	return total
}
