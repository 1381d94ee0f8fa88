// Package report shows a run: curves, nearest neighbours before and after, and numbers,
// as PNG files and one HTML page that needs nothing else.
package report

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

// The most pictures among which neighbours are looked for, and the queries shown.
const (
	gallerySize = 2000
	queryCount  = 8
)

// Write makes report.html, curves.png and, if the run's pictures can still be read,
// neighbours-before.png and neighbours-after.png in the run's folder. It returns the
// path of the page.
func Write(ctx context.Context, f run.Folder) (string, error) {
	c, err := run.ReadConfig(f.Config())
	if err != nil {
		return "", fmt.Errorf("report: %s is no run: %w", f, err)
	}
	epochs, err := run.ReadEpochs(f.Metrics())
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	if len(epochs) == 0 {
		return "", fmt.Errorf("report: %s has no finished epoch yet", f)
	}
	v := view{Folder: string(f), Config: c, Epochs: epochs}
	v.summarise()
	add := func(name, caption string, data []byte) error {
		v.Pictures = append(v.Pictures, picture{caption, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(data))})
		return writeFile(filepath.Join(string(f), name), data)
	}
	png, err := drawCurves(curves(epochs))
	if err != nil {
		return "", fmt.Errorf("report: curves: %w", err)
	}
	if err := add("curves.png", "Over the epochs", png); err != nil {
		return "", err
	}
	before, after, err := neighbours(ctx, f, c)
	switch {
	case err != nil:
		v.Note = fmt.Sprintf("No pictures of neighbours: %v", err)
	default:
		if err := add("neighbours-before.png", "Nearest neighbours before training (left: the picture asked for)", before); err != nil {
			return "", err
		}
		if err := add("neighbours-after.png", "Nearest neighbours after training", after); err != nil {
			return "", err
		}
	}
	path := filepath.Join(string(f), "report.html")
	return path, atomicfile.Write(path, func(w io.Writer) error { return page.Execute(w, v) })
}

// view is what the page shows.
type view struct {
	Folder                   string
	Config                   run.Config
	Epochs                   []run.EpochEvent
	Headline                 string
	RandomKNN, LastKNN, Gain string
	Loss, TargetStd, Seconds string
	Pictures                 []picture
	Note                     string
}

type picture struct {
	Caption string
	Data    template.URL
}

// summarise puts the numbers into words.
func (v *view) summarise() {
	var first, last *run.Number
	seconds := 0.0
	for _, e := range v.Epochs {
		seconds += e.Seconds
		if e.KNN != nil {
			if e.Epoch == 0 {
				first = e.KNN
			}
			last = e.KNN
		}
		if e.Loss != nil {
			v.Loss, v.TargetStd = fmt.Sprintf("%.3f", float64(*e.Loss)), fmt.Sprintf("%.2f", float64(*e.TargetStd))
		}
	}
	v.Seconds = fmt.Sprintf("%.0f s", seconds)
	v.Headline = fmt.Sprintf("%d epochs of %s on %s", v.Epochs[len(v.Epochs)-1].Epoch, v.Config.Method.Name, v.Config.Data.Train)
	if first != nil && last != nil {
		v.RandomKNN, v.LastKNN = fmt.Sprintf("%.1f %%", 100*float64(*first)), fmt.Sprintf("%.1f %%", 100*float64(*last))
		v.Gain = fmt.Sprintf("%+.1f points", 100*float64(*last-*first))
	}
}

// neighbours draws the nearest neighbours under the encoder as it was drawn and as it
// was trained.
func neighbours(ctx context.Context, f run.Folder, c run.Config) (before, after []byte, err error) {
	initial, err := embed.Load(f.Initial())
	if err != nil {
		return nil, nil, err
	}
	trained, err := embed.Load(string(f))
	if err != nil {
		return nil, nil, err
	}
	set, err := openGallery(c)
	if err != nil {
		return nil, nil, err
	}
	backend, err := compute.New(c.Train.Backend, c.Train.Threads)
	if err != nil {
		return nil, nil, err
	}
	defer backend.Finalize()
	e, err := embed.NewEmbedder(backend, initial, min(embed.DefaultBatch, set.Len()))
	if err != nil {
		return nil, nil, err
	}
	defer e.Close()
	pool := par.New(c.Train.Threads)
	defer pool.Close()
	draw := func() ([]byte, error) {
		g, err := embedGallery(ctx, e, set, c.Data.Workers, queryCount)
		if err != nil {
			return nil, err
		}
		return g.draw(pool)
	}
	if before, err = draw(); err != nil {
		return nil, nil, err
	}
	e.SetValues(trained.Values)
	after, err = draw()
	return before, after, err
}

// openGallery opens the run's test pictures, or else its training pictures.
func openGallery(c run.Config) (*dataset.Set, error) {
	opt := dataset.Options{Split: dataset.Test, Limit: gallerySize, Channels: c.Data.Channels, Size: c.Data.Size, MaxBad: 1}
	spec := c.Data.Test
	if spec == "" {
		spec = c.Data.Train
		if !dataset.HasSplits(spec) {
			opt.Split = dataset.Train
		}
	}
	set, err := dataset.Open(spec, opt)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the pictures are gone: %w", err)
	}
	return set, err
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
