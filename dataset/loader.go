package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/byol-go/byol/imaging"
)

// ViewMaker turns pictures into augmented views; augment.Augmenter is one.
type ViewMaker interface {
	// Size and Channels are those of a view, [Size,Size,Channels].
	Size() int
	Channels() int
	// Worker returns a function, for one goroutine, that writes a view of img to
	// dst. The view must be a function of seed, epoch, sample and view (0 or 1).
	Worker(seed uint64) func(dst []float32, img *imaging.Image, epoch, sample, view int)
}

// LoaderConfig says which batches a Loader makes. Only the first four fields have
// a part in what is in them.
type LoaderConfig struct {
	Batch int
	Seed  uint64
	// StartStep is the number of batches to pass over: where a resumed run goes on.
	StartStep int
	// BatchesPerEpoch cuts an epoch short; 0: as many whole batches as there are.
	BatchesPerEpoch int

	Workers  int // goroutines that load and augment; 0: one per processor
	Prefetch int // batches made ahead; 0: 2
}

// Batch is a batch of two views. It belongs to its Loader: give it back with
// Release when done with it.
type Batch struct {
	Step, Epoch  int       // both from 0; Step counts batches
	View1, View2 []float32 // [B,Size,Size,Channels], normalised
	// Index of each row's picture in the set. Where a picture cannot be read the
	// next one that can stands in for it.
	Index []int32 // [B]
	// Label of each row's picture, -1 unknown.
	Label []int32 // [B]

	memory  *memory // nil once released
	loader  *Loader
	rows    []int32 // the pictures asked for
	pending atomic.Int32
	done    chan struct{}
	mu      sync.Mutex
	err     error
}

// Loader makes batches ahead of their use. What a batch holds depends on its step
// alone, not on the number of workers or on where the loader started. Next is for
// one goroutine.
type Loader struct {
	set    *Set
	views  ViewMaker
	config LoaderConfig

	tasks chan task
	ready chan *Batch   // in order, possibly unfinished
	slots chan struct{} // one for each batch that is made and not yet taken
	stop  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup

	mu   sync.Mutex
	free []*memory
}

// memory is what batches one after the other are made in. A Batch itself is new
// each time, so that a second Release cannot touch its successor.
type memory struct {
	view1, view2 []float32
	index, label []int32
}

type task struct {
	batch *Batch
	row   int
}

// ErrClosed is returned by Next after Close.
var ErrClosed = errors.New("dataset: the loader is closed")

// NewLoader starts a loader; Close must be called to stop it. The set's pictures
// must have as many channels as the views.
func NewLoader(set *Set, views ViewMaker, config LoaderConfig) (*Loader, error) {
	n := set.Len()
	switch {
	case config.Batch < 1:
		return nil, fmt.Errorf("dataset: batches of %d pictures", config.Batch)
	case config.StartStep < 0:
		return nil, fmt.Errorf("dataset: start at step %d", config.StartStep)
	case n < config.Batch:
		return nil, hint(fmt.Errorf("data %s: %d pictures do not fill a batch of %d", set.Spec, n, config.Batch), "lower train.batch or add pictures")
	case set.Channels() != views.Channels():
		return nil, fmt.Errorf("dataset: pictures of %d channels for views of %d", set.Channels(), views.Channels())
	case config.BatchesPerEpoch < 0 || config.BatchesPerEpoch > BatchesPerEpoch(n, config.Batch):
		return nil, fmt.Errorf("dataset: %d batches an epoch of the %d there are", config.BatchesPerEpoch, BatchesPerEpoch(n, config.Batch))
	}
	if config.BatchesPerEpoch == 0 {
		config.BatchesPerEpoch = BatchesPerEpoch(n, config.Batch)
	}
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	if config.Prefetch <= 0 {
		config.Prefetch = 2
	}
	l := &Loader{set: set, views: views, config: config,
		tasks: make(chan task), ready: make(chan *Batch, config.Prefetch),
		slots: make(chan struct{}, config.Prefetch), stop: make(chan struct{})}
	l.wg.Add(1 + config.Workers)
	go l.dispatch()
	for range config.Workers {
		go l.work()
	}
	return l, nil
}

// BatchesPerEpoch returns the number of batches in an epoch.
func (l *Loader) BatchesPerEpoch() int { return l.config.BatchesPerEpoch }

