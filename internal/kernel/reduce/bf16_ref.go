package reduce

import "github.com/byol-go/byol/internal/kernel/vec"

// piece is how many bfloat16 elements the references widen at a time.
const piece = 512

// The references on bfloat16 widen pieces of a row to float32, run the float32 kernel and
// round what it stores.

func colSumBF16Ref(s []float32, x []uint16, rows, stride int) {
	var wx [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s); lo += piece {
			hi := min(lo+piece, len(s))
			n := hi - lo
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			colSum(s[lo:hi], wx[:n], 1, n)
		}
	}
}

func colStatsBF16Ref(s1, s2 []float32, x []uint16, k []float32, rows, stride int) {
	var wx [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			colStats(s1[lo:hi], s2[lo:hi], wx[:n], k[lo:hi], 1, n)
		}
	}
}

func colGradBF16Ref(s1, s2 []float32, dy, x []uint16, mean []float32, rows, stride int) {
	var wdy, wx [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[r*stride+lo:r*stride+hi])
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			colGrad(s1[lo:hi], s2[lo:hi], wdy[:n], wx[:n], mean[lo:hi], 1, n)
		}
	}
}

func colGradReLUBF16Ref(s1, s2 []float32, dy, x, y []uint16, mean []float32, rows, stride int) {
	var wdy, wx, wy [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[r*stride+lo:r*stride+hi])
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			vec.FromBF16(wy[:n], y[r*stride+lo:r*stride+hi])
			colGradReLU(s1[lo:hi], s2[lo:hi], wdy[:n], wx[:n], wy[:n], mean[lo:hi], 1, n)
		}
	}
}

func colGradReLUKeepBF16Ref(s1, s2 []float32, kept, dy, x, y []uint16, mean []float32, rows, stride int) {
	var wkept, wdy, wx, wy [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[r*stride+lo:r*stride+hi])
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			vec.FromBF16(wy[:n], y[r*stride+lo:r*stride+hi])
			colGradReLUKeep(s1[lo:hi], s2[lo:hi], wkept[:n], wdy[:n], wx[:n], wy[:n], mean[lo:hi], 1, n)
			vec.ToBF16(kept[r*stride+lo:r*stride+hi], wkept[:n])
		}
	}
}

func affineRowsBF16Ref(dst, x []uint16, a, b []float32) {
	var wdst, wx [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.AffineRows(wdst[:n], wx[:n], a[lo:hi], b[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func affineReLURowsBF16Ref(dst, x []uint16, a, b []float32) {
	var wdst, wx [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.AffineReLURows(wdst[:n], wx[:n], a[lo:hi], b[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func affineAddRowsBF16Ref(dst, x, res []uint16, a, b []float32) {
	var wdst, wx, wres [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.FromBF16(wres[:n], res[at+lo:at+hi])
			vec.AffineAddRows(wdst[:n], wx[:n], wres[:n], a[lo:hi], b[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func affineAddReLURowsBF16Ref(dst, x, res []uint16, a, b []float32) {
	var wdst, wx, wres [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.FromBF16(wres[:n], res[at+lo:at+hi])
			vec.AffineAddReLURows(wdst[:n], wx[:n], wres[:n], a[lo:hi], b[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func gradRowsBF16Ref(dst, dy, x []uint16, a, b, d []float32) {
	var wdst, wdy, wx [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[at+lo:at+hi])
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.GradRows(wdst[:n], wdy[:n], wx[:n], a[lo:hi], b[lo:hi], d[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func gradReLURowsBF16Ref(dst, dy, x, y []uint16, a, b, d []float32) {
	var wdst, wdy, wx, wy [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[at+lo:at+hi])
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.FromBF16(wy[:n], y[at+lo:at+hi])
			vec.GradReLURows(wdst[:n], wdy[:n], wx[:n], wy[:n], a[lo:hi], b[lo:hi], d[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}

func colGradAddReLUKeepBF16Ref(s1, s2 []float32, kept, dy, dz, x, y []uint16, mean []float32, rows, stride int) {
	var wkept, wdy, wdz, wx, wy [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[r*stride+lo:r*stride+hi])
			vec.FromBF16(wdz[:n], dz[r*stride+lo:r*stride+hi])
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			vec.FromBF16(wy[:n], y[r*stride+lo:r*stride+hi])
			colGradAddReLUKeep(s1[lo:hi], s2[lo:hi], wkept[:n], wdy[:n], wdz[:n], wx[:n], wy[:n], mean[lo:hi], 1, n)
			vec.ToBF16(kept[r*stride+lo:r*stride+hi], wkept[:n])
		}
	}
}

func colGradAffineReLUBF16Ref(s1, s2 []float32, dy, x []uint16, mean, a, b []float32, rows, stride int) {
	var wdy, wx [piece]float32
	for r := range rows {
		for lo := 0; lo < len(s1); lo += piece {
			hi := min(lo+piece, len(s1))
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[r*stride+lo:r*stride+hi])
			vec.FromBF16(wx[:n], x[r*stride+lo:r*stride+hi])
			colGradAffineReLU(s1[lo:hi], s2[lo:hi], wdy[:n], wx[:n], mean[lo:hi], a[lo:hi], b[lo:hi], 1, n)
		}
	}
}

func gradAffineReLURowsBF16Ref(dst, dy, x []uint16, a, b, d, scale, shift []float32) {
	var wdst, wdy, wx [piece]float32
	c := len(a)
	for at := 0; at < len(dst); at += c {
		for lo := 0; lo < c; lo += piece {
			hi := min(lo+piece, c)
			n := hi - lo
			vec.FromBF16(wdy[:n], dy[at+lo:at+hi])
			vec.FromBF16(wx[:n], x[at+lo:at+hi])
			vec.GradAffineReLURows(wdst[:n], wdy[:n], wx[:n], a[lo:hi], b[lo:hi], d[lo:hi], scale[lo:hi], shift[lo:hi])
			vec.ToBF16(dst[at+lo:at+hi], wdst[:n])
		}
	}
}
