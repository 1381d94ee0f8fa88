package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
)

// source tells what a configuration must know of its pictures.
func source(d run.Data) (run.Source, error) {
	set, err := openPictures(d, d.Train, dataset.Train, d.Limit)
	if err != nil {
		return run.Source{}, err
	}
	return run.Source{Images: set.Len(), NativeSize: set.NativeSize(), Channels: set.Channels(), Classes: len(set.Classes)}, nil
}

func openPictures(d run.Data, spec, split string, limit int) (*dataset.Set, error) {
	return dataset.Open(spec, dataset.Options{Split: split, Limit: limit, Channels: d.Channels, Size: d.Size, MaxBad: d.MaxBad})
}

// probeL2 is the strength of the linear probe: one for all runs, so that a probe takes a
// second and nothing is chosen.
const probeL2 = 1

// errNoProbe says that the pictures are none to learn classes from.
var errNoProbe = errors.New("no linear probe")

// linear returns the top-1 accuracy, a fraction, of logistic regression on the frozen
// features of a run's encoder, and on those of the random weights it began with.
func linear(ctx context.Context, f run.Folder, threads int) (start, end float64, err error) {
	c, err := run.ReadConfig(f.Config())
	if err != nil {
		return 0, 0, err
	}
	d := c.Data
	pictures := eval.Pictures{}
	if pictures.Train, err = openPictures(d, d.Train, dataset.Train, d.Limit); err != nil {
		return 0, 0, err
	}
	test := d.Test
	if test == "" && dataset.HasSplits(d.Train) {
		test = d.Train
	}
	if test != "" {
		if pictures.Test, err = openPictures(d, test, dataset.Test, d.TestLimit); err != nil {
			return 0, 0, err
		}
	}
	if err := pictures.Check(); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errNoProbe, err)
	}
	backend, err := compute.New(c.Train.Backend, threads)
	if err != nil {
		return 0, 0, err
	}
	defer backend.Finalize()
	pool := par.New(threads)
	defer pool.Close()
	judge := func(path string) (float64, error) {
		model, err := embed.Load(path)
		if err != nil {
			return 0, err
		}
		e, err := embed.NewEmbedder(backend, model, min(embed.DefaultBatch, pictures.Train.Len()))
		if err != nil {
			return 0, err
		}
		defer e.Close()
		train, test, err := pictures.Embed(ctx, e)
		if err != nil {
			return 0, err
		}
		o, err := eval.Logistic{L2: []float64{probeL2}}.JudgeFeatures(pool, train, test, len(pictures.Train.Classes))
		return o.Top1, err
	}
	if start, err = judge(f.Initial()); err == nil {
		end, err = judge(f.Encoder())
	}
	return start, end, err
}
