package bench

import (
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/peak"
	"github.com/byol-go/byol/internal/machine"
)

// Machine is what this machine can do at most, on all threads together.
type Machine struct {
	Processor  string            `json:"processor"`
	Threads    int               `json:"threads"`
	ISA        string            `json:"isa"`
	Arithmetic []peak.Arithmetic `json:"arithmetic"`
	Memory     []peak.Memory     `json:"memory"` // by size of the set gone through, ascending
}

// memorySets are the sizes that bandwidth is measured at, from what fits into any
// second-level cache to what fits into none.
var memorySets = []int{1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28}

// MeasureMachine takes some two seconds. Zero threads are as many as GOMAXPROCS.
func MeasureMachine(threads int) Machine {
	pool := par.New(threads)
	defer pool.Close()
	return Machine{
		Processor: machine.Processor(), Threads: pool.Threads(), ISA: isa.Current().String(),
		Arithmetic: peak.MultiplyAdd(pool), Memory: peak.Bandwidth(pool, memorySets...),
	}
}

// again measures once more and keeps the higher of each pair of rates: what other
// processes took away the first time, they may leave the second. With memory, that too.
func (m *Machine) again(memory bool) {
	pool := par.New(m.Threads)
	defer pool.Close()
	for i, a := range peak.MultiplyAdd(pool) {
		m.Arithmetic[i].FLOPS = max(m.Arithmetic[i].FLOPS, a.FLOPS)
	}
	if !memory {
		return
	}
	for i, s := range peak.Bandwidth(pool, memorySets...) {
		old := &m.Memory[i]
		old.Read, old.Write, old.Copy = max(old.Read, s.Read), max(old.Write, s.Write), max(old.Copy, s.Copy)
	}
}

// Peak returns the highest rate of multiply-adds of the type, in FLOP/s. Of bfloat16
// without instructions for it, it is float32's.
func (m Machine) Peak(bf16 bool) float64 {
	best := map[string]float64{}
	for _, a := range m.Arithmetic {
		best[a.Type] = max(best[a.Type], a.FLOPS)
	}
	if bf16 && best["bf16"] > 0 {
		return best["bf16"]
	}
	return best["f32"]
}

// IsPeak reports whether Peak is the processor's, and not that of a loop in Go.
func (m Machine) IsPeak() bool {
	for _, a := range m.Arithmetic {
		if a.IsPeak {
			return true
		}
	}
	return false
}

// Bandwidth returns the highest rate of bytes for a set of that size: that measured at
// the next smaller one, so that it is a bound.
func (m Machine) Bandwidth(bytes float64) float64 {
	rate := 0.0
	for i, s := range m.Memory {
		if i == 0 || float64(s.Bytes) <= bytes {
			rate = max(s.Read, s.Write, s.Copy)
		}
	}
	return rate
}

// Floor returns the least seconds in which so much arithmetic on so many bytes can be
// done, the roofline: arithmetic and memory at once, each at its highest rate.
func (m Machine) Floor(flop float64, bf16 bool, bytes float64) float64 {
	seconds := 0.0
	if flop > 0 {
		seconds = flop / m.Peak(bf16)
	}
	if bytes > 0 {
		seconds = max(seconds, bytes/m.Bandwidth(bytes))
	}
	return seconds
}
