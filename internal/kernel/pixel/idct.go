package pixel

// IDCT dequantises a block of DCT coefficients and transforms it to 8 x 8 samples
// at dst, rows stride apart: the accurate integer transform of libjpeg
// (jidctint.c, after Loeffler, Ligtenberg and Moschytz, ICASSP 1989, with 13-bit
// constants and 2 extra bits between the passes), level shift and clipping
// included. coef and quant are in natural order, row by row.
func IDCT(dst []uint8, stride int, coef *[64]int16, quant *[64]int32) {
	if stride < 8 || len(dst) < 7*stride+8 {
		panic("pixel: IDCT: dst needs 8 rows of 8 samples")
	}
	if !idct(dst, stride, coef, quant) {
		idctRef(dst, stride, coef, quant)
	}
}

// IDCTFlat is IDCT for a block of which only the first coefficient is not zero.
func IDCTFlat(dst []uint8, stride int, dc, quant int32) {
	v := clip8((dc*quant*4+16)>>5 + 128)
	for y := range 8 {
		row := dst[y*stride : y*stride+8 : y*stride+8]
		for x := range row {
			row[x] = v
		}
	}
}

func idctRef(dst []uint8, stride int, coef *[64]int16, quant *[64]int32) {
	var work [64]int32
	for x := range 8 { // columns
		var v [8]int32
		for y := range v {
			v[y] = int32(coef[8*y+x]) * quant[8*y+x]
		}
		idct8(&v, 1<<10)
		for y, t := range v {
			work[8*y+x] = t >> 11
		}
	}
	for y := range 8 { // rows
		v := [8]int32(work[8*y:])
		idct8(&v, 1<<17+128<<18)
		for x, t := range v {
			dst[y*stride+x] = clip8(t >> 18)
		}
	}
}

// Constants of the transform times 2^13, named as in the paper's flow graph:
// sums and differences of √2·cos(kπ/16).
const (
	fix0_298 = 2446
	fix0_390 = 3196
	fix0_541 = 4433
	fix0_765 = 6270
	fix0_899 = 7373
	fix1_175 = 9633
	fix1_501 = 12299
	fix1_847 = 15137
	fix1_961 = 16069
	fix2_053 = 16819
	fix2_562 = 20995
	fix3_072 = 25172
)

// idct8 transforms eight values in place, scaled by 2^13·√8, plus round.
func idct8(v *[8]int32, round int32) {
	z1 := (v[2] + v[6]) * fix0_541
	even2 := z1 - v[6]*fix1_847
	even3 := z1 + v[2]*fix0_765
	even0 := (v[0]+v[4])<<13 + round
	even1 := (v[0]-v[4])<<13 + round
	t10, t13 := even0+even3, even0-even3
	t11, t12 := even1+even2, even1-even2

	o0, o1, o2, o3 := v[7], v[5], v[3], v[1]
	z1, z2 := -(o0+o3)*fix0_899, -(o1+o2)*fix2_562
	z3, z4 := o0+o2, o1+o3
	z5 := (z3 + z4) * fix1_175
	z3, z4 = z5-z3*fix1_961, z5-z4*fix0_390
	o0 = o0*fix0_298 + z1 + z3
	o1 = o1*fix2_053 + z2 + z4
	o2 = o2*fix3_072 + z2 + z3
	o3 = o3*fix1_501 + z1 + z4
	v[0], v[7] = t10+o3, t10-o3
	v[1], v[6] = t11+o2, t11-o2
	v[2], v[5] = t12+o1, t12-o1
	v[3], v[4] = t13+o0, t13-o0
}
