package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
)

// judged is what the JSON of every protocol must hold.
type judged struct {
	Protocol, Variant string
	JudgedOn          string `json:"judged_on"`
	N, Train          int
	Top1, Top5        *float64
	Top1Std           *float64   `json:"top1_std"`
	Seeds             []float64  `json:"seeds_top1"`
	PerClass          []*float64 `json:"per_class"`
	Confusion         [][]int
	Classes           []string
	Labels            float64
	Choice            *struct {
		Setting string
		Value   float64
		HeldOut int `json:"held_out"`
		Tried   []struct{ Value, Top1 float64 }
	}
	Random, Supervised *struct{ Top1, Top5 *float64 }
}

// judge runs byol eval with --json.
func judge(t *testing.T, args ...string) (judged, string) {
	t.Helper()
	code, stdout, stderr := byol(t, append(append([]string{"eval"}, args...), "--json")...)
	var j judged
	if err := json.Unmarshal([]byte(stdout), &j); code != 0 || err != nil {
		t.Fatalf("%v: exit %d, %v\n%s%s", args, code, err, stdout, stderr)
	}
	if j.Top1 == nil || j.Top5 == nil || len(j.PerClass) != len(j.Classes) || len(j.Confusion) != len(j.Classes) {
		t.Errorf("%v: a key is missing or of another length\n%s", args, stdout)
	}
	return j, stderr
}

