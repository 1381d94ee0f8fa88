package cpu

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

const (
	// maxBlock is the largest number of elements that a broadcast vector or the result of
	// a sum may have to be held for every block: 32 KB of float32.
	maxBlock = 1 << 13
	// blockTarget is the usual number of elements of a block: 2 KB of float32, so that a
	// dozen registers and the operands' current blocks fit L1. (Measured: 256 elements cost
	// calls, 1024 cost a fifth of the speed of a pass with three operands and two sums.)
	blockTarget = 1 << 9
	// blockPart is the usual number of elements of one part of the threads' work.
	blockPart = 1 << 16
)

// slotKind says where the elements of a slot come from.
type slotKind uint8

const (
	slotRegister slotKind = iota // scratch memory
	slotInput                    // an input of the iteration's size, in place
	slotOutput                   // an output of that size, in place
	slotPeriodic                 // scratch that holds a small input repeated over the block
	slotScalar                   // one value for all elements
	slotSum                      // scratch in which a sum is gathered
	slotUnused                   // of an instruction that was dropped
)

// slot is what instructions read and write: a block of float32 or bool.
type slot struct {
	kind     slotKind
	isBool   bool
	io       int   // index of the input or output
	register int   // in scratch, for registers, periodic and sum slots
	dims     []int // of a broadcast input: see source
	strides  []int
	first    int // of registers: the instructions between which it is live
	last     int
}

// instruction of a block program; a, b, c and dst are slots, or inputs and outputs where
// the kind says so.
type instruction struct {
	kind         blockKind
	dst, a, b, c int
	op           blockOp
	opType       backends.OpType // of blockBinary
}

// fusedAttr is the attr of opFused: a program that is run over one block of elements
// after the other.
type fusedAttr struct {
	space       int // elements of the iteration
	block, part int // elements of a block and of a part; a part is whole blocks
	program     []instruction
	slots       []slot
	floats      int // float32 registers, sum and periodic slots included
	bools       int // bool registers
	sums        []sumOutput
	sumElements int     // of all sums together
	shareable   [][]int // by output: the inputs whose memory it may take
	halfInput   []bool  // by input: it is bfloat16
}

// sumOutput is an output that adds up every period-th element.
type sumOutput struct {
	output, slot, period int
	offset               int // among the sums' elements
}

// blockBuilder writes the program of one group.
type blockBuilder struct {
	attr    *fusedAttr
	inputs  []value
	inputOf map[value]int
	slots   map[value]int    // of members and full inputs
	pending map[value]source // comparisons with zero that a ReLU may swallow
	outputs []value
	period  int
	// unrounded are bfloat16 members whose slot holds what is still to be rounded: storing
	// does it, and a ReLU can come first, since it commutes with rounding.
	unrounded map[value]bool
}

func newBlockBuilder(space int) *blockBuilder {
	return &blockBuilder{attr: &fusedAttr{space: space}, inputOf: map[value]int{}, slots: map[value]int{}, pending: map[value]source{},
		unrounded: map[value]bool{}, period: 1}
}

func (b *blockBuilder) emit(i instruction) int {
	b.attr.program = append(b.attr.program, i)
	return i.dst
}

func (b *blockBuilder) newSlot(s slot) int {
	b.attr.slots = append(b.attr.slots, s)
	return len(b.attr.slots) - 1
}

func (b *blockBuilder) register(isBool bool) int {
	return b.newSlot(slot{kind: slotRegister, isBool: isBool})
}

// input returns the number of a value among the node's inputs.
func (b *blockBuilder) input(v value) int {
	if i, ok := b.inputOf[v]; ok {
		return i
	}
	b.inputOf[v] = len(b.inputs)
	b.inputs = append(b.inputs, v)
	return len(b.inputs) - 1
}

// read returns the slot of an operand: of the member that computed it, or of an input.
func (b *blockBuilder) read(s source) int {
	if s.full() {
		if slot, ok := b.slots[s.value]; ok {
			if b.unrounded[s.value] {
				delete(b.unrounded, s.value)
				b.slots[s.value] = b.emit(instruction{kind: blockRound, a: slot, dst: b.register(false)})
			}
			return b.slots[s.value]
		}
		if in, ok := b.pending[s.value]; ok { // a comparison that is needed after all
			delete(b.pending, s.value)
			b.slots[s.value] = b.compareZero(in, s.value.op)
			return b.slots[s.value]
		}
	}
	return b.readInput(s)
}

