package vec

// The functions of this file work on row-major [rows, C] slices. Those named Rows
// broadcast a vector of C values over the rows; those named Cols broadcast a vector
// of one value per row over the columns. An empty vector means there is nothing to do.

// maxTiled is the widest row that is worth repeating: a row of fewer columns that do
// not fill whole vectors is treated as a longer row of several copies.
const maxTiled = 32

// tileLen bounds the repeated row: at most 16 copies of at most maxTiled-1 columns.
const tileLen = 16 * maxTiled

// tileRows repeats v until its length is a multiple of 16, and returns the copies.
func tileRows(tile *[tileLen]float32, v []float32) []float32 {
	c := len(v)
	copies := 16
	for copies > 1 && c*copies%32 == 0 {
		copies /= 2
	}
	for c*copies < 64 {
		copies *= 2
	}
	copy(tile[:], v)
	for n := c; n < c*copies; n *= 2 {
		copy(tile[n:2*n], tile[:n])
	}
	return tile[:c*copies]
}

// tiled says whether rows of c columns should be taken several at once.
func tiled(n, c int) bool { return (c < 16 || c < maxTiled && c%16 != 0) && n >= tileLen }

func checkRows(dst, x, v []float32) bool {
	if len(x) != len(dst) || len(v) == 0 && len(dst) != 0 || len(v) != 0 && len(dst)%len(v) != 0 {
		panic(shapeMismatch)
	}
	return len(dst) != 0
}

// AddRows sets dst[r,c] = x[r,c] + v[c].
func AddRows(dst, x, v []float32) {
	if !checkRows(dst, x, v) {
		return
	}
	if tiled(len(dst), len(v)) {
		var tile [tileLen]float32
		t := tileRows(&tile, v)
		whole := len(dst) / len(t) * len(t)
		addRows(dst[:whole], x[:whole], t)
		dst, x = dst[whole:], x[whole:]
	}
	addRows(dst, x, v)
}

// MulRows sets dst[r,c] = x[r,c] · v[c].
func MulRows(dst, x, v []float32) {
	if !checkRows(dst, x, v) {
		return
	}
	if tiled(len(dst), len(v)) {
		var tile [tileLen]float32
		t := tileRows(&tile, v)
		whole := len(dst) / len(t) * len(t)
		mulRows(dst[:whole], x[:whole], t)
		dst, x = dst[whole:], x[whole:]
	}
	mulRows(dst, x, v)
}

// AffineRows sets dst[r,c] = x[r,c]·a[c] + b[c].
func AffineRows(dst, x, a, b []float32) {
	if len(a) != len(b) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB [tileLen]float32
		ta, tb := tileRows(&tileA, a), tileRows(&tileB, b)
		whole := len(dst) / len(ta) * len(ta)
		affineRows(dst[:whole], x[:whole], ta, tb)
		dst, x = dst[whole:], x[whole:]
	}
	affineRows(dst, x, a, b)
}

// AffineReLURows sets dst[r,c] = ReLU(x[r,c]·a[c] + b[c]).
func AffineReLURows(dst, x, a, b []float32) {
	if len(a) != len(b) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB [tileLen]float32
		ta, tb := tileRows(&tileA, a), tileRows(&tileB, b)
		whole := len(dst) / len(ta) * len(ta)
		affineReLURows(dst[:whole], x[:whole], ta, tb)
		dst, x = dst[whole:], x[whole:]
	}
	affineReLURows(dst, x, a, b)
}

// AffineAddRows sets dst[r,c] = x[r,c]·a[c] + b[c] + res[r,c].
func AffineAddRows(dst, x, res, a, b []float32) {
	if len(a) != len(b) || len(res) != len(dst) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB [tileLen]float32
		ta, tb := tileRows(&tileA, a), tileRows(&tileB, b)
		whole := len(dst) / len(ta) * len(ta)
		affineAddRows(dst[:whole], x[:whole], res[:whole], ta, tb)
		dst, x, res = dst[whole:], x[whole:], res[whole:]
	}
	affineAddRows(dst, x, res, a, b)
}

// AffineAddReLURows sets dst[r,c] = ReLU(x[r,c]·a[c] + b[c] + res[r,c]).
func AffineAddReLURows(dst, x, res, a, b []float32) {
	if len(a) != len(b) || len(res) != len(dst) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB [tileLen]float32
		ta, tb := tileRows(&tileA, a), tileRows(&tileB, b)
		whole := len(dst) / len(ta) * len(ta)
		affineAddReLURows(dst[:whole], x[:whole], res[:whole], ta, tb)
		dst, x, res = dst[whole:], x[whole:], res[whole:]
	}
	affineAddReLURows(dst, x, res, a, b)
}

