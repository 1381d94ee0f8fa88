package plan

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/byol-go/byol/run"
)

// folder writes n pictures of that size, half of them in each of two classes.
func folder(t *testing.T, n, size int, pixel func(i, x, y int) color.Color) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		img := image.NewNRGBA(image.Rect(0, 0, size, size))
		for y := range size {
			for x := range size {
				img.Set(x, y, pixel(i, x, y))
			}
		}
		path := filepath.Join(dir, fmt.Sprint("class", i%2), fmt.Sprint(i, ".png"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

func inspect(t *testing.T, set ...string) (Data, Given) {
	t.Helper()
	g := given(t, time.Minute, set...)
	d, pictures, err := Inspect(g.Config)
	if err != nil {
		t.Fatal(err)
	}
	if len(pictures) != d.Sampled || d.Sampled == 0 {
		t.Errorf("%d pictures for %d that were looked at", len(pictures), d.Sampled)
	}
	return d, g
}

func TestInspect(t *testing.T) {
	half := func(i, x, y int) color.Color { return color.Gray{uint8(255 * (x % 2))} }
	d, _ := inspect(t, "data.train="+folder(t, 12, 40, half))
	if d.Images != 12 || d.Classes != 2 || d.Native != 40 || d.Channels != 3 || !d.Gray || d.Test != 0 || !d.Held || d.Symbols {
		t.Errorf("%+v", d)
	}
	if len(d.Mean) != 1 || math.Abs(d.Mean[0]-.5) > .01 || math.Abs(d.Std[0]-.5) > .01 {
		t.Errorf("mean %v, deviation %v of black and white stripes", d.Mean, d.Std)
	}
	red := func(i, x, y int) color.Color { return color.NRGBA{255, 0, uint8(i), 255} }
	if d, _ = inspect(t, "data.train="+folder(t, 12, 40, red)); d.Gray || len(d.Mean) != 3 || d.Mean[0] != 1 || d.Std[0] != .05 {
		t.Errorf("red pictures: %+v", d)
	}
	yellow := func(i, x, y int) color.Color { return color.NRGBA{200, 200, 0, 255} }
	if d, _ = inspect(t, "data.train="+folder(t, 12, 40, yellow)); d.Gray {
		t.Error("yellow is said to be gray")
	}
	if d, _ = inspect(t, "data.train=builtin:glyphs", "data.limit=70", "data.test_limit=30"); d.Images != 70 || d.Test != 30 || !d.Symbols || d.Gray {
		t.Errorf("glyphs: %+v", d)
	}
}

func TestInspectRefuses(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i, ".jpg")), []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, spec := range []string{dir, filepath.Join(dir, "missing"), t.TempDir()} {
		g := given(t, time.Minute, "data.train="+spec)
		if _, _, err := Inspect(g.Config); err == nil {
			t.Errorf("%s: no error", spec)
		}
	}
}

// A plan of this machine's own measurements.
func TestMake(t *testing.T) {
	set := [][2]string{{"data.train", "builtin:glyphs"}, {"data.size", "16"}, {"data.limit", "200"}, {"encoder.width", "0.125"}, {"train.time", "20s"}, {"train.threads", "1"}}
	said := 0
	say := func(string) { said++ }
	p, err := Make(context.Background(), run.Request{Set: set}, say)
	if err != nil {
		t.Fatal(err)
	}
	trial := p.Machine.Trials[0]
	if trial.StepS <= 0 || trial.ViewS <= 0 || trial.Bytes <= 0 || trial.Size != 16 || trial.Width != .125 || p.Machine.Threads != 1 {
		t.Errorf("measured %+v", p.Machine)
	}
	for _, trial := range p.Machine.Trials {
		if trial.Needs > 0 {
			t.Errorf("%s was timed, for which 20 s are far too short", trial.Setup)
		}
	}
	c, err := p.Apply(run.Request{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Steps == 0 || c.Train.Time != 0 || c.Train.Steps != p.Expected.Steps {
		t.Errorf("steps %d, time %v, expected %d steps", c.Train.Steps, c.Train.Time, p.Expected.Steps)
	}
	if said != len(p.Machine.Trials) {
		t.Errorf("%d set-ups were timed, %d announced", len(p.Machine.Trials), said)
	}
	// Values that are wrong are found before anything is measured.
	said = 0
	if _, err := Make(context.Background(), run.Request{Set: append(set, [2]string{"encoder.width", "-1"})}, say); err == nil || said > 0 {
		t.Errorf("a negative width: %v, %d set-ups timed", err, said)
	}
	// So is what only training would refuse.
	two := folder(t, 16, 8, func(i, x, y int) color.Color { return color.Gray{uint8(i + x)} })
	class0 := filepath.Join(two, "class0")
	set = [][2]string{{"data.train", class0}, {"method.name", "supervised"}, {"encoder.width", "0.125"}, {"train.steps", "2"}, {"train.batch", "4"}, {"data.size", "8"}}
	if _, err := Make(context.Background(), run.Request{Set: set}, say); err == nil {
		t.Error("supervised learning without labels passes")
	}
}
