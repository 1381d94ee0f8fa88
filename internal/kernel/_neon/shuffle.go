package main

// Instructions that move elements between places.

// widen converts the elements of the lower half of args[0], so many bytes of it, to twice
// their width.
func widen(n int, low, high pair) func(t *translator, in *instruction) {
	return func(t *translator, in *instruction) {
		from, dst := in.args[0], in.args[1]
		s := t.half(dst, halves(dst)-1)
		switch {
		case from.kind == vector:
			s = t.half(from, 0)
		case !dst.wide:
			t.loadDouble(from, s)
		default:
			t.load(from, []int{s})
		}
		if s != t.half(dst, 0) { // else the upper half comes first
			t.word(low.word(t.half(dst, 0), s))
		}
		if dst.wide {
			t.word(high.word(t.half(dst, 1), s))
		}
		if s == t.half(dst, 0) {
			t.word(low.word(s, s))
		}
	}
}

// loadDouble reads 8 bytes.
func (t *translator) loadDouble(o operand, r int) {
	base, disp := t.address(o)
	t.emit("FMOVD %s, F%d", at(t.within(base, disp, 0, 4096, 8)), r)
}

// widenBytes converts 8 bytes to 32 bits each.
func (t *translator) widenBytes(in *instruction) {
	from, dst := in.args[0], in.args[1]
	lo, hi := t.half(dst, 0), t.half(dst, 1)
	if from.kind != memory || !dst.wide {
		t.fail("only from memory")
	}
	t.loadDouble(from, lo)
	t.word(uxtlB.word(lo, lo))
	t.word(uxtl2H.word(hi, lo))
	t.word(uxtlH.word(lo, lo))
}

func (t *translator) extract(in *instruction) {
	h := int(in.args[0].value)
	if in.args[2].kind == memory {
		t.store(in.args[2], []int{t.half(in.args[1], h)})
		return
	}
	t.copy(t.half(in.args[2], 0), t.half(in.args[1], h))
}

func (t *translator) insert(in *instruction) {
	h, from, rest, dst := int(in.args[0].value), in.args[1], in.args[2], in.args[3]
	var halves [2]int
	halves[1-h] = t.half(rest, 1-h)
	if from.kind == vector {
		halves[h] = t.half(from, 0)
		t.moveBoth(dst, halves)
		return
	}
	t.copy(t.half(dst, 1-h), halves[1-h])
	t.load(from, []int{t.half(dst, h)})
}

// moveBoth moves two registers to the halves of dst, as if at once.
func (t *translator) moveBoth(dst operand, from [2]int) {
	lo, hi := t.half(dst, 0), t.half(dst, 1)
	switch {
	case from[1] != lo:
		t.copy(lo, from[0])
		t.copy(hi, from[1])
	case from[0] != hi:
		t.copy(hi, from[1])
		t.copy(lo, from[0])
	default:
		r := t.temporary()
		t.word(move(r, lo))
		t.word(move(lo, hi))
		t.word(move(hi, r))
	}
}

func (t *translator) permuteHalves(in *instruction) {
	choice, b, a, dst := int(in.args[0].value), in.args[1], in.args[2], in.args[3]
	sources := [4]int{t.half(a, 0), t.half(a, 1), t.half(b, 0), t.half(b, 1)}
	if choice&0x88 != 0 {
		t.fail("only halves of the sources")
	}
	// moveBoth copies lo first unless hi needs it; it must not overwrite what hi needs
	t.moveBoth(dst, [2]int{sources[choice&3], sources[choice>>4&3]})
}

// permuteQuarters gathers the four quarters of args[1].
func (t *translator) permuteQuarters(in *instruction) {
	choice, from, dst := int(in.args[0].value), in.args[1], in.args[2]
	var r [2]int
	for h := range 2 {
		i, j := choice>>(4*h)&3, choice>>(4*h+2)&3
		n, m := t.half(from, i/2), t.half(from, j/2)
		r[h] = t.half(dst, h)
		if from.reg == dst.reg {
			r[h] = t.temporary()
		}
		switch {
		case i%2 == 0 && j%2 == 0:
			t.word(zip1D.word(r[h], n, m))
		case i%2 == 1 && j%2 == 1:
			t.word(zip2D.word(r[h], n, m))
		case i%2 == 1:
			t.word(ext(r[h], n, m, 8))
		default:
			t.copy(r[h], n)
			if n != m {
				t.word(insD(r[h], 1, m, 1))
			}
		}
	}
	t.settle(dst, 0, r[0])
	t.settle(dst, 1, r[1])
}

