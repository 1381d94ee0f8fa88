package par

import (
	"sync"
	"sync/atomic"
	"testing"
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
