// Package safetensors reads and writes the safetensors file format: an 8-byte
// little-endian header length, a JSON header, then the tensors' bytes.
//
// Files written here are canonical: the same tensors and metadata give the same bytes
// (names sorted, header padded to 8 bytes with spaces). Reading checks everything the
// header claims against the file's size before it takes memory.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/atomicfile"
)

// DType names the element type of a tensor as the format spells it.
type DType string

// Element types. Multi-byte elements are little-endian.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Size returns the bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// Tensor is a named array in row-major order.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte // Size() bytes an element, little-endian
}

// FromFloat32 copies values into a tensor.
func FromFloat32(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
	}
	return Tensor{Name: name, DType: F32, Shape: slices.Clone(shape), Data: data}
}

// Float32 returns the elements of a floating-point tensor, converted.
func (t Tensor) Float32() ([]float32, error) {
	size := t.DType.Size()
	if size == 0 || len(t.Data)%size != 0 {
		return nil, fmt.Errorf("tensor %q: %d bytes of type %s", t.Name, len(t.Data), t.DType)
	}
	out := make([]float32, len(t.Data)/size)
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	case F16:
		for i := range out {
			out[i] = halfToFloat(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	default:
		return nil, fmt.Errorf("tensor %q has type %s, not a floating-point one", t.Name, t.DType)
	}
	return out, nil
}

// halfToFloat widens an IEEE 754 half-precision number.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, int(h>>10)&31, uint32(h&0x3ff)
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case 0:
		v := float32(frac) / (1 << 24)
		if sign != 0 {
			v = -v
		}
		return v
	}
	return math.Float32frombits(sign | uint32(exp+112)<<23 | frac<<13)
}

// entry is one tensor in the header.
type entry struct {
	DType   DType    `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// maxHeader bounds the header, as the reference implementation does.
const maxHeader = 100 << 20

// metadataKey is the header's entry for free-form strings.
const metadataKey = "__metadata__"

// Write writes the tensors, sorted by name, and the metadata (which may be nil).
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	var header bytes.Buffer
	header.WriteByte('{')
	if len(metadata) > 0 {
		m, err := json.Marshal(metadata) // sorts its keys
		if err != nil {
			return err
		}
		fmt.Fprintf(&header, "%q:%s,", metadataKey, m)
	}
	var at int64
	for i, t := range sorted {
		if i > 0 && sorted[i-1].Name == t.Name {
			return fmt.Errorf("safetensors: two tensors named %q", t.Name)
		}
		if want, err := byteCount(t.DType, t.Shape); err != nil || want != int64(len(t.Data)) {
			return fmt.Errorf("safetensors: tensor %q: %d bytes do not fit %s%v", t.Name, len(t.Data), t.DType, t.Shape)
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		e, err := json.Marshal(entry{t.DType, shape, [2]int64{at, at + int64(len(t.Data))}})
		if err != nil {
			return err
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return err
		}
		header.Write(name)
		header.WriteByte(':')
		header.Write(e)
		header.WriteByte(',')
		at += int64(len(t.Data))
	}
	if b := header.Bytes(); b[len(b)-1] == ',' {
		header.Truncate(header.Len() - 1)
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(header.Len())); err != nil {
		return err
	}
	if _, err := w.Write(header.Bytes()); err != nil {
		return err
	}
	for _, t := range sorted {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes a file that appears whole or not at all.
func WriteFile(path string, tensors []Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, tensors, metadata) })
}

// ErrFormat is wrapped by every error about a file that is no valid safetensors file.
var ErrFormat = errors.New("not a valid safetensors file")

// ReadFile reads a whole file: its tensors sorted by name, and its metadata.
func ReadFile(path string) ([]Tensor, map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := Parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, metadata, nil
}

// Parse reads a file's contents. The tensors' Data are parts of data, not copies.
func Parse(data []byte) ([]Tensor, map[string]string, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("%w: header of %d bytes in a file of %d", ErrFormat, n, len(data))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		return nil, nil, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	var metadata map[string]string
	if raw, ok := header[metadataKey]; ok {
		if err := json.Unmarshal(raw, &metadata); err != nil {
			return nil, nil, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
		}
		delete(header, metadataKey)
	}
	body := data[8+n:]
	tensors := make([]Tensor, 0, len(header))
	for name, raw := range header {
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, nil, fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
		}
		size, err := byteCount(e.DType, e.Shape)
		from, to := e.Offsets[0], e.Offsets[1]
		if err != nil || from < 0 || to < from || to > int64(len(body)) || to-from != size {
			return nil, nil, fmt.Errorf("%w: tensor %q: %s%v at bytes %d to %d of %d", ErrFormat, name, e.DType, e.Shape, from, to, len(body))
		}
		tensors = append(tensors, Tensor{name, e.DType, e.Shape, body[from:to:to]})
	}
	slices.SortFunc(tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	return tensors, metadata, nil
}

// byteCount returns the bytes of a tensor, or an error for an unknown type, a negative
// dimension or a product that overflows.
func byteCount(d DType, shape []int) (int64, error) {
	n := int64(d.Size())
	if n == 0 {
		return 0, fmt.Errorf("unknown type %q", d)
	}
	for _, dim := range shape {
		if dim < 0 || (dim > 0 && n > math.MaxInt64/int64(dim)) {
			return 0, fmt.Errorf("shape %v", shape)
		}
		n *= int64(dim)
	}
	return n, nil
}
