package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func sample() []Tensor {
	return []Tensor{
		FromFloat32("conv1.weight", []int{2, 3}, []float32{1, -2, 3.5, 0, 1e-30, 7}),
		FromFloat32("bn1.bias", nil, []float32{4}),
		{Name: "steps", DType: I64, Shape: []int{0}, Data: nil},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := WriteFile(path, sample(), map[string]string{"arch": "resnet18", "a": "\"quoted\""}); err != nil {
		t.Fatal(err)
	}
	tensors, meta, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if meta["arch"] != "resnet18" || meta["a"] != "\"quoted\"" {
		t.Errorf("metadata %v", meta)
	}
	if len(tensors) != 3 || tensors[1].Name != "conv1.weight" {
		t.Fatalf("tensors %v", tensors)
	}
	v, err := tensors[1].Float32()
	if err != nil || !slices.Equal(v, []float32{1, -2, 3.5, 0, 1e-30, 7}) {
		t.Errorf("values %v, %v", v, err)
	}
}

func TestSameTensorsSameBytes(t *testing.T) {
	var a, b bytes.Buffer
	reversed := sample()
	slices.Reverse(reversed)
	if Write(&a, sample(), nil) != nil || Write(&b, reversed, nil) != nil {
		t.Fatal("write failed")
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("order of tensors changes the file")
	}
	if n := binary.LittleEndian.Uint64(a.Bytes()); n%8 != 0 {
		t.Errorf("header of %d bytes is not aligned", n)
	}
}

func TestWriteRefuses(t *testing.T) {
	twice := append(sample(), sample()[0])
	wrong := []Tensor{{Name: "x", DType: F32, Shape: []int{3}, Data: make([]byte, 8)}}
	for _, ts := range [][]Tensor{twice, wrong} {
		if err := Write(&bytes.Buffer{}, ts, nil); err == nil {
			t.Errorf("Write(%v): want an error", ts)
		}
	}
}

// file builds a file with a given header and body length.
func file(header string, body int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, body)...)
}

func TestParseRefuses(t *testing.T) {
	cases := map[string][]byte{
		"empty":           nil,
		"huge header":     {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'},
		"not JSON":        file("{", 0),
		"beyond the end":  file(`{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, 8),
		"shape too large": file(`{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 8),
		"negative":        file(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}`, 8),
		"unknown type":    file(`{"x":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}`, 8),
		"overlong":        file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8),
	}
	for name, data := range cases {
		if _, _, err := Parse(data); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, want ErrFormat", name, err)
		}
	}
}

func TestHalfPrecision(t *testing.T) {
	half := []uint16{0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00}
	data := make([]byte, 0, 12)
	for _, h := range half {
		data = binary.LittleEndian.AppendUint16(data, h)
	}
	got, err := Tensor{Name: "h", DType: F16, Shape: []int{6}, Data: data}.Float32()
	want := []float32{1, -2, 1.0 / (1 << 24), 65504, 0}
	if err != nil || !slices.Equal(got[:5], want) || got[5] < 1e38 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestWriteFileLeavesNothingOnFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	bad := []Tensor{{Name: "x", DType: F32, Shape: []int{3}, Data: nil}}
	if err := WriteFile(path, bad, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v should name the file", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

func FuzzParse(f *testing.F) {
	var b bytes.Buffer
	Write(&b, sample(), map[string]string{"k": "v"})
	f.Add(b.Bytes())
	f.Add(file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, meta, err := Parse(data)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := Write(&again, tensors, meta); err != nil {
			t.Fatalf("parsed but cannot be written: %v", err)
		}
	})
}
