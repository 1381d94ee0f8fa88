//go:build arm64 && !purego

package peak

import "github.com/byol-go/byol/internal/kernel/isa"

// loops lists the kernels that every arm64 runs.
func loops() []loop {
	const chains = 24 // twelve registers of AVX2's are two each
	return []loop{portable(), {isa.NEON, false, chains * 4 * 2, multiplyAddNEON}}
}

// movers returns what the current instruction set has. There are no stores past the caches.
func movers() mover {
	m := portableMovers()
	if isa.Current() >= isa.NEON {
		m.read = append(m.read, func(p []byte) { loadNEON(&p[0], len(p)) })
		m.write = append(m.write, func(p []byte) { storeNEON(&p[0], len(p)) })
		m.copy = append(m.copy, func(p, q []byte) { moveNEON(&p[0], &q[0], len(p)) })
	}
	return m
}
