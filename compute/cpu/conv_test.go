package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/byol-go/byol/compute/cpu"
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

func newBackend(tb testing.TB, config string) *cpu.Backend {
	tb.Helper()
	b, err := cpu.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(b.Finalize)
	b.OnCompile(func(e *cpu.Executable) { lastExecutable = e })
	return b
}

// lastExecutable is the one compiled last.
var lastExecutable *cpu.Executable

// run builds a graph on values of one type, checks its memory plan, and returns the
// results as float64.
func run(tb testing.TB, b *cpu.Backend, dtype dtypes.DType, inputs [][]float64, dims [][]int, build func(in []*graph.Node) []*graph.Node) [][]float64 {
	tb.Helper()
	g := graph.NewGraph(b, tb.Name())
	var nodes []*graph.Node
	var args []any
	for i, v := range inputs {
		nodes = append(nodes, graph.Parameter(g, fmt.Sprint(i), shapes.Make(dtype, dims[i]...)))
		args = append(args, tensorOf(dtype, v, dims[i]))
	}
	out := build(nodes)
	for i := range out {
		out[i] = graph.ConvertDType(out[i], dtypes.Float64)
	}
	g.Compile(out...)
	if err := lastExecutable.CheckPlan(); err != nil {
		tb.Error(err)
	}
	var results [][]float64
	for _, t := range g.Run(args...) {
		results = append(results, append([]float64{}, tensors.MustCopyFlatData[float64](t)...))
	}
	return results
}

func tensorOf(dtype dtypes.DType, v []float64, dims []int) *tensors.Tensor {
	switch dtype {
	case dtypes.Float64:
		return tensors.FromFlatDataAndDimensions(v, dims...)
	case dtypes.Float32:
		x := make([]float32, len(v))
		for i := range v {
			x[i] = float32(v[i])
		}
		return tensors.FromFlatDataAndDimensions(x, dims...)
	}
	panic("no tensors of " + dtype.String())
}

func randoms(seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(float32(r.NormFloat64()))
	}
	return v
}

// closeTo fails if the vectors differ by more than tol times the largest magnitude.
func closeTo(tb testing.TB, name string, got, want []float64, tol float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	scale := 1.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(v))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tol*scale) {
			tb.Fatalf("%s: element %d is %v, want %v", name, i, got[i], want[i])
			return
		}
	}
}

// naiveConv is ConvGeneral on x [N,H,W,C] and w [KH,KW,C/groups,K] by its definition.
func naiveConv(x, w []float64, xd, wd, strides []int, pad [][2]int, inDil, kerDil []int, groups int) ([]float64, []int) {
	out := func(s int) int {
		return ((xd[s+1]-1)*inDil[s]+1+pad[s][0]+pad[s][1]-(wd[s]-1)*kerDil[s]-1)/strides[s] + 1
	}
	n, oh, ow, k := xd[0], out(0), out(1), wd[3]
	y := make([]float64, n*oh*ow*k)
	for i := range y {
		o, c, r, b := i%k, i/k%ow, i/k/ow%oh, i/k/ow/oh
		for kh := range wd[0] {
			for kw := range wd[1] {
				h, v := r*strides[0]+kh*kerDil[0]-pad[0][0], c*strides[1]+kw*kerDil[1]-pad[1][0]
				if h < 0 || v < 0 || h%inDil[0] != 0 || v%inDil[1] != 0 || h/inDil[0] >= xd[1] || v/inDil[1] >= xd[2] {
					continue
				}
				for ci := range wd[2] {
					channel := o/(k/groups)*wd[2] + ci
					y[i] += x[((b*xd[1]+h/inDil[0])*xd[2]+v/inDil[1])*xd[3]+channel] * w[((kh*wd[1]+kw)*wd[2]+ci)*k+o]
				}
			}
		}
	}
	return y, []int{n, oh, ow, k}
}

type convCase struct {
	x, w          []int // [N,H,W,C], [KH,KW,C/groups,K]
	strides       []int
	pad           [][2]int
	inDil, kerDil []int
	groups        int
	noGradient    bool // GoMLX has none for input dilation, and a wrong one for windows of even size
}

