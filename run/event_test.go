package run

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMetricsAreCutBackToACheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	if err := CutMetrics(path, 3); err != nil {
		t.Errorf("no file: %v", err)
	}
	m, err := OpenMetrics(path)
	if err != nil {
		t.Fatal(err)
	}
	knn := Number(.25)
	m.Write(EpochEvent{Event: "epoch", KNN: &knn})
	for step := 1; step <= 6; step++ {
		m.Write(StepEvent{Event: "step", Step: step, Loss: Number(math.NaN())})
	}
	m.Write(EpochEvent{Event: "epoch", Epoch: 1, Step: 6})
	m.Close()
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(`{"event":"step","step":2`) // killed while writing
	f.Close()
	if err := CutMetrics(path, 4); err != nil {
		t.Fatal(err)
	}
	steps, err := ReadSteps(path)
	if err != nil || len(steps) != 4 || steps[3].Step != 4 {
		t.Errorf("steps %v, %v", steps, err)
	}
	epochs, err := ReadEpochs(path)
	if err != nil || len(epochs) != 1 || *epochs[0].KNN != .25 || epochs[0].Loss != nil {
		t.Errorf("epochs %v, %v", epochs, err)
	}
	text, _ := os.ReadFile(path)
	if !strings.Contains(string(text), `"loss":null`) {
		t.Errorf("a NaN must be null: %s", text)
	}
}

// Reads the file back as TensorBoard does: framing, checksums, and the scalar's bytes.
func TestTensorBoardRecords(t *testing.T) {
	dir := t.TempDir()
	tb, err := OpenTensorBoard(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tb.Scalar("loss", 300, 1.5); err != nil {
		t.Fatal(err)
	}
	tb.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	data, _ := os.ReadFile(files[0])
	var records [][]byte
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		if binary.LittleEndian.Uint32(data[8:]) != maskedCRC(data[:8]) || binary.LittleEndian.Uint32(data[12+n:]) != maskedCRC(data[12:12+n]) {
			t.Fatal("wrong checksum")
		}
		records = append(records, data[12:12+n])
		data = data[16+n:]
	}
	if len(records) != 2 || !strings.Contains(string(records[0]), "brain.Event:2") {
		t.Fatalf("%d records", len(records))
	}
	want := "\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\xc0\x3f" // step 300, summary{value{tag, 1.5}}
	if got := string(records[1][9:]); got != want {
		t.Errorf("event % x, want % x", got, want)
	}
}

// The checksum is the one of the TFRecord format: a value computed by TensorFlow.
func TestMaskedCRC(t *testing.T) {
	if got := maskedCRC([]byte("123456789")); got != func() uint32 { c := uint32(0xe3069283); return (c>>15 | c<<17) + 0xa282ead8 }() {
		t.Errorf("masked CRC %08x", got)
	}
}

func TestFolderCreate(t *testing.T) {
	dir := t.TempDir()
	f := Folder(filepath.Join(dir, "new", "run"))
	if err := f.Create(false); err != nil {
		t.Fatal(err)
	}
	other := Folder(dir)
	if err := other.Create(true); err == nil || !strings.Contains(err.Error(), ErrNotRun.Error()) {
		t.Errorf("a folder that holds no run must not be emptied: %v", err)
	}
	Default().Save(f.Config())
	if err := f.Create(false); err == nil || !strings.Contains(err.Error(), ErrExists.Error()) {
		t.Errorf("non-empty: %v", err)
	}
	if err := f.Create(true); err != nil || f.IsRun() {
		t.Errorf("overwrite: %v, still a run: %v", err, f.IsRun())
	}
}
