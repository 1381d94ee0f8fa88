package compute_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/internal/trace"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// TestTrace: nodes and threads are recorded while the recorder is in detail, and no longer.
func TestTrace(t *testing.T) {
	b, err := compute.New("cpu", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	r := trace.New(2)
	tracer := compute.Trace(b, r)
	exec, err := graph.NewExec(b, func(x *graph.Node) *graph.Node { return graph.Dot(x, graph.Exp(x)) })
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	const n = 256
	x := tensors.FromFlatDataAndDimensions(make([]float32, n*n), n, n)
	for k := range 5 { // the first is before the start, the last two after the end
		if k == 1 {
			tracer.Start()
		}
		if _, err := exec.Exec(x); err != nil {
			t.Fatal(err)
		}
		if k > 0 {
			r.Step()
		}
	}
	if len(tracer.Executables()) != 1 {
		t.Errorf("%d executables", len(tracer.Executables()))
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	var file struct {
		TraceEvents []struct {
			Name, Ph string
			Tid      int
			Ts, Dur  float64
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(text.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	tracks, count := map[int]string{}, map[string]int{}
	busy := map[string]float64{}
	for _, e := range file.TraceEvents {
		switch {
		case e.Name == "thread_name":
			tracks[e.Tid], _ = e.Args["name"].(string)
		case e.Ph == "X":
			kind, _, _ := strings.Cut(e.Name, " ")
			count[tracks[e.Tid]+" "+kind]++
			busy[tracks[e.Tid]] += e.Dur
			if tracks[e.Tid] == "nodes" && kind == "MatMul" && (e.Args["flop"] != 2.*n*n*n || !strings.Contains(e.Name, "[256 256]")) {
				t.Errorf("%+v", e)
			}
		}
	}
	if count["nodes MatMul"] != 2 || count["nodes Fused"] != 2 || count["thread 0 MatMul"] != 2 || count["thread 1 MatMul"] > 2 {
		t.Errorf("events %v", count)
	}
	if busy["thread 0"] > busy["nodes"] {
		t.Errorf("a thread worked longer than the nodes took: %v", busy)
	}
}
