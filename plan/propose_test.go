package plan

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/byol-go/byol/run"
)

var (
	cifarLike = Data{Train: "cifar", Images: 50000, Test: 10000, Classes: 10, Native: 32, Channels: 3,
		Sampled: 64, Mean: []float64{.49, .48, .45}, Std: []float64{.25, .24, .26}, Held: true}
	photosLike = Data{Train: "photos", Images: 320, Test: 100, Classes: 10, Native: 400, Channels: 3,
		Sampled: 64, Mean: []float64{.5, .5, .5}, Std: []float64{.25, .25, .25}, LoadS: .004, Held: true}
)

// given is what the user says: keys and values, and the time for all else.
func given(t *testing.T, time time.Duration, set ...string) Given {
	t.Helper()
	g := Given{Time: time, Named: map[string]bool{}, Config: run.Default()}
	for _, kv := range set {
		key, value, _ := strings.Cut(kv, "=")
		if err := g.Config.Set(key, value); err != nil {
			t.Fatal(err)
		}
		g.Named[key], g.Set = true, append(g.Set, [2]string{key, value})
	}
	return g
}

// machineOf has trials of every candidate, at a speed that its arithmetic allows: about
// speed images/s for a ResNet-18 on 32 pixels with the stem for small pictures.
func machineOf(d Data, g Given, speed float64) Machine {
	m := Machine{Processor: "test", ISA: "avx2", Backend: g.Config.Train.Backend, Threads: 2, Free: 8 << 30, Shared: true}
	unit := Setup{Arch: "resnet18", Width: 1, Stem: "cifar", Size: 32}.work()
	for _, c := range Candidates(d, g) {
		each := c.work() / unit / speed
		m.Trials = append(m.Trials, Trial{Setup: c.Setup, Needs: c.Needs, StepS: each * float64(c.Batch), Bytes: int64(c.Batch) * 10 << 20, ViewS: 1e-4})
	}
	return m
}

