package main

import (
	"fmt"
	"strings"
)

// The matrix products. A tile of C with up to 6 rows of 16 columns stays in V0 to V23 over
// the whole sum, V24 to V29 hold elements of A and V30 and V31 of B, so that for every four
// elements of the sum there are 96 multiply-adds to 14 loads. The sums run in the order of
// the AVX2 tiles.

// product writes the function if it is one of those that have a form of their own.
func product(t *translator) bool {
	name := t.f.name
	has := func(prefix, suffix string) bool {
		return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix)
	}
	switch {
	case has("rowsF32", "x16"):
		tileRows(t, 4, false)
	case has("rowsF32", "x8"):
		tileRows(t, 2, false)
	case has("rowsF32", "x16Finished"):
		tileRows(t, 4, true)
	case has("rowsF32", "x8Finished"):
		tileRows(t, 2, true)
	case has("colsF32", "x16"):
		tileCols(t, 4)
	case has("colsF32", "x8"):
		tileCols(t, 2)
	case name == "copyBlocks6":
		copyBlocks6(t)
	case name == "product6x16AVX2":
		winogradProduct(t, 6)
	case name == "product4x16AVX2":
		winogradProduct(t, 4)
	case name == "gradProduct6x16AVX2":
		winogradGradProduct(t, 6)
	case name == "gradProduct4x16AVX2":
		winogradGradProduct(t, 4)
	default:
		return false
	}
	return true
}

const (
	firstA = 24
	firstB = 30
)

// accumulators returns the registers of a tile of so many vectors a row.
func accumulators(rows, n int) [][]int {
	acc := make([][]int, rows)
	for r := range acc {
		for j := range n {
			acc[r] = append(acc[r], r*n+j)
		}
	}
	return acc
}

func (t *translator) label(format string, args ...any) { t.word(fmt.Sprintf(format, args...) + ":") }

func (t *translator) zeroAll(acc [][]int) {
	for _, row := range acc {
		for _, v := range row {
			t.word(zero(v))
		}
	}
}

// multiply adds the products of element lane of every row and a row of B, which b goes
// through.
func (t *translator) multiply(acc [][]int, b string, lane int) {
	for j := 0; j < len(acc[0]); j += 2 {
		t.emit("FLDPQ.P 32(%s), (F%d, F%d)", b, firstB, firstB+1)
		for i := range 2 {
			for r := range acc {
				t.word(fmlaLane(acc[r][j+i], firstB+i, firstA+r, lane))
			}
		}
	}
}

// multiplyColumn is multiply with A's elements side by side, four to a register.
func (t *translator) multiplyColumn(acc [][]int, b string) {
	for j := 0; j < len(acc[0]); j += 2 {
		t.emit("FLDPQ.P 32(%s), (F%d, F%d)", b, firstB, firstB+1)
		for i := range 2 {
			for r := range acc {
				t.word(fmlaLane(acc[r][j+i], firstB+i, firstA+r/4, r%4))
			}
		}
	}
}

// tileRows is package tile's product of rows given by address: [taps][6] in a.
func tileRows(t *translator, n int, finished bool) {
	rows := [6]string{"R5", "R6", "R8", "R9", "R10", "R11"}
	acc := accumulators(len(rows), n)
	t.emit("MOVD a+0(FP), R0")
	t.emit("MOVD b+8(FP), R1")
	t.emit("MOVD c+16(FP), R2")
	t.prefetchRows(len(rows))
	t.zeroAll(acc)
	t.emit("MOVD taps+24(FP), R3")
	t.emit("CBZ R3, done")
	t.label("tap")
	for r := 0; r < len(rows); r += 2 {
		t.emit("LDP %d(R0), (%s, %s)", 8*r, rows[r], rows[r+1])
	}
	t.emit("ADD $%d, R0", 8*len(rows))
	loop := func(name string, steps int) {
		t.emit("CBZ R4, %sEnd", name)
		t.label("%s", name)
		for r, p := range rows {
			if steps == 4 {
				t.emit("FMOVQ.P 16(%s), F%d", p, firstA+r)
			} else {
				t.emit("FMOVS.P 4(%s), F%d", p, firstA+r)
			}
		}
		for i := range steps {
			t.multiply(acc, "R1", i)
		}
		t.emit("SUBS $1, R4")
		t.emit("BNE %s", name)
		t.label("%sEnd", name)
	}
	t.emit("MOVD k+32(FP), R4")
	t.emit("LSR $2, R4")
	loop("four", 4)
	t.emit("MOVD k+32(FP), R4")
	t.emit("AND $3, R4")
	loop("one", 1)
	t.emit("SUBS $1, R3")
	t.emit("BNE tap")
	t.label("done")
	t.emit("MOVD cols+40(FP), R3")
	t.emit("MOVBU add+48(FP), R4")
	if finished {
		t.emit("MOVD bias+56(FP), R13")
		for j := range n {
			t.emit("FMOVQ %s, F%d", at("R13", 16*j), firstA+j)
			for r := range acc {
				t.word(fadd.word(acc[r][j], firstA+j, acc[r][j]))
			}
		}
		t.emit("FMOVS floor+64(FP), F%d", floor)
		t.word(dupS.word(floor, floor))
	}
	t.storeTile(acc, finished)
}

