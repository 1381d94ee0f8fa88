// Package gemm multiplies matrices on the processor, in float32 and bfloat16.
//
// Nothing is allocated apart from a few words per call: the caller gives
// scratch memory of [ScratchBytes]. Results are the same to the bit for any
// number of threads.
package gemm

import (
	"fmt"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/par"
)

// Shape describes C = op(A)·op(B) on row-major matrices with leading
// dimensions: op(A) is [M,K], op(B) is [K,N], C is [M,N]. With TransA, A is
// stored [K,M]; with TransB, B is stored [N,K]. C is overwritten.
type Shape struct {
	M, N, K        int
	TransA, TransB bool
	LDA, LDB, LDC  int
}

// FLOP returns the number of multiplications and additions.
func (s Shape) FLOP() float64 { return 2 * float64(s.M) * float64(s.N) * float64(s.K) }

// Validate reports a negative size or a leading dimension shorter than a row.
func (s Shape) Validate() error {
	rowA, rowB := s.K, s.N
	if s.TransA {
		rowA = s.M
	}
	if s.TransB {
		rowB = s.K
	}
	switch {
	case s.M < 0 || s.N < 0 || s.K < 0:
		return fmt.Errorf("gemm: shape %+v: negative size", s)
	case s.LDA < rowA || s.LDB < rowB || s.LDC < s.N:
		return fmt.Errorf("gemm: shape %+v: a leading dimension is shorter than a row", s)
	}
	return nil
}

// ScratchBytes returns how much scratch memory a call needs on a pool of at
// most threads threads, in bfloat16 or float32. It depends on the instruction
// set in use.
func ScratchBytes(s Shape, threads int, bf16 bool) int {
	threads = max(1, threads)
	p := newPlan(s, threads, bf16, true, nil)
	return p.bytes
}

// F32 computes C = op(A)·op(B) in float32.
func F32(p *par.Pool, s Shape, c, a, b []float32, scratch []byte) {
	check(s, p, false, len(c), len(a), len(b), len(scratch))
	plan := newPlan(s, p.Threads(), false, false, scratch)
	plan.run(p, first(c), first(a), first(b))
}

// BF16 computes C = op(A)·op(B) of bfloat16 values in their 16 bits, with
// float32 sums and result. Processors with AVX512_BF16 treat subnormal values
// as zero; others compute in float32.
func BF16(p *par.Pool, s Shape, c []float32, a, b []uint16, scratch []byte) {
	check(s, p, true, len(c), len(a), len(b), len(scratch))
	plan := newPlan(s, p.Threads(), true, false, scratch)
	plan.run(p, first(c), first(a), first(b))
}

// BF16ToBF16 is [BF16] with the result rounded to bfloat16 (nearest even).
func BF16ToBF16(p *par.Pool, s Shape, c, a, b []uint16, scratch []byte) {
	check(s, p, true, len(c), len(a), len(b), len(scratch))
	plan := newPlan(s, p.Threads(), true, true, scratch)
	plan.run(p, first(c), first(a), first(b))
}

// first returns where a slice begins.
func first[T any](v []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(v)) }

// check panics on a slice that does not have its matrix's size.
func check(s Shape, p *par.Pool, bf16 bool, c, a, b, scratch int) {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	size := func(rows, cols, ld int) int {
		if rows == 0 || cols == 0 {
			return 0
		}
		return (rows-1)*ld + cols
	}
	wantA, wantB := size(s.M, s.K, s.LDA), size(s.K, s.N, s.LDB)
	if s.TransA {
		wantA = size(s.K, s.M, s.LDA)
	}
	if s.TransB {
		wantB = size(s.N, s.K, s.LDB)
	}
	for _, v := range []struct {
		name      string
		got, want int
	}{
		{"c", c, size(s.M, s.N, s.LDC)}, {"a", a, wantA}, {"b", b, wantB},
		{"scratch (bytes)", scratch, ScratchBytes(s, p.Threads(), bf16)},
	} {
		if v.got < v.want {
			panic(fmt.Sprintf("gemm: %s has %d elements, %+v needs %d", v.name, v.got, s, v.want))
		}
	}
}
