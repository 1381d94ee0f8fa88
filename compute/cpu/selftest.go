package cpu

import (
	"fmt"
	"math"
	"sync"

	"github.com/byol-go/byol/internal/kernel/conv"
	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/reduce"
	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/byol-go/byol/internal/kernel/winograd"
)

// selfTest runs once per process, before the first backend computes.
var selfTest = sync.OnceFunc(func() { isa.Trust(testKernels) })

// testKernels compares one small case of every family of kernels with the generic ones.
func testKernels() error {
	if err := winograd.SelfTest(); err != nil {
		return err
	}
	got := kernelSample()
	restore := isa.Set(isa.Generic)
	want := kernelSample()
	restore()
	for name, w := range want {
		largest := 0.0
		for _, v := range w {
			largest = math.Max(largest, math.Abs(float64(v)))
		}
		for i, v := range w {
			if d := math.Abs(float64(got[name][i] - v)); !(d <= 1e-4*largest) {
				return fmt.Errorf("%s, element %d: %v, want %v", name, i, got[name][i], v)
			}
		}
	}
	return nil
}

// kernelSample computes one small case of every family at the current instruction set.
func kernelSample() map[string][]float32 {
	out := map[string][]float32{}
	wave := func(n, step int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32((i*step)%31-15) / 8
		}
		return v
	}
	g := gemm.Shape{M: 13, N: 37, K: 29, LDA: 29, LDB: 37, LDC: 37}
	out["gemm"] = make([]float32, g.M*g.N)
	gemm.F32(nil, g, out["gemm"], wave(g.M*g.K, 7), wave(g.K*g.N, 11), alignedBytes(gemm.ScratchBytes(g, 1, false)))

	s := conv.Shape{N: 1, H: 9, W: 7, C: 5, KH: 3, KW: 3, K: 34, StrideH: 2, StrideW: 1, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1, DilationH: 1, DilationW: 1}
	x, w, y := wave(s.N*s.H*s.W*s.C, 7), wave(s.KH*s.KW*s.C*s.K, 11), wave(s.N*s.OutH()*s.OutW()*s.K, 13)
	scratch := func(f conv.Form) []byte { return alignedBytes(conv.ScratchBytes(s, f, 1, false)) }
	forward, dx, dw := make([]float32, len(y)), make([]float32, len(x)), make([]float32, len(w))
	conv.ForwardF32(nil, s, forward, x, w, scratch(conv.Forward))
	conv.InputGradF32(nil, s, dx, y, w, scratch(conv.InputGrad))
	conv.KernelGradF32(nil, s, dw, x, y, scratch(conv.KernelGrad))
	out["conv forward"], out["conv input gradient"], out["conv kernel gradient"] = forward, dx, dw
	out["conv bfloat16"] = bfloat16Sample(s, x, w)
	out["gemm bfloat16"] = bfloat16Product(g, wave(g.M*g.K, 7), wave(g.K*g.N, 11))

	a, b := wave(77, 7), wave(77, 11)
	for name, f := range map[string]func(dst, a, b []float32){"add": vec.Add, "mul": vec.Mul, "relu gradient": vec.ReLUGrad, "max": vec.Max} {
		out[name] = make([]float32, len(a))
		f(out[name], a, b)
	}
	for name, f := range map[string]func(dst, x []float32){"exp": vec.Exp, "tanh": vec.Tanh, "logistic": vec.Logistic} {
		out[name] = make([]float32, len(a))
		f(out[name], a)
	}
	mean, variance := make([]float32, 7), make([]float32, 7)
	reduce.BatchStats(nil, mean, variance, a, 11, 7, alignedBytes(reduce.BatchStatsScratchBytes(11, 7)))
	out["mean"], out["variance"] = mean, variance
	out["sum"] = []float32{reduce.Sum(nil, a, alignedBytes(reduce.AllScratchBytes(len(a))))}
	return out
}

// narrow returns v, which bfloat16 holds exactly, as that.
func narrow(v []float32) []uint16 {
	h := make([]uint16, len(v))
	vec.ToBF16(h, v)
	return h
}

// bfloat16Product is a matrix product of values that bfloat16 holds exactly.
func bfloat16Product(g gemm.Shape, a, b []float32) []float32 {
	c := make([]float32, g.M*g.N)
	gemm.BF16(nil, g, c, narrow(a), narrow(b), alignedBytes(gemm.ScratchBytes(g, 1, true)))
	return c
}

// bfloat16Sample is a convolution of values that bfloat16 holds exactly.
func bfloat16Sample(s conv.Shape, x, w []float32) []float32 {
	y := make([]uint16, s.N*s.OutH()*s.OutW()*s.K)
	conv.ForwardBF16(nil, s, y, narrow(x), narrow(w), alignedBytes(conv.ScratchBytes(s, conv.Forward, 1, true)))
	out := make([]float32, len(y))
	vec.FromBF16(out, y)
	return out
}
