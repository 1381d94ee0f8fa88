package report

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestHistoryFollowsAGrowingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	var h history
	if grew, err := h.read(path); grew || err != nil {
		t.Fatalf("no file: %v, %v", grew, err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	write := func(text string) {
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	read := func(want bool, steps ...int) {
		t.Helper()
		grew, err := h.read(path)
		if grew != want || err != nil {
			t.Errorf("read: %v, %v, want %v", grew, err, want)
		}
		if len(h.steps) != len(steps) {
			t.Fatalf("%d steps, want %v", len(h.steps), steps)
		}
		for i, s := range steps {
			if *h.steps[i].Step != s {
				t.Errorf("step %d, want %d", *h.steps[i].Step, s)
			}
		}
	}
	write(`{"event":"step","step":10,"loss":1.5}` + "\n" + `{"event":"st`)
	read(true, 10)
	read(false, 10)
	write(`ep","step":20,"loss":null}` + "\n" + "not JSON\n" + `{"event":"other"}` + "\n")
	read(true, 10, 20)
	if h.steps[0].Loss == nil || *h.steps[0].Loss != 1.5 || h.steps[1].Loss != nil {
		t.Error("losses: want 1.5 and none")
	}
	write(`{"event":"resume","step":10,"from_step":10}` + "\n" + `{"event":"step","step":20}` + "\n" + `{"event":"step","step":15}` + "\n")
	read(true, 10, 15) // what comes again replaces what was told from there on
	if len(h.resumes) != 1 || h.resumes[0] != 10 {
		t.Errorf("resumes %v", h.resumes)
	}

	// A resume cuts the file and puts another in its place.
	other := path + ".new"
	put(t, other, `{"event":"step","step":10}`+"\n")
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	read(true, 10)
	if len(h.resumes) != 0 {
		t.Error("what was cut is still there")
	}
	os.Remove(path)
	read(true)
}

func TestVerdictsInAnyForm(t *testing.T) {
	f := newRun(t, "run", tinyConfig(), tinyMetrics()+
		`{"event":"verdict","step":90,"verdict":"learning","since_step":0}`+"\n"+
		`{"event":"verdict","step":100,"verdict":"collapsed","since_step":40,"cause":"no predictor","evidence":{"target_std":0.01,"rank":1.2},"advice":["set method.predictor=true","start anew"]}`+"\n", false)
	r, err := open(f)
	if err != nil {
		t.Fatal(err)
	}
	h := r.head()
	if h.Tone != "bad" || h.Headline != "Collapsed since step 40" || h.Advice != "Set method.predictor=true; start anew" {
		t.Errorf("%+v", h)
	}
	if len(h.Lines) != 3 || h.Lines[0] != "No predictor" || h.Lines[1] != "Target_std 0.01, rank 1.2" {
		t.Errorf("lines %q", h.Lines)
	}
	marks := 0
	for _, c := range charts([]*record{r}) {
		marks += len(c.Marks)
	}
	if marks != len(charts([]*record{r})) {
		t.Errorf("%d charts mark the step", marks)
	}
	for verdict, want := range map[string]string{"learning": "good", "not learning": "bad", "diverged": "bad", "unclear": "warn"} {
		if got := tone(verdict); got != want {
			t.Errorf("%s is %s, want %s", verdict, got, want)
		}
	}
}

func TestWithoutVerdictOnlyWhatIsKnown(t *testing.T) {
	r, err := open(newRun(t, "run", tinyConfig(), tinyMetrics(), false))
	if err != nil {
		t.Fatal(err)
	}
	if h := r.head(); h.Tone != "plain" || h.Headline != "kNN accuracy 25.0 % → 62.5 % (+37.5 points)" {
		t.Errorf("%+v", h)
	}
	if s := r.status(); s != "step 100 of 100" {
		t.Error(s)
	}
	if v := r.speed(); math.Abs(v-400) > 1e-9 {
		t.Errorf("%v images/s", v)
	}
}