// pictures writes n small PNGs into a folder; those of one colour are told apart easily.
func pictures(t *testing.T, dir string, n int, c color.NRGBA) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m := image.NewNRGBA(image.Rect(0, 0, 32, 32))
		for p := range m.Pix {
			m.Pix[p] = byte(p*7+i*13) / 4
		}
		for p := 0; p < len(m.Pix); p += 4 {
			m.Pix[p], m.Pix[p+1], m.Pix[p+2], m.Pix[p+3] = m.Pix[p]+c.R, m.Pix[p+1]+c.G, m.Pix[p+2]+c.B, 255
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

var red, green = color.NRGBA{R: 180}, color.NRGBA{G: 180}

func TestEval(t *testing.T) {
	dir := t.TempDir()
	r := filepath.Join(dir, "run")
	if code, _, stderr := byol(t, tiny(r)...); code != 0 {
		t.Fatalf("train: exit %d\n%s", code, stderr)
	}
	data := filepath.Join(dir, "data")
	for split, n := range map[string]int{"train": 20, "test": 5} {
		pictures(t, filepath.Join(data, split, "red"), n, red)
		pictures(t, filepath.Join(data, split, "green"), n, green)
	}
	on := func(protocol string, more ...string) []string {
		return append([]string{protocol, "--model", r, "--data", data, "--threads", "2"}, more...)
	}
	t.Run("linear", func(t *testing.T) {
		j, _ := judge(t, on("linear", "--seeds", "2", "--supervised")...)
		if *j.Top1 != 1 || j.N != 10 || j.Train != 40 || j.JudgedOn != "test" || j.Variant != "lbfgs" || len(j.Seeds) != 2 || *j.Top1Std != 0 {
			t.Errorf("%+v", j)
		}
		if j.Choice.Setting != "l2" || len(j.Choice.Tried) != 45 || j.Choice.HeldOut != 8 || j.Random.Top1 == nil || j.Supervised.Top1 == nil {
			t.Errorf("choice %+v, random %v, supervised %v", j.Choice, j.Random, j.Supervised)
		}
		if j.Confusion[0][0] != 10 { // both seeds
			t.Errorf("confusion %v", j.Confusion)
		}
	})
	t.Run("linear sgd", func(t *testing.T) {
		j, _ := judge(t, on("linear", "--solver", "sgd", "--epochs", "3", "--no-random")...)
		if *j.Top1 != 1 || j.Variant != "sgd" || j.Choice.Setting != "lr" || len(j.Choice.Tried) != 5 || j.Random != nil {
			t.Errorf("%+v %+v", j, j.Choice)
		}
	})
	t.Run("finetune", func(t *testing.T) {
		j, _ := judge(t, on("finetune", "--labels", "50%", "--lr", "0.1", "--epochs", "2")...)
		if j.Protocol != "finetune" || j.Labels != .5 || j.Train != 20 || j.Choice.HeldOut != 0 || j.Random == nil {
			t.Errorf("%+v %+v", j, j.Choice)
		}
	})
	t.Run("knn without test", func(t *testing.T) {
		j, _ := judge(t, "knn", "--model", r, "--data", filepath.Join(data, "train"))
		if j.JudgedOn != "leave-one-out" || j.N != 40 || *j.Top1 != 1 {
			t.Errorf("%+v", j)
		}
	})
	t.Run("the run's own data", func(t *testing.T) {
		j, _ := judge(t, "knn", "--model", r, "--no-random")
		epochs, err := run.ReadEpochs(run.Folder(r).Metrics())
		if err != nil || j.Train != 64 || j.N != 32 || *j.Top1 != float64(*epochs[len(epochs)-1].KNN) {
			t.Errorf("%+v, %v", j, err)
		}
	})
	t.Run("kept in the run", func(t *testing.T) {
		for _, protocol := range []string{"linear", "finetune", "knn"} {
			text, err := os.ReadFile(filepath.Join(r, "eval-"+protocol+".json"))
			var j judged
			if err == nil {
				err = json.Unmarshal(text, &j)
			}
			if err != nil || j.Protocol != protocol || j.Top1 == nil {
				t.Errorf("%s: %v\n%s", protocol, err, text)
			}
		}
	})
	t.Run("table", func(t *testing.T) {
		code, stdout, stderr := byol(t, append([]string{"eval"}, on("linear", "--l2", "1")...)...)
		for _, want := range []string{"linear probe (logistic regression): 10 pictures judged (test), 40 learnt from, l2 1", "this encoder", "random weights", "green"} {
			if code != 0 || !strings.Contains(stdout, want) {
				t.Errorf("exit %d, no %q in\n%s%s", code, want, stdout, stderr)
			}
		}
	})
	t.Run("class without test pictures", func(t *testing.T) {
		partial := filepath.Join(dir, "partial")
		pictures(t, filepath.Join(partial, "red"), 3, red)
		pictures(t, filepath.Join(partial, "blue"), 3, color.NRGBA{B: 180})
		three := filepath.Join(dir, "three")
		for name, c := range map[string]color.NRGBA{"red": red, "green": green, "blue": {B: 180}} {
			pictures(t, filepath.Join(three, name), 6, c)
		}
		j, stderr := judge(t, "linear", "--model", r, "--data", three, "--test", partial)
		if !strings.Contains(stderr, "no test picture of 1 of the 3 classes (green)") || j.PerClass[1] != nil || j.PerClass[0] == nil {
			t.Errorf("%+v\n%s", j, stderr)
		}
	})
	t.Run("test pictures of an unknown class", func(t *testing.T) {
		split := filepath.Join(dir, "split")
		for _, name := range []string{"train/red", "train/green", "test/red", "test/blue"} {
			pictures(t, filepath.Join(split, name), 3, red)
		}
		j, stderr := judge(t, "knn", "--model", r, "--data", split, "--no-random")
		if !strings.Contains(stderr, "3 of 6 test pictures are of none of the training pictures' classes") || j.N != 3 {
			t.Errorf("%d judged\n%s", j.N, stderr)
		}
	})
	t.Run("errors", func(t *testing.T) { evalErrors(t, dir, r, data) })
}

func evalErrors(t *testing.T, dir, r, data string) {
	flat, other, few := filepath.Join(dir, "flat"), filepath.Join(dir, "other"), filepath.Join(dir, "few")
	pictures(t, flat, 4, red)
	pictures(t, filepath.Join(other, "red"), 3, red)
	pictures(t, filepath.Join(other, "teal"), 3, green)
	pictures(t, filepath.Join(few, "red"), 1, red)
	pictures(t, filepath.Join(few, "green"), 1, green)
	list := filepath.Join(dir, "one.csv")
	text := "path,label\n"
	for i := range 4 {
		text += fmt.Sprintf("flat/%02d.png,red\n", i)
	}
	os.WriteFile(list, []byte(text), 0o644)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"knn", "--model", r, "--data", flat}, exitError, []string{"has no labels", "folder of its own", "byol report"}},
		{[]string{"linear", "--model", r, "--data", data, "--test", flat}, exitError, []string{flat, "has no labels", "leave --test out"}},
		{[]string{"finetune", "--model", r, "--data", list}, exitError, []string{`class "red"`, "at least two"}},
		{[]string{"linear", "--model", r, "--data", data, "--test", other}, exitError, []string{`"teal"`, "does not occur"}},
		{[]string{"linear", "--model", r, "--data", few}, exitError, []string{"no test pictures", "two labelled"}},
		{[]string{"linear", "--model", r, "--data", few, "--test", few}, exitError, []string{"--l2"}},
		{[]string{"finetune", "--model", r, "--data", data, "--labels", "1%"}, exitError, []string{"1 % of 40", "fewer than one for each of the 2 classes"}},
		{[]string{"finetune", "--model", r, "--data", data, "--labels", "many"}, exitUsage, []string{"--labels many"}},
		{[]string{"linear", "--model", r, "--data", data, "--set", "data.channels=1"}, exitError, []string{"3 channels"}},
		{[]string{"linear", "--model", r, "--data", data, "--set", "data.size=64"}, exitError, []string{"32 pixels"}},
		{[]string{"linear", "--model", r, "--data", data, "--solver", "newton"}, exitUsage, []string{"lbfgs or sgd"}},
		{[]string{"linear", "--model", r, "--data", data, "--lr", "1"}, exitUsage, []string{"--lr", "lbfgs"}},
		{[]string{"linear", "--model", r, "--data", data, "--l2", "-1"}, exitError, []string{"positive"}},
		{[]string{"linear", "--data", data}, exitUsage, []string{"--model"}},
		{[]string{"linear", "--model", filepath.Join(r, "encoder.safetensors")}, exitUsage, []string{"--data"}},
		{[]string{"knn", "--model", r, "--data", data, "--seeds", "0"}, exitUsage, []string{"--seeds 0"}},
		{[]string{"knn", "--model", filepath.Join(r, "encoder.safetensors"), "--data", data, "--supervised"}, exitError, []string{"is no run"}},
	} {
		code, stdout, stderr := byol(t, append([]string{"eval"}, c.args...)...)
		if code != c.code || stdout != "" {
			t.Errorf("%v: exit %d, want %d; stdout %q", c.args, code, c.code, stdout)
		}
		for _, w := range append(c.want, "byol: error: ") {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: stderr lacks %q:\n%s", c.args, w, stderr)
			}
		}
	}
}
