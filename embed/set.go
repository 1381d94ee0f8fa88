package embed

import (
	"context"
	"errors"
	"io"

	"github.com/byol-go/byol/dataset"
)

// DefaultBatch is the number of pictures that is embedded at once where nothing else is
// asked for.
const DefaultBatch = 128

// Set embeds every readable picture of a set, in order, decoding with that many workers
// (0: one per processor). Unreadable pictures are left out; the set names them.
func (e *Embedder) Set(ctx context.Context, set *dataset.Set, workers int) (Vectors, error) {
	m := e.model
	v := Vectors{D: m.Encoder.Features}
	prepare, err := dataset.NewPreprocess(m.Size, m.Channels, m.Mean, m.Std)
	if err != nil {
		return v, err
	}
	loader, err := dataset.NewEvalLoader(set, prepare, e.batch, workers)
	if err != nil {
		return v, err
	}
	v.X = make([]float32, 0, set.Len()*v.D)
	for {
		if err := ctx.Err(); err != nil {
			return v, err
		}
		b, err := loader.Next()
		if errors.Is(err, io.EOF) {
			return v, nil
		} else if err != nil {
			return v, err
		}
		if b.N == 0 {
			continue
		}
		features, err := e.Embed(b.Pixels, b.N)
		if err != nil {
			return v, err
		}
		v.X = append(v.X, features...)
		v.N += b.N
		v.Index = append(v.Index, b.Index...)
		v.Names = append(v.Names, b.Name...)
	}
}
