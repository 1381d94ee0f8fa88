package main

import (
	"fmt"
	"slices"
	"strings"
)

// generalRegisters maps x86's general registers. R16 and R17 are free for addresses and
// values within one instruction, R19 to R24 keep sums of base and index.
var generalRegisters = map[string]string{
	"AX": "R0", "CX": "R1", "DX": "R2", "BX": "R3", "SI": "R4", "DI": "R5", "BP": "R6",
	"R8": "R8", "R9": "R9", "R10": "R10", "R11": "R11", "R12": "R12", "R13": "R13", "R14": "R14", "R15": "R15",
}

const (
	addressRegister = "R16"
	valueRegister   = "R17"
)

var sumRegisters = [...]string{"R19", "R20", "R21", "R22", "R23", "R24"}

// translator turns one function into NEON.
type translator struct {
	f     *function
	pool  *pool
	after []set // vector registers needed behind each instruction
	out   []string
	at    int // the instruction at hand
	free  []int
	err   error

	usesPool bool
	sums     map[string]string // base, index and scale to a register that holds their sum
	nextSum  int
	labels   int
	inverted bool // the next conjunction is with the complement of a compare's mask

	place  [32]int // where the halves of the sixteen registers are
	copied *[2]int // what the next multiply-add takes instead of its last operand
}

func translate(f *function, p *pool) ([]string, error) {
	t := &translator{f: f, pool: p, sums: map[string]string{}}
	if product(t) {
		return t.out, t.err
	}
	t.after = liveness(f)
	t.place = home
	for i := range f.code {
		t.at = i
		t.instruction(&f.code[i])
		if t.err != nil {
			return nil, fmt.Errorf("%s %v: %w", f.code[i].op, f.code[i].args, t.err)
		}
	}
	if t.usesPool {
		t.out = append([]string{"\tMOVD $constants<>(SB), " + poolRegister}, t.out...)
	}
	return t.out, nil
}

func (t *translator) emit(format string, args ...any) {
	t.out = append(t.out, "\t"+fmt.Sprintf(format, args...))
}

func (t *translator) word(line string) { t.out = append(t.out, line) }

func (t *translator) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

func (t *translator) instruction(in *instruction) {
	if in.op == "" || in.op[0] == 'J' { // other paths meet here
		t.goHome()
	}
	t.findFree(in)
	switch {
	case in.op == "":
		t.label("%s", rename(in.label))
		t.sums = map[string]string{}
	case in.op == "RET":
		t.emit("RET")
	case in.op == "VZEROUPPER" || in.op == "SFENCE":
		// there is no such state, and stores past the caches keep the order of all others
	case in.op[0] == 'J':
		t.jump(in)
	case in.op == "PREFETCHT0" || in.op == "PREFETCHT1":
		base, disp := t.address(in.args[0])
		if base, disp = t.within(base, disp, 0, 32760, 8); disp != 0 {
			t.emit("PRFM %d(%s), PLDL%sKEEP", disp, base, map[string]string{"PREFETCHT0": "1", "PREFETCHT1": "2"}[in.op])
		} else {
			t.emit("PRFM (%s), PLDL%sKEEP", base, map[string]string{"PREFETCHT0": "1", "PREFETCHT1": "2"}[in.op])
		}
	case strings.HasPrefix(in.op, "V") || in.op == "MOVSS" || in.op == "MOVSD":
		t.vector(in)
	default:
		t.general(in)
	}
}

// findFree lists the vector registers that no value is in around an instruction.
func (t *translator) findFree(in *instruction) {
	busy := t.after[t.at] | in.uses() | in.defines()
	t.free = t.free[:0]
	for r := range 16 {
		if !busy.has(r) {
			t.free = append(t.free, t.place[2*r], t.place[2*r+1])
		}
	}
	if t.copied != nil { // the original may be dead already
		t.free = slices.DeleteFunc(t.free, func(r int) bool { return slices.Contains(t.copied[:], r) })
	}
}

// temporary returns a NEON register for use within the instruction.
func (t *translator) temporary() int {
	if len(t.free) == 0 {
		t.fail("no vector register is free")
		return 0
	}
	r := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	return r
}

// home is where the halves are at labels and jumps.
var home = func() (p [32]int) {
	for i := range p {
		p[i] = i
	}
	return p
}()

// half returns the NEON register of the lower or upper half of a register.
func (t *translator) half(o operand, h int) int { return t.place[2*o.reg+h] }

// settle makes r the register of a half: results need not be moved to where the half was.
func (t *translator) settle(o operand, h, r int) {
	for i, p := range t.place {
		if p == r {
			t.place[i] = t.place[2*o.reg+h]
		}
	}
	t.place[2*o.reg+h] = r
}

