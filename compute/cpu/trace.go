package cpu

import (
	"time"

	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// NodeTiming is what SetTrace reports of one node.
type NodeTiming struct {
	Index    int            // among the nodes of the executable, in their order
	Op       string         // operation, and form where there are several
	Shapes   []shapes.Shape // of the inputs, then of the outputs
	Inputs   int            // how many of the shapes are inputs
	Start    time.Time
	Duration time.Duration
	FLOP     float64 // arithmetic by its definition; 0 where the operation has none or does not tell
	Bytes    int     // size of inputs and outputs together
	// How it is computed.
	Algorithm string  // of convolutions: see conv.Algorithm; else ""
	Done      float64 // arithmetic that the algorithm does: less than FLOP with Winograd's
	BF16      bool    // its products multiply bfloat16 by instruction
}

// SetTrace has every later execution report each node; nil ends it. Off, it costs nothing.
func (e *Executable) SetTrace(report func(NodeTiming)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trace = report
}

// Name returns the name of the computation.
func (e *Executable) Name() string { return e.name }

// ObserveThreads has every thread report when it worked, during kernels that are spread
// over the threads; nil ends it. No computation may be running. Threads report at the
// same time.
func (b *Backend) ObserveThreads(f func(thread int, start, end time.Time)) { b.pool.Observe(f) }

// runTraced runs all nodes and reports each.
func (e *Executable) runTraced() {
	for i := range e.steps {
		s := &e.steps[i]
		t := describeStep(s)
		t.Index = i
		t.Start = time.Now()
		s.eval(&s.call)
		t.Duration = time.Since(t.Start)
		e.trace(t)
	}
}

// describeStep fills in all but the times.
func describeStep(s *step) NodeTiming {
	t := NodeTiming{Op: opName(s.op), Inputs: len(s.in)}
	if d, ok := s.attr.(interface{ describe() string }); ok {
		t.Op += " " + d.describe()
	}
	for _, list := range [][]*Buffer{s.in, s.out} {
		for _, b := range list {
			t.Shapes = append(t.Shapes, b.shape)
			t.Bytes += len(b.bytes)
		}
	}
	if f, ok := s.attr.(interface{ FLOP() float64 }); ok {
		t.FLOP = f.FLOP()
	}
	t.Done = t.FLOP
	half := len(s.in) > 0 && s.in[0].shape.DType == dtypes.BFloat16
	switch attr := s.attr.(type) {
	case convCall:
		a := conv.AlgorithmOf(attr.Shape, attr.form, half)
		t.Algorithm, t.Done, t.BF16 = a.Name, a.FLOP, a.BF16
	case *givenConv:
		a := conv.AlgorithmOf(attr.Shape, attr.form, false)
		t.Algorithm, t.Done = a.Name, a.FLOP
	case channelStats, normApply, normSums, normGrad:
		t.FLOP = normOperations(s.attr, len(s.in)) * float64(t.Shapes[0].Size())
		t.Done = t.FLOP
	case matMulCall:
		t.BF16 = half && isa.Current() >= isa.AVX512BF16
	}
	return t
}

// FLOP counts one operation per element and instruction of the program, two for those
// that multiply and add.
func (a *fusedAttr) FLOP() float64 {
	perElement := 0
	for _, i := range a.program {
		switch i.kind {
		case blockMulAdd, blockMulSum:
			perElement += 2
		case blockUnary, blockBinary, blockBinaryVS, blockBinarySV, blockSum, blockReLUGrad,
			blockCompare, blockCompareVS, blockSelect, blockSelectVS, blockSelectSV, blockSelectSS:
			perElement++
		}
	}
	return float64(perElement) * float64(a.space)
}
