package main

import "strings"

// set is a set of the sixteen vector registers.
type set uint16

func (s set) has(r int) bool { return s>>r&1 == 1 }

// uses and defines say which vector registers an instruction reads and writes whole.
func (in *instruction) uses() (s set) {
	n := len(in.args)
	for i, a := range in.args {
		if a.kind == vector && (i < n-1 || in.readsLast()) {
			s |= 1 << a.reg
		}
	}
	if in.zeroes() {
		return 0
	}
	return s
}

func (in *instruction) defines() set {
	if n := len(in.args); n > 0 && in.args[n-1].kind == vector && in.op != "" {
		return 1 << in.args[n-1].reg
	}
	return 0
}

// readsLast says whether the last operand is read too.
func (in *instruction) readsLast() bool {
	return strings.HasPrefix(in.op, "VFMADD") || strings.HasPrefix(in.op, "VFNMADD")
}

// zeroes recognises a register's difference with itself.
func (in *instruction) zeroes() bool {
	return (in.op == "VXORPS" || in.op == "VPXOR") && len(in.args) == 3 && in.args[0].kind == vector && in.args[0].reg == in.args[1].reg
}

// liveness returns, for every instruction, the vector registers whose values are needed
// behind it.
func liveness(f *function) []set {
	labels := map[string]int{}
	for i, in := range f.code {
		if in.op == "" {
			labels[in.label] = i
		}
	}
	before, after := make([]set, len(f.code)+1), make([]set, len(f.code))
	for changed := true; changed; {
		changed = false
		for i := len(f.code) - 1; i >= 0; i-- {
			in := &f.code[i]
			out := before[i+1]
			if in.op == "RET" || in.op == "JMP" {
				out = 0
			}
			if in.op != "" && in.op[0] == 'J' {
				out |= before[labels[in.args[0].name]]
			}
			next := out&^in.defines() | in.uses()
			if next != before[i] || out != after[i] {
				before[i], after[i], changed = next, out, true
			}
		}
	}
	return after
}
