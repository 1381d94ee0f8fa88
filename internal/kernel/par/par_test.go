package par

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestForRunsEveryPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := New(threads)
		for _, n := range []int{0, 1, 2, 7, 1000} {
			seen := make([]atomic.Int32, n)
			inUse := make([]atomic.Int32, p.Threads())
			p.For(n, func(part, worker int) {
				if inUse[worker].Add(1) != 1 {
					t.Error("two parts share a worker")
				}
				seen[part].Add(1)
				inUse[worker].Add(-1)
			})
			for i := range seen {
				if seen[i].Load() != 1 {
					t.Fatalf("threads %d, n %d: part %d ran %d times", threads, n, i, seen[i].Load())
				}
			}
		}
		p.Close()
	}
}

func TestForNestedAndConcurrent(t *testing.T) {
	p := New(2)
	defer p.Close()
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p.For(10, func(int, int) {
				p.For(10, func(int, int) { total.Add(1) })
			})
		}()
	}
	wg.Wait()
	if total.Load() != 400 {
		t.Errorf("%d parts ran, want 400", total.Load())
	}
}

func TestForRaisesPanicInCaller(t *testing.T) {
	p := New(2)
	defer p.Close()
	defer func() {
		if r := recover(); r != "boom" {
			t.Errorf("recovered %v", r)
		}
		ran := 0
		p.For(1, func(int, int) { ran++ }) // the pool still works
		if ran != 1 {
			t.Error("pool is dead after a panic")
		}
	}()
	p.For(100, func(part, _ int) {
		if part == 3 {
			panic("boom")
		}
	})
}

func TestNilPool(t *testing.T) {
	var p *Pool
	n := 0
	p.For(5, func(int, int) { n++ })
	if n != 5 || p.Threads() != 1 {
		t.Errorf("nil pool ran %d parts on %d threads", n, p.Threads())
	}
	p.Close()
}

func TestObserve(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := New(threads)
		defer p.Close()
		var mu sync.Mutex
		worked := map[int]time.Duration{}
		p.Observe(func(worker int, start, end time.Time) {
			mu.Lock()
			defer mu.Unlock()
			worked[worker] += end.Sub(start)
		})
		for _, n := range []int{1, 5} {
			clear(worked)
			began := time.Now()
			p.For(n, func(_, _ int) {
				time.Sleep(time.Millisecond)
				p.For(3, func(_, _ int) { time.Sleep(time.Microsecond) }) // within another: not reported
			})
			whole, sum := time.Since(began), time.Duration(0)
			for w, d := range worked {
				if sum += d; w >= threads || d > whole {
					t.Errorf("%d threads, %d parts: worker %d worked %v of %v", threads, n, w, d, whole)
				}
			}
			if sum < time.Duration(n)*time.Millisecond {
				t.Errorf("%d threads, %d parts: worked %v", threads, n, worked)
			}
		}
		p.Observe(nil)
		clear(worked)
		p.For(3, func(_, _ int) {})
		if len(worked) != 0 {
			t.Errorf("observed after the end: %v", worked)
		}
	}
}
