package main

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
)

// poolRegister holds the address of the constants in functions that read some.
const poolRegister = "R26"

// pool collects what the functions of a file read from static memory: halves of vectors,
// each stored once however often it is repeated, and symbols taken by address.
type pool struct {
	data    map[string][]byte
	vectors [][16]byte
	at      map[[16]byte]int
	symbols map[string]bool
}

func newPool(data map[string][]byte) *pool {
	return &pool{data: data, at: map[[16]byte]int{}, symbols: map[string]bool{}}
}

// vector returns the offset of 16 bytes in the pool.
func (p *pool) vector(b [16]byte) int {
	at, ok := p.at[b]
	if !ok {
		at = 16 * len(p.vectors)
		p.vectors, p.at[b] = append(p.vectors, b), at
	}
	return at
}

// words returns the offset of four equal words, or of four given ones.
func (p *pool) words(w ...uint32) int {
	var b [16]byte
	for i := range 4 {
		binary.LittleEndian.PutUint32(b[4*i:], w[i%len(w)])
	}
	return p.vector(b)
}

// read returns the offset of 16 bytes of a symbol.
func (p *pool) read(symbol string, from int64) (int, error) {
	d := p.data[symbol]
	if int64(len(d)) < from+16 {
		return 0, fmt.Errorf("%s has %d bytes, 16 are read from %d on", symbol, len(d), from)
	}
	return p.vector([16]byte(d[from:])), nil
}

func (p *pool) text() string {
	var b strings.Builder
	emit := func(name string, data []byte) {
		for i := 0; i < len(data); i += 8 {
			fmt.Fprintf(&b, "DATA %s<>+%d(SB)/8, $0x%016x\n", name, i, binary.LittleEndian.Uint64(data[i:]))
		}
		fmt.Fprintf(&b, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n\n", name, len(data))
	}
	var all []byte
	for _, v := range p.vectors {
		all = append(all, v[:]...)
	}
	if len(all) > 0 {
		emit("constants", all)
	}
	var names []string
	for name := range p.symbols {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		data := p.data[name]
		for len(data)%8 != 0 {
			data = append(data, 0)
		}
		emit(name, data)
	}
	return b.String()
}
