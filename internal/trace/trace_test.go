package trace

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// file is what a viewer reads.
type file struct {
	TraceEvents []struct {
		Name, Ph string
		Ts, Dur  float64
		Pid, Tid int
		Args     map[string]any
	}
	OtherData map[string]string
}

func read(t *testing.T, r *Recorder) file {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(b.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWrite(t *testing.T) {
	r := New(1)
	r.Tracks("steps", "nodes")
	at := r.start.Add(time.Millisecond)
	r.Add("nodes", "Conv", at, at.Add(2500*time.Nanosecond), map[string]any{"flop": 3})
	r.Add("loader", "wait", at, at, nil)
	f := read(t, r)
	tracks := map[int]string{}
	complete := 0
	for _, e := range f.TraceEvents {
		if e.Name == "thread_name" {
			tracks[e.Tid] = e.Args["name"].(string)
		}
		if e.Ph == "X" {
			complete++
			if e.Name == "Conv" && (e.Ts != 1000 || e.Dur != 2.5 || e.Args["flop"] != 3. || tracks[e.Tid] != "nodes") {
				t.Errorf("%+v on %v", e, tracks)
			}
		}
	}
	if complete != 2 || tracks[1] != "steps" || tracks[3] != "loader" {
		t.Errorf("%d complete events on %v", complete, tracks)
	}
}

func TestDetailEnds(t *testing.T) {
	r, stopped := New(2), 0
	r.AfterDetail(func() { stopped++ })
	if r.Step() || stopped != 0 {
		t.Error("ended after one step of two")
	}
	if !r.Step() || stopped != 1 {
		t.Error("did not end after two steps")
	}
	if r.Step() || stopped != 1 {
		t.Error("ended twice")
	}
	r.AfterDetail(func() { stopped++ })
	if stopped != 2 {
		t.Error("late registration is not stopped at once")
	}
}

func TestBounded(t *testing.T) {
	r := New(1)
	for range maxEvents + 5 {
		r.Add("x", "y", r.start, r.start, nil)
	}
	if len(r.spans) != maxEvents || r.dropped != 5 {
		t.Errorf("%d spans, %d dropped", len(r.spans), r.dropped)
	}
}

func TestNil(t *testing.T) {
	var r *Recorder
	r.Tracks("a")
	r.Add("a", "b", time.Now(), time.Now(), nil)
	r.Begin("a", "b")()
	r.AfterDetail(func() {})
	if r.Step() {
		t.Error("a recorder that records nothing has a last step")
	}
}
