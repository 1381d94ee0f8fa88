package bench

import (
	"os"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
)

// dataPictures bounds the pictures of one repetition.
const dataPictures = 256

// Data times two views of every picture on one core, as a loader's worker makes them.
// Pictures of folders are read from memory and decoded anew each time, up to 64 pixels
// of size they are decoded before, as a small data set is held in memory.
func Data(c run.Config, r Repeat) (Result, error) {
	if c.Data.Train == "" {
		c.Data.Train = "builtin:glyphs"
	}
	limit := c.Data.Limit
	if limit == 0 {
		limit = dataPictures
	}
	set, err := dataset.Open(c.Data.Train, dataset.Options{Limit: limit, Channels: c.Data.Channels, MaxBad: c.Data.MaxBad, CacheDir: "off"})
	if err != nil {
		return Result{}, err
	}
	c.Train.Batch, c.Train.Steps, c.Train.Epochs, c.Train.Time = set.Len(), 1, 0, 0
	c.Optim.Accumulate = 1
	if err := c.Resolve(run.Source{Images: set.Len(), NativeSize: set.NativeSize(), Channels: set.Channels(), Classes: len(set.Classes)}); err != nil {
		return Result{}, err
	}
	views, err := augment.New(train.AugmentConfig(c.Augment), c.Data.Size, c.Data.Channels)
	if err != nil {
		return Result{}, err
	}
	load, n, err := pictures(set, c)
	if err != nil {
		return Result{}, err
	}
	view := views.Worker(c.Train.Seed)
	out := make([]float32, c.Data.Size*c.Data.Size*c.Data.Channels)
	epoch := 0
	return measure("data", n, r.Warmup, r.Steps, 1, func() error {
		for i := range n {
			img, err := load(i)
			if err != nil {
				return err
			}
			view(out, img, epoch, i, 0)
			view(out, img, epoch, i, 1)
		}
		epoch++
		return nil
	})
}

// pictures returns a function that gives the set's readable pictures one by one.
func pictures(set *dataset.Set, c run.Config) (load func(i int) (*imaging.Image, error), n int, err error) {
	var images []*imaging.Image
	var files [][]byte
	for i := range set.Len() {
		var img imaging.Image
		if set.Load(i, &img) != nil {
			continue
		}
		if c.Data.Size > 64 {
			if data, err := os.ReadFile(set.Name(i)); err == nil {
				files = append(files, data)
				continue
			}
		}
		images = append(images, &img)
	}
	if len(files) > 0 {
		opt := imaging.Options{Channels: c.Data.Channels}
		return func(i int) (*imaging.Image, error) { return imaging.Decode(files[i], opt) }, len(files), nil
	}
	if len(images) == 0 {
		return nil, 0, set.CheckBad()
	}
	return func(i int) (*imaging.Image, error) { return images[i], nil }, len(images), nil
}
