// Package vec holds the element-wise loops of the engine: arithmetic, elementary
// functions, comparisons, selection, row-wise broadcasts, bfloat16 conversion and
// small data movements, on contiguous slices of one thread.
//
// The engine runs a chain of element-wise operations as a sequence of these loops
// over blocks that stay in the L1 cache, so every call takes any length ≥ 0, makes
// no allocation and starts no goroutine. A destination may be the same slice as an
// operand (in place); it must not overlap an operand in any other way.
//
// The comment on each function is its loop, and the *_ref.go files are that loop in
// Go: the reference, and the path of machines without AVX2 or NEON. The AVX2 and AVX-512
// paths are written by the generator in _asm, which also writes those of package reduce,
// and NEON's from AVX2's by that in ../_neon. They give the same bits as each other, and
// as the reference except where the comment states an error bound (elementary functions)
// or where a product and a sum are rounded once instead of twice (MulAdd, Affine and Grad
// use fused multiply-adds). NaN payloads are not kept the same.
//
// Slices of unequal length panic, before anything is written.
package vec

// The panics of this package, all of them mistakes of the caller.
const (
	lengthMismatch = "vec: slices differ in length"
	shapeMismatch  = "vec: slice lengths do not fit rows and columns"
)
