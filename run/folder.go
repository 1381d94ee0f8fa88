package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is the path of a run.
type Folder string

// The files of a run.
func (f Folder) Config() string      { return filepath.Join(string(f), "config.yaml") }
func (f Folder) Metrics() string     { return filepath.Join(string(f), "metrics.jsonl") }
func (f Folder) Log() string         { return filepath.Join(string(f), "train.log") }
func (f Folder) Checkpoints() string { return filepath.Join(string(f), "checkpoints") }
func (f Folder) Encoder() string     { return filepath.Join(string(f), "encoder.safetensors") }
func (f Folder) Initial() string     { return filepath.Join(string(f), "encoder-initial.safetensors") }
func (f Folder) Views() string       { return filepath.Join(string(f), "views.png") }
func (f Folder) BadImages() string   { return filepath.Join(string(f), "bad_images.jsonl") }

// ErrExists says that a run's folder is not empty and neither resuming nor overwriting
// was asked for.
var ErrExists = errors.New("the folder is not empty")

// ErrNotRun says that a folder to overwrite holds something that is no run.
var ErrNotRun = errors.New("the folder holds no run")

// Check reports whether Create would refuse the folder, and changes nothing: ErrExists
// for one that is not empty, ErrNotRun for one to overwrite that holds no run.
func (f Folder) Check(overwrite bool) error {
	if info, err := os.Stat(string(f)); err == nil && !info.IsDir() {
		return fmt.Errorf("%s: is a file, where a run needs a folder", f)
	}
	entries, err := os.ReadDir(string(f))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case !overwrite:
		return fmt.Errorf("%s: %w", f, ErrExists)
	case !f.IsRun():
		return fmt.Errorf("%s: %w", f, ErrNotRun)
	}
	return nil
}

// Create makes the folder, or empties that of an earlier run if overwrite is set. It
// never removes a folder that holds no run.
func (f Folder) Create(overwrite bool) error {
	if err := f.Check(overwrite); err != nil {
		return err
	}
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(string(f), 0o755)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(string(f), e.Name())); err != nil {
			return err
		}
	}
	return err
}

// IsRun reports whether the folder holds a run's configuration.
func (f Folder) IsRun() bool {
	_, err := os.Stat(f.Config())
	return err == nil
}