func convCases() []convCase {
	one := []int{1, 1}
	pad := func(a, b, c, d int) [][2]int { return [][2]int{{a, b}, {c, d}} }
	return []convCase{
		{x: []int{2, 5, 7, 3}, w: []int{3, 3, 3, 4}, strides: one, pad: pad(1, 1, 1, 1), inDil: one, kerDil: one, groups: 1},
		{x: []int{1, 8, 8, 16}, w: []int{3, 3, 16, 17}, strides: one, pad: pad(1, 1, 1, 1), inDil: one, kerDil: one, groups: 1},
		{x: []int{2, 8, 7, 5}, w: []int{3, 3, 5, 6}, strides: []int{2, 2}, pad: pad(1, 1, 1, 1), inDil: one, kerDil: one, groups: 1},
		{x: []int{2, 9, 9, 3}, w: []int{7, 7, 3, 8}, strides: []int{2, 2}, pad: pad(3, 3, 3, 3), inDil: one, kerDil: one, groups: 1},
		{x: []int{3, 6, 6, 4}, w: []int{1, 1, 4, 9}, strides: []int{2, 2}, pad: pad(0, 0, 0, 0), inDil: one, kerDil: one, groups: 1},
		{x: []int{3, 5, 4, 4}, w: []int{1, 1, 4, 5}, strides: one, pad: pad(0, 0, 0, 0), inDil: one, kerDil: one, groups: 1},
		{x: []int{1, 9, 8, 2}, w: []int{3, 2, 2, 3}, strides: one, pad: pad(0, 2, 1, 0), inDil: one, kerDil: []int{2, 3}, groups: 1, noGradient: true},
		{x: []int{1, 9, 8, 2}, w: []int{3, 3, 2, 3}, strides: one, pad: pad(0, 2, 1, 0), inDil: one, kerDil: []int{2, 3}, groups: 1},
		{x: []int{1, 6, 6, 2}, w: []int{2, 3, 2, 3}, strides: []int{1, 2}, pad: pad(0, 0, 2, 1), inDil: one, kerDil: one, groups: 1, noGradient: true},
		{x: []int{1, 6, 6, 2}, w: []int{1, 3, 2, 3}, strides: []int{1, 2}, pad: pad(0, 0, 2, 1), inDil: one, kerDil: one, groups: 1},
		{x: []int{2, 4, 4, 6}, w: []int{3, 3, 2, 6}, strides: one, pad: pad(1, 1, 1, 1), inDil: one, kerDil: one, groups: 3},
		{x: []int{2, 3, 4, 2}, w: []int{3, 3, 2, 4}, strides: one, pad: pad(2, 2, 1, 2), inDil: []int{2, 3}, kerDil: one, groups: 1, noGradient: true},
		{x: []int{2, 3, 4, 2}, w: []int{3, 3, 2, 4}, strides: []int{2, 1}, pad: pad(1, 2, 1, 2), inDil: []int{2, 1}, kerDil: one, groups: 1, noGradient: true},
		{x: []int{1, 4, 4, 2}, w: []int{2, 2, 2, 2}, strides: one, pad: pad(0, 3, 0, 3), inDil: one, kerDil: one, groups: 1, noGradient: true},
	}
}

// layouts are axis orders: the physical axis of N, H, W, C and of KH, KW, I, O.
var layouts = []struct {
	name        string
	image, kern [4]int
}{
	{"nhwc", [4]int{0, 1, 2, 3}, [4]int{0, 1, 2, 3}},
	{"nchw", [4]int{0, 2, 3, 1}, [4]int{2, 3, 1, 0}},
	{"cwhn", [4]int{3, 2, 1, 0}, [4]int{1, 3, 0, 2}},
}

func permuted(v []float64, dims []int, to [4]int) ([]float64, []int) {
	out, outDims := make([]float64, len(v)), make([]int, 4)
	for i, d := range dims {
		outDims[to[i]] = d
	}
	for i := range v {
		rest, at := i, [4]int{}
		for axis := 3; axis >= 0; axis-- {
			at[to[axis]] = rest % dims[axis]
			rest /= dims[axis]
		}
		out[((at[0]*outDims[1]+at[1])*outDims[2]+at[2])*outDims[3]+at[3]] = v[i]
	}
	return out, outDims
}

func TestConvForward(t *testing.T) {
	b := newBackend(t, "threads=2")
	for i, c := range convCases() {
		x, w := randoms(uint64(i), shapes.Make(dtypes.Float32, c.x...).Size()), randoms(uint64(i+100), shapes.Make(dtypes.Float32, c.w...).Size())
		y, yd := naiveConv(x, w, c.x, c.w, c.strides, c.pad, c.inDil, c.kerDil, c.groups)
		for _, l := range layouts {
			axes := axesOf(l.image, l.kern)
			px, pxd := permuted(x, c.x, l.image)
			pw, pwd := permuted(w, c.w, l.kern)
			want, _ := permuted(y, yd, l.image)
			for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64} {
				got := run(t, b, dtype, [][]float64{px, pw}, [][]int{pxd, pwd}, func(in []*graph.Node) []*graph.Node {
					return []*graph.Node{graph.ConvGeneral(in[0], in[1], axes, c.strides, c.pad, c.inDil, c.kerDil, c.groups, 1)}
				})
				closeTo(t, fmt.Sprintf("case %d %s %s", i, l.name, dtype), got[0], want, 1e-5)
			}
			got := run(t, b, dtypes.Float32, [][]float64{px, pw}, [][]int{pxd, pwd}, func(in []*graph.Node) []*graph.Node {
				x, w := graph.ConvertDType(in[0], dtypes.BFloat16), graph.ConvertDType(in[1], dtypes.BFloat16)
				return []*graph.Node{graph.ConvGeneral(x, w, axes, c.strides, c.pad, c.inDil, c.kerDil, c.groups, 1)}
			})
			closeTo(t, fmt.Sprintf("case %d %s BFloat16", i, l.name), got[0], want, 2e-2)
		}
	}
}

