package winograd

import "unsafe"

// The reference of the transforms of stride-2 convolutions, as kernel_ref.go.

// stripRef transforms columns of rows pixels, which lie in the strip one after the
// other, and then the columns' values: column gives the values of a column of pixels
// and of a row of values.
func stripRef(args *stripArgs, size, step, side int, column func(d []float32), place func(value int) int) {
	d := make([]float32, side)
	for block := range args.blocks {
		for col := range args.cols {
			for ch := range lane {
				for i := range d {
					d[i] = member(args.rows[i], block*lane*size+col*args.colStride, ch, size)
				}
				column(d)
				for i, v := range d {
					lanes(args.strip, args.first+(col*side+i)*lane*4)[ch] = v
				}
			}
		}
		for t, offset := range unsafe.Slice(args.offset, args.tiles) {
			for i := range side {
				for ch := range lane {
					for j := range d {
						d[j] = lanes(args.strip, ((step*t+j)*side+i)*lane*4)[ch]
					}
					column(d)
					for j, v := range d {
						lanes(args.v, offset+block*args.blockStride+place(i*side+j))[ch] = v
					}
				}
			}
		}
	}
}

func splitStripRef(args *stripArgs, size int) {
	places := unsafe.Slice(args.place, splitTile)
	stripRef(args, size, 2*tileOut, splitSide, func(d []float32) {
		v := splitTransform([splitSide]float32(d))
		copy(d, v[:])
	}, func(value int) int { return places[value] })
}

func pairStripRef(args *stripArgs, size int) {
	stripRef(args, size, tileOut, pairSide, func(d []float32) {
		v := pairTransform([pairSide]float32(d))
		copy(d, v[:])
	}, func(value int) int { return value * args.stride })
}

func pairOutputRef(args *tileArgs, size int) {
	for _, offset := range unsafe.Slice(args.offset, args.tiles) {
		for ch := range lane {
			var rows [tileOut][pairSide]float32
			for j := range pairSide {
				var m [pairSide]float32
				for i := range m {
					m[i] = lanes(args.m, offset[0]+(pairSide*i+j)*chunk*4)[ch]
				}
				for i, v := range pairOutputTransform(m) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range pairOutputTransform(row) {
					store(unsafe.Add(args.y, offset[1]+i*args.rowStride+j*args.colStride+ch*size), size, v)
				}
			}
		}
	}
}

func pairGradRef(args *tileArgs, size int) {
	for _, offset := range unsafe.Slice(args.offset, args.tiles) {
		for ch := range lane {
			var rows [pairSide][tileOut]float32
			for j := range tileOut {
				var y [tileOut]float32
				for i := range y {
					y[i] = member(args.y, offset[1]+i*args.rowStride+j*args.colStride, ch, size)
				}
				for i, v := range pairGradTransform(y) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range pairGradTransform(row) {
					lanes(args.m, offset[0]+(pairSide*i+j)*args.stride)[ch] = v
				}
			}
		}
	}
}

func splitWeightsRef(args *weightArgs, size int) {
	places := unsafe.Slice(args.place, splitTile)
	for r := range args.rows {
		for ch := range lane {
			var rows [splitSide][3]float32
			for j := range 3 {
				var w [3]float32
				for i := range w {
					w[i] = member(args.from, r*args.fromRow+(3*i+j)*args.tap, ch, size)
				}
				for i, v := range splitWeightTransform(w) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range splitWeightTransform(row) {
					lanes(args.to, r*args.toRow+places[splitSide*i+j])[ch] = v
				}
			}
		}
	}
}

func splitKernelOutRef(args *weightArgs) {
	for r := range args.rows {
		for ch := range lane {
			var rows [3][splitSide]float32
			for j := range splitSide {
				var m [splitSide]float32
				for i := range m {
					m[i] = member(args.from, r*args.fromRow+(splitSide*i+j)*args.stride, ch, 4)
				}
				for i, v := range splitKernelTransform(m) {
					rows[i][j] = v
				}
			}
			for i, row := range rows {
				for j, v := range splitKernelTransform(row) {
					lanes(args.to, r*args.toRow+(3*i+j)*args.tap)[ch] = v
				}
			}
		}
	}
}
