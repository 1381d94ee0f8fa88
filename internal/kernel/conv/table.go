package conv

// outputTable fills in the addresses of the count pixels from m0 on, with out
// the address of the first pixel of the result, and lets surplus rows of the
// last tile point at memory that nobody reads.
func (p *rowsPlan) outputTable(rows []uintptr, y, x *axis, m0, count int, surplus, out uintptr) {
	n, gy, gx := m0/(y.size*x.size), m0/x.size%y.size, m0%x.size
	pixel := p.outC * p.tensorElem()
	for m := range rows {
		if m >= count {
			rows[m] = surplus
			continue
		}
		rows[m] = out + uintptr(((n*p.outH+y.out0+gy*y.outStep)*p.outW+x.out0+gx*x.outStep)*pixel)
		n, gy, gx = next(n, gy, gx, y, x)
	}
}

// next moves on by one place of a grid of pixels.
func next(n, gy, gx int, y, x *axis) (int, int, int) {
	if gx++; gx < x.size {
		return n, gy, gx
	}
	if gy++; gy < y.size {
		return n, gy, 0
	}
	return n + 1, 0, 0
}

// inputTable fills in the addresses of what the count pixels from m0 on read,
// [tile][tap][row of the tile]. in is the address of the input's first pixel
// and width the pixels from row to row.
func (p *rowsPlan) inputTable(table []uintptr, y, x *axis, m0, count, taps int, in uintptr, width int) {
	n, gy, gx := m0/(y.size*x.size), m0/x.size%y.size, m0%x.size
	zeros := uintptr(p.zeros)
	colTaps := x.taps
	if p.merge {
		colTaps = 1
	}
	rowStep, colStep := uintptr(y.offStep*width*p.pitch), uintptr(x.offStep*p.pitch)
	for m := range len(table) / taps {
		rows := table[m/p.mr*taps*p.mr+m%p.mr:]
		if m >= count {
			for t := range taps {
				rows[t*p.mr] = zeros
			}
			continue
		}
		iy, ix := gy*y.inStep+y.off0, gx*x.inStep+x.off0
		at := in + uintptr(((n*p.inH+iy)*width+ix)*p.pitch)
		i := 0
		if y.inside(gy) && (p.merge || x.inside(gx)) {
			for range y.taps {
				a := at
				for range colTaps {
					rows[i] = a
					i += p.mr
					a += colStep
				}
				at += rowStep
			}
		} else {
			for ty := range y.taps {
				rowInside := uint(iy+ty*y.offStep) < uint(y.limit)
				a := at
				for tx := range colTaps {
					if rowInside && (p.merge || uint(ix+tx*x.offStep) < uint(x.limit)) {
						rows[i] = a
					} else {
						rows[i] = zeros
					}
					i += p.mr
					a += colStep
				}
				at += rowStep
			}
		}
		n, gy, gx = next(n, gy, gx, y, x)
	}
}