func axesOf(image, kern [4]int) backends.ConvolveAxesConfig {
	return backends.ConvolveAxesConfig{
		InputBatch: image[0], InputSpatial: []int{image[1], image[2]}, InputChannels: image[3],
		KernelSpatial: []int{kern[0], kern[1]}, KernelInputChannels: kern[2], KernelOutputChannels: kern[3],
		OutputBatch: image[0], OutputSpatial: []int{image[1], image[2]}, OutputChannels: image[3],
	}
}

// TestConvGradient compares with the transposed sums of the definition: for L = Σ y·v,
// dx and dw by perturbing the naive convolution, which is linear in both.
func TestConvGradient(t *testing.T) {
	b := newBackend(t, "threads=2")
	for i, c := range convCases() {
		if c.noGradient {
			continue
		}
		x, w := randoms(uint64(i), shapes.Make(dtypes.Float32, c.x...).Size()), randoms(uint64(i+100), shapes.Make(dtypes.Float32, c.w...).Size())
		y, yd := naiveConv(x, w, c.x, c.w, c.strides, c.pad, c.inDil, c.kerDil, c.groups)
		v := randoms(uint64(i+200), len(y))
		loss := func(x, w []float64) float64 {
			y, _ := naiveConv(x, w, c.x, c.w, c.strides, c.pad, c.inDil, c.kerDil, c.groups)
			sum := 0.0
			for i := range y {
				sum += y[i] * v[i]
			}
			return sum
		}
		derivative := func(p []float64, at int) float64 {
			old := p[at]
			p[at] = old + 1
			high := loss(x, w)
			p[at] = old - 1
			low := loss(x, w)
			p[at] = old
			return (high - low) / 2
		}
		for _, l := range layouts {
			px, pxd := permuted(x, c.x, l.image)
			pw, pwd := permuted(w, c.w, l.kern)
			pv, pvd := permuted(v, yd, l.image)
			for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64, dtypes.BFloat16} {
				given, tol := dtype, 1e-5
				if dtype == dtypes.BFloat16 {
					given, tol = dtypes.Float32, 2e-2
				}
				got := run(t, b, given, [][]float64{px, pw, pv}, [][]int{pxd, pwd, pvd}, func(in []*graph.Node) []*graph.Node {
					for k := range in {
						in[k] = graph.ConvertDType(in[k], dtype)
					}
					conv := graph.Convolve(in[0], in[1]).AxesConfig(axesOf(l.image, l.kern)).PaddingPerDim(c.pad).ChannelGroupCount(c.groups)
					if c.strides[0]*c.strides[1] > 1 {
						conv.StridePerAxis(c.strides...)
					}
					if c.kerDil[0]*c.kerDil[1] > 1 {
						conv.DilationPerAxis(c.kerDil...)
					}
					return graph.Gradient(graph.ReduceAllSum(graph.Mul(conv.Done(), in[2])), in[0], in[1])
				})
				if ops := lastExecutable.Ops(); dtype == dtypes.Float32 && c.groups == 1 && l.name == "nhwc" && (ops["Conv inputgrad"] != 1 || ops["Conv kernelgrad"] != 1 || ops["Reverse"] != 0) {
					t.Errorf("case %d %s: gradients not recognised: %v", i, l.name, ops)
				}
				for k, p := range [][]float64{x, w} {
					want := make([]float64, len(p))
					step := max(1, len(p)/12) // a dozen elements of each
					for at := 0; at < len(p); at += step {
						want[at] = derivative(p, at)
					}
					dims, to := c.x, l.image
					if k == 1 {
						dims, to = c.w, l.kern
					}
					placed, _ := permuted(want, dims, to)
					var g, e []float64
					for at := range placed {
						if placed[at] != 0 {
							g, e = append(g, got[k][at]), append(e, placed[at])
						}
					}
					closeTo(t, fmt.Sprintf("case %d %s %s gradient %d", i, l.name, dtype, k), g, e, tol)
				}
			}
		}
	}
}
