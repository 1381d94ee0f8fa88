package augment

// The paper's jitter (augmentations.py of the authors' code): steps without
// clipping, which follows at the end of all. x is [n,channels] and is changed in
// place.

// addBrightness is x + delta.
func addBrightness(x []float32, delta float32) {
	for i := range x {
		x[i] += delta
	}
}

// stretchContrast is f·(x - m) + m, m being each channel's mean.
func stretchContrast(x []float32, f float32, channels int) {
	for c := range channels {
		sum := 0.0
		for i := c; i < len(x); i += channels {
			sum += float64(x[i])
		}
		mean := float32(sum / float64(len(x)/channels))
		for i := c; i < len(x); i += channels {
			x[i] = f*(x[i]-mean) + mean
		}
	}
}

// turnHSV multiplies the saturation of RGB pixels by factor, clipping it to
// [0,1], and turns the hue by shift, a share of the circle in [-.5,.5].
func turnHSV(x []float32, factor, shift float32) {
	for p := 0; p+2 < len(x); p += 3 {
		r, g, b := x[p], x[p+1], x[p+2]
		value := max(r, g, b)
		chroma := value - min(r, g, b)
		if chroma == 0 || value <= 0 {
			continue // no hue to turn; samples below 0 will be clipped to it
		}
		var h float32 // hue in sixths of the circle, [-1,5]
		switch value {
		case r:
			h = (g - b) / chroma
		case g:
			h = 2 + (b-r)/chroma
		default:
			h = 4 + (r-g)/chroma
		}
		h += 6 * shift
		saturation := max(0, min(1, chroma/value*factor))
		x[p] = value - value*saturation*trapezoid(h+5)
		x[p+1] = value - value*saturation*trapezoid(h+3)
		x[p+2] = value - value*saturation*trapezoid(h+1)
	}
}

// trapezoid is max(0, min(k, 4-k, 1)) of k modulo 6: what share of the chroma a
// channel lacks at a distance k from where it is full.
func trapezoid(k float32) float32 {
	if k < 0 {
		k += 6
	}
	if k >= 6 {
		k -= 6
	}
	return max(0, min(k, 4-k, 1))
}
