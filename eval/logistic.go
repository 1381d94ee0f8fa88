package eval

import (
	"fmt"
	"math"
	"slices"

	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/par"
	"gonum.org/v1/gonum/mat"
)

// Classifier is a linear map from features to the logits of classes.
type Classifier struct {
	Standard Standard  // of the features, before the map; the zero value leaves them alone
	W        []float32 // [Classes,D], row-major
	B        []float32 // [Classes]
	Classes  int
}

// Logits returns those of every row, [N,Classes].
func (c Classifier) Logits(pool *par.Pool, f Features) []float32 {
	if c.Standard.Mean != nil {
		f = c.Standard.Apply(pool, f)
	}
	out := make([]float32, f.N*c.Classes)
	s := gemm.Shape{M: f.N, N: c.Classes, K: f.D, TransB: true, LDA: f.D, LDB: f.D, LDC: c.Classes}
	gemm.F32(pool, s, out, f.X, c.W, make([]byte, gemm.ScratchBytes(s, pool.Threads(), false)))
	for i := range out {
		out[i] += c.B[i%c.Classes]
	}
	return out
}

// L2Grid returns the 45 values of the transfer protocol (Kornblith et al. 2019, taken
// over by Grill et al. 2020, appendix D): 1e-6 to 1e5, evenly spaced in the logarithm,
// here in falling order.
func L2Grid() []float64 {
	grid := make([]float64, 45)
	for i := range grid {
		grid[i] = math.Pow(10, 5-11*float64(i)/44)
	}
	return grid
}

// Logistic fits multinomial logistic regressions by L-BFGS: the minimum of
//
//	Σᵢ −log softmax(W·xᵢ + b)[labelᵢ] + ½·L2·‖W‖²
//
// over standardised features. L2 is thus 1/C of scikit-learn's LogisticRegression.
type Logistic struct {
	// L2 are the strengths to choose from, by the accuracy on a held-out part of the
	// training rows, among equals by the cross entropy there. With one value nothing is
	// chosen or held out.
	L2 []float64
	// Seed decides which rows are held out.
	Seed uint64
}

// Choice says how a setting was chosen.
type Choice struct {
	Setting string  `json:"setting"`  // l2 or lr
	Value   float64 `json:"value"`    // that was taken
	HeldOut int     `json:"held_out"` // training pictures to choose by; 0: nothing was chosen
	Tried   []Trial `json:"tried,omitempty"`
}

// Trial is a value that a setting was tried with.
type Trial struct {
	Value float64   `json:"value"`
	Top1  float64   `json:"top1"` // on the held-out part
	Loss  JSONFloat `json:"loss"` // mean cross entropy there; null if learning diverged
}

// Best returns the trial with the highest accuracy, the lower loss among equals, then
// the earlier.
func Best(tried []Trial) Trial {
	return slices.MaxFunc(tried, func(a, b Trial) int {
		switch {
		case a.Top1 != b.Top1:
			return compare(a.Top1, b.Top1)
		default:
			return compare(-float64(a.Loss), -float64(b.Loss))
		}
	})
}

// compare orders numbers, NaN below all.
func compare(a, b float64) int {
	switch {
	case a > b || b != b && a == a:
		return 1
	case b > a || a != a && b == b:
		return -1
	}
	return 0
}

const (
	fitTolerance = 1e-5 // on the gradient of the mean loss
	fitSteps     = 300
)

// Fit chooses L2 and fits all labelled rows with it. A fit starts where that with the
// next stronger L2 ended.
func (p Logistic) Fit(pool *par.Pool, train Features, classes int) (Classifier, Choice, error) {
	choice := Choice{Setting: "l2"}
	grid := slices.Clone(p.L2)
	slices.SortFunc(grid, func(a, b float64) int { return compare(b, a) })
	if len(grid) == 0 || !(grid[len(grid)-1] > 0) || math.IsInf(grid[0], 0) {
		return Classifier{}, choice, fmt.Errorf("l2 %v: want positive numbers", p.L2)
	}
	train, err := train.Known()
	if err != nil {
		return Classifier{}, choice, err
	}
	standard, err := Standardize(train)
	if err != nil {
		return Classifier{}, choice, err
	}
	train = standard.Apply(pool, train)
	params := make([]float64, classes*(train.D+1))
	choice.Value = grid[0]
	if len(grid) > 1 {
		learn, choose := HoldOut(train.Labels, classes, HoldOutShare, p.Seed)
		if len(choose) == 0 {
			return Classifier{}, choice, errNoneToChooseBy
		}
		choice.HeldOut = len(choose)
		var at [][]float64 // parameters at each value
		choice.Tried, at = path(pool, train.Rows(learn), train.Rows(choose), classes, grid, params)
		choice.Value = Best(choice.Tried).Value
		params = at[slices.Index(grid, choice.Value)]
	}
	fit := newRegression(pool, train, classes)
	fit.fit(params, choice.Value)
	c := classifier(params, train.D, classes)
	c.Standard = standard
	return c, choice, nil
}

