package conv

// These loops are the definition of the three products.

// refForward computes the outputs of pixels [m0, m1) of y seen as [N·OutH·OutW, K].
func refForward(s Shape, y, x, w []float32, m0, m1 int) {
	outH, outW := s.OutH(), s.OutW()
	for m := m0; m < m1; m++ {
		n, oy, ox := m/(outH*outW), m/outW%outH, m%outW
		out := y[m*s.K:][:s.K]
		clear(out)
		for kh := range s.KH {
			for kw := range s.KW {
				iy, ix := oy*s.StrideH+kh*s.DilationH-s.PadTop, ox*s.StrideW+kw*s.DilationW-s.PadLeft
				inside := iy >= 0 && iy < s.H && ix >= 0 && ix < s.W
				for c := range s.C {
					var v float32
					if inside {
						v = x[((n*s.H+iy)*s.W+ix)*s.C+c]
					}
					row := w[((kh*s.KW+kw)*s.C+c)*s.K:][:s.K]
					for k, b := range row {
						out[k] += v * b
					}
				}
			}
		}
	}
}

// refInputGrad computes the gradient of pixels [m0, m1) of x seen as [N·H·W, C].
func refInputGrad(s Shape, dx, dy, w []float32, m0, m1 int) {
	outH, outW := s.OutH(), s.OutW()
	for m := m0; m < m1; m++ {
		n, iy, ix := m/(s.H*s.W), m/s.W%s.H, m%s.W
		out := dx[m*s.C:][:s.C]
		clear(out)
		for kh := range s.KH {
			for kw := range s.KW {
				ty, tx := iy+s.PadTop-kh*s.DilationH, ix+s.PadLeft-kw*s.DilationW
				if ty%s.StrideH != 0 || tx%s.StrideW != 0 {
					continue
				}
				oy, ox := ty/s.StrideH, tx/s.StrideW
				inside := oy >= 0 && oy < outH && ox >= 0 && ox < outW
				for c := range s.C {
					row := w[((kh*s.KW+kw)*s.C+c)*s.K:][:s.K]
					for k, b := range row {
						var v float32
						if inside {
							v = dy[((n*outH+oy)*outW+ox)*s.K+k]
						}
						out[c] += v * b
					}
				}
			}
		}
	}
}

// refKernelGrad computes rows [r0, r1) of dw seen as [KH·KW·C, K].
func refKernelGrad(s Shape, dw, x, dy []float32, r0, r1 int) {
	outH, outW := s.OutH(), s.OutW()
	for r := r0; r < r1; r++ {
		kh, kw, c := r/(s.KW*s.C), r/s.C%s.KW, r%s.C
		out := dw[r*s.K:][:s.K]
		clear(out)
		for n := range s.N {
			for oy := range outH {
				for ox := range outW {
					iy, ix := oy*s.StrideH+kh*s.DilationH-s.PadTop, ox*s.StrideW+kw*s.DilationW-s.PadLeft
					var v float32
					if iy >= 0 && iy < s.H && ix >= 0 && ix < s.W {
						v = x[((n*s.H+iy)*s.W+ix)*s.C+c]
					}
					row := dy[((n*outH+oy)*outW+ox)*s.K:][:s.K]
					for k, b := range row {
						out[k] += v * b
					}
				}
			}
		}
	}
}
