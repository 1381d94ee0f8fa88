// Package par runs the independent parts of one kernel call on several threads.
//
// Kernels are written so that a part's result depends on its index alone, never
// on the thread that ran it or on how many there are: that is what makes results
// the same to the bit for any number of threads.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool is a fixed set of worker goroutines, parked when idle. The goroutine that
// calls For works too, so a pool of n threads holds n-1 goroutines. A nil *Pool
// is valid and runs everything on the caller.
type Pool struct {
	threads int
	busy    sync.Mutex // one For at a time; a nested or concurrent For runs serially
	wake    []chan *job
}

type job struct {
	n     int
	body  func(part, worker int)
	next  atomic.Int64
	done  sync.WaitGroup
	mu    sync.Mutex
	panic any // first panic of a part, re-raised by For
}

// New returns a pool of the given number of threads; 0 means runtime.GOMAXPROCS.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	for w := 1; w < threads; w++ {
		wake := make(chan *job, 1)
		p.wake = append(p.wake, wake)
		go func() {
			for j := range wake {
				j.run(w)
				j.done.Done()
			}
		}()
	}
	return p
}

// Close ends the pool's goroutines. No For may be running or follow.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	for _, wake := range p.wake {
		close(wake)
	}
	p.wake, p.threads = nil, 1
}

// Threads returns the number of workers; the worker argument of a body is below it.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// For calls body(part, worker) once for every part in [0, n), on any worker and in
// any order, and returns when all have returned. Worker is in [0, Threads()) and no
// two bodies run at the same time with the same worker, so it can index scratch
// memory. A panic in a body is raised again in the caller.
func (p *Pool) For(n int, body func(part, worker int)) {
	if n <= 0 {
		return
	}
	if p == nil || n == 1 || len(p.wake) == 0 || !p.busy.TryLock() {
		for part := range n {
			body(part, 0)
		}
		return
	}
	defer p.busy.Unlock()
	j := &job{n: n, body: body}
	helpers := min(len(p.wake), n-1)
	j.done.Add(helpers)
	for _, wake := range p.wake[:helpers] {
		wake <- j
	}
	j.run(0)
	j.done.Wait()
	if j.panic != nil {
		panic(j.panic)
	}
}

func (j *job) run(worker int) {
	defer func() {
		if r := recover(); r != nil {
			j.next.Store(int64(j.n)) // the other workers stop early
			j.mu.Lock()
			if j.panic == nil {
				j.panic = r
			}
			j.mu.Unlock()
		}
	}()
	for {
		part := int(j.next.Add(1)) - 1
		if part >= j.n {
			return
		}
		j.body(part, worker)
	}
}