// path fits learn with every strength, from strong to weak, and judges each by choose.
func path(pool *par.Pool, learn, choose Features, classes int, grid, params []float64) (tried []Trial, at [][]float64) {
	fit := newRegression(pool, learn, classes)
	for _, l2 := range grid {
		fit.fit(params, l2)
		logits := classifier(params, learn.D, classes).Logits(pool, choose)
		top1, loss := Accuracy(logits, choose.Labels, classes)
		tried = append(tried, Trial{Value: l2, Top1: top1, Loss: JSONFloat(loss)})
		at = append(at, slices.Clone(params))
	}
	return tried, at
}

// classifier takes parameters apart.
func classifier(params []float64, d, classes int) Classifier {
	narrow := make([]float32, len(params))
	for i, v := range params {
		narrow[i] = float32(v)
	}
	return Classifier{W: narrow[:classes*d], B: narrow[classes*d:], Classes: classes}
}

// Accuracy returns the share of rows whose largest logit is that of their label, and the
// mean cross entropy; it overwrites the logits [N,classes].
func Accuracy(logits []float32, labels []int, classes int) (top1, loss float64) {
	right := 0
	zero := make([]float64, classes)
	sink := make([]float64, classes)
	for i, label := range labels {
		row := logits[i*classes : (i+1)*classes]
		top := 0
		for c, v := range row {
			if v > row[top] {
				top = c
			}
		}
		if top == label {
			right++
		}
		loss += softmaxGradient(row, zero, label, sink)
	}
	return float64(right) / float64(len(labels)), loss / float64(len(labels))
}

// regression is the problem of a fit: the mean of the regularised loss over n rows. The
// Hessian for equal logits is (XᵀX/classes + L2·I)/n for each class, on directions that
// change the logits' differences: near enough to make the steps of L-BFGS few.
type regression struct {
	*crossEntropy
	l2       float64
	gram     []float32 // XᵀX, [d,d]
	factor   mat.Cholesky
	factored float64 // the l2 of factor
}

func newRegression(pool *par.Pool, f Features, classes int) *regression {
	r := &regression{crossEntropy: newCrossEntropy(pool, f.X, f.Labels, f.D, classes), gram: make([]float32, f.D*f.D)}
	s := gemm.Shape{M: f.D, N: f.D, K: f.N, TransA: true, LDA: f.D, LDB: f.D, LDC: f.D}
	gemm.F32(pool, s, r.gram, f.X, f.X, make([]byte, gemm.ScratchBytes(s, pool.Threads(), false)))
	return r
}

// fit changes params to the minimum for that l2.
func (r *regression) fit(params []float64, l2 float64) int {
	r.l2 = l2
	if r.factored == 0 || l2 > 4*r.factored || l2 < r.factored/4 {
		r.factorize(l2)
	}
	_, steps := minimise(r, params, fitTolerance, fitSteps)
	return steps
}

// factorize prepares precondition. The products are float32, so that a floor under the
// diagonal, far below what matters, keeps the matrix positive.
func (r *regression) factorize(l2 float64) {
	trace := 0.0
	for j := range r.d {
		trace += float64(r.gram[j*r.d+j])
	}
	floor := max(l2, 1e-6*trace/float64(r.d), 1e-6)
	for {
		m := mat.NewSymDense(r.d, nil)
		for i := range r.d {
			for j := i; j < r.d; j++ {
				m.SetSym(i, j, float64(r.gram[i*r.d+j])/float64(r.k*r.n))
			}
			m.SetSym(i, i, m.At(i, i)+floor/float64(r.n))
		}
		if r.factor.Factorize(m) {
			r.factored = l2
			return
		}
		floor *= 100
	}
}

func (r *regression) value(params, grad []float64) float64 {
	f := r.crossEntropy.value(params, grad)
	w := params[:r.k*r.d]
	f += r.l2 / 2 * dot(w, w)
	axpy(grad[:r.k*r.d], r.l2, w)
	n := float64(r.n)
	for i := range grad {
		grad[i] /= n
	}
	return f / n
}

func (r *regression) precondition(dst, g []float64) {
	r.pool.For(r.k, func(c, _ int) {
		from, to := c*r.d, (c+1)*r.d
		// The error only says that the matrix is badly conditioned.
		_ = r.factor.SolveVecTo(mat.NewVecDense(r.d, dst[from:to]), mat.NewVecDense(r.d, g[from:to]))
	})
	for i := r.k * r.d; i < len(g); i++ {
		dst[i] = float64(r.k) * g[i]
	}
}
