package embed

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteVectors(t *testing.T) {
	v := Vectors{X: []float32{1, -2.5, 1e-20, 4, 5, 6}, N: 2, D: 3, Names: []string{"a, b.png", "c.jpg"}}
	dir := t.TempDir()
	if err := v.Write(filepath.Join(dir, "x.npy")); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(filepath.Join(dir, "x.npy"))
	header := 10 + int(binary.LittleEndian.Uint16(data[8:]))
	if !strings.HasPrefix(string(data), "\x93NUMPY") || !strings.Contains(string(data[:header]), "'<f4'") || !strings.Contains(string(data[:header]), "(2, 3)") {
		t.Errorf("header %q", data[:header])
	}
	if len(data) != header+24 || math.Float32frombits(binary.LittleEndian.Uint32(data[header+4:])) != -2.5 {
		t.Errorf("%d bytes after a header of %d", len(data), header)
	}
	if names, _ := os.ReadFile(filepath.Join(dir, "x.paths.txt")); string(names) != "a, b.png\nc.jpg\n" {
		t.Errorf("names %q", names)
	}
	if err := v.Write(filepath.Join(dir, "x.csv")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "x.csv")); string(text) != "path,f0,f1,f2\n\"a, b.png\",1,-2.5,1e-20\nc.jpg,4,5,6\n" {
		t.Errorf("csv %q", text)
	}
	if err := v.Write(filepath.Join(dir, "x.txt")); err == nil || !strings.Contains(err.Error(), ".npy or .csv") {
		t.Errorf("error %v", err)
	}
}
