package cpu

import "fmt"

// LastExecutable is the one compiled last: GoMLX's graphs do not show theirs.
var LastExecutable *Executable

func init() { onCompile = func(e *Executable) { LastExecutable = e } }

// CheckPlan reports values that are alive at the same time in the same memory.
func (e *Executable) CheckPlan() error { return e.plan.check() }

// Ops counts the steps by operation and form.
func (e *Executable) Ops() map[string]int {
	ops := map[string]int{}
	for _, s := range e.steps {
		name := opName(s.op)
		if c, ok := s.attr.(convCall); ok {
			name = fmt.Sprint(name, " ", c.describe())
		}
		ops[name]++
	}
	return ops
}
