package train

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/run"
)

// TestRecordedRuns judges what was measured in real runs, broken and healthy ones, again.
// They were recorded by
//
//	go run ./tools/verdicts -replay -record train/testdata/recorded.jsonl -only '^(...)$'
func TestRecordedRuns(t *testing.T) {
	file, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			Name, Verdict, Cause string
			Config               map[string]string
			Steps                []run.StepEvent
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		c := run.Default()
		var keys []string
		for key := range r.Config {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if err := c.Set(key, r.Config[key]); err != nil {
				t.Fatal(err)
			}
		}
		w := diagnose.NewWatch(Setup(c, 100))
		var said []diagnose.Verdict
		for _, e := range r.Steps {
			if v, changed := w.Add(Measurement(e)); changed {
				said = append(said, v)
			}
		}
		if len(said) == 0 || said[0].Verdict != r.Verdict || !strings.Contains(said[0].Cause, r.Cause) || said[0].Step != diagnose.FirstStep {
			t.Errorf("%s: want %s (%s): %+v", r.Name, r.Verdict, r.Cause, said)
		}
		for _, v := range said {
			if r.Verdict == diagnose.Healthy && v.Bad() {
				t.Errorf("%s: false alarm: %+v", r.Name, v)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
