package winograd

import "unsafe"

// lane is the number of channels that every kernel handles at once; a block of
// channels is lane of them, the last one padded with zeros.
const lane = 16

// chunk is the number of output channels between the products and the inverse
// transform, which reads m [tile][element][chunk].
const chunk = 32

// kernels are the functions of one instruction set. Assembly sees full blocks
// only; what they do is defined by the Go code of kernel_ref.go.
type kernels struct {
	panel int // tiles of a full panel
	short int // tiles of a short one, at most panel, at least half of it
	width int // output channels of a panel of the transformed kernel: lane or chunk
	block int // tiles of a block at least, where a layer is wide

	// The products of a full and of a short panel by width channels, and by lane.
	fullWide, fullLane, shortWide, shortLane productFunc

	// The product of lane by lane channels of so many tiles, a multiple of four, in c's
	// rows one after the other; or nil.
	lanes func(tiles int, a, b, c *float32)

	// The products of the kernel gradient for lane input channels by width and by
	// lane output channels, in groups of rows.
	gradWide, gradLane []gradRows

	float32, bfloat16 transforms
	finish            [2]finishFuncs // of strides 1 and 2, float32; nil: see finishAfter

	kernelOut      func(args *weightArgs)
	splitKernelOut func(args *weightArgs)
	addTo          func(dst, src *float32, blocks int)
	fetch          fetchFunc // or nil
}

// transforms are the functions that read or write images and kernels of one type.
type transforms struct {
	strips    [3]func(args *stripArgs) // by what is read: see source
	stride1   transformsOf
	stride2   transformsOf
	transpose func(dst *float32, src *byte, stride int)
}

// transformsOf are those of F(4x4,3x3), or of a stride-2 convolution.
type transformsOf struct {
	output  func(args *tileArgs)
	grad    func(args *tileArgs)
	weights func(args *weightArgs)
}

// stride returns the transforms of a convolution of stride 1 or 2.
func (t *transforms) stride(two bool) *transformsOf {
	if two {
		return &t.stride2
	}
	return &t.stride1
}

// of returns the transforms for n's type.
func (k *kernels) of(n numbers) *transforms {
	if n.size == 2 {
		return &k.bfloat16
	}
	return &k.float32
}

// productFunc sets c[r][n] = Σ_k a[k/16][r][k%16]·b[k][n] for k < 16·blocks, on top
// of c if accumulate: a [blocks][panel][16], b [16·blocks][columns], rows of c are
// elements·chunk floats apart. It may prefetch from next on.
type productFunc func(blocks int, a, b, c *float32, accumulate bool, next *float32)

// gradRows is a group of rows of a gradient product: c[r][k] = Σ_t a[t][r]·b[t][k]
// for t < n, which is even, on top of c if accumulate; a [n][16], b [n][columns],
// c [rows][columns]. It may prefetch n/2 cache lines from next on.
type gradRows struct {
	rows int
	run  func(n int, a, b, c *float32, accumulate bool, next *float32)
}

// stripArgs tells a strip's transform of a run of tiles of one tile row. Strides are
// in bytes. Assembly knows the offsets of the fields.
type stripArgs struct {
	rows        [splitSide]unsafe.Pointer // the first column of the image, in each of the tile row's rows of pixels
	strip       *float32                  // [column][span][lane]; what lies outside the image must be zero
	first       int                       // bytes from strip to the first column
	cols        int                       // columns inside the image
	colStride   int                       // between columns of a row
	blocks      int                       // of channels
	v           *float32                  // transformed tiles
	blockStride int                       // between blocks of channels in v
	stride      int                       // between elements in v
	tiles       int
	offset      *int // bytes from v to each tile
	place       *int // and from there to each of its 81 values, which have no stride
	ahead       int  // from a row of pixels to the same one of the next row of tiles, for prefetching
}

// prefetchedTiles is how many tiles more than there are a list has, for prefetching.
const prefetchedTiles = 4

// withAhead appends what is prefetched after the last of a list of tiles, out of sight.
func withAhead(tiles [][2]int) [][2]int {
	n := len(tiles)
	for i := 0; n > 0 && i < prefetchedTiles; i++ {
		tiles = append(tiles, tiles[n-1])
	}
	return tiles[:n]
}

// tileArgs tells the output's and its gradient's transform of tiles with all their 4x4 pixels.
type tileArgs struct {
	tmp                  *float32       // lane·elements floats of scratch
	m                    *float32       // transformed tiles
	y                    unsafe.Pointer // image
	offset               *[2]int        // bytes from m and from y to each tile, and to prefetchedTiles more
	tiles                int
	rowStride, colStride int // between pixels of y
	stride               int // between elements of m; the output's transform takes 4·chunk

	// Of an output's transform that finishes: see finishFuncs.
	bias  *float32 // [lane]
	floor float32  // -Inf if there is none
}

// finishFuncs are the inverse transforms for [Finish]: y = max(Aᵀ·m·A + bias, floor), a
// NaN staying one; add takes what y was into the sum.
type finishFuncs struct{ set, add func(args *tileArgs) }

// weightArgs tells the transforms of kernels and of their gradients of rows of lane output channels.
type weightArgs struct {
	tmp     *float32 // lane·elements floats of scratch
	from    unsafe.Pointer
	to      *float32
	rows    int
	fromRow int // from one input channel to the next
	toRow   int
	tap     int  // between taps of the kernel
	stride  int  // between elements of the transformed kernel
	place   *int // bytes to each of its 81 values, which have no stride
}
