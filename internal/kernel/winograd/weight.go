package winograd

// reduction is the convolution as matrix products: c input and k output channels,
// which for the gradient of the input are the kernel's k and c.
type reduction struct {
	c, k int
	flip bool // kernel turned by 180 degrees, its channels transposed
	tile int  // elements of a transformed tile of the output

	given bool // the kernel is transformed already

	// The phases of what is read, and of what is written: splitPhase for one of the
	// two if the convolution has stride 2, else 1.
	ins, outs int
}

// stride2 reports whether the kernel is that of a stride-2 convolution.
func (r *reduction) stride2() bool { return r.ins*r.outs > 1 }

// summed returns the phases of the input that element e of a tile of a phase of the
// output sums over.
func (r *reduction) summed(out, e int) (first, count int) {
	if !r.stride2() {
		return 0, 1
	}
	first, count = phasesAt(e)
	switch {
	case r.outs == 1:
		return first, count
	case out >= first && out < first+count:
		return 0, 1
	}
	return 0, 0
}

// kernelLayout says where the transformed kernel u lies: [k/chunk][phase of the
// output][element] with, for each, panels [phase of the input][rows][width] of output
// channels. The last chunk may be of lane channels only. Where u holds but a part of
// the input channels at a time, rows is their number.
type kernelLayout struct {
	reduction
	cPad int // c, rounded up to lane
	rows int // cPad, or a part of it
}

func newKernelLayout(r reduction) kernelLayout {
	cPad := ceil(r.c, lane) * lane
	return kernelLayout{r, cPad, cPad}
}

// chunks returns the number of chunks of output channels.
func (l *kernelLayout) chunks() int { return ceil(l.k, chunk) }

// columns returns the output channels of a chunk, padding included.
func (l *kernelLayout) columns(g int) int {
	return min(chunk, ceil(l.k-g*chunk, lane)*lane)
}

// stride returns the floats between the elements of a chunk, where they have but one
// phase.
func (l *kernelLayout) stride(g int) int { return l.columns(g)*l.rows + pad }

// offsets returns where the elements of a chunk of so many columns begin, by phases of
// the output, and how long the chunk is.
func (l *kernelLayout) offsets(columns int) (at [splitPhase][elements]int, size int) {
	for out := range l.outs {
		for e := range l.tile {
			at[out][e] = size
			if _, count := l.summed(out, e); count > 0 {
				size += count*columns*l.rows + pad
			}
		}
	}
	return at, size
}

// chunkSize returns the length of a chunk's room in u.
func (l *kernelLayout) chunkSize() int {
	_, size := l.offsets(chunk)
	return size
}

// weighter transforms kernels; each worker has its own.
type weighter struct {
	layout kernelLayout
	k      *kernels
	block  []float32 // [9][lane][lane] of the kernel: turned, or padded with zeros
	tmp    []float32
	place  []int // of the values of a stride-2 kernel, from an element's first on, in bytes
	args   weightArgs
}

func newWeighter(a *arena, l kernelLayout, k *kernels) weighter {
	return weighter{
		layout: l, k: k,
		block: take[float32](a, 9*lane*lane),
		tmp:   take[float32](a, elements*lane),
		place: take[int](a, splitTile),
	}
}

// run transforms the kernel w for lane output channels from k0 on and the input
// channels c0 to c1, which are multiples of lane. u is the chunk that holds k0.
func (t *weighter) run(w numbers, k0, c0, c1 int, u []float32) {
	l := &t.layout
	g := k0 / chunk
	width := min(t.k.width, l.columns(g)) // of a panel
	within := k0 % chunk
	to := within % width // of the panel's column
	a := &t.args
	a.tmp, a.toRow, a.stride = &t.tmp[0], 4*width, 4*l.stride(g)
	if l.stride2() {
		t.places(l.columns(g), width, within/width)
		a.place = &t.place[0]
	} else {
		to += within / width * width * l.rows
	}
	if !l.flip && k0+lane <= l.k {
		if rows := min(c1, l.c) / lane * lane; rows > c0 {
			a.from, a.to, a.rows = w.at(c0*l.k+k0), &u[to+c0%l.rows*width], rows-c0
			a.fromRow, a.tap = w.size*l.k, w.size*l.c*l.k
			t.k.of(w).stride(l.stride2()).weights(a)
			c0 = rows
		}
	}
	for ; c0 < c1; c0 += lane {
		block := t.cut(w, k0, c0)
		a.from, a.to, a.rows = block.at(0), &u[to+c0%l.rows*width], lane
		a.fromRow, a.tap = block.size*lane, block.size*lane*lane
		t.k.of(block).stride(l.stride2()).weights(a)
	}
}

// places fills in where a panel of a chunk of so many columns has the values of a
// stride-2 kernel.
func (t *weighter) places(columns, width, panel int) {
	l := &t.layout
	at, _ := l.offsets(columns)
	for v := range t.place {
		phase, e := splitAt(v)
		out := 0
		if l.outs > 1 {
			out, phase = phase, 0
		}
		first, count := l.summed(out, e)
		t.place[v] = 4 * (at[out][e] + (panel*count+phase-first)*l.rows*width)
	}
}

// cut returns lane input channels from c0 and lane output channels from k0 of w, in
// [9][lane][lane], turned if the layout says so, zeros where there is no channel.
func (t *weighter) cut(w numbers, k0, c0 int) numbers {
	l := &t.layout
	rows, cols := min(lane, l.c-c0), min(lane, l.k-k0)
	if rows < lane || cols < lane {
		clear(t.block)
	}
	block := float32s(t.block)
	if !l.flip {
		block.size = w.size
		for tap := range 9 {
			for r := range rows {
				copy(block.bytes((tap*lane+r)*lane, cols), w.bytes((tap*l.c+c0+r)*l.k+k0, cols))
			}
		}
		return block
	}
	for tap := range 9 {
		to := t.block[(8-tap)*lane*lane:][:lane*lane]
		if rows == lane && cols == lane {
			t.k.of(w).transpose(&to[0], (*byte)(w.at((tap*l.k+k0)*l.c+c0)), w.size*l.c)
			continue
		}
		for r := range rows {
			for c := range cols {
				to[r*lane+c] = load(w.at((tap*l.k+k0+c)*l.c+c0+r), w.size)
			}
		}
	}
	return block
}
