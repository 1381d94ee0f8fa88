// Package checkpoint keeps the state of a run so that nothing acknowledged is lost:
// a checkpoint is on disk whole and verified, or it does not exist.
//
// Each is a folder step-00012000 holding state.safetensors and manifest.json, the
// manifest last, with the size and SHA-256 of every file. It is written to a temporary
// folder on the same file system, every file synced, then renamed, then the parent
// synced. Reading verifies the hashes and falls back to the newest one that is whole.
package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/safetensors"
)

const (
	stateFile    = "state.safetensors"
	manifestFile = "manifest.json"
	prefix       = "step-"
	tempPrefix   = ".tmp-step-"
	formatNumber = 1
)

// Checkpoint is all that the step after it depends on.
type Checkpoint struct {
	Step    int                  // optimiser steps done
	Tensors []safetensors.Tensor // by name
	Extra   json.RawMessage      // what the run adds, such as sums of an unfinished epoch
}

// manifest vouches for the files of a checkpoint.
type manifest struct {
	Format int                 `json:"format"`
	Step   int                 `json:"step"`
	Files  map[string]fileInfo `json:"files"`
	Extra  json.RawMessage     `json:"extra,omitempty"`
}

type fileInfo struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Path returns the folder of the checkpoint after a step, below dir.
func Path(dir string, step int) string {
	return filepath.Join(dir, fmt.Sprintf("%s%08d", prefix, step))
}

// Save writes a checkpoint below dir, which is made if missing. When it returns nil the
// checkpoint survives a power failure; on an error (a full disk, say) nothing is left
// of it and earlier ones are untouched. Saving a step that is there already replaces it.
func Save(dir string, c Checkpoint) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("checkpoint of step %d: %w", c.Step, err)
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) // gone already after the rename
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	info, err := writeState(filepath.Join(temp, stateFile), c.Tensors)
	if err != nil {
		return err
	}
	m := manifest{Format: formatNumber, Step: c.Step, Files: map[string]fileInfo{stateFile: info}, Extra: c.Extra}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	err = atomicfile.Write(filepath.Join(temp, manifestFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	final := Path(dir, c.Step)
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	if err := os.Rename(temp, final); err != nil {
		return err
	}
	return atomicfile.SyncDir(dir)
}

// writeState writes and syncs the tensors, hashing them on the way.
func writeState(path string, tensors []safetensors.Tensor) (fileInfo, error) {
	sum := sha256.New()
	var counted counter
	err := atomicfile.Write(path, func(w io.Writer) error {
		return safetensors.Write(io.MultiWriter(w, sum, &counted), tensors, nil)
	})
	return fileInfo{Size: int64(counted), SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// ErrNone says that a folder holds no whole checkpoint.
var ErrNone = errors.New("no whole checkpoint")

// Steps lists the checkpoints below dir, oldest first, without verifying them.
func Steps(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		if n, err := strconv.Atoi(digits); ok && err == nil && e.IsDir() {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// Latest reads the newest whole checkpoint below dir. Skipped says why newer ones were
// passed over. The error is ErrNone, wrapped, when there is none.
func Latest(dir string) (c Checkpoint, skipped []error, err error) {
	steps, err := Steps(dir)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	for _, step := range slices.Backward(steps) {
		c, err := Load(Path(dir, step))
		if err == nil {
			return c, skipped, nil
		}
		skipped = append(skipped, err)
	}
	return Checkpoint{}, skipped, fmt.Errorf("%s: %w", dir, ErrNone)
}

// Load reads one checkpoint from its folder and verifies it against its manifest.
func Load(path string) (Checkpoint, error) {
	text, err := os.ReadFile(filepath.Join(path, manifestFile))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %s: %w", path, manifestFile, err)
	}
	if m.Format != formatNumber {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: format %d, this program reads %d", path, m.Format, formatNumber)
	}
	data, err := os.ReadFile(filepath.Join(path, stateFile))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	want := m.Files[stateFile]
	if int64(len(data)) != want.Size {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %s has %d bytes, the manifest says %d", path, stateFile, len(data), want.Size)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want.SHA256 {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %s was altered: its SHA-256 is not the manifest's", path, stateFile)
	}
	tensors, _, err := safetensors.Parse(data)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return Checkpoint{Step: m.Step, Tensors: tensors, Extra: m.Extra}, nil
}

// Prune removes all but the newest keep checkpoints and those of the steps in spare, and
// what interrupted saves left behind.
func Prune(dir string, keep int, spare ...int) error {
	steps, err := Steps(dir)
	if err != nil {
		return err
	}
	for i, step := range steps {
		if i < len(steps)-keep && !slices.Contains(spare, step) {
			if err := os.RemoveAll(Path(dir, step)); err != nil {
				return err
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}
