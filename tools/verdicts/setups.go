package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// common are the keys of every run: an eighth of ResNet-18 on the built-in letters, in
// steps of some hundredths of a second.
var common = [][2]string{
	{"encoder.width", ".125"}, {"heads.hidden", "128"}, {"heads.dim", "64"},
	{"eval.knn_every", "1000"}, {"train.checkpoint_every", "100000"}, {"data.test_limit", "1000"},
}

const (
	brokenSteps  = 800
	healthySteps = 400
)

// setup is a way to train.
type setup struct {
	name  string
	what  string   // in the table
	set   string   // keys and values, separated by spaces
	cause []string // of which one must be part of the named cause; none for a healthy set-up
	held  bool     // not looked at while the rules were made
}

func (s setup) broken() bool { return len(s.cause) > 0 }

// A recipe for short runs; augmentations of photographs rather than letters, and of nothing.
const (
	learns  = " method.tau=.9 optim.lr=.12" // in a few hundred steps
	natural = " augment.flip=.5 augment.crop.scale=.2,1 augment.jitter.hue=.1"
	nothing = " augment.crop.scale=1,1 augment.crop.ratio=1,1 augment.flip=0 augment.jitter.p=0 augment.gray=0 augment.blur.p=0 augment.solarize.p=0"
)

var errNoData = errors.New("the data are not there; see the flags")

// place returns a set-up's keys, its data being where the flags say, or made.
func (o options) place(s setup) ([][2]string, error) {
	steps := healthySteps
	if s.broken() {
		steps = brokenSteps
	}
	keys := [][2]string{{"train.steps", fmt.Sprint(steps)}}
	for _, kv := range strings.Fields(s.set) {
		key, value, _ := strings.Cut(kv, "=")
		if key == "data.train" {
			var err error
			if value, err = o.data(value); err != nil {
				return nil, err
			}
			if strings.HasSuffix(value, "data_batch_1.bin") {
				keys = append(keys, [2]string{"data.test", filepath.Join(filepath.Dir(value), "test_batch.bin")})
			}
		}
		keys = append(keys, [2]string{key, value})
	}
	return keys, nil
}

// data returns the path of a named data set.
func (o options) data(name string) (string, error) {
	given := map[string]string{"cifar": o.cifar, "photos": o.photos, "fashion": o.fashion}
	if path, ok := given[name]; ok {
		if path == "" {
			return "", errNoData
		}
		return path, nil
	}
	paint, ok := painted[name]
	if !ok {
		return name, nil
	}
	dir := filepath.Join(o.runs, "data", name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, paintAll(dir, paint)
}

const (
	paintings = 640
	side      = 32
)

// painted are pictures that hold nothing to learn: the colour of a pixel of the n-th.
var painted = map[string]func(n int) func(x, y int) color.RGBA{
	"equal":   func(n int) func(x, y int) color.RGBA { return tiles(0, 0) },
	"nearly":  func(n int) func(x, y int) color.RGBA { return tiles(0, n) },
	"two":     func(n int) func(x, y int) color.RGBA { return tiles(1+n%2, 0) },
	"uniform": uniform,
	"black":   func(n int) func(x, y int) color.RGBA { return func(x, y int) color.RGBA { return color.RGBA{A: 255} } },
}

// tiles is a pattern of 8x8 coloured squares; with noise not 0, each pixel off by up to 3.
func tiles(pattern, noise int) func(x, y int) color.RGBA {
	return func(x, y int) color.RGBA {
		tile := rand.New(rand.NewPCG(uint64(pattern), uint64(y/4*8+x/4)))
		c := color.RGBA{uint8(3 + tile.IntN(250)), uint8(3 + tile.IntN(250)), uint8(3 + tile.IntN(250)), 255}
		if noise != 0 {
			off := rand.New(rand.NewPCG(uint64(noise), uint64(y*side+x)))
			c.R, c.G, c.B = c.R+uint8(off.IntN(7))-3, c.G+uint8(off.IntN(7))-3, c.B+uint8(off.IntN(7))-3
		}
		return c
	}
}

// uniform is one colour.
func uniform(n int) func(x, y int) color.RGBA {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	c := color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
	return func(x, y int) color.RGBA { return c }
}

func paintAll(dir string, paint func(n int) func(x, y int) color.RGBA) error {
	temporary := dir + ".new"
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	for n := range paintings {
		m, at := image.NewRGBA(image.Rect(0, 0, side, side)), paint(n)
		for y := range side {
			for x := range side {
				m.SetRGBA(x, y, at(x, y))
			}
		}
		f, err := os.Create(filepath.Join(temporary, fmt.Sprintf("%04d.png", n)))
		if err != nil {
			return err
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			return err
		}
	}
	return os.Rename(temporary, dir)
}
