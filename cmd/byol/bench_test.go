package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyBench are the flags of a step that takes some milliseconds.
var tinyBench = []string{"--size", "16", "--batch", "8", "--threads", "2", "--repeat", "1", "--warmup", "0",
	"--set", "encoder.width=0.0625", "--set", "heads.hidden=16", "--set", "heads.dim=8"}

// timeline counts the complete events of a trace file by track.
func timeline(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
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
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	tracks, events := map[int]string{}, map[string]int{}
	for _, e := range file.TraceEvents {
		if e.Name == "thread_name" {
			tracks[e.Tid], _ = e.Args["name"].(string)
		}
	}
	for _, e := range file.TraceEvents {
		if e.Ph == "X" {
			events[tracks[e.Tid]]++
			if e.Ts < 0 || e.Dur < 0 {
				t.Errorf("%+v", e)
			}
		}
	}
	return events
}

func TestBenchTrace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace.json")
	code, _, stderr := byol(t, append([]string{"bench", "step", "--trace", file, "--trace-steps", "2"}, tinyBench...)...)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	events := timeline(t, file)
	if events["steps"] != 2 || events["nodes"] < 100 || events["nodes"]%2 != 0 || events["thread 0"] < events["nodes"]/2 {
		t.Errorf("events %v", events)
	}
}

func TestBenchOps(t *testing.T) {
	code, stdout, stderr := byol(t, append([]string{"bench", "ops", "--json"}, tinyBench...)...)
	var o struct {
		Nodes   []struct{ Kind string }
		FLOP    float64 `json:"flop"`
		FloorS  float64 `json:"floor_s"`
		Machine struct{ Threads int }
	}
	if err := json.Unmarshal([]byte(stdout), &o); code != 0 || err != nil || len(o.Nodes) < 100 || o.FLOP <= 0 || o.FloorS <= 0 || o.Machine.Threads != 2 {
		t.Errorf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if code, _, stderr := byol(t, "bench", "ops", "--trace-steps", "0"); code != exitUsage || !strings.Contains(stderr, "--trace-steps 0") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// TestTrainTrace: the first steps have every node; loading, judging and checkpoints are
// there to the end.
func TestTrainTrace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "trace.json")
	code, _, stderr := byol(t, tiny(filepath.Join(dir, "run"), "--trace", file, "--trace-steps", "2")...)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	events := timeline(t, file)
	if events["steps"] != 6 || events["loader"] != 6 || events["checkpoints"] != 3 || events["judging"] < 1 || events["thread 0"] == 0 {
		t.Errorf("events %v", events)
	}
	if events["nodes"] < 100 || events["nodes"]%2 != 0 {
		t.Errorf("%d nodes in two steps", events["nodes"])
	}
}

func TestBenchEmbed(t *testing.T) {
	for data, pictures := range map[string]int{"": 8, "builtin:glyphs": 20} {
		args := append([]string{"bench", "embed", "--json", "--set", "data.limit=20"}, tinyBench...)
		if data != "" {
			args = append(args, "--data", data)
		}
		code, stdout, stderr := byol(t, args...)
		var r struct {
			Rate    float64  `json:"images_per_s"`
			Batch   int      `json:"batch"`
			Repeats int      `json:"repeats"`
			P50     *float64 `json:"latency_p50_s"`
			P95     *float64 `json:"latency_p95_s"`
		}
		err := json.Unmarshal([]byte(stdout), &r)
		if code != 0 || err != nil || r.Rate <= 0 || r.Batch != pictures || (data == "") != (r.P95 != nil) {
			t.Errorf("%q: exit %d, %v\n%s%s", data, code, err, stdout, stderr)
		} else if data == "" && (r.Repeats < 20 || *r.P50 <= 0 || *r.P95 < *r.P50) {
			t.Errorf("latencies: %s", stdout)
		}
	}
}