// permuteWords gathers eight words by the indices in args[1].
func (t *translator) permuteWords(in *instruction) {
	from, index, dst := in.args[0], in.args[1], in.args[2]
	scale, first := t.temporary(), t.temporary()
	t.constant(scale, t.pool.words(0x04040404))
	t.constant(first, t.pool.words(0x03020100))
	table := t.half(from, 0)
	if t.half(from, 1) != table+1 {
		t.fail("a table in two places")
	}
	var r [2]int
	for h := range 2 { // word i is bytes 4i to 4i+3
		r[h] = t.temporary()
		t.word(mulS.word(r[h], t.half(index, h), scale))
		t.word(addS.word(r[h], r[h], first))
		t.word(tbl2(r[h], table, r[h]))
	}
	t.settle(dst, 0, r[0])
	t.settle(dst, 1, r[1])
}

// shuffle takes two words of args[2] and two of args[1], or four of one register.
func (t *translator) shuffle(in *instruction) {
	choice := int(in.args[0].value)
	dst := in.args[len(in.args)-1]
	b, a := in.args[1], in.args[len(in.args)-2]
	for h := range halves(dst) {
		d, n, m := t.half(dst, h), t.half(a, h), t.half(b, h)
		i, j, k, l := choice&3, choice>>2&3, choice>>4&3, choice>>6&3
		switch choice {
		case 0x44:
			t.word(zip1D.word(d, n, m))
		case 0xEE:
			t.word(zip2D.word(d, n, m))
		case 0x88:
			t.word(uzp1S.word(d, n, m))
		case 0xDD:
			t.word(uzp2S.word(d, n, m))
		case 0x4E:
			t.word(ext(d, n, m, 8))
		case 0x00, 0x55, 0xAA, 0xFF:
			if n != m {
				t.fail("one word of two registers")
			}
			t.word(dupLane(d, n, i))
		default:
			r := t.temporary()
			t.word(dupLane(r, n, i))
			t.word(insS(r, 1, n, j))
			t.word(insS(r, 2, m, k))
			t.word(insS(r, 3, m, l))
			t.settle(dst, h, r)
		}
	}
}

// shuffleBytes takes bytes of args[1] by the indices in args[0]; one with its highest bit
// set gives 0, as it does for tbl.
func (t *translator) shuffleBytes(in *instruction) {
	dst := in.args[2]
	m, n := t.source(in.args[0], dst), t.source(in.args[1], dst)
	for h := range halves(dst) {
		t.word(tbl(t.half(dst, h), n[h], m[h]))
	}
}

// multiplyPairs multiplies 16 bits each and adds neighbouring products.
func (t *translator) multiplyPairs(in *instruction) {
	dst := in.args[2]
	m, n := t.source(in.args[0], dst), t.source(in.args[1], dst)
	for h := range halves(dst) {
		r, s := t.temporary(), t.temporary()
		t.word(smull(r, n[h], m[h]))
		t.word(smull2(s, n[h], m[h]))
		t.word(addpS.word(t.half(dst, h), r, s))
		t.free = append(t.free, r, s)
	}
}

// storeHigh writes the upper 8 bytes of an X register.
func (t *translator) storeHigh(in *instruction) {
	base, disp := t.address(in.args[1])
	base, _ = t.within(base, disp, 0, 0, 1)
	t.emit("VST1 [V%d.D1], (%s)", t.high(t.half(in.args[0], 0)), base)
}

// high returns a register whose lower 8 bytes are the upper ones of n.
func (t *translator) high(n int) int {
	r := t.temporary()
	t.word(dupD(r, n, 1))
	return r
}

// signs gathers the signs of a register's lanes in a general one.
func (t *translator) signs(in *instruction) {
	from, to := in.args[0], in.args[1]
	r, weight := [2]int{t.temporary(), t.temporary()}, t.temporary()
	for h := range 2 {
		t.constant(weight, t.pool.words(1<<(4*h), 2<<(4*h), 4<<(4*h), 8<<(4*h)))
		t.word(sshrS.word(r[h], t.half(from, h), 31))
		t.word(andB.word(r[h], r[h], weight))
	}
	t.word(addS.word(r[0], r[0], r[1]))
	t.word(addv(r[0], r[0]))
	t.changed(to.name)
	t.emit("FMOVS F%d, %s", r[0], generalRegisters[to.name])
}
