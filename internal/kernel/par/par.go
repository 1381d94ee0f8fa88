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
	"time"
)

// Pool is a fixed set of worker goroutines, parked when idle. The goroutine that
// calls For works too, so a pool of n threads holds n-1 goroutines. A nil *Pool
// is valid and runs everything on the caller.
//
// A worker looks out for the next call for a fraction of a millisecond before it
// parks, and so does a caller for its last worker: waking a parked goroutine takes
// some 100 µs, which between the kernels of a computation is often longer than the
// next kernel. They yield while they wait, so that other goroutines can run.
type Pool struct {
	threads int
	busy    sync.Mutex // one For at a time; a nested or concurrent For runs serially
	helpers []*helper
	observe Observer // nil unless somebody looks on
}

// Observer is told when a worker began its first part of a For and when it was done with
// its last. Workers call it at the same time.
type Observer func(worker int, start, end time.Time)

// helper is a worker goroutine's letter box.
type helper struct {
	next   atomic.Pointer[job] // the job to take up, nil if there is none
	parked atomic.Bool         // it waits for wake; whoever clears this has to send
	wake   chan struct{}
}

type job struct {
	n       int
	body    func(part, worker int)
	observe Observer
	next    atomic.Int64
	working atomic.Int32 // helpers that may have taken it up and are not done
	parked  atomic.Bool  // the caller waits for done; the last helper that clears this has to send
	done    chan struct{}
	mu      sync.Mutex
	panic   any // first panic of a part, re-raised by For
}

// closing is the job that ends a worker.
var closing = &job{}

// lookouts is how often a waiting goroutine looks before it parks: for some 200 µs.
const lookouts = 1000

// New returns a pool of the given number of threads; 0 means runtime.GOMAXPROCS.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	for w := 1; w < threads; w++ {
		h := &helper{wake: make(chan struct{}, 1)}
		p.helpers = append(p.helpers, h)
		go func() {
			for j := h.take(); j != closing; j = h.take() {
				j.run(w)
				j.leave()
			}
		}()
	}
	return p
}

// post puts a job into the letter box, which is empty.
func (h *helper) post(j *job) {
	h.next.Store(j)
	if h.parked.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
	}
}

// take waits for a job.
func (h *helper) take() *job {
	for {
		for range lookouts {
			if h.next.Load() != nil {
				if j := h.next.Swap(nil); j != nil { // it may have been called back
					return j
				}
			}
			runtime.Gosched()
		}
		h.parked.Store(true)
		if h.next.Load() != nil && h.parked.CompareAndSwap(true, false) {
			continue
		}
		<-h.wake
	}
}

// leave reports that a helper is done with the job.
func (j *job) leave() {
	if j.working.Add(-1) == 0 && j.parked.CompareAndSwap(true, false) {
		j.done <- struct{}{}
	}
}

// wait returns when all helpers are done.
func (j *job) wait() {
	for range lookouts {
		if j.working.Load() == 0 {
			return
		}
		runtime.Gosched()
	}
	j.parked.Store(true)
	if j.working.Load() == 0 && j.parked.CompareAndSwap(true, false) {
		return
	}
	<-j.done
}

// Close ends the pool's goroutines. No For may be running or follow.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	for _, h := range p.helpers {
		h.post(closing)
	}
	p.helpers, p.threads = nil, 1
}

// Threads returns the number of workers; the worker argument of a body is below it.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Observe has every later For report to f what its workers do; nil ends it. No For may be
// running. A For within a For, or beside another one, is not reported.
func (p *Pool) Observe(f Observer) { p.observe = f }

// For calls body(part, worker) once for every part in [0, n), on any worker and in
// any order, and returns when all have returned. Worker is in [0, Threads()) and no
// two bodies run at the same time with the same worker, so it can index scratch
// memory. A panic in a body is raised again in the caller.
func (p *Pool) For(n int, body func(part, worker int)) {
	if n <= 0 {
		return
	}
	if p == nil || n == 1 && p.observe == nil || len(p.helpers) == 0 && p.observe == nil || !p.busy.TryLock() {
		for part := range n {
			body(part, 0)
		}
		return
	}
	defer p.busy.Unlock()
	helpers := p.helpers[:min(len(p.helpers), n-1)]
	j := &job{n: n, body: body, observe: p.observe, done: make(chan struct{}, 1)}
	j.working.Store(int32(len(helpers)))
	for _, h := range helpers {
		h.post(j)
	}
	j.run(0)
	for _, h := range helpers { // whoever has not come yet need not come
		if h.next.CompareAndSwap(j, nil) {
			j.working.Add(-1)
		}
	}
	j.wait()
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
	var start time.Time
	if j.observe != nil {
		start = time.Now()
	}
	for parts := 0; ; parts++ {
		part := int(j.next.Add(1)) - 1
		if part >= j.n {
			if j.observe != nil && parts > 0 {
				j.observe(worker, start, time.Now())
			}
			return
		}
		j.body(part, worker)
	}
}
