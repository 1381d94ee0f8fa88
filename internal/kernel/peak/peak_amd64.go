//go:build amd64 && !purego

package peak

import "github.com/byol-go/byol/internal/kernel/isa"

// loops lists the kernels that this processor runs.
func loops() []loop {
	const chains = 12 // as in _asm
	list := []loop{portable()}
	if isa.Detected() >= isa.AVX2 {
		list = append(list, loop{isa.AVX2, false, chains * 8 * 2, multiplyAddAVX2})
	}
	if isa.Detected() >= isa.AVX512 {
		list = append(list, loop{isa.AVX512, false, chains * 16 * 2, multiplyAddAVX512})
	}
	if isa.Detected() >= isa.AVX512BF16 {
		list = append(list, loop{isa.AVX512BF16, true, chains * 32 * 2, dotPairsAVX512BF16})
	}
	return list
}

// movers returns what the current instruction set has.
func movers() mover {
	on := func(f func(p *byte, n int)) func([]byte) { return func(p []byte) { f(&p[0], len(p)) } }
	onTwo := func(f func(p, q *byte, n int)) func(p, q []byte) {
		return func(p, q []byte) { f(&p[0], &q[0], len(p)) }
	}
	m := portableMovers()
	switch {
	case isa.Current() >= isa.AVX512:
		m.read = append(m.read, on(loadAVX512))
		m.write = append(m.write, on(storeAVX512), on(streamStoreAVX512))
		m.copy = append(m.copy, onTwo(moveAVX512), onTwo(streamMoveAVX512))
	case isa.Current() >= isa.AVX2:
		m.read = append(m.read, on(loadAVX2))
		m.write = append(m.write, on(storeAVX2), on(streamStoreAVX2))
		m.copy = append(m.copy, onTwo(moveAVX2), onTwo(streamMoveAVX2))
	}
	return m
}