// GradRows sets dst[r,c] = a[c]·dy[r,c] + b[c]·x[r,c] + d[c]: the gradient of a batch
// norm's input (package reduce gives the coefficients).
func GradRows(dst, dy, x, a, b, d []float32) {
	if len(a) != len(b) || len(a) != len(d) || len(dy) != len(dst) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB, tileD [tileLen]float32
		ta, tb, td := tileRows(&tileA, a), tileRows(&tileB, b), tileRows(&tileD, d)
		whole := len(dst) / len(ta) * len(ta)
		gradRows(dst[:whole], dy[:whole], x[:whole], ta, tb, td)
		dst, dy, x = dst[whole:], dy[whole:], x[whole:]
	}
	gradRows(dst, dy, x, a, b, d)
}

// GradReLURows sets dst[r,c] = a[c]·g + b[c]·x[r,c] + d[c], where g is 0 where
// y[r,c] ≤ 0, else dy[r,c]: GradRows for a batch norm whose ReLU gave y.
func GradReLURows(dst, dy, x, y, a, b, d []float32) {
	if len(a) != len(b) || len(a) != len(d) || len(dy) != len(dst) || len(y) != len(dst) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tileA, tileB, tileD [tileLen]float32
		ta, tb, td := tileRows(&tileA, a), tileRows(&tileB, b), tileRows(&tileD, d)
		whole := len(dst) / len(ta) * len(ta)
		gradReLURows(dst[:whole], dy[:whole], x[:whole], y[:whole], ta, tb, td)
		dst, dy, x, y = dst[whole:], dy[whole:], x[whole:], y[whole:]
	}
	gradReLURows(dst, dy, x, y, a, b, d)
}

// GradAffineReLURows sets dst[r,c] = a[c]·g + b[c]·x[r,c] + d[c], where g is 0 where
// x[r,c]·scale[c] + shift[c] ≤ 0, else dy[r,c]: GradReLURows without y, for a batch norm
// with nothing between it and the ReLU. The mask has the bits of AffineReLURows.
func GradAffineReLURows(dst, dy, x, a, b, d, scale, shift []float32) {
	if len(a) != len(b) || len(a) != len(d) || len(a) != len(scale) || len(a) != len(shift) || len(dy) != len(dst) {
		panic(shapeMismatch)
	}
	if !checkRows(dst, x, a) {
		return
	}
	if tiled(len(dst), len(a)) {
		var tile [5][tileLen]float32
		ta, tb, td := tileRows(&tile[0], a), tileRows(&tile[1], b), tileRows(&tile[2], d)
		ts, tt := tileRows(&tile[3], scale), tileRows(&tile[4], shift)
		whole := len(dst) / len(ta) * len(ta)
		gradAffineReLURows(dst[:whole], dy[:whole], x[:whole], ta, tb, td, ts, tt)
		dst, dy, x = dst[whole:], dy[whole:], x[whole:]
	}
	gradAffineReLURows(dst, dy, x, a, b, d, scale, shift)
}

func checkCols(dst, x, v []float32) (c int) {
	if len(x) != len(dst) || len(v) == 0 && len(dst) != 0 || len(v) != 0 && len(dst)%len(v) != 0 {
		panic(shapeMismatch)
	}
	if len(v) == 0 {
		return 0
	}
	return len(dst) / len(v)
}

// AddCols sets dst[r,c] = x[r,c] + v[r].
func AddCols(dst, x, v []float32) {
	c := checkCols(dst, x, v)
	for r, s := range v {
		addScalar(dst[r*c:(r+1)*c], x[r*c:(r+1)*c], s)
	}
}

// SubCols sets dst[r,c] = x[r,c] − v[r].
func SubCols(dst, x, v []float32) {
	c := checkCols(dst, x, v)
	for r, s := range v {
		subScalar(dst[r*c:(r+1)*c], x[r*c:(r+1)*c], s)
	}
}

// MulCols sets dst[r,c] = x[r,c] · v[r].
func MulCols(dst, x, v []float32) {
	c := checkCols(dst, x, v)
	for r, s := range v {
		mulScalar(dst[r*c:(r+1)*c], x[r*c:(r+1)*c], s)
	}
}

// DivCols sets dst[r,c] = x[r,c] / v[r].
func DivCols(dst, x, v []float32) {
	c := checkCols(dst, x, v)
	for r, s := range v {
		divScalar(dst[r*c:(r+1)*c], x[r*c:(r+1)*c], s)
	}
}
