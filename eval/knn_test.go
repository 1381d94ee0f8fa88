package eval

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/byol-go/byol/internal/kernel/par"
)

// clusters draws n points around the axes of d-dimensional space, one axis a class.
func clusters(n, d, classes int, noise float64, seed uint64) Features {
	r := rand.New(rand.NewPCG(seed, 0))
	f := Features{X: make([]float32, n*d), N: n, D: d, Labels: make([]int, n)}
	for i := range n {
		f.Labels[i] = i % classes
		for j := range d {
			f.X[i*d+j] = float32(noise * r.NormFloat64())
		}
		f.X[i*d+f.Labels[i]] += 1
	}
	return f
}

// The neighbours are those that sorting all cosines gives.
func TestNeighboursAgainstSorting(t *testing.T) {
	bank, _ := clusters(150, 7, 3, .5, 1).Normalized()
	query, _ := clusters(70, 7, 3, .5, 2).Normalized()
	for _, threads := range []int{1, 3} {
		pool := par.New(threads)
		defer pool.Close()
		near := Neighbours(pool, bank, query, 9, false)
		for i := range query.N {
			cosines := make([]float32, bank.N)
			for j := range bank.N {
				var s float64
				for c := range bank.D {
					s += float64(query.X[i*7+c]) * float64(bank.X[j*7+c])
				}
				cosines[j] = float32(s)
			}
			want := largest(cosines, bank.N, -1)[:9]
			for k := range want {
				if near[i][k].Index != want[k].Index && math.Abs(float64(near[i][k].Cosine-want[k].Cosine)) > 1e-6 {
					t.Fatalf("query %d, neighbour %d: %v, want %v", i, k, near[i][k], want[k])
				}
			}
		}
	}
}

func TestLeaveOneOutSkipsItself(t *testing.T) {
	bank, _ := clusters(40, 5, 2, .3, 3).Normalized()
	for i, near := range Neighbours(nil, bank, bank, 39, true) {
		if len(near) != 39 {
			t.Fatalf("row %d has %d neighbours, want all others", i, len(near))
		}
		for _, n := range near {
			if n.Index == i {
				t.Fatalf("row %d is its own neighbour", i)
			}
		}
	}
}

// A case small enough to be counted by hand: two near neighbours of class 1 against one
// of class 0 that is nearer, at two temperatures.
func TestVotesAreWeighted(t *testing.T) {
	at := func(deg float64) []float32 {
		s, c := math.Sincos(deg * math.Pi / 180)
		return []float32{float32(c), float32(s)}
	}
	bank := Features{N: 6, D: 2, Labels: []int{0, 1, 1, -1, 0, 1}}
	for _, deg := range []float64{10, 40, -40, 0, 170, 190} {
		bank.X = append(bank.X, at(deg)...)
	}
	query := Features{X: at(0), N: 1, D: 2, Labels: []int{0}}
	for temperature, want := range map[float64]float64{.1: 1, 10: 0} {
		s, err := KNN{Temperature: temperature}.Judge(nil, bank, &query, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		// k is cut to half of the five labelled rows: two, one of each class.
		if temperature == .1 && s[0].Top1 != want {
			t.Errorf("temperature %v: top-1 %v, want %v", temperature, s[0].Top1, want)
		}
		votes := KNN{Temperature: temperature}.votes([]Neighbour{{0, .98}, {1, .77}, {2, .77}}, bank.Labels, 2)
		if (votes[0] > votes[1]) != (want == 1) {
			t.Errorf("temperature %v: votes %v", temperature, votes)
		}
	}
}

func TestJudge(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	bank, query := clusters(200, 8, 4, .1, 4), clusters(50, 8, 4, .1, 5)
	s, err := KNN{Temperature: .1}.Judge(pool, bank, &query, 5, 200, 20)
	if err != nil {
		t.Fatal(err)
	}
	if s[0].Top1 != 1 || s[1].Top1 != 1 || s[0].N != 50 || s[0].Confusion[2][2] != 12 || !math.IsNaN(float64(s[0].PerClass[4])) {
		t.Errorf("clean clusters: %+v", s[0])
	}
	loo, err := KNN{Temperature: .1}.Judge(pool, bank, nil, 4, 20)
	if err != nil || loo[0].Top1 != 1 || loo[0].N != 200 {
		t.Errorf("leave-one-out: %+v, %v", loo, err)
	}
	serial, _ := KNN{Temperature: .1}.Judge(nil, bank, nil, 4, 20)
	if !reflect.DeepEqual(loo, serial) {
		t.Error("threads change the score")
	}
}

func TestJudgeErrors(t *testing.T) {
	good := clusters(10, 3, 2, .1, 6)
	unlabelled := good
	unlabelled.Labels = nil
	if _, err := (KNN{Temperature: .1}).Judge(nil, unlabelled, nil, 2, 5); !errors.Is(err, ErrNoLabels) {
		t.Errorf("no labels: %v", err)
	}
	nan := clusters(10, 3, 2, .1, 6)
	nan.X[3*3] = float32(math.NaN())
	if _, err := (KNN{Temperature: .1}).Judge(nil, good, &nan, 2, 5); err == nil || !strings.Contains(err.Error(), "row 3") {
		t.Errorf("NaN: %v", err)
	}
}
