package report

import (
	"math"

	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"gonum.org/v1/gonum/mat"
)

// principal returns the rows' coordinates along their two principal components.
func principal(f eval.Features) []spot {
	wide := make([]float64, len(f.X))
	for i, v := range centred(f) {
		wide[i] = float64(v)
	}
	var gram mat.SymDense
	gram.SymOuterK(1, mat.NewDense(f.N, f.D, wide)) // [N,N]
	var eig mat.EigenSym
	out := make([]spot, f.N)
	if !eig.Factorize(&gram, true) {
		return out
	}
	values := eig.Values(nil)
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	along := func(k, i int) float64 {
		if k < 0 || values[k] <= 0 {
			return 0
		}
		return math.Sqrt(values[k]) * vectors.At(i, k)
	}
	for i := range out {
		out[i] = spot{along(f.N-1, i), along(f.N-2, i)}
	}
	return out
}

// Parameters of t-SNE, the usual ones for a few hundred points.
const (
	perplexity   = 12
	planeSteps   = 350
	exaggerate   = 12 // of the attraction, in the first steps
	exaggerateTo = 90
)

// embedPlane lays normalised rows out in the plane such that neighbours stay neighbours:
// t-SNE (van der Maaten and Hinton 2008) on cosine distances, exact, started from the
// principal components, so that the same features give the same map.
func embedPlane(pool *par.Pool, f eval.Features, start []spot) []spot {
	n := f.N
	if n < 5 { // too few for neighbours to mean anything
		return start
	}
	p := affinities(pool, f)
	y := make([]spot, n)
	spread := 0.0
	for _, s := range start {
		spread += (s.x*s.x + s.y*s.y) / float64(n)
	}
	for i, s := range start { // a first layout of a hundredth
		y[i] = spot{.01 * s.x / math.Sqrt(spread+1e-30), .01 * s.y / math.Sqrt(spread+1e-30)}
	}
	rate := max(50, float64(n)/exaggerate)
	speed, gain := make([]spot, n), make([]spot, n)
	for i := range gain {
		gain[i] = spot{1, 1}
	}
	force := make([]spot, n)
	for step := range planeSteps {
		pull, momentum := 1., .8
		if step < exaggerateTo {
			pull, momentum = exaggerate, .5
		}
		forces(pool, p, y, pull, force)
		for i := range y {
			gain[i] = spot{adapt(gain[i].x, force[i].x, speed[i].x), adapt(gain[i].y, force[i].y, speed[i].y)}
			speed[i] = spot{momentum*speed[i].x - rate*gain[i].x*force[i].x, momentum*speed[i].y - rate*gain[i].y*force[i].y}
			y[i] = spot{y[i].x + speed[i].x, y[i].y + speed[i].y}
		}
	}
	return y
}

// adapt raises a coordinate's rate while it keeps its direction.
func adapt(gain, force, speed float64) float64 {
	if (force > 0) == (speed > 0) {
		return max(.01, .8*gain)
	}
	return gain + .2
}

// affinities returns the symmetric joint probabilities of the rows [N,N].
func affinities(pool *par.Pool, f eval.Features) []float64 {
	n := f.N
	conditional := make([]float64, n*n)
	target := math.Log(min(perplexity, float64(n-1)/3))
	pool.For(n, func(i, _ int) {
		row := conditional[i*n : (i+1)*n]
		distance := make([]float64, n)
		for j := range n {
			dot := 0.0
			for k := range f.D {
				dot += float64(f.X[i*f.D+k]) * float64(f.X[j*f.D+k])
			}
			distance[j] = 2 - 2*dot
		}
		low, high, beta := 0., math.Inf(1), 1.
		for range 60 { // bisect for the width that gives the perplexity
			sum, weighted := 1e-300, 0.
			for j := range n {
				if row[j] = 0; j != i {
					row[j] = math.Exp(-beta * distance[j])
					sum += row[j]
					weighted += distance[j] * row[j]
				}
			}
			for j := range n {
				row[j] /= sum
			}
			if entropy := math.Log(sum) + beta*weighted/sum; entropy > target {
				low = beta
			} else {
				high = beta
			}
			if beta *= 2; !math.IsInf(high, 1) {
				beta = (low + high) / 2
			}
		}
	})
	joint := make([]float64, n*n)
	for i := range n {
		for j := range n {
			joint[i*n+j] = max(1e-12, (conditional[i*n+j]+conditional[j*n+i])/float64(2*n))
		}
	}
	return joint
}

// forces writes the gradient of the divergence with respect to every place.
func forces(pool *par.Pool, p []float64, y []spot, pull float64, out []spot) {
	n := len(y)
	sums := make([]float64, n)
	push := make([]spot, n)
	pool.For(n, func(i, _ int) {
		var attract, repel spot
		sum := 0.0
		for j := range n {
			if j == i {
				continue
			}
			dx, dy := y[i].x-y[j].x, y[i].y-y[j].y
			q := 1 / (1 + dx*dx + dy*dy)
			sum += q
			w := pull * p[i*n+j] * q
			attract.x += w * dx
			attract.y += w * dy
			repel.x += q * q * dx
			repel.y += q * q * dy
		}
		sums[i], push[i], out[i] = sum, repel, attract
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	for i := range out {
		out[i] = spot{4 * (out[i].x - push[i].x/total), 4 * (out[i].y - push[i].y/total)}
	}
}

// mapAspect is the map's width over its height where there is room for it.
const mapAspect = 1.6

// apart moves pictures on the map that lie on each other until they lie beside each
// other, as far as there is room: size is a picture's width over the map's.
func apart(places []spot, size float64) []spot {
	out := make([]spot, len(places))
	for i, p := range places {
		out[i] = spot{p.x * mapAspect, p.y}
	}
	size *= mapAspect
	for range 60 {
		for i := range out {
			for j := range i {
				dx, dy := out[i].x-out[j].x, out[i].y-out[j].y
				ox, oy := size-math.Abs(dx), size-math.Abs(dy)
				if ox <= 0 || oy <= 0 {
					continue
				}
				if ox < oy { // the shorter way, half of it for each
					ox = math.Copysign(ox/4, dx)
					out[i].x, out[j].x = out[i].x+ox, out[j].x-ox
				} else {
					oy = math.Copysign(oy/4, dy)
					out[i].y, out[j].y = out[i].y+oy, out[j].y-oy
				}
			}
		}
	}
	return unit(out)
}

// unit scales places into [0,1] by [0,1], each axis by itself.
func unit(places []spot) []spot {
	low, high := spot{math.Inf(1), math.Inf(1)}, spot{math.Inf(-1), math.Inf(-1)}
	for _, p := range places {
		low, high = spot{min(low.x, p.x), min(low.y, p.y)}, spot{max(high.x, p.x), max(high.y, p.y)}
	}
	out := make([]spot, len(places))
	for i, p := range places {
		out[i] = spot{.5, .5}
		if high.x > low.x {
			out[i].x = (p.x - low.x) / (high.x - low.x)
		}
		if high.y > low.y {
			out[i].y = (p.y - low.y) / (high.y - low.y)
		}
	}
	return out
}
