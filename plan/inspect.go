package plan

import (
	"math"
	"runtime"
	"time"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

const (
	samples    = 64              // pictures that are looked at
	sampleTime = 2 * time.Second // but no longer than this
)

// Inspect opens the pictures of a configuration and looks at a sample of them, spread
// evenly. It returns the sample too, which Measure makes views of.
func Inspect(c run.Config) (Data, []*imaging.Image, error) {
	options := dataset.Options{Split: dataset.Train, Limit: c.Data.Limit, Channels: c.Data.Channels, Size: c.Data.Size, MaxBad: c.Data.MaxBad}
	set, err := dataset.Open(c.Data.Train, options)
	if err != nil {
		return Data{}, nil, err
	}
	d := Data{
		Train: c.Data.Train, Images: set.Len(), Classes: len(set.Classes), Native: set.NativeSize(),
		Channels: set.Channels(), Symbols: set.MirrorChangesClass,
	}
	if d.Test, err = testPictures(c); err != nil {
		return d, nil, err
	}
	if c.Data.Size == 0 {
		set.SetSize(set.DefaultSize())
	}
	pictures, took, err := sample(set)
	if err != nil {
		return d, nil, err
	}
	var held float64
	for _, img := range pictures {
		held += float64(len(img.Pix))
	}
	n := float64(len(pictures))
	d.Sampled, d.LoadS = len(pictures), took.Seconds()/n
	d.Held = held/n*float64(d.Images) <= dataset.DefaultMemoryBytes
	if d.Channels == 3 && c.Data.Channels == 0 && allGray(pictures) {
		d.Gray = true
		for i, img := range pictures {
			pictures[i] = imaging.ToGray(img)
		}
	}
	d.Mean, d.Std = statistics(pictures)
	return d, pictures, nil
}

// testPictures counts the labelled pictures that a run would be judged by.
func testPictures(c run.Config) (int, error) {
	spec := c.Data.Test
	if spec == "" {
		if !dataset.HasSplits(c.Data.Train) {
			return 0, nil
		}
		spec = c.Data.Train
	}
	test, err := dataset.Open(spec, dataset.Options{
		Split: dataset.Test, Limit: c.Data.TestLimit, Channels: c.Data.Channels, Size: c.Data.Size, MaxBad: c.Data.MaxBad,
	})
	if err != nil || !test.HasLabels() {
		return 0, err
	}
	return test.Len(), nil
}

// sample loads pictures, and tells how long that took.
func sample(set *dataset.Set) ([]*imaging.Image, time.Duration, error) {
	var pictures []*imaging.Image
	var last error
	start := time.Now()
	n := min(samples, set.Len())
	for k := range n {
		img := new(imaging.Image)
		if err := set.Load(k*set.Len()/n, img); err != nil {
			last = err
			continue
		}
		pictures = append(pictures, img)
		if time.Since(start) > sampleTime {
			break
		}
	}
	if len(pictures) == 0 {
		if err := set.CheckBad(); err != nil {
			last = err
		}
		return nil, 0, last
	}
	return pictures, time.Since(start), nil
}

func allGray(pictures []*imaging.Image) bool {
	for _, img := range pictures {
		for p := 0; p < len(img.Pix); p += 3 {
			if img.Pix[p] != img.Pix[p+1] || img.Pix[p] != img.Pix[p+2] {
				return false
			}
		}
	}
	return true
}

// statistics returns mean and deviation of each channel, every picture counting alike; the
// deviation is at least .05, so that pictures that are all alike stay in range.
func statistics(pictures []*imaging.Image) (mean, std []float64) {
	channels := pictures[0].C
	mean, std = make([]float64, channels), make([]float64, channels)
	for _, img := range pictures {
		var sum, square [3]float64
		for p, v := range img.Pix {
			x := float64(v) / 255
			sum[p%channels] += x
			square[p%channels] += x * x
		}
		pixels := float64(len(img.Pix) / channels)
		for c := range channels {
			mean[c] += sum[c] / pixels / float64(len(pictures))
			std[c] += square[c] / pixels / float64(len(pictures))
		}
	}
	for c := range channels {
		std[c] = max(.05, math.Sqrt(max(0, std[c]-mean[c]*mean[c])))
	}
	return mean, std
}

// viewTime is how long views are made to time them, at most.
const viewTime = 150 * time.Millisecond

// viewS times the two views of a picture, as a loader's worker makes them on one core.
func viewS(d Data, pictures []*imaging.Image, c run.Config) (float64, error) {
	views, err := augment.New(train.AugmentConfig(c.Augment), c.Data.Size, c.Data.Channels)
	if err != nil {
		return 0, err
	}
	view := views.Worker(c.Train.Seed)
	out := make([]float32, c.Data.Size*c.Data.Size*c.Data.Channels)
	view(out, pictures[0], 0, 0, 0) // brings memory and code
	start := time.Now()
	n := 0
	for ; n == 0 || time.Since(start) < viewTime; n++ {
		view(out, pictures[n%len(pictures)], n, n, 0)
		view(out, pictures[n%len(pictures)], n, n, 1)
	}
	each := time.Since(start).Seconds() / float64(n)
	if !d.Held {
		each += d.LoadS
	}
	return each, nil
}

func threads(c run.Config) int {
	if c.Train.Threads > 0 {
		return c.Train.Threads
	}
	return runtime.GOMAXPROCS(0)
}
