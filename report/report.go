// Package report shows runs as one page that needs nothing else: what came of them,
// curves, pictures with their nearest neighbours before and after, a map of the
// features, and every number behind it. The page is written into a run's folder, or
// served live while a training goes on.
//
// Everything is read from the run's folder, as package run lays it out.
package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/run"
)

// Write makes report.html, curves.png and, if the run's pictures can still be read,
// neighbours-before.png, neighbours-after.png and map.png in the run's folder. It
// returns the path of the page.
func Write(ctx context.Context, f run.Folder) (string, error) {
	r, err := open(f)
	if err != nil {
		return "", err
	}
	if len(r.steps)+len(r.epochs) == 0 {
		return "", fmt.Errorf("report: %s has no finished step yet", f)
	}
	p := newPage([]*record{r})
	now := "after training"
	if !r.finished {
		now = "so far"
	}
	a, err := openAlbum(ctx, r.config, []encoderOf{{"random weights", "s7", f.Initial()}, {now, "s0", string(f)}})
	if err := p.take(ctx, a, err); err != nil {
		return "", err
	}
	files := map[string]func() ([]byte, error){"curves.png": func() ([]byte, error) { return drawCurves([]*record{r}) }}
	if a != nil {
		files["neighbours-before.png"] = func() ([]byte, error) { return a.drawNeighbours(0) }
		files["neighbours-after.png"] = func() ([]byte, error) { return a.drawNeighbours(1) }
		files["map.png"] = func() ([]byte, error) { return a.drawMap(1) }
	}
	if err := writeFiles(string(f), files); err != nil {
		return "", err
	}
	path := pageOf(f)
	return path, atomicfile.Write(path, p.write)
}

// pageOf is the path of a run's page.
func pageOf(f run.Folder) string { return filepath.Join(string(f), "report.html") }

// Written reports whether a run has a page that is newer than its metrics.
func Written(f run.Folder) bool {
	page, err := os.Stat(pageOf(f))
	if err != nil {
		return false
	}
	metrics, err := os.Stat(f.Metrics())
	return err == nil && page.ModTime().After(metrics.ModTime())
}

// Compare writes a page with several runs beside each other to path, and their curves
// as a PNG beside it. Their pictures are shown if all runs have the same.
func Compare(ctx context.Context, folders []run.Folder, path string) error {
	var records []*record
	for _, f := range folders {
		r, err := open(f)
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	distinguish(records)
	p := newPage(records)
	var a *album
	err := errors.New("the runs do not have the same pictures; each run's own report shows its own")
	if samePictures(records) {
		var encoders []encoderOf
		for _, r := range records {
			encoders = append(encoders, encoderOf{r.name, r.class, string(r.folder)})
		}
		a, err = openAlbum(ctx, records[0].config, encoders)
	}
	if err := p.take(ctx, a, err); err != nil {
		return err
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	err = writeFiles(filepath.Dir(path), map[string]func() ([]byte, error){
		stem + "-curves.png": func() ([]byte, error) { return drawCurves(records) },
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, p.write)
}

// take puts an album on the page, or says why there is none. It returns an error only
// if the work was cancelled.
func (p *page) take(ctx context.Context, a *album, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		p.Sprite, err = a.sprite.rule()
	}
	if err != nil {
		p.Note = fmt.Sprintf("No pictures: %v.", err)
		return nil
	}
	single := len(p.Runs) == 1
	p.Album, p.Spectrum = a.view(single), a.spectra()
	if single && p.Matrix == nil && a.set.HasLabels() {
		p.Matrix = newMatrix(a.stages[1].confusion, a.set.Classes, "20 nearest neighbours among these pictures")
	}
	return nil
}

// samePictures reports whether all runs are judged by the same pictures.
func samePictures(records []*record) bool {
	first := records[0].config.Data
	for _, r := range records[1:] {
		d := r.config.Data
		if d.Test != first.Test || d.Train != first.Train && first.Test == "" || d.Size != first.Size || d.Channels != first.Channels {
			return false
		}
	}
	return true
}

// distinguish gives runs whose folders have the same name longer ones.
func distinguish(records []*record) {
	count := map[string]int{}
	for _, r := range records {
		count[r.name]++
	}
	for _, r := range records {
		if count[r.name] > 1 {
			r.name = filepath.Clean(string(r.folder))
		}
	}
}

// writeFiles makes files in a folder.
func writeFiles(dir string, files map[string]func() ([]byte, error)) error {
	for name, draw := range files {
		data, err := draw()
		if err != nil {
			return fmt.Errorf("report: %s: %w", name, err)
		}
		if data == nil {
			continue
		}
		err = atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(data))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
