//go:build arm64 && !purego

package peak

import "github.com/byol-go/byol/internal/kernel/isa"

// loops lists the kernels that every arm64 runs.
func loops() []loop {
	const chains = 24 // twelve registers of AVX2's are two each
	return []loop{portable(), {isa.NEON, false, chains * 4 * 2, multiplyAddNEON}}
}

// movers returns what the current instruction set has.
func movers() mover {
	on := func(f func(p *byte, n int)) func([]byte) { return func(p []byte) { f(&p[0], len(p)) } }
	onTwo := func(f func(p, q *byte, n int)) func(p, q []byte) {
		return func(p, q []byte) { f(&p[0], &q[0], len(p)) }
	}
	m := portableMovers()
	if isa.Current() >= isa.NEON {
		m.read = append(m.read, on(loadNEON))
		m.write = append(m.write, on(storeNEON), on(streamStoreNEON))
		m.copy = append(m.copy, onTwo(moveNEON), onTwo(streamMoveNEON))
	}
	return m
}