func propose(t *testing.T, d Data, m Machine, g Given) Plan {
	t.Helper()
	p, err := Propose(d, m, g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// value returns what a plan chose for a key, "" if nothing.
func value(p Plan, key string) string {
	for _, c := range p.Choices {
		if c.Key == key {
			return c.Value
		}
	}
	return ""
}

func TestTauGoesThroughThePublishedPairs(t *testing.T) {
	// Batches of 4096 of 1.28 million pictures; Grill et al. 2020, appendix.
	for steps, published := range map[int]float64{12510: .97, 31275: .99, 93825: .99, 312750: .996} {
		if got := tauOf(steps); (1-got)/(1-published) > 2 || (1-published)/(1-got) > 2 {
			t.Errorf("%d steps: %g, published %g", steps, got, published)
		}
	}
	if tauOf(1) != .9 {
		t.Errorf("a single step: %g", tauOf(1))
	}
}

func TestRateGoesThroughThePresets(t *testing.T) {
	for _, preset := range []struct {
		name   string
		images int
	}{{"cifar10", 50000}, {"cifar10-quick", 10000}} {
		c, err := run.Preset(preset.name)
		if err != nil {
			t.Fatal(err)
		}
		steps := c.Train.Epochs * (preset.images / c.Train.Batch)
		rate := rateOf(steps, c.Train.Batch)
		if math.Abs(rate/c.Optim.LR-1) > .15 || math.Abs(decayOf(rate)/c.Optim.WeightDecay-1) > .2 {
			t.Errorf("%s, %d steps: rate %g and decay %g, preset %g and %g", preset.name, steps, rate, decayOf(rate), c.Optim.LR, c.Optim.WeightDecay)
		}
	}
}

func TestMoreTimeNeverMeansLess(t *testing.T) {
	for _, d := range []Data{cifarLike, photosLike} {
		width, work := 0., 0.
		for _, budget := range []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 48 * time.Hour, 500 * time.Hour} {
			g := given(t, budget)
			m := machineOf(d, g, 50)
			p := propose(t, d, m, g)
			c, err := p.Apply(run.Request{Set: [][2]string{{"data.train", d.Train}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s in %v: width %g, %d pixels, stem %s, batch %d, %d steps, τ %g, rate %g", d.Train, budget, c.Encoder.Width, c.Data.Size, c.Encoder.Stem, c.Train.Batch, c.Train.Steps, c.Method.Tau, c.Optim.LR)
			setup := Setup{Arch: c.Encoder.Arch, Width: c.Encoder.Width, Stem: c.Encoder.Stem, Size: c.Data.Size}
			if all := setup.work() * float64(c.Train.Steps*c.Train.Batch); c.Encoder.Width < width || all < .9*work {
				t.Errorf("%s in %v: width %g after %g, work %g after %g", d.Train, budget, c.Encoder.Width, width, all, work)
			} else {
				width, work = c.Encoder.Width, all
			}
			if p.Expected.Seconds > 1.01*budget.Seconds() {
				t.Errorf("%s in %v: expects %g s", d.Train, budget, p.Expected.Seconds)
			}
			if err := c.Resolve(run.Source{Images: d.Images, NativeSize: d.Native, Channels: d.Channels, Classes: d.Classes}); err != nil {
				t.Errorf("%s in %v: %v", d.Train, budget, err)
			}
		}
		if width != 1 {
			t.Errorf("%s: width %g in the end", d.Train, width)
		}
	}
}

func TestTheUserWins(t *testing.T) {
	g := given(t, time.Hour, "train.batch=128", "encoder.width=0.5", "augment.blur.p=0.3", "optim.weight_decay=0.001")
	p := propose(t, cifarLike, machineOf(cifarLike, g, 50), g)
	for key := range g.Named {
		if v := value(p, key); v != "" {
			t.Errorf("%s=%s was chosen", key, v)
		}
	}
	c, err := p.Apply(run.Request{Set: g.Set})
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Batch != 128 || c.Encoder.Width != .5 || c.Augment.Blur.P != (run.PerView{.3, .3}) || c.Optim.WeightDecay != .001 {
		t.Errorf("batch %d, width %g, blur %v, decay %g", c.Train.Batch, c.Encoder.Width, c.Augment.Blur.P, c.Optim.WeightDecay)
	}
	if want := rateOf(c.Train.Steps, 128); c.Optim.LR != want || c.Method.Tau != tauOf(c.Train.Steps) {
		t.Errorf("rate %g and τ %g for %d steps of 128, want %g and %g", c.Optim.LR, c.Method.Tau, c.Train.Steps, want, tauOf(c.Train.Steps))
	}
	g = given(t, time.Hour, "optim.lr=0.02")
	if got := value(propose(t, cifarLike, machineOf(cifarLike, g, 50), g), "optim.weight_decay"); got != "0.0015" {
		t.Errorf("decay %s for a rate of .02", got)
	}
	// A whole recipe of the user's own.
	g = given(t, time.Hour, "optim.name=lars")
	p = propose(t, cifarLike, machineOf(cifarLike, g, 50), g)
	for _, key := range []string{"optim.lr", "optim.weight_decay", "method.tau", "heads.hidden"} {
		if v := value(p, key); v != "" {
			t.Errorf("with LARS named, %s=%s", key, v)
		}
	}
}

func TestLengthMayBeGiven(t *testing.T) {
	for set, want := range map[string]int{"train.steps=700": 700, "train.epochs=3": 3 * 781} {
		g := given(t, 0, set)
		p := propose(t, cifarLike, machineOf(cifarLike, g, 50), g)
		if p.Expected.Steps != want || value(p, "train.steps") != "" {
			t.Errorf("%s: %d steps, chosen %q", set, p.Expected.Steps, value(p, "train.steps"))
		}
	}
}

func TestTooShort(t *testing.T) {
	for _, d := range []Data{cifarLike, photosLike} {
		g := given(t, 3*time.Second)
		m := machineOf(d, g, 10)
		_, err := Propose(d, m, g)
		var h interface{ Hint() string }
		if err == nil || !errors.As(err, &h) {
			t.Fatalf("%s: %v", d.Train, err)
		}
		found := regexp.MustCompile(`--time (\w+);`).FindStringSubmatch(h.Hint())
		if found == nil {
			t.Fatalf("%s: hint %q names no time", d.Train, h.Hint())
		}
		least, err := time.ParseDuration(found[1])
		if err != nil {
			t.Fatal(err)
		}
		g.Time = least
		if _, err := Propose(d, m, g); err != nil {
			t.Errorf("%s: the smallest budget, %v, is refused: %v", d.Train, least, err)
		}
		g.Time = least * 7 / 10
		if _, err := Propose(d, m, g); err == nil {
			t.Errorf("%s: %v is said to be the smallest, and %v passes", d.Train, least, g.Time)
		}
	}
}

func TestFewPictures(t *testing.T) {
	for _, n := range []int{8, 10, 50, 130} {
		d := photosLike
		d.Images, d.Classes, d.Test = n, 0, 0
		g := given(t, 10*time.Minute)
		p := propose(t, d, machineOf(d, g, 50), g)
		c, err := p.Apply(run.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Resolve(run.Source{Images: n, NativeSize: 400, Channels: 3}); err != nil {
			t.Errorf("%d pictures: %v", n, err)
		}
		if small := c.Train.Batch < smallestForBatchNorm; small != (c.Encoder.Norm == "group_ws") || small != (c.Heads.Norm[0] == "group") {
			t.Errorf("%d pictures: batch %d with norms %s and %v", n, c.Train.Batch, c.Encoder.Norm, c.Heads.Norm)
		}
		if c.Train.Epochs > maxEpochs {
			t.Errorf("%d pictures: %d epochs", n, c.Train.Epochs)
		}
		if value(p, "eval.knn_every") != "0" {
			t.Errorf("no labels, and kNN every %s epochs", value(p, "eval.knn_every"))
		}
	}
	d := photosLike
	d.Images = 40
	if c := Candidates(d, given(t, time.Hour))[0]; c.Batch != 8 || c.Norm != "batch" {
		t.Errorf("timed with batches of %d and norm %s", c.Batch, c.Norm)
	}
	d.Images = 7
	g := given(t, time.Hour)
	if _, err := Propose(d, machineOf(d, g, 50), g); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("7 pictures: %v", err)
	}
}

func TestMemoryBoundsTheBatch(t *testing.T) {
	g := given(t, 10*time.Hour)
	m := machineOf(cifarLike, g, 500)
	for _, c := range []struct {
		free       int64
		batch      string
		accumulate string
		norm       string
	}{
		{8 << 30, "256", "", "batch"},
		{700 << 20, "32", "2", "batch"},
		{150 << 20, "8", "8", "batch"},
	} {
		m.Free = c.free
		p := propose(t, cifarLike, m, g)
		if b, a, n := value(p, "train.batch"), value(p, "optim.accumulate"), value(p, "encoder.norm"); b != c.batch || a != c.accumulate || n != c.norm {
			t.Errorf("%d MiB: batch %s, accumulate %q, norm %s; want %s, %q, %s", c.free>>20, b, a, n, c.batch, c.accumulate, c.norm)
		}
	}
}

func TestBF16OnlyWhereItIsFaster(t *testing.T) {
	g := given(t, 20*time.Minute)
	for gain, want := range map[float64]string{.9: "fp32", 1.01: "fp32", 1.5: "bf16"} {
		m := machineOf(cifarLike, g, 5)
		half := m.Trials[0]
		half.Precision, half.StepS, half.ViewS = "bf16", half.StepS/gain, 0
		m.Trials[0].ViewS = 0
		m.Trials = slices.Insert(m.Trials, 1, half)
		if got := value(propose(t, cifarLike, m, g), "train.precision"); got != want {
			t.Errorf("%g times as fast: %s", gain, got)
		}
	}
	if hasBF16("avx2", "cpu") || hasBF16("avx512", "cpu:fusion=off") || !hasBF16("avx512bf16", "cpu") || !hasBF16("avx2", "xla:cuda") {
		t.Error("who has bfloat16")
	}
}

func TestLoadingSlowsSharedCoresAndHidesBehindDevices(t *testing.T) {
	trial := Trial{Setup: Setup{Batch: 10}, StepS: .1, ViewS: .01} // 10 ms a picture, and 5 ms on two threads
	for _, c := range []struct {
		shared bool
		want   float64
	}{{true, .015}, {false, .01}} {
		if got := perPicture(Machine{Threads: 2, Shared: c.shared}, trial); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("shared %v: %g s, want %g", c.shared, got, c.want)
		}
	}
}

func TestAugmentationFollowsThePictures(t *testing.T) {
	g := given(t, time.Hour)
	gray := cifarLike
	gray.Gray, gray.Mean, gray.Std = true, []float64{.5}, []float64{.2}
	p := propose(t, gray, machineOf(gray, g, 50), g)
	for key, want := range map[string]string{"data.channels": "1", "augment.jitter.hue": "0", "augment.jitter.saturation": "0", "augment.gray": "0", "augment.normalize.mean": "0.5"} {
		if got := value(p, key); got != want {
			t.Errorf("gray pictures: %s=%q, want %q", key, got, want)
		}
	}
	if !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "augment.flip=0") }) {
		t.Errorf("no hint about letters among %q", p.Notes)
	}
	if got := value(propose(t, photosLike, machineOf(photosLike, g, 50), g), "augment.blur.p"); got != "" {
		t.Errorf("photographs: blur %s", got)
	}
	symbols := cifarLike
	symbols.Symbols = true
	if got := value(propose(t, symbols, machineOf(symbols, g, 50), g), "augment.flip"); got != "0" {
		t.Errorf("letters: flip %q", got)
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{"a/b=1,2": "a/b=1,2", "my photos": "'my photos'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := quote(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