// goHome moves the halves that are needed behind the instruction at hand to their home.
func (t *translator) goHome() {
	pending := map[int]int{} // to a register from another
	for i, p := range t.place {
		if t.after[t.at].has(i/2) && p != i {
			pending[i] = p
		}
	}
	busy := func(r int) bool { // a value that is still to be moved, or stays
		for i, p := range t.place {
			if p == r && t.after[t.at].has(i/2) {
				return true
			}
		}
		return false
	}
	moveTo := func(i, r int) {
		t.word(move(r, t.place[i]))
		t.place[i] = r
	}
	for len(pending) > 0 {
		moved := false
		for i := range t.place {
			if _, ok := pending[i]; ok && !busy(i) {
				moveTo(i, i)
				delete(pending, i)
				moved = true
			}
		}
		if moved {
			continue
		}
		spare := slices.IndexFunc(home[:], func(r int) bool { return !busy(r) })
		if spare < 0 {
			t.fail("no register is free for a cycle of moves")
			return
		}
		for i := range t.place {
			if _, ok := pending[i]; ok {
				moveTo(i, spare)
				break
			}
		}
	}
	t.place = home
}

// conditions are the jumps that look at flags. Signed comparisons only: carry means the
// opposite on Arm.
var conditions = map[string]string{
	"JE": "BEQ", "JZ": "BEQ", "JNE": "BNE", "JNZ": "BNE", "JLT": "BLT", "JL": "BLT", "JLE": "BLE", "JGE": "BGE", "JGT": "BGT", "JG": "BGT",
}

func (t *translator) jump(in *instruction) {
	name := rename(in.args[0].name)
	if in.op == "JMP" {
		t.emit("B %s", name)
		return
	}
	condition, ok := conditions[in.op]
	if !ok {
		t.fail("unknown jump")
	}
	t.checkFlags()
	t.emit("%s %s", condition, name)
}

// checkFlags fails if the flags that the instruction at hand looks at may come from behind
// a label.
func (t *translator) checkFlags() {
	for i := t.at - 1; i >= 0 && t.f.code[i].op != ""; i-- {
		if setsFlags(&t.f.code[i]) {
			return
		}
	}
	t.fail("flags of another block")
}

func setsFlags(in *instruction) bool {
	switch in.op {
	case "ADDQ", "SUBQ", "ANDQ", "XORQ", "NEGQ", "INCQ", "DECQ", "SHLQ", "SHRQ", "CMPQ", "TESTQ", "TESTL", "TESTB", "IMULQ", "IMUL3Q":
		return true
	}
	return false
}

// flags says whether an instruction looks at the flags of the instruction at hand, and returns the
// suffix of the instruction that sets them.
func (t *translator) flags() string {
	for _, in := range t.f.code[t.at+1:] {
		switch {
		case in.op == "" || in.op == "JMP" || in.op == "RET" || setsFlags(&in):
			return ""
		case in.op[0] == 'J' || strings.HasPrefix(in.op, "CMOV"):
			return "S"
		}
	}
	return ""
}

// changed forgets sums of a register that is about to be written.
func (t *translator) changed(reg string) {
	for key := range t.sums {
		if parts := strings.Split(key, " "); parts[0] == reg || parts[1] == reg {
			delete(t.sums, key)
		}
	}
}

// address returns a base register and a displacement for an operand in memory.
func (t *translator) address(o operand) (base string, disp int) {
	if o.kind == parameter {
		t.fail("an address in the frame")
		return "", 0
	}
	base = generalRegisters[o.base]
	if o.index == "" {
		return base, int(o.value)
	}
	key := fmt.Sprintf("%s %s %d", o.base, o.index, o.scale)
	sum, ok := t.sums[key]
	if !ok {
		sum = sumRegisters[t.nextSum%len(sumRegisters)]
		t.nextSum++
		for k, r := range t.sums {
			if r == sum {
				delete(t.sums, k)
			}
		}
		t.emit("ADD %s, %s, %s", shifted(generalRegisters[o.index], o.scale), base, sum)
		t.sums[key] = sum
	}
	return sum, int(o.value)
}

func shifted(reg string, scale int) string {
	for by, s := range []int{1, 2, 4, 8} {
		if s == scale && by > 0 {
			return fmt.Sprintf("%s<<%d", reg, by)
		}
	}
	return reg
}

// within brings a displacement into what an instruction can hold.
func (t *translator) within(base string, disp, low, high, step int) (string, int) {
	if disp >= low && disp <= high && disp%step == 0 {
		return base, disp
	}
	t.emit("ADD $%d, %s, %s", disp, base, addressRegister)
	return addressRegister, 0
}

func at(base string, disp int) string {
	if disp == 0 {
		return "(" + base + ")"
	}
	return fmt.Sprintf("%d(%s)", disp, base)
}