func (b *blockBuilder) readInput(s source) int {
	in := b.input(s.value)
	dtype := s.shape().DType
	half := dtype == dtypes.BFloat16
	switch {
	case s.shape().Size() == 1 && b.attr.space > 1:
		return b.newSlot(slot{kind: slotScalar, io: in})
	case s.full() && !half:
		b.slots[s.value] = b.newSlot(slot{kind: slotInput, io: in, isBool: dtype == dtypes.Bool})
		return b.slots[s.value]
	case s.full():
		b.slots[s.value] = b.emit(instruction{kind: blockWiden, dst: b.register(false), a: in})
		return b.slots[s.value]
	}
	if n := len(s.dims); n == 2 && s.strides[0] == 0 && s.strides[1] == 1 {
		if period := lcm(b.period, s.dims[1]); period <= maxBlock {
			b.period = period
			return b.newSlot(slot{kind: slotPeriodic, io: in, dims: s.dims, strides: s.strides})
		}
	}
	dst := b.newSlot(slot{kind: slotRegister, io: in, dims: s.dims, strides: s.strides})
	return b.emit(instruction{kind: blockFill, dst: dst, a: in})
}

func (b *blockBuilder) isScalar(slot int) bool { return b.attr.slots[slot].kind == slotScalar }

// spread makes an ordinary slot of a scalar one.
func (b *blockBuilder) spread(slot int) int {
	if b.isScalar(slot) {
		s := &b.attr.slots[slot]
		s.kind, s.dims, s.strides = slotPeriodic, []int{b.attr.space}, []int{0}
	}
	return slot
}

// member adds the instructions of one node.
func (b *blockBuilder) member(n *node, in []source) {
	v := value{n, 0}
	if isSum(n) {
		b.addSum(v, in[0])
		return
	}
	op := blockOps[n.op]
	switch {
	case n.op == backends.OpTypeConvertDType:
		b.slots[v] = b.convert(v, in[0])
		return
	case n.op == backends.OpTypeWhere:
		b.slots[v] = b.where(v, in)
		return
	case n.op == backends.OpTypeLessOrEqual && isZero(in[1].value):
		b.pending[v] = in[0]
		return
	case op.compare != nil:
		b.slots[v] = b.compare(n.op, b.read(in[0]), b.read(in[1]))
		return
	case op.logical != nil:
		b.slots[v] = b.emit(instruction{kind: blockLogical, op: op, a: b.read(in[0]), b: b.read(in[1]), dst: b.register(true)})
		return
	case n.op == backends.OpTypeLogicalNot:
		b.slots[v] = b.emit(instruction{kind: blockNot, a: b.read(in[0]), dst: b.register(true)})
		return
	case op.unary != nil:
		b.slots[v] = b.emit(instruction{kind: blockUnary, op: op, a: b.spread(b.read(in[0])), dst: b.register(false)})
	default:
		b.slots[v] = b.binary(n.op, b.read(in[0]), b.read(in[1]))
	}
	if n.shapes[0].DType == dtypes.BFloat16 && !op.exact {
		b.unrounded[v] = true
	}
}

func (b *blockBuilder) binary(op backends.OpType, x, y int) int {
	i := instruction{kind: blockBinary, op: blockOps[op], opType: op, a: x, b: y}
	switch {
	case b.isScalar(y):
		i.kind, i.a = blockBinaryVS, b.spread(x)
	case b.isScalar(x):
		i.kind = blockBinarySV
	}
	i.dst = b.register(false)
	return b.emit(i)
}

func (b *blockBuilder) compare(op backends.OpType, x, y int) int {
	if b.isScalar(x) && !b.isScalar(y) {
		x, y, op = y, x, blockOps[op].flipped
	}
	i := instruction{kind: blockCompare, op: blockOps[op], a: b.spread(x), b: y, dst: b.register(true)}
	if b.isScalar(y) {
		i.kind = blockCompareVS
	}
	return b.emit(i)
}

// compareZero writes a ≤ 0, put off by member.
func (b *blockBuilder) compareZero(in source, op backends.OpType) int {
	zero := b.newSlot(slot{kind: slotScalar, io: -1})
	return b.compare(op, b.read(in), zero)
}

