// Package peak measures what a processor can do at most: multiply-adds that do not depend
// on each other, and bytes read, written and copied, on all threads together. Rates of
// kernels are quoted against it.
//
// Each figure is the best of several short runs: other processes can only slow them.
package peak

import (
	"math"
	"time"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

//go:generate go -C _asm run . ../peak_amd64.s ../peak_stubs_amd64.go
//go:generate go -C ../_neon run . ../peak/peak_amd64.s ../peak/peak_stubs_amd64.go

// Arithmetic is the rate of multiply-adds, counted as two.
type Arithmetic struct {
	Type   string  `json:"type"` // f32 or bf16, the factors' type; sums are float32
	ISA    string  `json:"isa"`
	FLOPS  float64 `json:"flop_per_s"`
	IsPeak bool    `json:"is_peak"` // false for the portable loop: the compiler writes no vectors
}

// Memory is the rate at which a set of bytes is gone through over and over.
type Memory struct {
	Bytes int     `json:"bytes"`        // of the set, all threads together
	Read  float64 `json:"read_byte_s"`  // bytes read per second
	Write float64 `json:"write_byte_s"` // bytes written per second
	Copy  float64 `json:"copy_byte_s"`  // bytes read and bytes written per second, together
}

// loop is one kernel of multiply-adds.
type loop struct {
	level isa.Level
	bf16  bool
	flop  float64 // of one turn
	run   func(turns int)
}

// mover goes through memory. The slices are aligned to a cache line, a multiple of 512
// bytes long, and not empty.
type mover struct {
	read, write []func(p []byte)
	copy        []func(p, q []byte)
}

const (
	trial     = 2 * time.Millisecond // length of one run
	trials    = 12
	memTrials = 3
)

// MultiplyAdd measures every instruction set up to the current one, lowest first.
func MultiplyAdd(p *par.Pool) []Arithmetic {
	var rates []Arithmetic
	for _, l := range loops() {
		if l.level > isa.Current() {
			continue
		}
		a := Arithmetic{Type: "f32", ISA: l.level.String(), IsPeak: l.level > isa.Generic, FLOPS: l.rate(p)}
		if l.bf16 {
			a.Type = "bf16"
		}
		rates = append(rates, a)
	}
	return rates
}

// rate is what all threads reach together.
func (l loop) rate(p *par.Pool) float64 {
	turns := 1 << 10
	for seconds(func() { l.run(turns) }) < trial.Seconds() {
		turns *= 2
	}
	best := math.Inf(1)
	for range trials {
		best = min(best, seconds(func() { p.For(p.Threads(), func(_, _ int) { l.run(turns) }) }))
	}
	return l.flop * float64(turns) * float64(p.Threads()) / best
}

// Bandwidth measures one set of bytes after the other; sets that fit into a cache show
// that cache. Sizes are rounded to what the threads can share evenly.
func Bandwidth(p *par.Pool, sets ...int) []Memory {
	m := movers()
	rates := make([]Memory, len(sets))
	for i, bytes := range sets {
		part := max(1024, bytes/p.Threads()&^1023)
		buffers := make([][]byte, p.Threads())
		for t := range buffers {
			buffers[t] = aligned(part)
			for k := range buffers[t] { // touched, so that pages exist
				buffers[t][k] = 1
			}
		}
		set := float64(part * p.Threads())
		best := func(f func(b []byte)) float64 { return set / throughMemory(p, buffers, f) }
		r := Memory{Bytes: part * p.Threads()}
		for _, f := range m.read {
			r.Read = max(r.Read, best(f))
		}
		for _, f := range m.write {
			r.Write = max(r.Write, best(f))
		}
		for _, f := range m.copy {
			r.Copy = max(r.Copy, best(func(b []byte) { f(b[:len(b)/2], b[len(b)/2:]) }))
		}
		rates[i] = r
	}
	return rates
}

// throughMemory returns the seconds that one passage of all threads takes at best.
func throughMemory(p *par.Pool, buffers [][]byte, f func(b []byte)) float64 {
	passage := func(times int) {
		p.For(p.Threads(), func(part, _ int) {
			for range times {
				f(buffers[part])
			}
		})
	}
	times := 1
	for seconds(func() { passage(times) }) < trial.Seconds() {
		times *= 2
	}
	best := math.Inf(1)
	for range memTrials {
		best = min(best, seconds(func() { passage(times) })/float64(times))
	}
	return best
}

func seconds(f func()) float64 {
	start := time.Now()
	f()
	return time.Since(start).Seconds()
}

// aligned returns memory that begins at a cache line.
func aligned(n int) []byte {
	const line = 64
	b := make([]byte, n+line)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (line - 1)
	return b[skip:][:n:n]
}
