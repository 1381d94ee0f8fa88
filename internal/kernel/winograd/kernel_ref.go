package winograd

import "unsafe"

// The reference: what the assembly computes, in Go, for every platform.

// refKernels returns the kernels in Go. Their panels have the sizes that suit Go
// code, not those of any assembly.
func refKernels() *kernels {
	const panel = 4
	product := func(columns int) productFunc {
		return func(blocks int, a, b, c *float32, accumulate bool, _ *float32) {
			productRef(panel, columns, blocks, a, b, c, accumulate)
		}
	}
	return &kernels{
		panel: panel, short: panel, width: lane, block: 32,
		fullWide: product(lane), fullLane: product(lane), shortWide: product(lane), shortLane: product(lane),
		gradWide: []gradRows{{lane, gradProductRef}}, gradLane: []gradRows{{lane, gradProductRef}},
		float32: refTransforms(4), bfloat16: refTransforms(2),
		kernelOut: kernelOutRef, splitKernelOut: splitKernelOutRef, addTo: addToRef,
	}
}

// refTransforms returns the transforms for numbers of so many bytes.
func refTransforms(size int) transforms {
	strip := func(f func(*stripArgs, int)) func(*stripArgs) { return func(args *stripArgs) { f(args, size) } }
	tiles := func(f func(*tileArgs, int)) func(*tileArgs) { return func(args *tileArgs) { f(args, size) } }
	weights := func(f func(*weightArgs, int)) func(*weightArgs) { return func(args *weightArgs) { f(args, size) } }
	return transforms{
		strips:    [3]func(*stripArgs){strip(inputStripRef), strip(splitStripRef), strip(pairStripRef)},
		stride1:   transformsOf{tiles(outputTilesRef), tiles(gradTilesRef), weights(weightsRef)},
		stride2:   transformsOf{tiles(pairOutputRef), tiles(pairGradRef), weights(splitWeightsRef)},
		transpose: func(dst *float32, src *byte, stride int) { transposeRef(dst, src, stride, size) },
	}
}

// member returns the number i of those that lie bytes after p.
func member(p unsafe.Pointer, bytes, i, size int) float32 {
	return load(unsafe.Add(p, bytes+i*size), size)
}

// lanes returns the 16 numbers that lie bytes after p.
func lanes(p *float32, bytes int) *[lane]float32 {
	return (*[lane]float32)(unsafe.Add(unsafe.Pointer(p), bytes))
}

func productRef(rows, columns, blocks int, a, b, c *float32, accumulate bool) {
	const rowBytes = elements * chunk * 4
	for n := 0; n < columns; n += lane {
		for r := 0; r < rows; r += 2 {
			c0, c1 := lanes(c, r*rowBytes+4*n), lanes(c, (r+1)*rowBytes+4*n)
			var s0, s1 [lane]float32
			if accumulate {
				s0, s1 = *c0, *c1
			}
			for k := range lane * blocks {
				block := (k/lane*rows + r) * lane * 4
				x0, x1 := lanes(a, block)[k%lane], lanes(a, block+lane*4)[k%lane]
				for i, w := range lanes(b, (k*columns+n)*4) {
					s0[i] += x0 * w
					s1[i] += x1 * w
				}
			}
			*c0, *c1 = s0, s1
		}
	}
}

func gradProductRef(n int, a, b, c *float32, accumulate bool, _ *float32) {
	for r := range lane {
		row := lanes(c, r*lane*4)
		var s [lane]float32
		if accumulate {
			s = *row
		}
		for t := range n {
			x := lanes(a, t*lane*4)[r]
			for i, z := range lanes(b, t*lane*4) {
				s[i] += x * z
			}
		}
		*row = s
	}
}

func inputStripRef(args *stripArgs, size int) {
	for block := range args.blocks {
		for col := range args.cols {
			for ch := range lane {
				var d [6]float32
				for i := range d {
					d[i] = member(args.rows[i], block*lane*size+col*args.colStride, ch, size)
				}
				for i, v := range inputTransform(d) {
					lanes(args.strip, args.first+(col*tileIn+i)*lane*4)[ch] = v
				}
			}
		}
		for t, offset := range unsafe.Slice(args.offset, args.tiles) {
			for i := range tileIn {
				for ch := range lane {
					var d [6]float32
					for j := range d {
						d[j] = lanes(args.strip, ((tileOut*t+j)*tileIn+i)*lane*4)[ch]
					}
					for j, v := range inputTransform(d) {
						lanes(args.v, offset+block*args.blockStride+(tileIn*i+j)*args.stride)[ch] = v
					}
				}
			}
		}
	}
}

func outputTilesRef(args *tileArgs, size int) {
	for _, offset := range unsafe.Slice(args.offset, args.tiles) {
		for ch := range lane {
			var rows [4][6]float32
			for j := range tileIn {
				var m [6]float32
				for i := range m {
					m[i] = lanes(args.m, offset[0]+(tileIn*i+j)*chunk*4)[ch]
				}
				for i, v := range outputTransform(m) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range outputTransform(row) {
					store(unsafe.Add(args.y, offset[1]+i*args.rowStride+j*args.colStride+ch*size), size, v)
				}
			}
		}
	}
}

func gradTilesRef(args *tileArgs, size int) {
	for _, offset := range unsafe.Slice(args.offset, args.tiles) {
		for ch := range lane {
			var rows [6][4]float32
			for j := range tileOut {
				var y [4]float32
				for i := range y {
					y[i] = member(args.y, offset[1]+i*args.rowStride+j*args.colStride, ch, size)
				}
				for i, v := range gradTransform(y) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range gradTransform(row) {
					lanes(args.m, offset[0]+(tileIn*i+j)*args.stride)[ch] = v
				}
			}
		}
	}
}

func weightsRef(args *weightArgs, size int) {
	for r := range args.rows {
		for ch := range lane {
			var rows [6][3]float32
			for j := range 3 {
				var w [3]float32
				for i := range w {
					w[i] = member(args.from, r*args.fromRow+(3*i+j)*args.tap, ch, size)
				}
				for i, v := range weightTransform(w) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range weightTransform(row) {
					lanes(args.to, r*args.toRow+(tileIn*i+j)*args.stride)[ch] = v
				}
			}
		}
	}
}

func kernelOutRef(args *weightArgs) {
	for r := range args.rows {
		for ch := range lane {
			var rows [3][6]float32
			for j := range tileIn {
				var m [6]float32
				for i := range m {
					m[i] = member(args.from, r*args.fromRow+(tileIn*i+j)*args.stride, ch, 4)
				}
				for i, v := range kernelTransform(m) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range kernelTransform(row) {
					lanes(args.to, r*args.toRow+(3*i+j)*args.tap)[ch] = v
				}
			}
		}
	}
}

func addToRef(dst, src *float32, blocks int) {
	to, from := unsafe.Slice(dst, blocks*lane), unsafe.Slice(src, blocks*lane)
	for i, v := range from {
		to[i] += v
	}
}

func transposeRef(dst *float32, src *byte, stride, size int) {
	for i := range lane {
		for j := range lane {
			lanes(dst, j*lane*4)[i] = member(unsafe.Pointer(src), i*stride, j, size)
		}
	}
}
