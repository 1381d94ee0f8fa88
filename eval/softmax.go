package eval

import (
	"math"

	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/par"
)

// crossEntropy is the loss of a linear classifier on n rows x [n,d] of classes labels,
// and the memory to compute it in:
//
//	Σᵢ −log softmax(W·xᵢ + b)[labelᵢ]
//
// The parameters are the rows of W [classes,d] followed by b [classes]. Matrix products
// are in float32, sums over rows in float64. Rows are dealt to a fixed number of parts,
// whose sums are added in order, so that the result does not depend on the threads.
type crossEntropy struct {
	x          []float32
	labels     []int
	n, d, k    int // rows, features, classes
	pool       *par.Pool
	w          []float32 // W rounded
	parts      int
	losses     []float64
	sums       [][]float64 // a part's gradient
	workspaces []lossWorkspace
}

// lossWorkspace is the memory of one thread.
type lossWorkspace struct {
	logits, grad []float32
	scratch      []byte
}

const (
	lossParts = 16  // enough for as many threads
	lossBlock = 512 // rows whose logits are held at once
)

func newCrossEntropy(pool *par.Pool, x []float32, labels []int, d, classes int) *crossEntropy {
	l := &crossEntropy{d: d, k: classes, pool: pool, w: make([]float32, classes*d)}
	l.take(x, labels)
	l.losses = make([]float64, l.parts)
	l.sums = make([][]float64, l.parts)
	for i := range l.sums {
		l.sums[i] = make([]float64, classes*(d+1))
	}
	l.workspaces = make([]lossWorkspace, pool.Threads())
	return l
}

// take replaces the rows by no more than there were at first.
func (l *crossEntropy) take(x []float32, labels []int) {
	l.x, l.labels, l.n = x, labels, len(labels)
	l.parts = max(1, min(lossParts, (l.n+lossBlock-1)/lossBlock))
}

func (l *crossEntropy) forward(m int) gemm.Shape {
	return gemm.Shape{M: m, N: l.k, K: l.d, TransB: true, LDA: l.d, LDB: l.d, LDC: l.k}
}

func (l *crossEntropy) backward(m int) gemm.Shape {
	return gemm.Shape{M: l.k, N: l.d, K: m, TransA: true, LDA: l.k, LDB: l.d, LDC: l.d}
}

func (l *crossEntropy) workspace(worker int) *lossWorkspace {
	ws := &l.workspaces[worker]
	if ws.logits == nil {
		ws.logits, ws.grad = make([]float32, lossBlock*l.k), make([]float32, l.k*l.d)
		ws.scratch = make([]byte, max(gemm.ScratchBytes(l.forward(lossBlock), 1, false), gemm.ScratchBytes(l.backward(lossBlock), 1, false)))
	}
	return ws
}

// value returns the loss at the parameters and writes its gradient.
func (l *crossEntropy) value(params, grad []float64) float64 {
	for i := range l.w {
		l.w[i] = float32(params[i])
	}
	bias := params[l.k*l.d:]
	l.pool.For(l.parts, func(part, worker int) {
		ws, sum := l.workspace(worker), l.sums[part]
		clear(sum)
		l.losses[part] = 0
		end := (part + 1) * l.n / l.parts
		for from := part * l.n / l.parts; from < end; from += lossBlock {
			m := min(lossBlock, end-from)
			logits, rows := ws.logits[:m*l.k], l.x[from*l.d:(from+m)*l.d]
			gemm.F32(nil, l.forward(m), logits, rows, l.w, ws.scratch)
			for i := range m {
				l.losses[part] += softmaxGradient(logits[i*l.k:(i+1)*l.k], bias, l.labels[from+i], sum[l.k*l.d:])
			}
			gemm.F32(nil, l.backward(m), ws.grad, logits, rows, ws.scratch)
			for i, g := range ws.grad {
				sum[i] += float64(g)
			}
		}
	})
	loss := 0.0
	clear(grad)
	for part, sum := range l.sums[:l.parts] {
		loss += l.losses[part]
		for i, g := range sum {
			grad[i] += g
		}
	}
	return loss
}

// softmaxGradient replaces logits [k], to which bias is still to be added, by the
// gradient of the cross entropy, softmax − onehot, adds it to biasGrad and returns the
// cross entropy.
func softmaxGradient(logits []float32, bias []float64, label int, biasGrad []float64) float64 {
	top := math.Inf(-1)
	for c, v := range logits {
		top = max(top, float64(v)+bias[c])
	}
	sum := 0.0
	var own float64
	for c, v := range logits {
		z := float64(v) + bias[c] - top
		if c == label {
			own = z
		}
		e := math.Exp(z)
		sum += e
		logits[c] = float32(e)
	}
	scale := 1 / sum
	for c, e := range logits {
		p := float64(e) * scale
		if c == label {
			p--
		}
		logits[c] = float32(p)
		biasGrad[c] += p
	}
	return math.Log(sum) - own
}