// where writes a selection; with a ≤ 0 as the condition and 0 as the first value it is a
// ReLU (b = a) or its gradient.
func (b *blockBuilder) where(v value, in []source) int {
	if x, ok := b.pending[in[0].value]; ok && in[0].full() && in[2].full() && isZero(in[1].value) && x.value == in[2].value && b.unrounded[x.value] {
		b.unrounded[v] = true
		return b.emit(instruction{kind: blockReLUGrad, a: b.slots[x.value], b: b.slots[x.value], dst: b.register(false)})
	}
	if x, ok := b.pending[in[0].value]; ok && in[0].full() && isZero(in[1].value) {
		if other := b.read(in[2]); !b.isScalar(other) {
			return b.emit(instruction{kind: blockReLUGrad, a: b.spread(b.read(x)), b: other, dst: b.register(false)})
		}
	}
	cond, onTrue, onFalse := b.read(in[0]), b.read(in[1]), b.read(in[2])
	kind := blockSelect
	switch t, f := b.isScalar(onTrue), b.isScalar(onFalse); {
	case t && f:
		kind = blockSelectSS
	case t:
		kind = blockSelectSV
	case f:
		kind = blockSelectVS
	}
	return b.emit(instruction{kind: kind, a: cond, b: onTrue, c: onFalse, dst: b.register(false)})
}

func (b *blockBuilder) convert(v value, in source) int {
	x := b.read(in)
	switch from, to := in.shape().DType, v.shape().DType; {
	case from == dtypes.Bool:
		return b.emit(instruction{kind: blockFromBool, a: x, dst: b.register(false)})
	case from == dtypes.Float32 && to == dtypes.BFloat16:
		b.unrounded[v] = true
	}
	return b.spread(x)
}

func (b *blockBuilder) addSum(v value, in source) {
	period := v.shape().Size()
	b.period = lcm(b.period, period)
	s := b.newSlot(slot{kind: slotSum})
	b.emit(instruction{kind: blockSum, dst: s, a: b.spread(b.read(in))})
	b.slots[v] = s
}

// isZero reports whether a value is the constant 0, or full of it.
func isZero(v value) bool {
	v = behindViews(v)
	for v.op == backends.OpTypeBroadcastInDim {
		v = behindViews(v.inputs[0])
	}
	if v.op != backends.OpTypeConstant || v.shape().Size() != 1 {
		return false
	}
	switch buf := v.attr.(*Buffer); v.shape().DType {
	case dtypes.Float32:
		return flat[float32](buf)[0] == 0
	case dtypes.BFloat16:
		return flat[uint16](buf)[0]&0x7fff == 0
	case dtypes.Float64:
		return flat[float64](buf)[0] == 0
	}
	return false
}

// output makes a member's value the next output of the node.
func (b *blockBuilder) output(v value) {
	out := len(b.outputs)
	b.outputs = append(b.outputs, v)
	if _, isPending := b.pending[v]; isPending {
		b.read(source{value: v})
	}
	slotOf := b.slots[v]
	s := &b.attr.slots[slotOf]
	switch {
	case s.kind == slotSum:
		a := b.attr
		a.sums = append(a.sums, sumOutput{output: out, slot: slotOf, period: v.shape().Size(), offset: a.sumElements})
		a.sumElements += v.shape().Size()
	case v.shape().DType == dtypes.BFloat16:
		b.emit(instruction{kind: blockStore, a: slotOf, dst: out})
	case s.kind == slotRegister && !b.isFilled(slotOf):
		s.kind, s.io = slotOutput, out
	default: // an input, or another output, once more
		kind := blockCopy
		if s.isBool {
			kind = blockCopyBool
		}
		b.emit(instruction{kind: kind, a: slotOf, dst: b.newSlot(slot{kind: slotOutput, isBool: s.isBool, io: out})})
	}
}

// isFilled reports whether a register holds an input.
func (b *blockBuilder) isFilled(s int) bool {
	return slices.ContainsFunc(b.attr.program, func(i instruction) bool {
		return i.dst == s && (i.kind == blockFill || i.kind == blockWiden)
	})
}

// finish gives the registers their places and returns the node's attr and inputs.
func (b *blockBuilder) finish() (*fusedAttr, []value) {
	a := b.attr
	a.multiplyAndAdd()
	b.dropUnread()
	a.block = min(b.period*max(1, blockTarget/b.period), a.space) // the period divides the space
	a.part = a.block * max(1, blockPart/a.block)
	a.place()
	a.halfInput = make([]bool, len(b.inputs))
	for i, v := range b.inputs {
		a.halfInput[i] = v.shape().DType == dtypes.BFloat16
	}
	a.findShareable(b.inputs, b.outputs)
	return a, b.inputs
}
