package train

import (
	"context"

	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
)

// judge measures the kNN accuracy of the encoder while it trains.
type judge struct {
	protocol eval.KNN
	bank     *dataset.Set
	test     *dataset.Set // nil: leave-one-out
	embedder *embed.Embedder
	pool     *par.Pool
	workers  int
}

// judgeBatch is the number of pictures embedded at once.
const judgeBatch = 128

// newJudge returns nil if the run has no labels or wants no kNN.
func newJudge(s *session) (*judge, error) {
	c := s.config
	if c.Eval.KNNEvery == 0 || s.finished() {
		return nil, nil
	}
	if !s.set.HasLabels() {
		s.say("the pictures have no labels: no kNN accuracy, watch std, rank and cosines")
		return nil, nil
	}
	test, err := s.openTest()
	if err != nil {
		return nil, err
	}
	if test != nil && !test.HasLabels() {
		s.say("%s has no labels: kNN accuracy is leave-one-out on the training pictures", test.Spec)
		test = nil
	}
	random, err := embed.Random(embed.MetaOf(c), c.Train.Seed)
	if err != nil {
		return nil, err
	}
	embedder, err := embed.NewEmbedder(s.backend, random, min(judgeBatch, s.set.Len()))
	if err != nil {
		return nil, err
	}
	return &judge{
		protocol: eval.KNN{K: c.Eval.K, Temperature: c.Eval.Temperature},
		bank:     s.set, test: test, embedder: embedder, pool: par.New(c.Train.Threads), workers: c.Data.Workers,
	}, nil
}

// knn returns the top-1 accuracy of an encoder's weights, a fraction.
func (j *judge) knn(ctx context.Context, values [][]float32) (*run.Number, error) {
	j.embedder.SetValues(values)
	r, err := j.protocol.JudgeSets(ctx, j.pool, j.embedder, j.bank, j.test, j.workers)
	if err != nil {
		return nil, err
	}
	top1 := run.Number(r.Top1)
	return &top1, nil
}

func (j *judge) close() {
	j.embedder.Close()
	j.pool.Close()
}

// openData opens the training pictures.
func (s *session) openData() (err error) {
	d := s.config.Data
	bound, _ := s.config.Train.MemoryBytes()
	s.set, err = dataset.Open(d.Train, dataset.Options{
		Split: dataset.Train, Limit: d.Limit, Channels: d.Channels, Size: d.Size, MaxBad: d.MaxBad, MemoryBytes: picturesBytes(bound),
	})
	if err == nil && s.set.MirrorChangesClass && s.config.Augment.Flip != (run.PerView{}) {
		s.progress.say("%s: mirrored pictures may be of another class; consider --set augment.flip=0", d.Train)
	}
	return err
}

// openTest opens the pictures to judge by: data.test, or the training source's own test
// split; nil if there are none.
func (s *session) openTest() (*dataset.Set, error) {
	d := s.config.Data
	spec := d.Test
	if spec == "" {
		if !dataset.HasSplits(d.Train) {
			return nil, nil
		}
		spec = d.Train
	}
	return dataset.Open(spec, dataset.Options{
		Split: dataset.Test, Limit: d.TestLimit, Channels: d.Channels, Size: d.Size, MaxBad: d.MaxBad,
	})
}
