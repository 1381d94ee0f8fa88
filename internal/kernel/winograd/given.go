package winograd

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/par"
)

// Kernel is a float32 kernel that is transformed already, for many forward products with
// it: those of an encoder at work, whose weights do not change.
type Kernel struct {
	shape   Shape
	threads int
	k       *kernels
	u       []float32
}

// Finish is what a forward product does to its sums before it writes them.
type Finish struct {
	Bias []float32 // [K], added to every pixel, and zeros up to [BiasLen]
	Add  bool      // y holds what is added as well, a residual
	ReLU bool      // max(y, 0), a NaN staying one
}

// BiasLen returns the length of Finish.Bias for k output channels.
func BiasLen(k int) int { return ceil(k, lane) * lane }

// at sets what the transform of the channels from k0 on needs.
func (f *Finish) at(a *tileArgs, k0 int) {
	if f.Bias == nil {
		return
	}
	a.bias, a.floor = &f.Bias[k0], float32(math.Inf(-1))
	if f.ReLU {
		a.floor = 0
	}
}

// inverse returns the function that transforms tiles back.
func (f *forward) inverse() func(*tileArgs) {
	inverse := f.k.of(f.y).stride(f.stride2()).output
	if f.finish.Bias == nil {
		return inverse
	}
	finish := f.k.finish[0]
	if f.stride2() {
		finish = f.k.finish[1]
	}
	switch {
	case finish.set == nil:
		return func(a *tileArgs) { finishAfter(a, inverse, f.finish.Add) }
	case f.finish.Add:
		return finish.add
	}
	return finish.set
}

// finishAfter transforms tile after tile to a tile of its own, and finishes that: for
// instruction sets that have no such function.
func finishAfter(args *tileArgs, inverse func(args *tileArgs), add bool) {
	var tile [tileOut * tileOut][lane]float32
	var from [1 + prefetchedTiles][2]int
	bias := lanes(args.bias, 0)
	one := *args
	one.y, one.rowStride, one.colStride = unsafe.Pointer(&tile), 4*tileOut*lane, 4*lane
	one.offset, one.tiles = &from[0], 1
	for _, offset := range unsafe.Slice(args.offset, args.tiles) {
		from[0][0] = offset[0]
		inverse(&one)
		for i := range tile {
			y := lanes((*float32)(args.y), offset[1]+i/tileOut*args.rowStride+i%tileOut*args.colStride)
			for ch, v := range tile[i] {
				v += bias[ch]
				if add {
					v += y[ch]
				}
				if v < args.floor {
					v = args.floor
				}
				y[ch] = v
			}
		}
	}
}

// newGiven lays out a forward product whose kernel is transformed already.
func (s Shape) newGiven(a *arena, k *kernels, threads int) *forward {
	r := s.forward()
	r.given = true
	return newForward(a, k, s.grid(), r, threads)
}

// NewKernel transforms w [3,3,C,K] for forward products of the shape on p, or on any pool
// of as many threads. It takes four times the memory of w, nine times for stride 2.
func NewKernel(p *par.Pool, s Shape, w []float32) *Kernel {
	s.check()
	s.checkLen(s.lenX(), len(w), s.lenY())
	k := &Kernel{shape: s, threads: p.Threads(), k: current()}
	var a arena
	k.u = aligned(make([]float32, s.newGiven(&a, k.k, k.threads).kernelLen()+align/4))
	f := s.newGiven(newArena(make([]byte, a.bytes())), k.k, k.threads)
	k.u = k.u[:f.kernelLen()]
	f.u, f.w = k.u, float32s(w)
	if !f.few {
		f.transformKernel(p, f.w)
		return k
	}
	pieces := f.pieces()
	p.For(f.chunks()*pieces, func(part, worker int) {
		g, c0 := part/pieces, part%pieces*f.rows
		f.workers[worker].weigh(f, g, c0, min(f.rows, f.cPad-c0), f.piece(g, c0))
	})
	return k
}

// GivenScratchBytes returns how many bytes of scratch memory [Kernel.Forward] needs on a
// pool of so many threads, with the instruction set in use.
func GivenScratchBytes(s Shape, threads int) int {
	s.check()
	var a arena
	s.newGiven(&a, current(), max(1, threads))
	return a.bytes()
}

// Forward computes y [N,OutH,OutW,K] from x [N,H,W,C] and finishes it.
func (k *Kernel) Forward(p *par.Pool, y, x []float32, finish Finish, scratch []byte) {
	s := k.shape
	s.checkLen(len(x), s.lenW(), len(y))
	if p.Threads() != k.threads {
		panic(fmt.Sprintf("winograd: a kernel for %d threads on a pool of %d", k.threads, p.Threads()))
	}
	if len(finish.Bias) != BiasLen(s.K) {
		panic(fmt.Sprintf("winograd: a bias of %d numbers for %d channels", len(finish.Bias), s.K))
	}
	f := s.newGiven(newArena(scratch), k.k, k.threads)
	f.u, f.finish = k.u, finish
	f.run(p, float32s(y), float32s(x), numbers{})
}