// Next returns the next batch, waiting for it if need be. After an error the
// loader is of no further use.
func (l *Loader) Next() (*Batch, error) {
	select {
	case <-l.stop:
		return nil, ErrClosed
	default:
	}
	var b *Batch
	select {
	case b = <-l.ready:
	case <-l.stop:
		return nil, ErrClosed
	}
	select {
	case <-b.done:
	case <-l.stop:
		return nil, ErrClosed
	}
	<-l.slots
	if b.err != nil {
		return nil, b.err
	}
	return b, nil
}

// Release gives the batch's memory back to its loader. The batch must not be used
// afterwards; releasing it again does nothing.
func (b *Batch) Release() {
	if b.memory == nil {
		return
	}
	l := b.loader
	l.mu.Lock()
	l.free = append(l.free, b.memory)
	l.mu.Unlock()
	b.memory, b.View1, b.View2, b.Index, b.Label = nil, nil, nil, nil, nil
}

// Close stops the workers and waits for them.
func (l *Loader) Close() {
	l.once.Do(func() { close(l.stop) })
	l.wg.Wait()
}

// take returns a batch for step, used memory if there is any.
func (l *Loader) take(step int) *Batch {
	l.mu.Lock()
	var m *memory
	if n := len(l.free); n > 0 {
		m, l.free = l.free[n-1], l.free[:n-1]
	}
	l.mu.Unlock()
	n := l.config.Batch
	if m == nil {
		each := l.views.Size() * l.views.Size() * l.views.Channels()
		m = &memory{make([]float32, n*each), make([]float32, n*each), make([]int32, n), make([]int32, n)}
	}
	b := &Batch{Step: step, Epoch: step / l.config.BatchesPerEpoch, View1: m.view1, View2: m.view2,
		Index: m.index, Label: m.label, memory: m, loader: l, done: make(chan struct{})}
	b.pending.Store(int32(n))
	return b
}

// dispatch hands out the rows of the batches in order.
func (l *Loader) dispatch() {
	defer l.wg.Done()
	var order []int32
	epoch := -1
	for step := l.config.StartStep; ; step++ {
		select {
		case l.slots <- struct{}{}:
		case <-l.stop:
			return
		}
		b := l.take(step)
		if b.Epoch != epoch {
			epoch = b.Epoch
			order = Order(l.set.Len(), l.config.Seed, epoch)
		}
		at := step % l.config.BatchesPerEpoch * l.config.Batch
		b.rows = order[at : at+l.config.Batch]
		l.ready <- b // never blocks: as many places as slots
		for row := range l.config.Batch {
			select {
			case l.tasks <- task{b, row}:
			case <-l.stop:
				return
			}
		}
	}
}

func (l *Loader) work() {
	defer l.wg.Done()
	view := l.views.Worker(l.config.Seed)
	var img imaging.Image
	for {
		select {
		case t := <-l.tasks:
			if err := l.fill(t.batch, t.row, &img, view); err != nil {
				t.batch.mu.Lock()
				t.batch.err = err
				t.batch.mu.Unlock()
			}
			if t.batch.pending.Add(-1) == 0 {
				close(t.batch.done)
			}
		case <-l.stop:
			return
		}
	}
}

// fill makes the two views of one row. The draws are those of the picture asked
// for, whichever stands in for it.
func (l *Loader) fill(b *Batch, row int, img *imaging.Image, view func([]float32, *imaging.Image, int, int, int)) error {
	sample := int(b.rows[row])
	index, err := l.set.loadFrom(sample, img)
	if err != nil {
		return err
	}
	b.Index[row], b.Label[row] = int32(index), int32(l.set.Label(index))
	each := len(b.View1) / l.config.Batch
	view(b.View1[row*each:][:each], img, b.Epoch, sample, 0)
	view(b.View2[row*each:][:each], img, b.Epoch, sample, 1)
	return nil
}

// loadFrom loads picture i or else the next one, going round, that can be read,
// and returns its index. Which pictures are bad does not depend on who reads them
// when, so neither does the choice.
func (s *Set) loadFrom(i int, img *imaging.Image) (int, error) {
	n := s.Len()
	var err error
	for k := range n {
		j := (i + k) % n
		if err = s.Load(j, img); err == nil {
			return j, nil
		}
		if bad := s.CheckBad(); bad != nil {
			return 0, bad
		}
	}
	return 0, fmt.Errorf("data %s: none of %d pictures can be read: %w", s.Spec, n, err)
}

// Check loads every picture once with that many workers (0: one per processor),
// so that Bad names all that cannot be read. It returns ctx's error if it ends
// early.
func (s *Set) Check(ctx context.Context, workers int) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, s.Len()) {
		wg.Go(func() {
			var img imaging.Image
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= s.Len() {
					return
				}
				_ = s.Load(i, &img) // recorded by Load
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
