package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

// SweepResult is the speed of kernels over a grid of shapes.
type SweepResult struct {
	Name      string  `json:"name"`
	Machine   Machine `json:"machine"`
	Precision string  `json:"precision"`
	Left      int     `json:"left"`  // shapes for which there was no time
	Rates     []Rate  `json:"rates"` // by Share, the worst first
}

// Rate is the speed of one kernel at one shape.
type Rate struct {
	Kernel    string  `json:"kernel"` // conv forward, matmul NT, ...
	Shape     string  `json:"shape"`
	Algorithm string  `json:"algorithm"`
	Seconds   float64 `json:"seconds"` // the least of several calls
	FLOPS     float64 `json:"flop_per_s"`
	OfPeak    float64 `json:"of_peak"` // direct count over the peak: Winograd's may exceed 1
	Share     float64 `json:"share"`   // of the roofline, for the arithmetic that is done
}

// Task is one kernel at one shape: a convolution, or a matrix product if MatMul is set.
type Task struct {
	Conv   conv.Shape
	Form   conv.Form
	MatMul *gemm.Shape
}

const (
	sweepBudget = 110 * time.Second
	sweepLimit  = 1.2e10 // FLOP of a call: what takes longer says no more
	sweepBytes  = 1 << 29
	sweepTimes  = 3
	sweepAgain  = 200 // tasks between two measurements of the machine
)

// SweepGrid returns convolutions of 3 to 512 channels, 4x4 to 112x112 pixels, windows of
// 1, 3 and 7, strides of 1 and 2, batches of 1, 8 and 64, in the three forms, and the
// matrix products of projection heads. Shapes that no network has are left out: windows
// of 7 are for a few channels, and what is too large for a short call.
func SweepGrid() []Task {
	var tasks []Task
	for _, n := range []int{1, 8, 64} {
		for _, size := range []int{4, 7, 8, 14, 16, 28, 32, 56, 112} {
			for _, c := range []int{3, 16, 32, 64, 128, 256, 512} {
				for _, window := range []int{1, 3, 7} {
					for _, stride := range []int{1, 2} {
						tasks = append(tasks, convTasks(n, size, c, window, stride)...)
					}
				}
			}
		}
	}
	for _, rows := range []int{1, 8, 64, 256} {
		for _, layer := range [][2]int{{128, 512}, {512, 128}, {512, 4096}, {4096, 256}, {256, 4096}, {2048, 4096}} {
			in, out := layer[0], layer[1]
			tasks = append(tasks,
				matMulTask(gemm.Shape{M: rows, N: out, K: in}),               // y from x
				matMulTask(gemm.Shape{M: rows, N: in, K: out, TransB: true}), // dx from dy
				matMulTask(gemm.Shape{M: in, N: out, K: rows, TransA: true})) // dw from x and dy
		}
	}
	return tasks
}

// convTasks returns the three forms of a layer, none if no network has it.
func convTasks(n, size, c, window, stride int) []Task {
	out := c * stride // where the stride is 2, channels double
	if c == 3 {
		out = 64
	}
	pad := window / 2
	s := conv.Shape{N: n, H: size, W: size, C: c, K: out, KH: window, KW: window, StrideH: stride, StrideW: stride,
		PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad, DilationH: 1, DilationW: 1}
	if window == 7 && c > 32 || c == 3 && size < 16 || s.FLOP() > sweepLimit ||
		4*float64(n)*float64(size*size)*float64(c+out) > sweepBytes {
		return nil
	}
	tasks := []Task{{Conv: s, Form: conv.Forward}, {Conv: s, Form: conv.KernelGrad}}
	if c > 3 { // nobody asks for the gradient of pictures
		tasks = append(tasks, Task{Conv: s, Form: conv.InputGrad})
	}
	return tasks
}

func matMulTask(s gemm.Shape) Task {
	s.LDA, s.LDB, s.LDC = s.K, s.N, s.N
	if s.TransA {
		s.LDA = s.M
	}
	if s.TransB {
		s.LDB = s.K
	}
	return Task{MatMul: &s}
}

