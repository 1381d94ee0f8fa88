package cpu

import (
	"fmt"
	"slices"

	"github.com/byol-go/byol/internal/kernel/vec"
)

func init() {
	register(opFused, kernel{
		eval:    evalFused,
		scratch: func(n *node, threads int) int { return n.attr.(*fusedAttr).scratchBytes(threads) },
		share: func(n *node, out, in int) bool {
			return slices.Contains(n.attr.(*fusedAttr).shareable[out], in)
		},
	})
}

func (a *fusedAttr) describe() string {
	return fmt.Sprintf("%d elements, %d instructions, %d sums", a.space, len(a.program), len(a.sums))
}

func (a *fusedAttr) parts() int { return (a.space + a.part - 1) / a.part }

// pitch is how many floats registers lie apart. Without the extra line two of them would
// often be a multiple of 4 KB apart, and a processor takes a load for dependent on an
// earlier store to the same place of another page.
func (a *fusedAttr) pitch() int { return a.block + 16 }

// workerBytes is the scratch of one worker: its registers, and a block of bfloat16 for roundings.
func (a *fusedAttr) workerBytes() int {
	return roundUp(a.floats*a.pitch()*4+a.bools*a.block+a.block*2, align)
}

func (a *fusedAttr) scratchBytes(threads int) int {
	return threads*a.workerBytes() + a.parts()*a.sumElements*8
}

// frame is what one part of a fused node works on.
type frame struct {
	*fusedAttr
	c       *call
	floats  [][]float32 // by slot: the current block
	bools   [][]bool
	scalars []float32

	registers     []float32
	boolRegisters []bool
	half          []uint16
}

func evalFused(c *call) {
	a := c.attr.(*fusedAttr)
	partials := view[float64](c.scratch[c.pool.Threads()*a.workerBytes():][:a.parts()*a.sumElements*8])
	if a.parts() == 1 {
		a.runPart(c, 0, 0, partials)
	} else {
		c.pool.For(a.parts(), func(part, worker int) { a.runPart(c, part, worker, partials) })
	}
	for _, s := range a.sums {
		dst := flat[float32](c.out[s.output])
		for i := range dst {
			sum := 0.0
			for part := range a.parts() {
				sum += partials[part*a.sumElements+s.offset+i]
			}
			dst[i] = float32(sum)
		}
	}
}

// runPart computes the elements of one part.
func (a *fusedAttr) runPart(c *call, part, worker int, partials []float64) {
	f := a.newFrame(c, worker)
	lo, hi := part*a.part, min((part+1)*a.part, a.space)
	for at := lo; at < hi; at += a.block {
		n := min(a.block, hi-at)
		f.move(at, n)
		for k := range a.program {
			f.run(&a.program[k], at, n)
		}
	}
	for _, s := range a.sums {
		sums := partials[part*a.sumElements+s.offset:][:s.period]
		clear(sums)
		for i, v := range f.register(s.slot) {
			sums[i%s.period] += float64(v)
		}
	}
}

// newFrame lays out a worker's registers and fills those that stay the same for every block.
func (a *fusedAttr) newFrame(c *call, worker int) *frame {
	f := &frame{fusedAttr: a, c: c, floats: make([][]float32, len(a.slots)), scalars: make([]float32, len(a.slots))}
	if a.bools > 0 || slices.ContainsFunc(a.slots, func(s slot) bool { return s.isBool }) {
		f.bools = make([][]bool, len(a.slots))
	}
	scratch := c.scratch[worker*a.workerBytes():][:a.workerBytes()]
	floats, bools := a.floats*a.pitch()*4, a.bools*a.block
	f.registers, scratch = view[float32](scratch[:floats]), scratch[floats:]
	f.half, scratch = view[uint16](scratch[:a.block*2]), scratch[a.block*2:]
	f.boolRegisters = view[bool](scratch[:bools])
	for i, s := range a.slots {
		switch s.kind {
		case slotScalar:
			if s.io >= 0 {
				f.load(f.scalars[i:i+1], s.io, 0, 0)
			}
		case slotPeriodic:
			reg := f.register(i)
			f.fill(reg, s, 0)
			f.floats[i] = reg
		case slotSum:
			clear(f.register(i))
		}
	}
	return f
}

// register returns the whole scratch memory of a slot.
func (f *frame) register(i int) []float32 {
	return f.registers[f.slots[i].register*f.pitch():][:f.block]
}

// move points the slots at the block of n elements from at on.
func (f *frame) move(at, n int) {
	for i := range f.slots {
		s := &f.slots[i]
		switch {
		case s.kind == slotInput && s.isBool:
			f.bools[i] = view[bool](f.c.in[s.io].bytes)[at : at+n]
		case s.kind == slotInput:
			f.floats[i] = view[float32](f.c.in[s.io].bytes)[at : at+n]
		case s.kind == slotOutput && s.isBool:
			f.bools[i] = view[bool](f.c.out[s.io].bytes)[at : at+n]
		case s.kind == slotOutput:
			f.floats[i] = view[float32](f.c.out[s.io].bytes)[at : at+n]
		case s.kind == slotScalar || s.kind == slotUnused:
		case s.isBool:
			f.bools[i] = f.boolRegisters[s.register*f.block:][:n]
		default:
			f.floats[i] = f.register(i)[:n]
		}
	}
}

