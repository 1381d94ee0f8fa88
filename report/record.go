package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // views.png
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/byol-go/byol/run"
	"github.com/dustin/go-humanize"
)

// record is a run as its folder tells it.
type record struct {
	folder   run.Folder
	name     string // short, distinct among the page's runs
	class    string // of its colour
	config   run.Config
	resolved bool // the configuration could be read
	history
	evals    []judgement
	finished bool
	views    []byte // JPEG or PNG: the contact sheet that the training left
}

// judgement is an eval-*.json; what a protocol does not have stays empty.
type judgement struct {
	Protocol   string
	N          int      `json:"n"`
	Train      int      `json:"train"` // pictures learnt from
	Labels     float64  `json:"labels"`
	JudgedOn   string   `json:"judged_on"`
	Top1       *float64 `json:"top1"`
	Top1Std    *float64 `json:"top1_std"` // over several seeds
	Top5       *float64 `json:"top5"`
	Confusion  [][]int  `json:"confusion"`
	Classes    []string `json:"classes"`
	Random     *reached `json:"random"`
	Supervised *reached `json:"supervised"`
}

// reached is what another encoder reaches under the same protocol.
type reached struct {
	Top1 *float64 `json:"top1"`
}

// top1 writes the accuracy; empty if it is not known.
func (r *reached) top1() string {
	if r == nil || r.Top1 == nil {
		return ""
	}
	return percent(*r.Top1)
}

// open reads a run's folder. That a file is not there yet is no error; that the folder
// holds no run is.
func open(f run.Folder) (*record, error) {
	c, err := run.ReadConfig(f.Config())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noRunError{fmt.Errorf("report: %s is no run: %w", f, err)}
	} else if err != nil {
		return nil, fmt.Errorf("report: %s: %w", f, err)
	}
	r := &record{folder: f, name: nameOf(f), class: "s0", config: c, resolved: true}
	if _, err := r.read(f.Metrics()); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	r.look()
	return r, r.readEvals()
}

// noRunError is a folder that holds no run.
type noRunError struct{ error }

func (e noRunError) Unwrap() error { return e.error }

// Hint says what a run is.
func (e noRunError) Hint() string { return "name a folder that byol train --out wrote" }

// nameOf returns the last part of a folder's path, for "." that of the folder it is.
func nameOf(f run.Folder) string {
	if abs, err := filepath.Abs(string(f)); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(string(f))
}

// look sees what else is in the folder.
func (r *record) look() {
	_, err := os.Stat(r.folder.Encoder())
	r.finished = err == nil || r.done
	if r.views == nil {
		if data, err := os.ReadFile(filepath.Join(string(r.folder), "views.png")); err == nil {
			r.views = smaller(data)
		}
	}
}

// viewBytes is the size above which the contact sheet is compressed again.
const viewBytes = 400 << 10

// smaller returns a picture as a JPEG if it is large; nil if it is broken.
func smaller(data []byte) []byte {
	if len(data) <= viewBytes {
		return data
	}
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 82}); err != nil {
		return nil
	}
	return out.Bytes()
}

// readEvals reads the judgements that byol eval left in the folder, the most telling first.
func (r *record) readEvals() error {
	for _, protocol := range []string{"linear", "finetune", "knn"} {
		path := filepath.Join(string(r.folder), "eval-"+protocol+".json")
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		var j judgement
		if err := json.Unmarshal(text, &j); err != nil {
			return fmt.Errorf("report: %s: %w: remove it or judge the run again", path, err)
		}
		j.Protocol = protocol
		r.evals = append(r.evals, j)
	}
	return nil
}

// status says how far the run is.
func (r *record) status() string {
	steps := r.config.Train.Steps
	at := r.lastStep()
	switch {
	case r.finished:
		return fmt.Sprintf("finished after %s steps", humanize.Comma(int64(max(at, steps))))
	case at == 0:
		return "no step yet"
	}
	s := fmt.Sprintf("step %s of %s", humanize.Comma(int64(at)), humanize.Comma(int64(steps)))
	if left := r.secondsLeft(); left > 0 {
		s += ", about " + duration(left) + " left"
	}
	return s
}

// progress is the share of the steps that is done.
func (r *record) progress() float64 {
	if r.finished {
		return 1
	}
	return min(1, float64(r.lastStep())/float64(max(1, r.config.Train.Steps)))
}

// speed is the mean over the last steps, in images per second; 0 if unknown.
func (r *record) speed() float64 {
	sum, n := 0.0, 0
	for _, e := range r.steps[max(0, len(r.steps)-50):] {
		if e.ImagesPerS != nil && *e.ImagesPerS > 0 {
			sum, n = sum + 1 / *e.ImagesPerS, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return float64(n) / sum
}

func (r *record) secondsLeft() float64 {
	v := r.speed()
	if v == 0 {
		return 0
	}
	return float64((r.config.Train.Steps-r.lastStep())*r.config.Train.Batch*max(1, r.config.Optim.Accumulate)) / v
}

// what says in a line what was trained on what.
func (r *record) what() string {
	c := r.config
	if !r.resolved {
		return "preparing"
	}
	width := ""
	if c.Encoder.Width != 1 {
		width = " × " + strconv.FormatFloat(c.Encoder.Width, 'g', 4, 64)
	}
	return fmt.Sprintf("%s · %s%s · %s at %d pixels", methodName(c.Method.Name), c.Encoder.Arch, width, source(c.Data.Train), c.Data.Size)
}

// methodName writes a method as its paper does.
func methodName(name string) string {
	switch name {
	case "byol":
		return "BYOL"
	case "simclr":
		return "SimCLR"
	case "moco", "mocov2":
		return "MoCo v2"
	case "simsiam":
		return "SimSiam"
	}
	return name
}

// source names data without the folders above.
func source(spec string) string {
	if strings.HasPrefix(spec, "builtin:") {
		return spec
	}
	return filepath.Base(spec)
}

// duration writes seconds as a person would.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 90*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

// percent writes a fraction.
func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// gained writes the difference of two fractions.
func gained(from, to float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f points", 100*(to-from)), "-", "−", 1)
}