// Sweep times each task, in float32 or bfloat16, within two minutes: tasks are taken from
// all over the grid, so that what is left when time is up is spread over it too.
func Sweep(ctx context.Context, tasks []Task, bf16 bool, threads int) (SweepResult, error) {
	begin := time.Now()
	r := SweepResult{Name: "sweep", Machine: MeasureMachine(threads), Precision: "fp32"}
	if bf16 {
		r.Precision = "bf16"
	}
	pool := par.New(threads)
	defer pool.Close()
	memory := &sweepMemory{pool: pool, bf16: bf16}
	var timed []prepared
	for k := range tasks {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if time.Since(begin) > sweepBudget {
			r.Left = len(tasks) - k
			break
		}
		if k%sweepAgain == sweepAgain-1 {
			r.Machine.again(false)
		}
		timed = append(timed, memory.time(tasks[spread(k, len(tasks))]))
	}
	r.Machine.again(true)
	for _, p := range timed {
		r.Rates = append(r.Rates, p.against(r.Machine, bf16))
	}
	slices.SortStableFunc(r.Rates, func(a, b Rate) int { return cmp.Compare(a.Share, b.Share) })
	return r, nil
}

// spread visits 0 to n-1 in strides, each once.
func spread(k, n int) int {
	stride := n*618/1000 | 1
	for gcd(stride, n) != 1 {
		stride += 2
		if stride > 2*n {
			stride = 1
		}
	}
	return k * stride % n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// sweepMemory holds two operands and a result, which tasks share.
type sweepMemory struct {
	pool    *par.Pool
	bf16    bool
	f32     [3][]float32
	b16     [3][]uint16
	scratch []byte
}

// sized returns a slice of at least n values.
func sized[T any](old []T, n int, value T) []T {
	if len(old) >= n {
		return old
	}
	return slices.Repeat([]T{value}, n)
}

// make has room for the two operands, the result and scratch memory. Operands are never
// written to.
func (m *sweepMemory) make(sizes [3]int, scratch int) {
	const half = 0x3f00 // 0.5 in bfloat16
	for i, n := range sizes {
		if m.bf16 {
			m.b16[i] = sized(m.b16[i], n, half)
		}
		if !m.bf16 || i == 2 { // a kernel's gradient is float32
			m.f32[i] = sized(m.f32[i], n, 0.5)
		}
	}
	m.scratch = sized(m.scratch, scratch, 0)
}

// prepared is a task that is ready to be timed.
type prepared struct {
	rate   Rate
	call   func()
	flop   float64
	done   float64 // FLOP by the algorithm
	native bool    // products of bfloat16 by instruction
	bytes  float64
}

// time times one task.
func (m *sweepMemory) time(t Task) prepared {
	var p prepared
	if t.MatMul != nil {
		p = m.matMul(*t.MatMul)
	} else {
		p = m.conv(t.Conv, t.Form)
	}
	p.call()
	times, best := 1, math.Inf(1)
	for range sweepTimes {
		start := time.Now()
		for range times {
			p.call()
		}
		took := time.Since(start).Seconds() / float64(times)
		best = min(best, took)
		times = max(1, min(1000, int(.004/took))) // short calls several times, for the clock
	}
	p.rate.Seconds, p.rate.FLOPS = best, p.flop/best
	p.call = nil // lets go of the memory
	return p
}

// against compares the rate with the machine's.
func (p prepared) against(m Machine, bf16 bool) Rate {
	r := p.rate
	r.OfPeak = r.FLOPS / m.Peak(bf16)
	r.Share = m.Floor(p.done, p.native, p.bytes) / r.Seconds
	return r
}

// bytes is the size of so many elements.
func (m *sweepMemory) bytes(elements int) float64 {
	if m.bf16 {
		return 2 * float64(elements)
	}
	return 4 * float64(elements)
}

// conv prepares a convolution.
func (m *sweepMemory) conv(s conv.Shape, form conv.Form) prepared {
	x, w, y := s.N*s.H*s.W*s.C, s.KH*s.KW*s.C*s.K, s.N*s.OutH()*s.OutW()*s.K
	a := conv.AlgorithmOf(s, form, m.bf16)
	p := prepared{flop: s.FLOP(), done: a.FLOP, native: a.BF16, bytes: m.bytes(x + w + y),
		rate: Rate{Kernel: "conv " + form.String(), Algorithm: a.Name,
			Shape: fmt.Sprintf("%dx%dx%dx%d, %dx%dx%d /%d", s.N, s.H, s.W, s.C, s.KH, s.KW, s.K, s.StrideH)}}
	sizes := map[conv.Form][3]int{conv.Forward: {x, w, y}, conv.InputGrad: {y, w, x}, conv.KernelGrad: {x, y, w}}[form]
	m.make(sizes, conv.ScratchBytes(s, form, m.pool.Threads(), m.bf16))
	f, b := m.f32, m.b16
	switch {
	case m.bf16 && form == conv.Forward:
		p.call = func() { conv.ForwardBF16(m.pool, s, b[2], b[0], b[1], m.scratch) }
	case m.bf16 && form == conv.InputGrad:
		p.call = func() { conv.InputGradBF16(m.pool, s, b[2], b[0], b[1], m.scratch) }
	case m.bf16:
		p.call = func() { conv.KernelGradBF16(m.pool, s, f[2], b[0], b[1], m.scratch) }
	case form == conv.Forward:
		p.call = func() { conv.ForwardF32(m.pool, s, f[2], f[0], f[1], m.scratch) }
	case form == conv.InputGrad:
		p.call = func() { conv.InputGradF32(m.pool, s, f[2], f[0], f[1], m.scratch) }
	default:
		p.call = func() { conv.KernelGradF32(m.pool, s, f[2], f[0], f[1], m.scratch) }
	}
	return p
}

// matMul prepares a matrix product.
func (m *sweepMemory) matMul(s gemm.Shape) prepared {
	sizes := [3]int{s.M * s.K, s.K * s.N, s.M * s.N}
	letter := map[bool]string{false: "N", true: "T"}
	p := prepared{flop: s.FLOP(), done: s.FLOP(), native: m.bf16 && isa.Current() >= isa.AVX512BF16, bytes: m.bytes(sizes[0] + sizes[1] + sizes[2]),
		rate: Rate{Kernel: "matmul " + letter[s.TransA] + letter[s.TransB], Algorithm: "direct", Shape: fmt.Sprintf("%dx%dx%d", s.M, s.K, s.N)}}
	m.make(sizes, gemm.ScratchBytes(s, m.pool.Threads(), m.bf16))
	if m.bf16 {
		p.call = func() { gemm.BF16ToBF16(m.pool, s, m.b16[2], m.b16[0], m.b16[1], m.scratch) }
	} else {
		p.call = func() { gemm.F32(m.pool, s, m.f32[2], m.f32[0], m.f32[1], m.scratch) }
	}
	return p
}

// Print writes the rates, the worst first: 40 of them, or all.
func (r SweepResult) Print(w io.Writer, all bool) error {
	if err := r.Machine.Print(w); err != nil {
		return err
	}
	const most = 40
	shown := r.Rates
	if !all {
		shown = shown[:min(most, len(shown))]
	}
	fmt.Fprintf(w, "sweep     %d shapes, %s", len(r.Rates), r.Precision)
	if r.Left > 0 {
		fmt.Fprintf(w, "; no time for %d more", r.Left)
	}
	fmt.Fprintf(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "of roof\tof peak\tGFLOP/s\tms\talgorithm\tkernel\t  shape (input, window and channels /stride; rows x sum x columns)")
	for _, k := range shown {
		fmt.Fprintf(t, "%.0f %%\t%.2f\t%.1f\t%.3f\t%s\t%s\t  %s\n", 100*k.Share, k.OfPeak, k.FLOPS/1e9, 1e3*k.Seconds, k.Algorithm, k.Kernel, k.Shape)
	}
	return t.Flush()
}
