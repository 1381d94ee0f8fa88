package conv

// axis is one spatial dimension of a product whose rows are pixels: which
// pixels it computes, and where the taps of each lie in the tensor it reads.
type axis struct {
	size          int // pixels computed: grid places g in [0, size)
	out0, outStep int // place g is pixel out0 + g·outStep of the result
	inStep        int // tap t of place g reads pixel g·inStep + off0 + t·offStep
	off0, offStep int
	limit         int // pixels outside [0, limit) are padding
	taps          int // tap t is row (or column) tap0 + t·tapStep of the kernel
	tap0, tapStep int
}

// forwardAxis is an axis of a convolution.
func forwardAxis(size, kernel, stride, pad, dilation, out int) axis {
	return axis{
		size: out, outStep: 1,
		inStep: stride, off0: -pad, offStep: dilation, limit: size,
		taps: kernel, tapStep: 1,
	}
}

// gradAxis is an axis of the gradient of the input, for the pixels phase,
// phase + stride, ... of it. Pixel i has a tap k where i + pad − k·dilation is
// a multiple of the stride, and that tap reads the quotient: phase by phase a
// strided gradient is a dense convolution that meets no inserted zeros.
func gradAxis(size, kernel, stride, pad, dilation, out, phase int) axis {
	a := axis{
		size: max(0, (size-phase+stride-1)/stride), out0: phase, outStep: stride,
		inStep: 1, limit: out, tapStep: 1,
	}
	for k := kernel - 1; k >= 0; k-- { // from the first pixel read to the last
		at := phase + pad - k*dilation
		if at%stride != 0 {
			continue
		}
		switch a.taps {
		case 0:
			a.tap0, a.off0 = k, at/stride
		case 1: // taps follow at equal steps
			a.tapStep, a.offStep = k-a.tap0, at/stride-a.off0
		}
		a.taps++
	}
	return a
}

// inside says whether all taps of place g fall on pixels.
func (a *axis) inside(g int) bool {
	first := g*a.inStep + a.off0
	return first >= 0 && first+(a.taps-1)*a.offStep < a.limit
}
