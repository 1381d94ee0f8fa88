package cpu

import "fmt"

// CheckPlan reports values that are alive at the same time in the same memory.
func (e *Executable) CheckPlan() error { return e.plan.check() }

// Ops counts the steps by operation and form.
func (e *Executable) Ops() map[string]int {
	ops := map[string]int{}
	for _, s := range e.steps {
		name := opName(s.op)
		switch a := s.attr.(type) {
		case convCall, *givenConv, normApply, normSums, normGrad:
			name += " " + a.(interface{ describe() string }).describe()
		}
		ops[name]++
	}
	return ops
}

// Describe lists what is alive when the most is.
func (e *Executable) Describe() string {
	m := e.plan
	most, at := 0, 0
	for t := range m.nodes {
		live := 0
		for _, s := range m.storages {
			if s.kind == inArena && s.def <= t && t <= s.last {
				live += s.bytes
			}
		}
		if live > most {
			most, at = live, t
		}
	}
	text := fmt.Sprintf("arena %d MB, alive at node %d of %d: %d MB\n", m.arenaBytes>>20, at, m.nodes, most>>20)
	for _, s := range m.storages {
		if s.kind == inArena && s.def <= at && at <= s.last && s.bytes > 4<<20 {
			text += fmt.Sprintf("  %d MB from %d to %d", s.bytes>>20, s.def, s.last)
			for i, v := range m.values {
				if m.storageOf[i] == s && v.op != opView {
					text += fmt.Sprintf(" %d:%s%v", v.index, opName(v.op), v.shape().Dimensions)
				}
			}
			text += "\n"
		}
	}
	results := 0
	for _, s := range m.storages {
		if s.kind == ofOutput && s.donor < 0 {
			results += s.bytes
			if s.bytes > 1<<20 {
				text += fmt.Sprintf("  result without donor: %d MB from %d to %d\n", s.bytes>>20, s.def, s.last)
			}
		}
	}
	return text + fmt.Sprintf("  results without a donor: %d MB", results>>20)
}

// ArenaBytes is the memory that executions share.
func (e *Executable) ArenaBytes() int { return e.plan.arenaBytes }

// Programs writes the instructions of the fused steps.
func (e *Executable) Programs() []string {
	names := map[blockKind]string{blockMulAdd: "muladd", blockMulSum: "mulsum", blockSum: "sum", blockReLUGrad: "relu", blockRound: "round",
		blockStore: "store", blockWiden: "widen", blockFill: "fill", blockCopy: "copy"}
	var programs []string
	for _, s := range e.steps {
		a, ok := s.attr.(*fusedAttr)
		if !ok {
			continue
		}
		text := ""
		for _, i := range a.program {
			name := names[i.kind]
			if name == "" {
				name = "op"
			}
			text += name + " "
		}
		programs = append(programs, text[:max(0, len(text)-1)])
	}
	return programs
}
