package conv

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/gemm/tile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/internal/kernel/winograd"
)

// Kernel is a float32 kernel in the form in which forward convolutions of one shape
// multiply by it: packed, or transformed by Winograd's algorithm. It is made once for
// many calls, those of an encoder at work, whose weights do not change.
type Kernel struct {
	shape    Shape
	threads  int
	level    isa.Level
	winograd *winograd.Kernel // nil if the convolution is direct
	panels   []byte           // if it is
}

// Finish is what a convolution does to its sums before it writes them: it adds the bias,
// then, with Add, what y holds, a residual, and with ReLU takes the larger of that and 0.
type Finish = winograd.Finish

// PadBias returns a copy of b, one number for every output channel, with as many zeros
// behind it as [Kernel.Forward] wants of a bias.
func PadBias(b []float32) []float32 {
	return append(make([]float32, 0, paddedChannels(len(b))), b...)[:paddedChannels(len(b))]
}

func paddedChannels(k int) int { return (k + tile.MaxCols - 1) / tile.MaxCols * tile.MaxCols }

// tileFinish returns the finish of a tile whose first column is channel k0.
func tileFinish(f Finish, k0 int) tile.Finish {
	floor := float32(math.Inf(-1))
	if f.ReLU {
		floor = 0
	}
	return tile.Finish{Bias: &f.Bias[k0], Floor: floor}
}

// NewKernel prepares w [KH,KW,C,K] for forward convolutions of the shape on p, or on any
// pool of as many threads, with the instruction set in use.
func NewKernel(p *par.Pool, s Shape, w []float32) *Kernel {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	if len(w) < s.sizeW() {
		panic(fmt.Sprintf("conv: a kernel of %d elements, %+v needs %d", len(w), s, s.sizeW()))
	}
	k := &Kernel{shape: s, threads: p.Threads(), level: isa.Current()}
	if ws, _, ok := byWinograd(s, Forward, false); ok && !winogradOff.Load() {
		k.winograd = winograd.NewKernel(p, ws, w)
		return k
	}
	var count layout
	plan := newRowsPlan(s, Forward, k.threads, f32, true, &count)
	k.panels = make([]byte, plan.panelBytes()+lineBytes)
	mem := newLayout(k.panels)
	plan.b = mem.base
	plan.pack(p, first(w))
	return k
}

// GivenScratchBytes returns how many bytes of scratch memory [Kernel.Forward] needs on a
// pool of so many threads, with the instruction set in use.
func GivenScratchBytes(s Shape, threads int) int {
	if ws, _, ok := byWinograd(s, Forward, false); ok && !winogradOff.Load() {
		return winograd.GivenScratchBytes(ws, threads)
	}
	var count layout
	newRowsPlan(s, Forward, max(1, threads), f32, true, &count)
	return count.total()
}

// Forward computes y [N,OutH,OutW,K] from x [N,H,W,C] and finishes it with a bias of
// [PadBias].
func (k *Kernel) Forward(p *par.Pool, y, x []float32, finish Finish, scratch []byte) {
	s := k.shape
	switch {
	case p.Threads() != k.threads || isa.Current() != k.level:
		panic(fmt.Sprintf("conv: a kernel for %d threads and %v, used with %d and %v", k.threads, k.level, p.Threads(), isa.Current()))
	case len(x) < s.sizeX() || len(y) < s.sizeY() || len(scratch) < GivenScratchBytes(s, k.threads) || len(finish.Bias) != paddedChannels(s.K):
		panic(fmt.Sprintf("conv: x %d, y %d, bias %d elements and %d bytes of scratch do not suit %+v", len(x), len(y), len(finish.Bias), len(scratch), s))
	}
	if k.winograd != nil {
		finish.Bias = finish.Bias[:winograd.BiasLen(s.K)]
		k.winograd.Forward(p, y, x, finish, scratch)
		return
	}
	mem := newLayout(scratch)
	plan := newRowsPlan(s, Forward, k.threads, f32, true, &mem)
	panels := newLayout(k.panels)
	plan.b, plan.finish = panels.base, finish
	plan.run(p, first(y), first(x), unsafe.Pointer(nil))
}
