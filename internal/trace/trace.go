// Package trace records what happened when, on named tracks, and writes it as the JSON
// that Perfetto (ui.perfetto.dev) and chrome://tracing show.
//
// A recorder is in detail for the first steps of a run; what is recorded afterwards
// should be sparse. Its size is bounded either way. All methods may be called on a nil
// *Recorder, which records nothing, and from several goroutines.
//
// Format: "Trace Event Format" of the Chromium project, complete events ("X").
package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/byol-go/byol/internal/atomicfile"
)

// maxEvents bounds a recording: some 20 MB of JSON.
const maxEvents = 100_000

// Recorder collects spans.
type Recorder struct {
	mu      sync.Mutex
	start   time.Time
	spans   []span
	tracks  map[string]int
	names   []string // of the tracks, in the order of their first mention
	dropped int
	left    int // steps that are still to be recorded in detail
	stops   []func()
}

type span struct {
	track      int
	name       string
	start, end time.Time
	args       map[string]any
}

// New returns a recorder that is in detail for a number of steps.
func New(steps int) *Recorder {
	return &Recorder{start: time.Now(), tracks: map[string]int{}, left: steps}
}

// Tracks fixes the order in which tracks are shown; others follow as they come.
func (r *Recorder) Tracks(names ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.track(name)
	}
}

func (r *Recorder) track(name string) int {
	id, ok := r.tracks[name]
	if !ok {
		id = len(r.names)
		r.tracks[name], r.names = id, append(r.names, name)
	}
	return id
}

// Add records that something went on from start to end. Args are shown with it; nil for none.
func (r *Recorder) Add(track, name string, start, end time.Time, args map[string]any) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spans) == maxEvents {
		r.dropped++
		return
	}
	r.spans = append(r.spans, span{r.track(track), name, start, end, args})
}

// Begin records a span that ends when the returned function is called.
func (r *Recorder) Begin(track, name string) (end func()) {
	if r == nil {
		return func() {}
	}
	start := time.Now()
	return func() { r.Add(track, name, start, time.Now(), nil) }
}

// AfterDetail has stop called when the recorder is no longer in detail; at once if it is
// not.
func (r *Recorder) AfterDetail(stop func()) {
	if r == nil {
		return
	}
	r.mu.Lock()
	if r.left > 0 {
		r.stops = append(r.stops, stop)
		stop = func() {}
	}
	r.mu.Unlock()
	stop()
}

// Step says that a step ended, and returns true after the last one in detail.
func (r *Recorder) Step() (last bool) {
	if r == nil {
		return false
	}
	r.mu.Lock()
	var stops []func()
	if r.left--; r.left == 0 {
		stops, last = r.stops, true
	}
	r.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	return last
}

// event is a line of the format. Times are in microseconds.
type event struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Time  float64        `json:"ts"`
	Dur   *float64       `json:"dur,omitempty"` // of complete events
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// Write writes all that is recorded so far.
func (r *Recorder) Write(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	micros := func(t time.Time) float64 { return float64(t.Sub(r.start).Nanoseconds()) / 1e3 }
	events := []event{{Name: "process_name", Phase: "M", PID: 1, Args: map[string]any{"name": "byol"}}}
	for id, name := range r.names {
		events = append(events,
			event{Name: "thread_name", Phase: "M", PID: 1, TID: id + 1, Args: map[string]any{"name": name}},
			event{Name: "thread_sort_index", Phase: "M", PID: 1, TID: id + 1, Args: map[string]any{"sort_index": id}})
	}
	for _, s := range r.spans {
		dur := float64(s.end.Sub(s.start).Nanoseconds()) / 1e3
		events = append(events, event{Name: s.name, Phase: "X", Time: micros(s.start), Dur: &dur, PID: 1, TID: s.track + 1, Args: s.args})
	}
	other := map[string]any{}
	if r.dropped > 0 {
		other["dropped"] = fmt.Sprintf("%d events beyond the first %d", r.dropped, maxEvents)
	}
	return json.NewEncoder(w).Encode(map[string]any{"displayTimeUnit": "ms", "traceEvents": events, "otherData": other})
}

// WriteFile writes all that is recorded so far to a file, which appears whole or not at
// all, in the place of an earlier one.
func (r *Recorder) WriteFile(path string) error { return atomicfile.Write(path, r.Write) }
