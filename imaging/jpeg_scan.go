package imaging

import (
	"fmt"

	"github.com/byol-go/byol/internal/kernel/pixel"
)

// jpegScan is the header of a scan (T.81, B.2.3).
type jpegScan struct {
	comps  []*jpegComponent
	ss, se int  // spectral selection
	ah, al uint // successive approximation
}

// scan decodes one scan; the bit reader stands behind its header.
func (d *jpegDecoder) scan(body []byte) error {
	s, err := d.scanHeader(body)
	if err != nil {
		return err
	}
	block := d.sequentialBlock
	if d.progressive {
		block = d.progressiveBlock(s)
	}
	d.resetPredictors(s)
	if len(s.comps) == 1 {
		c := s.comps[0]
		return d.eachMCU(s, c.scanX, c.scanY, func(x, y int) error { return block(c, x, y) })
	}
	return d.eachMCU(s, d.mcusX, d.mcusY, func(x, y int) error {
		for _, c := range s.comps {
			for v := range c.v {
				for h := range c.h {
					if err := block(c, x*c.h+h, y*c.v+v); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

func (d *jpegDecoder) scanHeader(body []byte) (*jpegScan, error) {
	bad := func(what string) error { return fmt.Errorf("%w: %s in a scan header", ErrCorrupt, what) }
	if len(d.comps) == 0 {
		return nil, bad("no frame")
	}
	if len(body) < 1 || body[0] < 1 || int(body[0]) > len(d.comps) || len(body) < 4+2*int(body[0]) {
		return nil, bad("wrong length")
	}
	n := int(body[0])
	s := &jpegScan{ss: int(body[1+2*n]), se: int(body[2+2*n]), ah: uint(body[3+2*n] >> 4), al: uint(body[3+2*n] & 15)}
	if d.progressive {
		if s.ss > s.se || s.se > 63 || s.ss == 0 && s.se != 0 || s.ss > 0 && n != 1 || s.al > 13 || s.ah != 0 && s.ah != s.al+1 {
			return nil, bad("bad progression")
		}
	} else {
		s.ss, s.se, s.ah, s.al = 0, 63, 0, 0
	}
	for i := range n {
		var c *jpegComponent
		for k := range d.comps {
			if d.comps[k].id == body[1+2*i] {
				c = &d.comps[k]
			}
		}
		if c == nil {
			return nil, bad("an unknown component")
		}
		for _, other := range s.comps {
			if other == c {
				return nil, bad("a component twice")
			}
		}
		td, ta := body[2+2*i]>>4, body[2+2*i]&15
		if td > 3 || ta > 3 {
			return nil, bad("a bad table")
		}
		c.dcTable, c.acTable = &d.dc[td], &d.ac[ta]
		if s.ss == 0 && s.ah == 0 && !c.dcTable.ok || s.se > 0 && !c.acTable.ok {
			return nil, bad("a missing Huffman table")
		}
		if !c.scanned {
			if !d.hasQuant[c.tq] {
				return nil, bad("a missing quantisation table")
			}
			c.quant, c.scanned = d.quant[c.tq], true
		}
		s.comps = append(s.comps, c)
	}
	return s, nil
}

func (d *jpegDecoder) resetPredictors(s *jpegScan) {
	for _, c := range s.comps {
		c.pred = 0
	}
	d.eobRun = 0
}

// eachMCU calls f for each unit of the scan in order, minding restarts, and
// reports data that is missing.
func (d *jpegDecoder) eachMCU(s *jpegScan, nx, ny int, f func(x, y int) error) error {
	left := d.restart
	for y := range ny {
		for x := range nx {
			if d.restart > 0 && left == 0 {
				if err := d.restartMarker(); err != nil {
					return err
				}
				d.resetPredictors(s)
				left = d.restart
			}
			left--
			if err := f(x, y); err != nil {
				return err
			}
		}
		if d.bits.short() {
			return fmt.Errorf("%w: the data of a scan ends early", ErrCorrupt)
		}
	}
	return nil
}

// restartMarker goes on behind the next RST marker (T.81, F.2.2.4), over data that
// a damaged interval left.
func (d *jpegDecoder) restartMarker() error {
	r := &d.bits
	if r.short() {
		return fmt.Errorf("%w: the data of a scan ends early", ErrCorrupt)
	}
	for i := r.pos; i+1 < len(r.data); i++ {
		if m := r.data[i+1]; r.data[i] == 0xff && m != 0 && m != 0xff {
			if m < 0xd0 || m > 0xd7 {
				break
			}
			r.start(i + 2)
			return nil
		}
	}
	return fmt.Errorf("%w: a restart marker is missing", ErrCorrupt)
}

// sequentialBlock decodes a block of a baseline or extended scan (T.81, F.2.2)
// and transforms it.
func (d *jpegDecoder) sequentialBlock(c *jpegComponent, x, y int) error {
	var b [64]int16
	r := &d.bits
	r.need()
	size := r.symbolOf(c.dcTable)
	if size > 15 {
		return fmt.Errorf("%w: a difference of %d bits", ErrCorrupt, size)
	}
	c.pred += extend(r.take(size), size)
	b[0] = int16(c.pred)
	table := c.acTable
	last := 0 // whether any coefficient but the first is set
	for k := 1; k < 64; k++ {
		r.need()
		if v := table.value[r.acc>>(64-fastBits)]; v != 0 {
			k += int(v >> 8 & 15)
			b[zigzag[k]] = int16(v >> 16)
			r.acc <<= v & 255
			r.n -= int(v & 255)
			last = k
			continue
		}
		rs := r.symbolOf(table)
		size := rs & 15
		if size == 0 {
			if rs != 0xf0 {
				break // end of block
			}
			k += 15
			continue
		}
		k += rs >> 4
		b[zigzag[k]] = int16(extend(r.take(size), size))
		last = k
	}
	stride := 8 * c.blocksX
	dst := c.plane[8*(y*stride+x):]
	if last == 0 {
		pixel.IDCTFlat(dst, stride, int32(b[0]), c.quant[0])
	} else {
		pixel.IDCT(dst, stride, &b, &c.quant)
	}
	return nil
}

// progressiveBlock returns the decoder of a block for the kind of scan (T.81, G.1.2).
func (d *jpegDecoder) progressiveBlock(s *jpegScan) func(c *jpegComponent, x, y int) error {
	at := func(c *jpegComponent, x, y int) *[64]int16 { return (*[64]int16)(c.coef[64*(y*c.blocksX+x):]) }
	switch {
	case s.ss == 0 && s.ah == 0:
		return func(c *jpegComponent, x, y int) error {
			d.bits.need()
			size := d.bits.symbolOf(c.dcTable)
			if size > 15 {
				return fmt.Errorf("%w: a difference of %d bits", ErrCorrupt, size)
			}
			c.pred += extend(d.bits.take(size), size)
			at(c, x, y)[0] = int16(c.pred << s.al)
			return nil
		}
	case s.ss == 0:
		return func(c *jpegComponent, x, y int) error {
			d.bits.need()
			at(c, x, y)[0] |= int16(d.bits.take(1) << s.al)
			return nil
		}
	case s.ah == 0:
		return func(c *jpegComponent, x, y int) error {
			d.firstAC(at(c, x, y), c.acTable, s)
			return nil
		}
	}
	return func(c *jpegComponent, x, y int) error {
		d.refineAC(at(c, x, y), c.acTable, s)
		return nil
	}
}

// firstAC reads the high bits of a band.
func (d *jpegDecoder) firstAC(b *[64]int16, table *huffman, s *jpegScan) {
	if d.eobRun > 0 {
		d.eobRun--
		return
	}
	r := &d.bits
	for k := s.ss; k <= s.se; k++ {
		r.need()
		rs := r.symbolOf(table)
		run, size := rs>>4, rs&15
		if size == 0 {
			if run < 15 {
				d.eobRun = 1<<run - 1 + int(r.take(run))
				return
			}
			k += 15
			continue
		}
		k += run
		b[zigzag[k]] = int16(extend(r.take(size), size) << s.al)
	}
}

// refineAC reads one more bit of the coefficients of a band that are set, and
// sets new ones.
func (d *jpegDecoder) refineAC(b *[64]int16, table *huffman, s *jpegScan) {
	r := &d.bits
	bit := int16(1) << s.al
	refine := func(p *int16) {
		r.need()
		if r.take(1) != 0 && *p&bit == 0 {
			if *p > 0 {
				*p += bit
			} else {
				*p -= bit
			}
		}
	}
	k := s.ss
	if d.eobRun == 0 {
		for ; k <= s.se; k++ {
			r.need()
			rs := r.symbolOf(table)
			run, size := rs>>4, rs&15
			value := int16(0)
			if size != 0 {
				value = -bit
				if r.take(1) != 0 {
					value = bit
				}
			} else if run < 15 {
				d.eobRun = 1<<run + int(r.take(run))
				break
			}
			// Pass the coefficients that are set and as many zeros as run says.
			for ; k <= s.se; k++ {
				p := &b[zigzag[k]]
				if *p != 0 {
					refine(p)
					continue
				}
				if run == 0 {
					break
				}
				run--
			}
			if value != 0 && k <= s.se {
				b[zigzag[k]] = value
			}
		}
	}
	if d.eobRun > 0 {
		for ; k <= s.se; k++ {
			if p := &b[zigzag[k]]; *p != 0 {
				refine(p)
			}
		}
		d.eobRun--
	}
}
