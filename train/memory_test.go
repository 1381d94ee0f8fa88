package train

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/run"
)

// TestPeakMemory takes steps in processes of their own, and compares what they held at most
// with what was said before anything was allocated; and a training with train.memory.
func TestPeakMemory(t *testing.T) {
	if keys := os.Getenv("BYOL_TEST_PEAK"); keys != "" {
		said, held := peakOf(t, strings.Fields(keys))
		fmt.Printf("PEAK %d %d\n", said, held)
		return
	}
	if keys := os.Getenv("BYOL_TEST_PEAK_RUN"); keys != "" {
		dir := run.Folder(filepath.Join(t.TempDir(), "run"))
		mustRun(t, t.Context(), Options{Config: tiny(t, strings.Fields(keys)...), Folder: dir})
		sum := sha256.Sum256(encoderBytes(t, dir))
		fmt.Printf("PEAK %d %d\n", binary.LittleEndian.Uint32(sum[:]), machine.PeakBytes())
		return
	}
	if _, known := machine.AvailableBytes(); !known {
		t.Skip("the system does not tell how much memory a process holds")
	}
	said, held := childPeak(t, "BYOL_TEST_PEAK", "encoder.width=0.25 heads.hidden=512 heads.dim=128 train.batch=64")
	if ratio := float64(said) / float64(held); ratio < 0.85 || ratio > 1.15 {
		t.Errorf("said to hold %d bytes, held %d", said, held)
	}
	const keys = "encoder.arch=resnet18 encoder.stem=cifar encoder.width=0.25 heads.hidden=256 heads.dim=64 data.size=64 data.limit=32 train.batch=32 train.steps=2 train.checkpoint_every=1"
	encoder, free := childPeak(t, "BYOL_TEST_PEAK_RUN", keys)
	bound := free * 9 / 10
	again, held := childPeak(t, "BYOL_TEST_PEAK_RUN", fmt.Sprintf("%s train.memory=%d", keys, bound))
	if again != encoder || held > bound {
		t.Errorf("a run held %d bytes without a bound, and %d with %d; the same encoder: %v", free, held, bound, again == encoder)
	}
	c := tiny(t, append(strings.Fields(keys), "train.memory=100MB")...)
	err := Run(t.Context(), Options{Config: c, Folder: run.Folder(filepath.Join(t.TempDir(), "run"))})
	var h interface{ Hint() string }
	if !errors.Is(err, ErrMemory) || !errors.As(err, &h) {
		t.Errorf("with 100 MB: %v, want a refusal with a hint", err)
	}
}

// childPeak runs the test in a process of its own, with a variable of the environment.
func childPeak(t *testing.T, variable, keys string) (said, held int64) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestPeakMemory$")
	c.Env = append(os.Environ(), variable+"="+keys)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "PEAK ")
	if _, err := fmt.Sscan(rest, &said, &held); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return said, held
}

// peakOf takes two steps of a small ResNet-18 with further keys.
func peakOf(t *testing.T, keys []string) (said, held int64) {
	c := run.Default()
	for _, kv := range append([]string{"encoder.arch=resnet18", "data.size=32", "train.steps=1", "train.epochs=0"}, keys...) {
		key, value, _ := strings.Cut(kv, "=")
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Resolve(run.Source{Images: c.Train.Batch, Channels: 3, Classes: 10}); err != nil {
		t.Fatal(err)
	}
	m, err := NewMethod(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compute.New("cpu", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	before := machine.PeakBytes()
	shape := ViewShape(c)
	s, err := NewStepper(b, m, shape)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.SetState(m.Init(1))
	view := make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
	for i := range view {
		view[i] = float32(i*7919%1000)/500 - 1
	}
	for range 2 {
		if _, err := s.Step([]Batch{{Views: [2][]float32{view, view}}}, 0.01, 0.99); err != nil {
			t.Fatal(err)
		}
	}
	return s.Memory(), machine.PeakBytes() - before
}
