package train

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
)

// supervisedFolder is where a run keeps the encoder that was trained with labels to be
// set beside its own.
const supervisedFolder = "supervised"

// Supervised returns an encoder of the same kind as a run's, trained with the labels of
// the run's pictures by the same loop on the same views for as many steps. It is kept in
// a folder of the run: a finished one is used again, an interrupted one goes on.
func Supervised(ctx context.Context, f run.Folder, p *Progress) (*embed.Model, error) {
	if !f.IsRun() {
		return nil, hint(fmt.Errorf("%s is no run, so nothing says how an encoder like it was trained", f), "name the folder that byol train --out wrote")
	}
	c, err := run.ReadConfig(f.Config())
	if err != nil {
		return nil, err
	}
	fresh := run.Default()
	c.Method, c.Heads = fresh.Method, fresh.Heads
	// The method's own recipe, on the run's pictures, views, encoder and length.
	c, err = run.Build(run.Request{Stored: &c, Set: [][2]string{{"method.name", method.NameSupervised}}})
	if err != nil {
		return nil, err
	}
	folder := run.Folder(filepath.Join(string(f), supervisedFolder))
	if err := Run(ctx, Options{Config: c, Folder: folder, Resume: true, Progress: p}); err != nil {
		return nil, fmt.Errorf("supervised encoder: %w", err)
	}
	return embed.Load(string(folder))
}