func (f *frame) run(i *instruction, at, n int) {
	switch v := f.floats; i.kind {
	case blockUnary:
		i.op.unary(v[i.dst], v[i.a])
	case blockBinary:
		i.op.binary(v[i.dst], v[i.a], v[i.b])
	case blockBinaryVS:
		i.op.vs(v[i.dst], v[i.a], f.scalars[i.b])
	case blockBinarySV:
		i.op.sv(v[i.dst], f.scalars[i.a], v[i.b])
	case blockCompare:
		i.op.compare(f.bools[i.dst], v[i.a], v[i.b])
	case blockCompareVS:
		i.op.cmpVS(f.bools[i.dst], v[i.a], f.scalars[i.b])
	case blockSelect:
		vec.Select(v[i.dst], f.bools[i.a], v[i.b], v[i.c])
	case blockSelectVS:
		vec.SelectVS(v[i.dst], f.bools[i.a], v[i.b], f.scalars[i.c])
	case blockSelectSV:
		vec.SelectSV(v[i.dst], f.bools[i.a], f.scalars[i.b], v[i.c])
	case blockSelectSS:
		vec.SelectSS(v[i.dst], f.bools[i.a], f.scalars[i.b], f.scalars[i.c])
	case blockReLUGrad:
		vec.ReLUGrad(v[i.dst], v[i.a], v[i.b])
	case blockLogical:
		i.op.logical(f.bools[i.dst], f.bools[i.a], f.bools[i.b])
	case blockNot:
		logicalNot(f.bools[i.dst], f.bools[i.a])
	case blockFromBool:
		vec.SelectSS(v[i.dst], f.bools[i.a], 1, 0)
	case blockWiden:
		vec.FromBF16(v[i.dst], view[uint16](f.c.in[i.a].bytes)[at:at+n])
	case blockFill:
		f.fill(v[i.dst], f.slots[i.dst], at)
	case blockRound:
		vec.ToBF16(f.half[:n], v[i.a])
		vec.FromBF16(v[i.dst], f.half[:n])
	case blockStore:
		vec.ToBF16(view[uint16](f.c.out[i.dst].bytes)[at:at+n], v[i.a])
	case blockCopy:
		copy(v[i.dst], v[i.a])
	case blockCopyBool:
		copy(f.bools[i.dst], f.bools[i.a])
	case blockSum:
		vec.Add(v[i.dst], v[i.dst], v[i.a])
	case blockMulSum:
		vec.MulAdd(v[i.dst], v[i.a], v[i.b], v[i.dst])
	case blockMulAdd:
		vec.MulAdd(v[i.dst], v[i.a], v[i.b], v[i.c])
	}
}

// fill writes the elements of a broadcast input from position at of the iteration on.
func (f *frame) fill(dst []float32, s slot, at int) {
	last := len(s.dims) - 1
	var fixed [8]int // coordinates of the axes but the last
	coords := fixed[:]
	if last > len(fixed) {
		coords = make([]int, last)
	}
	run, offset, rest := s.dims[last], 0, at/s.dims[last]
	for axis := last - 1; axis >= 0; axis-- {
		coords[axis] = rest % s.dims[axis]
		rest /= s.dims[axis]
		offset += coords[axis] * s.strides[axis]
	}
	for first := at % run; len(dst) > 0; first = 0 {
		n := min(run-first, len(dst))
		f.load(dst[:n], s.io, offset+first*s.strides[last], s.strides[last])
		dst = dst[n:]
		for axis := last - 1; axis >= 0; axis-- {
			coords[axis]++
			offset += s.strides[axis]
			if coords[axis] < s.dims[axis] {
				break
			}
			offset -= coords[axis] * s.strides[axis]
			coords[axis] = 0
		}
	}
}

// load reads elements of an input of any type that blocks have.
func (f *frame) load(dst []float32, in, offset, stride int) {
	if f.halfInput[in] {
		x := view[uint16](f.c.in[in].bytes)[offset:]
		var one [1]float32
		for i := range dst {
			vec.FromBF16(one[:], x[i*stride:i*stride+1])
			dst[i] = one[0]
		}
		return
	}
	x := view[float32](f.c.in[in].bytes)[offset:]
	switch stride {
	case 0:
		for i := range dst {
			dst[i] = x[0]
		}
	case 1:
		if len(dst) <= 8 { // shorter than a call takes
			for i := range dst {
				dst[i] = x[i]
			}
			return
		}
		copy(dst, x)
	default:
		vec.Gather(dst, x, 0, stride)
	}
}
