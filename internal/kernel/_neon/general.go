package main

import "fmt"

// general translates an instruction on general registers.
func (t *translator) general(in *instruction) {
	n := len(in.args)
	last := in.args[n-1]
	name := generalRegisters[last.name]
	switch in.op {
	case "CMPQ":
		t.emit("CMP %s, %s", t.value(in.args[1]), generalRegisters[in.args[0].name])
		return
	case "TESTQ", "TESTL", "TESTB":
		mnemonic := map[string]string{"TESTQ": "TST", "TESTL": "TSTW", "TESTB": "TSTW"}[in.op]
		t.emit("%s %s, %s", mnemonic, t.value(in.args[0]), name)
		return
	case "MOVQ", "MOVL", "MOVB", "MOVBLZX", "MOVLQSX":
		t.moveGeneral(in)
		return
	case "CMOVQLT", "CMOVQGT":
		t.checkFlags()
		from := generalRegisters[in.args[0].name]
		t.changed(last.name)
		t.emit("CSEL %s, %s, %s, %s", in.op[len("CMOVQ"):], from, name, name)
		return
	case "LEAQ":
		t.effective(in.args[0], last.name)
		return
	}
	from := ""
	if n > 1 {
		from = t.value(in.args[0])
	}
	t.changed(last.name)
	s := t.flags()
	switch in.op {
	case "ADDQ":
		t.emit("ADD%s %s, %s", s, from, name)
	case "SUBQ":
		t.emit("SUB%s %s, %s", s, from, name)
	case "ANDQ":
		t.emit("AND%s %s, %s", s, from, name)
	case "INCQ":
		t.emit("ADD%s $1, %s", s, name)
	case "DECQ":
		t.emit("SUB%s $1, %s", s, name)
	case "NEGQ":
		t.emit("NEG%s %s, %s", s, name, name)
	case "XORQ":
		if in.args[0].name != last.name || s != "" {
			t.fail("only zeroes a register")
		}
		t.emit("MOVD ZR, %s", name)
	case "SHLQ", "SHRQ":
		t.emit("%s %s, %s", map[string]string{"SHLQ": "LSL", "SHRQ": "LSR"}[in.op], from, name)
		if s != "" {
			t.emit("CMP $0, %s", name)
		}
	case "IMULQ":
		t.emit("MOVD %s, %s", from, valueRegister)
		t.emit("MUL %s, %s", valueRegister, name)
	case "IMUL3Q":
		t.emit("MOVD %s, %s", from, valueRegister)
		t.emit("MUL %s, %s, %s", valueRegister, generalRegisters[in.args[1].name], name)
	default:
		t.fail("unknown instruction")
	}
}

// value returns a general register or number; what is in memory is read.
func (t *translator) value(o operand) string {
	switch o.kind {
	case immediate:
		return fmt.Sprintf("$%d", o.value)
	case register:
		return generalRegisters[o.name]
	case memory:
		base, disp := t.address(o)
		t.emit("MOVD %s, %s", at(base, disp), valueRegister)
		return valueRegister
	case parameter:
		t.emit("MOVD %s+%d(FP), %s", o.name, o.value, valueRegister)
		return valueRegister
	}
	t.fail("an operand of an unknown kind")
	return ""
}

// local returns a place in the function's frame: behind the link register's.
func local(o operand) string { return fmt.Sprintf("%d(RSP)", 8+o.value) }

func (t *translator) moveGeneral(in *instruction) {
	from, to := in.args[0], in.args[1]
	mnemonic := map[string]string{"MOVQ": "MOVD", "MOVL": "MOVWU", "MOVB": "MOVBU", "MOVBLZX": "MOVBU", "MOVLQSX": "MOVW"}[in.op]
	if to.kind != register {
		if in.op != "MOVQ" {
			t.fail("only words of 64 bits are written")
		}
		where := ""
		switch {
		case to.kind == memory && to.base == "SP":
			where = local(to)
		case to.kind == memory:
			where = at(t.address(to))
		default:
			where = fmt.Sprintf("%s+%d(FP)", to.name, to.value)
		}
		t.emit("MOVD %s, %s", t.value(from), where)
		return
	}
	where := ""
	switch from.kind {
	case immediate, register:
		where = t.value(from)
		if from.kind == immediate && in.op == "MOVL" {
			where = fmt.Sprintf("$%d", uint32(from.value))
			mnemonic = "MOVD"
		}
	case memory:
		if from.base == "SP" {
			where = local(from)
		} else {
			where = at(t.address(from))
		}
	case parameter:
		where = fmt.Sprintf("%s+%d(FP)", from.name, from.value)
	default:
		t.fail("an operand of an unknown kind")
	}
	t.changed(to.name)
	t.emit("%s %s, %s", mnemonic, where, generalRegisters[to.name])
}

// effective puts an address in a register.
func (t *translator) effective(o operand, to string) {
	name := generalRegisters[to]
	if o.kind == symbol {
		t.pool.symbols[o.name] = true
		t.changed(to)
		t.emit("MOVD $%s<>+%d(SB), %s", o.name, o.value, name)
		return
	}
	base := generalRegisters[o.base]
	if o.index != "" {
		t.emit("ADD %s, %s, %s", shifted(generalRegisters[o.index], o.scale), base, valueRegister)
		base = valueRegister
	}
	t.changed(to)
	if o.value == 0 {
		t.emit("MOVD %s, %s", base, name)
	} else {
		t.emit("ADD $%d, %s, %s", o.value, base, name)
	}
}
