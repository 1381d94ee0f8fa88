// Package eval judges an encoder by what its features are good for: by nearest neighbours
// ([KNN]) and by linear classifiers on the frozen encoder, logistic regression
// ([Logistic]) or SGD as on ImageNet ([SGD]). [Compare] sets random and supervised
// encoders beside it. Fine-tuning, which trains the encoder, is in package train and
// takes its pictures and scores from here.
//
// Settings are chosen on held-out training pictures, never on test pictures. All draws
// are functions of the seed, and no result depends on the number of threads.
package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/byol-go/byol/internal/kernel/gemm"
	"github.com/byol-go/byol/internal/kernel/par"
)

// Features are vectors in the rows of a matrix, with the classes of what they stand for.
type Features struct {
	X      []float32 // [N,D], row-major
	N, D   int
	Labels []int // [N], -1 where unknown; nil without labels
}

// Normalized returns a copy whose rows have length 1 (zero rows stay zero). A value that
// is not finite is an error that names its row.
func (f Features) Normalized() (Features, error) {
	if err := f.check(); err != nil {
		return f, err
	}
	out := f
	out.X = make([]float32, len(f.X))
	for i := range f.N {
		var sum float64
		for _, v := range f.X[i*f.D : (i+1)*f.D] {
			sum += float64(v) * float64(v)
		}
		if sum == 0 {
			continue
		}
		scale := 1 / math.Sqrt(sum)
		for j, v := range f.X[i*f.D : (i+1)*f.D] {
			out.X[i*f.D+j] = float32(float64(v) * scale)
		}
	}
	return out, nil
}

// Neighbour is a row of a bank and its cosine with a query.
type Neighbour struct {
	Index  int
	Cosine float32
}

// queryBlock is the number of queries whose cosines with the whole bank are held at once.
const queryBlock = 64

// Neighbours returns for every row of query the k rows of bank with the largest cosines,
// in falling order, equal ones by index. With leaveOneOut query is the bank itself and
// no row is its own neighbour. Both must be normalised, with equal D.
func Neighbours(pool *par.Pool, bank, query Features, k int, leaveOneOut bool) [][]Neighbour {
	if bank.D != query.D {
		panic(fmt.Sprintf("eval: bank of width %d, queries of width %d", bank.D, query.D))
	}
	found := make([][]Neighbour, query.N)
	cosines := make([]float32, queryBlock*bank.N)
	shape := gemm.Shape{M: queryBlock, N: bank.N, K: bank.D, TransB: true, LDA: bank.D, LDB: bank.D, LDC: bank.N}
	scratch := make([]byte, gemm.ScratchBytes(shape, pool.Threads(), false))
	for from := 0; from < query.N; from += queryBlock {
		shape.M = min(queryBlock, query.N-from)
		gemm.F32(pool, shape, cosines[:shape.M*bank.N], query.X[from*query.D:(from+shape.M)*query.D], bank.X, scratch)
		pool.For(shape.M, func(i, _ int) {
			self := -1
			if leaveOneOut {
				self = from + i
			}
			found[from+i] = largest(cosines[i*bank.N:(i+1)*bank.N], k, self)
		})
	}
	return found
}

// largest returns the k largest values with their indices, without that at skip.
func largest(values []float32, k, skip int) []Neighbour {
	heap := make([]Neighbour, 0, k) // the worst of the best on top
	for i, v := range values {
		n := Neighbour{i, v}
		switch {
		case i == skip:
		case len(heap) < k:
			heap = append(heap, n)
			for c := len(heap) - 1; c > 0 && order(heap[c], heap[(c-1)/2]) > 0; c = (c - 1) / 2 {
				heap[c], heap[(c-1)/2] = heap[(c-1)/2], heap[c]
			}
		case k > 0 && order(n, heap[0]) < 0:
			heap[0] = n
			sink(heap)
		}
	}
	slices.SortFunc(heap, order)
	return heap
}

// order puts the larger cosine first, and the smaller index among equals.
func order(a, b Neighbour) int {
	if c := cmp.Compare(b.Cosine, a.Cosine); c != 0 {
		return c
	}
	return cmp.Compare(a.Index, b.Index)
}

// sink restores the heap after its top was replaced.
func sink(heap []Neighbour) {
	for i := 0; ; {
		worst := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(heap); c++ {
			if order(heap[c], heap[worst]) > 0 {
				worst = c
			}
		}
		if worst == i {
			return
		}
		heap[i], heap[worst] = heap[worst], heap[i]
		i = worst
	}
}
