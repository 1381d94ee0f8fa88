package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/byol-go/byol/augment"
)

func views(t testing.TB, size, channels int) *augment.Augmenter {
	t.Helper()
	a, err := augment.New(augment.Published(), size, channels)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sums returns a line for each of n batches from a new loader: what is in it.
func sums(t *testing.T, s *Set, c LoaderConfig, n int) (lines []string) {
	t.Helper()
	l, err := NewLoader(s, views(t, 16, 3), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range n {
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(b.Step, b.Epoch, b.Index, b.Label, hash(b.View1), hash(b.View2)))
		b.Release()
	}
	return lines
}

func hash(x []float32) string {
	sum := 0.0
	for i, v := range x {
		sum += float64(v) * float64(i%251+1)
	}
	return fmt.Sprintf("%x", sum)
}

func TestLoaderOrderDependsOnTheStepAlone(t *testing.T) {
	s := opened(t, "builtin:glyphs", Options{Limit: 50})
	const batches = 14
	want := sums(t, s, LoaderConfig{Batch: 8, Seed: 3, Workers: 1}, batches)
	for workers := 2; workers <= 4; workers++ {
		equal(t, fmt.Sprint(workers, " workers"), sums(t, s, LoaderConfig{Batch: 8, Seed: 3, Workers: workers, Prefetch: workers}, batches), want)
	}
	for _, start := range []int{1, 6, 9} {
		equal(t, fmt.Sprint("from step ", start), sums(t, s, LoaderConfig{Batch: 8, Seed: 3, Workers: 2, StartStep: start}, batches-start), want[start:])
	}
	if other := sums(t, s, LoaderConfig{Batch: 8, Seed: 4, Workers: 2}, 1); other[0] == want[0] {
		t.Error("another seed, the same batch")
	}
}

func TestLoaderEpochs(t *testing.T) {
	s := opened(t, "builtin:glyphs", Options{Limit: 20})
	l, err := NewLoader(s, views(t, 16, 3), LoaderConfig{Batch: 6, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	equal(t, "the partial batch is dropped", l.BatchesPerEpoch(), 3)
	var first []int32
	for epoch := range 2 {
		seen := map[int32]bool{}
		for range 3 {
			b, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "epoch", b.Epoch, epoch)
			for k, i := range b.Index {
				seen[i] = true
				equal(t, "label", int(b.Label[k]), s.Label(int(i)))
			}
			if first == nil {
				first = slices.Clone(b.Index)
			} else if b.Step == 3 && slices.Equal(first, b.Index) {
				t.Error("both epochs have the same order")
			}
			if slices.Equal(b.View1, b.View2) {
				t.Error("both views are the same")
			}
			b.Release()
			b.Release() // does nothing
		}
		equal(t, "pictures an epoch", len(seen), 18)
	}
	short, err := NewLoader(s, views(t, 16, 3), LoaderConfig{Batch: 6, Workers: 1, BatchesPerEpoch: 2, StartStep: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	b, err := short.Next()
	if err != nil || b.Epoch != 1 {
		t.Errorf("epoch %d, error %v", b.Epoch, err)
	}
}

// A user may hold more batches than are made ahead (accumulation), memory of
// released ones is used again, and Close ends everything.
func TestLoaderMemoryAndClose(t *testing.T) {
	before := runtime.NumGoroutine()
	s := opened(t, "builtin:glyphs", Options{Limit: 40})
	l, err := NewLoader(s, views(t, 16, 3), LoaderConfig{Batch: 4, Workers: 3, Prefetch: 1})
	if err != nil {
		t.Fatal(err)
	}
	used := map[*float32]bool{}
	for range 10 {
		var held []*Batch
		for range 4 {
			b, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, b)
			used[&b.View1[0]] = true
		}
		for _, b := range held {
			b.Release()
		}
	}
	if len(used) > 4+1+1 {
		t.Errorf("%d batches in use for 4 held and 1 made ahead", len(used))
	}
	l.Close()
	l.Close()
	if _, err := l.Next(); !errors.Is(err, ErrClosed) {
		t.Errorf("Next after Close: %v", err)
	}
	for range 100 { // Close waits, but goroutines vanish a little later
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// garden is a folder of n pictures of which those at bad cannot be read.
func garden(t *testing.T, n int, bad ...int) string {
	files := map[string][]byte{}
	for i := range n {
		data := pngBytes(t, 12, 12, byte(i))
		if slices.Contains(bad, i) {
			data = data[:len(data)/2]
		}
		files[fmt.Sprintf("%03d.png", i)] = data
	}
	return tree(t, files)
}

func TestBadPicturesAreReplacedByTheNextGoodOne(t *testing.T) {
	dir := garden(t, 30, 7, 8, 29)
	for _, workers := range []int{1, 4} {
		s := opened(t, dir, Options{MaxBad: 0.1})
		var told []BadPicture
		s.OnBad(func(b BadPicture) { told = append(told, b) })
		l, err := NewLoader(s, views(t, 16, 3), LoaderConfig{Batch: 10, Workers: workers, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		order := Order(30, 1, 0)
		for k := range 3 {
			b, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			for row, got := range b.Index {
				want := order[k*10+row]
				if r, ok := map[int32]int32{7: 9, 8: 9, 29: 0}[want]; ok {
					want = r
				}
				equal(t, "stand-in", got, want)
			}
		}
		l.Close()
		bad := s.Bad()
		if len(bad) != 3 || bad[0].Index != 7 || bad[2].Index != 29 || len(told) != 3 {
			t.Errorf("bad %v, told %v", bad, told)
		}
		for _, b := range bad {
			if b.Path != s.Name(b.Index) || b.Reason == "" || strings.Contains(b.Reason, b.Path) {
				t.Errorf("bad picture %+v", b)
			}
		}
	}
}

func TestTooManyBadPictures(t *testing.T) {
	s := opened(t, garden(t, 30, 1, 2, 3, 4), Options{MaxBad: 0.1})
	l, err := NewLoader(s, views(t, 16, 3), LoaderConfig{Batch: 30, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err = l.Next(); err == nil {
		t.Fatal("no error")
	}
	for _, w := range []string{"4 of 30", "10 %", "001.png"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if !strings.Contains(hintOf(err), "data.max_bad") {
		t.Errorf("hint %q", hintOf(err))
	}
	all := opened(t, garden(t, 3, 0, 1, 2), Options{MaxBad: 1})
	l, err = NewLoader(all, views(t, 16, 3), LoaderConfig{Batch: 2, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Next(); err == nil || !strings.Contains(err.Error(), "none of 3") {
		t.Errorf("error %v", err)
	}
}

func TestCheckNamesAllBadPictures(t *testing.T) {
	s := opened(t, garden(t, 9, 2, 6), Options{MaxBad: 0})
	if err := s.Check(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	equal(t, "bad", len(s.Bad()), 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Check(ctx, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestNewLoaderErrors(t *testing.T) {
	s := opened(t, "builtin:glyphs", Options{Limit: 10})
	for name, c := range map[string]LoaderConfig{"batch 0": {}, "too few": {Batch: 11}, "start": {Batch: 2, StartStep: -1}, "epoch": {Batch: 2, BatchesPerEpoch: 6}} {
		if l, err := NewLoader(s, views(t, 16, 3), c); err == nil {
			l.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewLoader(s, views(t, 16, 1), LoaderConfig{Batch: 2}); err == nil {
		t.Error("gray views of pictures in colour: no error")
	}
}

func TestOrder(t *testing.T) {
	a := Order(1000, 5, 0)
	sorted := slices.Clone(a)
	slices.Sort(sorted)
	for i, v := range sorted {
		if int(v) != i {
			t.Fatal("not a permutation")
		}
	}
	if !slices.Equal(a, Order(1000, 5, 0)) || slices.Equal(a, Order(1000, 5, 1)) || slices.Equal(a, Order(1000, 6, 0)) {
		t.Error("the order must follow from seed and epoch")
	}
	// Fixed for good: resuming relies on it.
	equal(t, "order", Order(8, 1, 0), orderFixed)
	// The first place is uniform.
	count := make([]int, 5)
	for e := range 5000 {
		count[Order(5, 9, e)[0]]++
	}
	for i, k := range count {
		if k < 880 || k > 1120 {
			t.Errorf("picture %d comes first %d times of 5000", i, k)
		}
	}
}

func BenchmarkLoader(b *testing.B) {
	s := opened(b, "builtin:glyphs", Options{})
	if err := s.Check(context.Background(), 0); err != nil {
		b.Fatal(err)
	}
	l, err := NewLoader(s, views(b, 32, 3), LoaderConfig{Batch: 64, Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		batch, err := l.Next()
		if err != nil {
			b.Fatal(err)
		}
		batch.Release()
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

var orderFixed = []int32{5, 7, 0, 1, 6, 4, 2, 3}

var _ ViewMaker = (*augment.Augmenter)(nil)
