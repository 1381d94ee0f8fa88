package eval

import (
	"math"
	"slices"
)

// problem is a smooth, strictly convex function to minimise.
type problem interface {
	// value returns the function at x and writes its gradient.
	value(x, grad []float64) float64
	// precondition writes to dst an approximation of H⁻¹g, H being the Hessian. dst
	// and g do not overlap.
	precondition(dst, g []float64)
}

// lbfgsMemory is the number of steps whose curvature is remembered.
const lbfgsMemory = 10

// minimise changes x, step by step, until no component of the gradient exceeds
// tolerance, by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with
// the problem's own approximation as the initial inverse Hessian, and backtracking. It
// stops as well after maxSteps, or when rounding hides any further descent. It returns
// the value and the number of steps.
func minimise(p problem, x []float64, tolerance float64, maxSteps int) (f float64, steps int) {
	n := len(x)
	grad, direction := make([]float64, n), make([]float64, n)
	next, nextGrad := make([]float64, n), make([]float64, n)
	var past []curvature
	f = p.value(x, grad)
	for steps < maxSteps && largestOf(grad) > tolerance {
		twoLoops(direction, grad, past, p.precondition)
		slope := dot(direction, grad)
		if !(slope < 0) {
			if len(past) == 0 {
				return f, steps
			}
			past = nil // rounding has spoilt the memory
			continue
		}
		rate, accepted := 1.0, false
		var g float64
		for range 30 {
			for i := range next {
				next[i] = x[i] + float64(rate*direction[i])
			}
			g = p.value(next, nextGrad)
			if accepted = g <= f+1e-4*rate*slope; accepted {
				break
			}
			rate /= 2
		}
		if !accepted {
			return f, steps
		}
		past = remember(past, x, next, grad, nextGrad)
		copy(x, next)
		copy(grad, nextGrad)
		f = g
		steps++
	}
	return f, steps
}

// curvature is what one step told of the Hessian: the change y of the gradient over the
// step s.
type curvature struct {
	s, y []float64
	sy   float64
}

// remember appends the newest step, unless it curves downwards, and forgets the oldest.
func remember(past []curvature, x, next, grad, nextGrad []float64) []curvature {
	c := curvature{s: make([]float64, len(x)), y: make([]float64, len(x))}
	for i := range x {
		c.s[i], c.y[i] = next[i]-x[i], nextGrad[i]-grad[i]
	}
	if c.sy = dot(c.s, c.y); !(c.sy > 1e-10*math.Sqrt(dot(c.s, c.s)*dot(c.y, c.y))) {
		return past
	}
	if len(past) == lbfgsMemory {
		past = slices.Delete(past, 0, 1)
	}
	return append(past, c)
}

// twoLoops writes the direction −H⁻¹g that the past steps suggest.
func twoLoops(direction, grad []float64, past []curvature, precondition func(dst, g []float64)) {
	q := slices.Clone(grad)
	alpha := make([]float64, len(past))
	for i := len(past) - 1; i >= 0; i-- {
		c := past[i]
		alpha[i] = dot(c.s, q) / c.sy
		axpy(q, -alpha[i], c.y)
	}
	precondition(direction, q)
	for i, c := range past {
		axpy(direction, alpha[i]-dot(c.y, direction)/c.sy, c.s)
	}
	for i := range direction {
		direction[i] = -direction[i]
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i] * b[i])
	}
	return sum
}

// axpy adds a·x to y.
func axpy(y []float64, a float64, x []float64) {
	for i := range y {
		y[i] += float64(a * x[i])
	}
}

func largestOf(x []float64) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(v))
	}
	return m
}