// tileCols is package tile's product with A read transposed.
func tileCols(t *translator, n int) {
	const rows = 6
	acc := accumulators(rows, n)
	t.emit("MOVD a+0(FP), R0")
	t.emit("MOVD off+8(FP), R5")
	t.emit("MOVD stride+16(FP), R6")
	t.emit("MOVD b+24(FP), R1")
	t.emit("MOVD c+32(FP), R2")
	t.prefetchRows(rows)
	t.zeroAll(acc)
	t.emit("MOVD segs+40(FP), R8")
	t.emit("CBZ R8, done")
	t.emit("MOVD length+48(FP), R9")
	t.emit("CBZ R9, done")
	t.label("seg")
	t.emit("MOVD.P 8(R5), R10")
	t.emit("ADD R0, R10")
	t.emit("MOVD R9, R11")
	t.label("one")
	t.emit("FMOVQ (R10), F%d", firstA)
	t.emit("FMOVD 16(R10), F%d", firstA+1)
	t.emit("ADD R6, R10")
	t.multiplyColumn(acc, "R1")
	t.emit("SUBS $1, R11")
	t.emit("BNE one")
	t.emit("SUBS $1, R8")
	t.emit("BNE seg")
	t.label("done")
	t.emit("MOVD cols+56(FP), R3")
	t.emit("MOVBU add+64(FP), R4")
	t.storeTile(acc, false)
}

// prefetchRows asks for the rows of C while the sums are made.
func (t *translator) prefetchRows(rows int) {
	for r := range rows {
		t.emit("MOVD %d(R2), R12", 8*r)
		t.emit("PRFM (R12), PSTL1KEEP")
	}
}

// Registers of the stores: what C holds, the least value, and which are below it.
const (
	old   = 28
	floor = 30
	below = 31
)

// storeTile writes R3 columns to the rows whose addresses are at R2, or adds them if R4.
// Columns behind those are neither read nor written. What is finished is no less than the
// floor.
func (t *translator) storeTile(acc [][]int, finished bool) {
	n := len(acc[0])
	each := func(full, add bool) {
		for r, row := range acc {
			t.emit("MOVD %d(R2), R12", 8*r)
			if full {
				t.storeRow(row, add, finished)
			} else {
				t.storePart(fmt.Sprintf("r%d%v", r, add), row, add, finished)
			}
		}
		t.emit("RET")
	}
	t.emit("CMP $%d, R3", 4*n)
	t.emit("BNE part")
	t.emit("CBNZ R4, fullAdd")
	each(true, false)
	t.label("fullAdd")
	each(true, true)
	t.label("part")
	t.emit("CBNZ R4, partAdd")
	each(false, false)
	t.label("partAdd")
	each(false, true)
}

// limit raises what is below the floor; NaN stays.
func (t *translator) limit(r int) {
	t.word(fcmgt.word(below, floor, r))
	t.word(bit.word(r, floor, below))
}

func (t *translator) storeRow(row []int, add, finished bool) {
	for j := 0; j < len(row); j += 2 {
		if add {
			t.emit("FLDPQ %s, (F%d, F%d)", at("R12", 16*j), old, old+1)
		}
		for i := range 2 {
			if add {
				t.word(fadd.word(row[j+i], row[j+i], old+i))
			}
			if finished {
				t.limit(row[j+i])
			}
		}
		t.emit("FSTPQ (F%d, F%d), %s", row[j], row[j+1], at("R12", 16*j))
	}
}

// storePart writes the R3 first columns of a row by the bits of R3. What has been written
// is moved out of the registers from below.
func (t *translator) storePart(name string, row []int, add, finished bool) {
	put := func(size string, bytes, r int) {
		if add {
			t.emit("%s (R12), F%d", size, old)
			t.word(fadd.word(old, r, old))
			r = old
		}
		if finished {
			if r != old {
				t.word(move(old, r))
			}
			r = old
			t.limit(r)
		}
		t.emit("%s.P F%d, %d(R12)", size, r, bytes)
	}
	for bit := len(row) / 2; bit > 0; bit /= 2 { // whole vectors
		next := fmt.Sprintf("%s_%d", name, 4*bit)
		t.emit("TBZ $%d, R3, %s", map[int]int{1: 2, 2: 3}[bit], next)
		for j := range bit {
			put("FMOVQ", 16, row[j])
		}
		for j := range bit {
			t.word(move(row[j], row[j+bit]))
		}
		t.label("%s", next)
	}
	two, one := name+"_2", name+"_1"
	t.emit("TBZ $1, R3, %s", two)
	put("FMOVD", 8, row[0])
	t.word(ext(row[0], row[0], row[0], 8))
	t.label("%s", two)
	t.emit("TBZ $0, R3, %s", one)
	put("FMOVS", 4, row[0])
	t.label("%s", one)
}

