package vec

// AffinePart sets y[r,c] = y[r,c]·a[c] + b[c], plus res[r,c] if res is not nil, then its ReLU
// if relu, for rows rows of len(a) columns whose rows begin stride elements apart in y and
// res: a part of the columns of wider arrays, with the bits of AffineRows and its like.
func AffinePart(y, res, a, b []float32, relu bool, rows, stride int) {
	if len(a) == 0 || rows == 0 {
		return
	}
	if n := (rows-1)*stride + len(a); len(b) != len(a) || stride < len(a) || len(y) < n || res != nil && len(res) < n {
		panic(shapeMismatch)
	}
	affinePart(y, res, a, b, relu, rows, stride)
}

func affinePartRef(y, res, a, b []float32, relu bool, rows, stride int) {
	for r := range rows {
		row := y[r*stride:][:len(a)]
		switch {
		case res == nil && relu:
			affineReLURowsRef(row, row, a, b)
		case res == nil:
			affineRowsRef(row, row, a, b)
		case relu:
			affineAddReLURowsRef(row, row, res[r*stride:][:len(a)], a, b)
		default:
			affineAddRowsRef(row, row, res[r*stride:][:len(a)], a, b)
		}
	}
}
