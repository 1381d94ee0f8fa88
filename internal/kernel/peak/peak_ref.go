package peak

import (
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// portableChains is how many sums the portable loop has in flight.
const portableChains = 12

// portable is the loop that every platform has.
func portable() loop {
	return loop{level: isa.Generic, flop: 2 * portableChains, run: multiplyAdd}
}

var sink float32

// multiplyAdd is written such that the chains do not depend on each other, and no product
// is another's.
func multiplyAdd(turns int) {
	var a, b, c, d, e, f, g, h, i, j, k, l float32
	x, y := sink, sink
	for range turns {
		a, b, c, d = a*x+y, b*x+y, c*x+y, d*x+y
		e, f, g, h = e*x+y, f*x+y, g*x+y, h*x+y
		i, j, k, l = i*x+y, j*x+y, k*x+y, l*x+y
	}
	if s := a + b + c + d + e + f + g + h + i + j + k + l; s != 0 { // false, which the compiler does not know
		sink = s
	}
}

// portableMovers are what Go itself has; its reads are words, as vectors are not to be had.
func portableMovers() mover {
	return mover{
		read: []func(p []byte){readWords}, write: []func(p []byte){func(p []byte) { clear(p) }},
		copy: []func(p, q []byte){func(p, q []byte) { copy(p, q) }},
	}
}

var readSum uint64

// readWords sums the 8-byte words of p in four chains.
func readWords(p []byte) {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(p))), len(p)/8)
	var a, b, c, d uint64
	for ; len(words) >= 4; words = words[4:] {
		a += words[0]
		b += words[1]
		c += words[2]
		d += words[3]
	}
	if s := a + b + c + d; s == 1 { // bytes of ones never sum to it, which the compiler does not know
		readSum = s
	}
}
