package pixel

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/byol-go/byol/internal/kernel/isa"
)

// Trust runs the self-test, once in a process, and lowers the instruction set if it
// fails. Who works on pixels calls it first; it takes well under a millisecond.
var Trust = sync.OnceFunc(func() { isa.Trust(selfTest) })

// selfTest compares the kernels of the instruction set in use with the reference,
// on a few hundred samples each, and names the first that differs.
func selfTest() error {
	const n = 167 // whole blocks of every kernel, and an end
	u := func(seed uint32, n int) []uint8 {
		b := make([]uint8, n)
		for i := range b {
			seed = seed*1664525 + 1013904223
			b[i] = uint8(seed >> 24)
		}
		return b
	}
	f := func(seed uint32, n int) []float32 {
		v := make([]float32, n)
		for i, b := range u(seed, n) {
			v[i] = float32(b) / 255
		}
		return v
	}
	if err := selfTestBytes(u, n); err != nil {
		return err
	}
	src := f(5, 3*n)
	for _, s := range []struct {
		name     string
		run, ref func(dst []float32)
	}{
		{"Affine", func(d []float32) { Affine(d, src, 1.3, -.2) }, func(d []float32) { affineRef(d, src, 1.3, -.2) }},
		{"BlendGray", func(d []float32) { BlendGray(d, src, 1.2) }, func(d []float32) { blendGrayRef(d, src, 1.2) }},
		{"Hue", func(d []float32) { Hue(d, src, .1) }, func(d []float32) { hueRef(d, src, .1) }},
		{"Solarize", func(d []float32) { Solarize(d, src, .5) }, func(d []float32) { solarizeRef(d, src, .5) }},
		{"Normalize", func(d []float32) { Normalize(d, src, &[3]float32{1, 2, 3}, &[3]float32{4, 5, 6}) },
			func(d []float32) { normalizeRef(d, src, &[3]float32{1, 2, 3}, &[3]float32{4, 5, 6}) }},
		{"WeightedRows", func(d []float32) { WeightedRows(d[:n], src, []int32{0, 9, 200}, []float32{.2, .5, .3}, 0, 1) },
			func(d []float32) { weightedRowsRef(d[:n], src, []int32{0, 9, 200}, []float32{.2, .5, .3}, 0, 1, 0) }},
		{"MeanGray", func(d []float32) { d[0] = MeanGray(src) }, func(d []float32) { d[0] = sumGrayRef(src) / n }},
	} {
		got, want := make([]float32, 3*n), make([]float32, 3*n)
		s.run(got)
		s.ref(want)
		for i := range got {
			if d := got[i] - want[i]; !(d < 1e-5 && d > -1e-5) {
				return wrong(s.name)
			}
		}
	}
	return nil
}

// selfTestBytes is the part of selfTest that must agree to the bit.
func selfTestBytes(u func(seed uint32, n int) []uint8, n int) error {
	y, cb, cr := u(1, n), u(2, n), u(3, n)
	table := &Columns{C: 3, Taps: 8}
	for i := range n {
		table.Offsets = append(table.Offsets, int32(3*(i%100)))
		for k := range 8 {
			table.Weights = append(table.Weights, Fixed(float64(u(uint32(i*8+k), 1)[0])/1000-.05))
		}
	}
	table.Expand()
	row := u(4, 3*108+RowPadding)
	offsets, weights := []int32{0, 17, 101}, []int32{Fixed(.4), Fixed(-.1), Fixed(.7)}
	var coef [64]int16
	var quant [64]int32
	for i, b := range u(6, 64) {
		coef[i], quant[i] = int16(b%32)-16, int32(1+b%7)
	}
	for _, s := range []struct {
		name     string
		run, ref func(dst []uint8)
	}{
		{"YCbCrToRGB", func(d []uint8) { YCbCrToRGB(d, y, cb, cr) }, func(d []uint8) { ycbcrToRGBRef(d, y, cb, cr) }},
		{"UpsampleH2V2", func(d []uint8) { UpsampleH2V2(d[:2*n], cb, cr) }, func(d []uint8) { upsampleH2V2Ref(d[:2*n], cb, cr, 0, n) }},
		{"ResampleRow", func(d []uint8) { ResampleRow(d, row, table) },
			func(d []uint8) { table.each(row, 0, func(i int, sum int32) { d[i] = clipFixed(sum) }) }},
		{"WeightedBytes", func(d []uint8) { WeightedBytes(d[:n], row, offsets, weights) },
			func(d []uint8) {
				eachWeighted(n, row, offsets, weights, 0, func(i int, sum int32) { d[i] = clipFixed(sum) })
			}},
		{"IDCT", func(d []uint8) { IDCT(d, 9, &coef, &quant) }, func(d []uint8) { idctRef(d, 9, &coef, &quant) }},
	} {
		got, want := make([]uint8, 3*n), make([]uint8, 3*n)
		s.run(got)
		s.ref(want)
		if !bytes.Equal(got, want) {
			return wrong(s.name)
		}
	}
	return nil
}

func wrong(name string) error {
	return fmt.Errorf("pixel: the kernel of %s for %v is wrong on this processor: set %s to a lower instruction set", name, isa.Current(), isa.EnvVar)
}
