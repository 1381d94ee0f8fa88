package cpu

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
)

// What is done with a block program once it is written: instructions are joined, those
// that nobody needs dropped, and the slots get their places.

// multiplyAndAdd joins products with the addition or the sum that alone reads them. The
// products themselves are left for dropUnread.
func (a *fusedAttr) multiplyAndAdd() {
	readings, product := make([]int, len(a.slots)), make([]*instruction, len(a.slots))
	for k := range a.program {
		i := &a.program[k]
		for _, s := range i.reads() {
			readings[s]++
		}
		if i.kind == blockBinary && i.opType == backends.OpTypeMul && a.slots[i.dst].kind == slotRegister {
			product[i.dst] = i
		}
	}
	for k := range a.program {
		i := &a.program[k]
		switch {
		case i.kind == blockSum && product[i.a] != nil && readings[i.a] == 1:
			p := product[i.a]
			*i = instruction{kind: blockMulSum, dst: i.dst, a: p.a, b: p.b}
		case i.kind == blockBinary && i.opType == backends.OpTypeAdd:
			x, y := i.a, i.b
			if product[x] == nil || readings[x] != 1 {
				x, y = y, x
			}
			if p := product[x]; p != nil && readings[x] == 1 {
				*i = instruction{kind: blockMulAdd, dst: i.dst, a: p.a, b: p.b, c: y}
			}
		}
	}
}

// dropUnread removes instructions whose result nobody reads.
func (b *blockBuilder) dropUnread() {
	a := b.attr
	read := map[int]bool{}
	var kept []instruction
	for k := len(a.program) - 1; k >= 0; k-- {
		i := a.program[k]
		if !i.isEffect() && a.slots[i.dst].kind == slotRegister && !read[i.dst] {
			a.slots[i.dst].kind = slotUnused
			continue
		}
		for _, s := range i.reads() {
			read[s] = true
		}
		kept = append(kept, i)
	}
	slices.Reverse(kept)
	a.program = kept
}

// isEffect reports whether dst is not simply a slot that the instruction fills.
func (i instruction) isEffect() bool {
	return i.kind == blockStore || i.kind == blockSum || i.kind == blockMulSum
}

// reads lists the slots that an instruction reads.
func (i instruction) reads() []int {
	switch i.kind {
	case blockWiden, blockFill:
		return nil
	case blockBinary, blockBinaryVS, blockBinarySV, blockCompare, blockCompareVS, blockReLUGrad, blockLogical, blockMulSum:
		return []int{i.a, i.b}
	case blockMulAdd, blockSelect, blockSelectVS, blockSelectSV, blockSelectSS:
		return []int{i.a, i.b, i.c}
	}
	return []int{i.a}
}

// place assigns registers: those whose slots are not live at the same time share one. A
// result may take the register of an operand that is read for the last time.
func (a *fusedAttr) place() {
	last := make([]int, len(a.slots))
	for k, i := range a.program {
		for _, s := range i.reads() {
			last[s] = k
		}
	}
	var freeFloat, freeBool []int
	take := func(isBool bool) int {
		free, count := &freeFloat, &a.floats
		if isBool {
			free, count = &freeBool, &a.bools
		}
		if n := len(*free); n > 0 {
			r := (*free)[n-1]
			*free = (*free)[:n-1]
			return r
		}
		*count++
		return *count - 1
	}
	for s := range a.slots {
		if k := a.slots[s].kind; k == slotPeriodic || k == slotSum {
			a.slots[s].register = take(false)
		}
	}
	for k, i := range a.program {
		for n, s := range i.reads() {
			if a.slots[s].kind == slotRegister && last[s] == k && !slices.Contains(i.reads()[:n], s) {
				if a.slots[s].isBool {
					freeBool = append(freeBool, a.slots[s].register)
				} else {
					freeFloat = append(freeFloat, a.slots[s].register)
				}
			}
		}
		if !i.isEffect() && a.slots[i.dst].kind == slotRegister {
			a.slots[i.dst].register = take(a.slots[i.dst].isBool)
		}
	}
}

// findShareable finds which inputs an output may be written over: those of its element
// size that are read in place, or widened, not after the output is first written.
func (a *fusedAttr) findShareable(inputs, outputs []value) {
	written, lastRead := make([]int, len(outputs)), make([]int, len(inputs))
	for i := range lastRead {
		lastRead[i] = -1
	}
	for i := range written {
		written[i] = -1
	}
	for k, i := range a.program {
		if i.kind == blockWiden || i.kind == blockFill {
			lastRead[i.a] = k
		}
		for _, s := range i.reads() {
			if a.slots[s].kind == slotInput {
				lastRead[a.slots[s].io] = k
			}
		}
		switch {
		case i.kind == blockStore:
			written[i.dst] = k
		case !i.isEffect() && a.slots[i.dst].kind == slotOutput:
			written[a.slots[i.dst].io] = k
		}
	}
	a.shareable = make([][]int, len(outputs))
	for out, v := range outputs {
		for in, x := range inputs {
			if written[out] >= 0 && x.shape().Size() == a.space && byteLen(x.shape()) == byteLen(v.shape()) && lastRead[in] <= written[out] {
				a.shareable[out] = append(a.shareable[out], in)
			}
		}
	}
}
