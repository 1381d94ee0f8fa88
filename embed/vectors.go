package embed

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/byol-go/byol/internal/atomicfile"
)

// Vectors are the features of the readable pictures of a set, in its order.
type Vectors struct {
	X     []float32 // [N,D], row-major
	N, D  int
	Index []int    // [N], of each row's picture in its set
	Names []string // [N], paths, or file#record
}

// row returns the features of one picture.
func (v Vectors) row(i int) []float32 { return v.X[i*v.D : (i+1)*v.D] }

// CheckOutput reports whether Write knows the format that a path's suffix names.
func CheckOutput(path string) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy", ".csv":
		return nil
	default:
		return fmt.Errorf("%s: unknown format %q: want .npy or .csv", path, ext)
	}
}

// Write writes a .npy matrix, float32 [N,D], with the names in a file beside it
// (x.npy: x.paths.txt, a line each), or a .csv table: path, then D numbers.
func (v Vectors) Write(path string) error {
	if err := CheckOutput(path); err != nil {
		return err
	}
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return atomicfile.Write(path, v.writeCSV)
	}
	names := strings.TrimSuffix(path, filepath.Ext(path)) + ".paths.txt"
	if err := atomicfile.Write(names, v.writeNames); err != nil {
		return err
	}
	return atomicfile.Write(path, v.writeNPY)
}

// writeNPY writes NumPy's format, version 1.0. (The module that reads and writes it in Go
// knows no float32 matrices.)
func (v Vectors) writeNPY(w io.Writer) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", v.N, v.D)
	const before = 10 // magic, version, length
	pad := 63 - (before+len(header))%64
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)+pad+1))
	b = append(b, header...)
	b = append(b, strings.Repeat(" ", pad)+"\n"...)
	if _, err := w.Write(b); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, v.X)
}

func (v Vectors) writeNames(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, name := range v.Names {
		b.WriteString(name)
		b.WriteByte('\n')
	}
	return b.Flush()
}

func (v Vectors) writeCSV(w io.Writer) error {
	table := csv.NewWriter(w)
	record := make([]string, 1+v.D)
	record[0] = "path"
	for j := range v.D {
		record[1+j] = fmt.Sprintf("f%d", j)
	}
	table.Write(record)
	for i := range v.N {
		record[0] = v.Names[i]
		for j, x := range v.row(i) {
			record[1+j] = strconv.FormatFloat(float64(x), 'g', -1, 32)
		}
		table.Write(record)
	}
	table.Flush()
	return table.Error()
}
