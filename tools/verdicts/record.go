package main

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
)

// recording is a run as the test of package train judges it again.
type recording struct {
	Name    string            `json:"name"`
	Config  map[string]string `json:"config"`  // the keys that differ from run.Default
	Verdict string            `json:"verdict"` // that is right
	Cause   string            `json:"cause"`   // part of the one that is right
	Steps   []run.StepEvent   `json:"steps"`
}

// recordedSteps is as far as recordings go.
const recordedSteps = 210

// writeRecordings writes runs to a file, a line each, with five digits of every number.
func (o options) writeRecordings(path string, outcomes []outcome) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, r := range outcomes {
			f := o.folder(r.setup, r.seed)
			c, err := run.ReadConfig(f.Config())
			if err != nil {
				return err
			}
			steps, err := run.ReadSteps(f.Metrics())
			if err != nil {
				return err
			}
			rec := recording{Name: r.setup.name, Config: differences(c), Verdict: diagnose.Healthy}
			if r.setup.broken() {
				rec.Verdict, rec.Cause = r.alarm.Verdict, r.setup.cause[0]
			}
			for _, e := range steps {
				if e.Step <= recordedSteps {
					rec.Steps = append(rec.Steps, e)
				}
			}
			text, err := json.Marshal(rec)
			if err != nil {
				return err
			}
			var short any
			if err := json.Unmarshal(text, &short); err != nil {
				return err
			}
			if err := lines.Encode(shorten(short)); err != nil {
				return err
			}
		}
		return nil
	})
}

// differences are the keys of a configuration that differ from the default, without those
// that say where pictures lie and how fast a run goes.
func differences(c run.Config) map[string]string {
	out, fresh := map[string]string{}, run.Default()
	for _, key := range run.Keys() {
		value, _ := c.Get(key)
		if before, _ := fresh.Get(key); value != before && !strings.HasPrefix(key, "data.") && !strings.HasPrefix(key, "eval.") && key != "train.threads" {
			out[key] = value
		}
	}
	return out
}

// shorten rounds every number of a JSON value to five digits.
func shorten(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k != "step" && k != "epoch" {
				v[k] = shorten(x)
			}
		}
	case []any:
		for i, x := range v {
			v[i] = shorten(x)
		}
	case float64:
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64)
		return rounded
	}
	return v
}
