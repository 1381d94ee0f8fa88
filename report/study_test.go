package report

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
)

func TestWriteStudy(t *testing.T) {
	metrics := tinyMetrics()
	other := strings.ReplaceAll(metrics, `"knn_top1":0.625`, `"knn_top1":0.725`)
	a1 := newRun(t, "a-seed1", tinyConfig(), metrics, false)
	a2 := newRun(t, "a-seed2", tinyConfig(), other, false)
	path := filepath.Join(t.TempDir(), "study.html")
	s := Study{
		Name: "small", Title: "A <small> study", About: []string{"One.", "Two."}, Source: "someone", Measure: "what they measured", Ours: "ours", Stands: "Two seeds.",
		PublishedRandom: ptr(5), Columns: []string{"linear"}, Random: []string{"20.0"},
		Cells: []StudyCell{
			{Name: "a", Published: ptr(50), Seeds: 2, Ours: []float64{62, 72}, Start: []float64{25, 25}, Values: []string{"67.0 ± 7.1"}, Runs: []run.Folder{a1, a2}},
			{Name: "b", Keys: "method.predictor=false", Ours: []float64{math.NaN()}, Start: []float64{math.NaN()}, Values: []string{""}, Verdict: "diverged"},
		},
		Findings: []Finding{{"a learns.", "came out", "By 42 points.", "good"}, {"b too.", "undecided", "", "warn"}},
	}
	if err := WriteStudy(s, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(text), "A &lt;small&gt; study", "1 of 2 published results came out, 1 undecided", "By 42 points.", "<em>67.0</em>", "<em>50</em>",
		"67.0 ± 7.1", "method.<wbr>predictor=false", "diverged", `id="chart-loss"`, `data-name="a"`, "random weights there 5")
	// The last value of the curve is the seeds' mean.
	if !strings.Contains(string(text), `25,50,67.5"`) {
		t.Error("the curve is not the mean of 62.5 and 72.5")
	}
	if m := foreign.FindString(string(text)); m != "" {
		t.Errorf("the page loads %q", m)
	}

	s.Cells, s.Findings = s.Cells[1:], nil
	if err := WriteStudy(s, path); err != nil {
		t.Errorf("nothing has been run: %v", err)
	}
	if text, err = os.ReadFile(path); err != nil || strings.Contains(string(text), "what they measured") {
		t.Errorf("without published figures the page tells what they are: %v", err)
	}
}

func TestMeanEvents(t *testing.T) {
	at := func(loss *float64) event { n := 1; return event{Event: "step", Step: &n, Loss: loss} }
	got := meanEvents([][]event{{at(ptr(1)), at(nil), at(ptr(9))}, {at(ptr(3)), at(ptr(4))}})
	if len(got) != 2 || *got[0].Loss != 2 || *got[1].Loss != 4 {
		t.Errorf("%+v", got)
	}
}