// winogradProduct is c[r][n] (+)= Σ_k a[k/16][r][k%16]·b[k][n]: a is [blocks][6][16], rows
// of c are 36·32 floats apart.
func winogradProduct(t *translator, rows int) {
	const panel, rowBytes = 6 * 64, 36 * 32 * 4
	acc := accumulators(rows, 4)
	t.emit("MOVD blocks+0(FP), R3")
	t.emit("MOVD a+8(FP), R0")
	t.emit("MOVD b+16(FP), R1")
	t.emit("MOVD c+24(FP), R2")
	t.emit("MOVD next+40(FP), R4")
	t.emit("MOVD $%d, R5", panel)
	t.emit("MADD R5, R0, R3, R5") // the panel behind this one
	t.loadTile(acc, rowBytes)
	t.emit("CMP $0, R3")
	t.emit("BLE done")
	t.label("block")
	t.emit("MOVD $4, R6")
	t.label("four")
	t.emit("PRFM (R4), PLDL1KEEP")
	t.emit("PRFM 64(R4), PLDL1KEEP")
	t.emit("PRFM (R5), PLDL1KEEP")
	t.emit("PRFM 64(R5), PLDL1KEEP")
	t.emit("ADD $128, R4")
	t.emit("ADD $96, R5")
	for r := range rows {
		t.emit("FMOVQ %s, F%d", at("R0", 64*r), firstA+r)
	}
	t.emit("ADD $16, R0")
	for i := range 4 {
		t.multiply(acc, "R1", i)
	}
	t.emit("SUBS $1, R6")
	t.emit("BNE four")
	t.emit("ADD $%d, R0", panel-64)
	t.emit("SUBS $1, R3")
	t.emit("BNE block")
	t.label("done")
	t.storeRows(acc, rowBytes)
}

// winogradGradProduct is c[r][k] (+)= Σ_t a[t][r]·b[t][k]: a row of a has 16 floats.
func winogradGradProduct(t *translator, rows int) {
	acc := accumulators(rows, 4)
	t.emit("MOVD n+0(FP), R3")
	t.emit("MOVD a+8(FP), R0")
	t.emit("MOVD b+16(FP), R1")
	t.emit("MOVD c+24(FP), R2")
	t.emit("MOVD next+40(FP), R4")
	t.loadTile(acc, 64)
	for r := range rows {
		t.emit("PRFM %d(R2), PLDL1KEEP", 64*(rows+r))
	}
	t.emit("LSR $1, R3")
	t.emit("CBZ R3, done")
	t.label("two")
	t.emit("PRFM (R4), PLDL1KEEP")
	t.emit("ADD $64, R4")
	for i := range 2 {
		t.emit("FMOVQ %s, F%d", at("R0", 64*i), firstA)
		if rows > 4 {
			t.emit("FMOVD %d(R0), F%d", 64*i+16, firstA+1)
		}
		t.multiplyColumn(acc, "R1")
	}
	t.emit("ADD $128, R0")
	t.emit("SUBS $1, R3")
	t.emit("BNE two")
	t.label("done")
	t.storeRows(acc, 64)
}

// loadTile zeroes a tile, or reads it from R2 on if accumulate is set.
func (t *translator) loadTile(acc [][]int, rowBytes int) {
	t.emit("MOVBU accumulate+32(FP), R6")
	t.emit("CBNZ R6, load")
	t.zeroAll(acc)
	t.emit("B start")
	t.label("load")
	t.emit("MOVD R2, R8")
	for _, row := range acc {
		for j := 0; j < len(row); j += 2 {
			t.emit("FLDPQ %s, (F%d, F%d)", at("R8", 16*j), row[j], row[j+1])
		}
		t.emit("ADD $%d, R8", rowBytes)
	}
	t.label("start")
}

// storeRows writes a tile from R2 on.
func (t *translator) storeRows(acc [][]int, rowBytes int) {
	for _, row := range acc {
		for j := 0; j < len(row); j += 2 {
			t.emit("FSTPQ (F%d, F%d), %s", row[j], row[j+1], at("R2", 16*j))
		}
		t.emit("ADD $%d, R2", rowBytes)
	}
	t.emit("RET")
}
