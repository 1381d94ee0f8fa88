package tile

import (
	"math"
	"testing"
	"unsafe"

	"github.com/byol-go/byol/internal/kernel/isa"
)

func eachLevel(t *testing.T, body func(t *testing.T, l isa.Level)) {
	for _, l := range isa.Available() {
		t.Run(l.String(), func(t *testing.T) { body(t, l) })
	}
}

// TestNarrow rounds around every bfloat16: the number itself, its neighbours,
// the ties to the next, infinities and NaN.
func TestNarrow(t *testing.T) {
	var src []float32
	for b := range 1 << 16 {
		for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			src = append(src, math.Float32frombits(uint32(b)<<16|low))
		}
	}
	src = append(src, 1, 2, 3) // a tail that fills no vector
	want := make([]uint16, len(src))
	narrowRef(want, src)
	eachLevel(t, func(t *testing.T, l isa.Level) {
		got := make([]uint16, len(src))
		Narrow(l, got, src)
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%x rounds to %x, want %x", math.Float32bits(src[i]), got[i], want[i])
			}
		}
		back := make([]float32, len(got))
		Widen(l, back, got)
		for i, f := range back {
			if math.Float32bits(f) != uint32(got[i])<<16 {
				t.Fatalf("%x widens to %x", got[i], math.Float32bits(f))
			}
		}
	})
}

// TestRoundRefTies checks the reference itself at known values.
func TestRoundRefTies(t *testing.T) {
	for bits, want := range map[uint32]uint16{
		0x3f808000: 0x3f80, // tie to even, down
		0x3f818000: 0x3f82, // tie to even, up
		0x3f808001: 0x3f81,
		0x7f7fffff: 0x7f80, // the largest float32 is nearer to infinity
		0xff800000: 0xff80,
		0x7f800001: 0x7fc0, // NaN keeps being one
	} {
		if got := roundRef(math.Float32frombits(bits)); got != want {
			t.Errorf("%x rounds to %x, want %x", bits, got, want)
		}
	}
}

func TestTranspose(t *testing.T) {
	eachLevel(t, func(t *testing.T, l isa.Level) {
		for _, cols := range []int{1, 5, 8, 13, 16, 31, 32} {
			width := PanelWidth(l, min(cols, Cols(l)))
			cols := min(cols, width)
			for _, k := range []int{1, 7, 8, 19, 64} {
				stride := k + 3
				src := make([]uint32, cols*stride)
				for i := range src {
					src[i] = uint32(i + 1)
				}
				dst := make([]uint32, k*width+1)
				for i := range dst {
					dst[i] = 0xffffffff
				}
				Transpose(l, unsafe.Pointer(&dst[0]), width, unsafe.Pointer(&src[0]), 4*stride, k, cols)
				for i := range k {
					for j := range width {
						want := uint32(0)
						if j < cols {
							want = src[j*stride+i]
						}
						if dst[i*width+j] != want {
							t.Fatalf("%dx%d: [%d][%d] is %d, want %d", k, cols, i, j, dst[i*width+j], want)
						}
					}
				}
				if dst[k*width] != 0xffffffff {
					t.Fatalf("%dx%d: written past the end", k, cols)
				}
			}
		}
	})
}

func TestPitchKeepsRowsApart(t *testing.T) {
	for _, l := range []isa.Level{isa.AVX2, isa.AVX512} {
		for stride := 4; stride <= 1<<16; stride += 252 {
			p := Pitch(l, stride)
			if p < stride || p > stride+4096 {
				t.Fatalf("%v: pitch %d for %d", l, p, stride)
			}
		}
		for _, stride := range []int{2048, 4096, 8192, 1 << 14} {
			if Pitch(l, stride) == stride {
				t.Errorf("%v: rows %d apart are left there", l, stride)
			}
		}
		if p := Pitch(l, 256); p != 256 {
			t.Errorf("%v: 256 becomes %d", l, p)
		}
	}
}
