package run

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"
)

// TensorBoard appends scalars to an events.out.tfevents file, which TensorBoard reads.
// A file is a sequence of records: length (8 bytes), its masked CRC-32C, an Event
// protocol buffer, its masked CRC-32C.
type TensorBoard struct {
	file *os.File
	now  func() time.Time
}

// OpenTensorBoard starts a new events file in a run's folder; a resumed run has several,
// which TensorBoard reads in the order of their names.
func OpenTensorBoard(dir string) (*TensorBoard, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d", now.Unix(), host, now.UnixNano()%1e9)
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	t := &TensorBoard{file: f, now: time.Now}
	version := appendBytes(nil, 3, []byte("brain.Event:2"))
	return t, t.record(t.event(0, version))
}

// Scalar appends the value of a named curve at a step.
func (t *TensorBoard) Scalar(tag string, step int, value float64) error {
	var v []byte
	v = appendBytes(v, 1, []byte(tag))
	v = append(v, 2<<3|5)
	v = binary.LittleEndian.AppendUint32(v, math.Float32bits(float32(value)))
	summary := appendBytes(nil, 1, v)
	return t.record(t.event(step, appendBytes(nil, 5, summary)))
}

// Close closes the file.
func (t *TensorBoard) Close() error { return t.file.Close() }

// event encodes an Event message: wall_time (1), step (2), and the given field.
func (t *TensorBoard) event(step int, field []byte) []byte {
	e := []byte{1<<3 | 1}
	e = binary.LittleEndian.AppendUint64(e, math.Float64bits(float64(t.now().UnixMicro())/1e6))
	e = append(e, 2<<3)
	e = binary.AppendUvarint(e, uint64(step))
	return append(e, field...)
}

// appendBytes appends a length-delimited field.
func appendBytes(b []byte, field byte, value []byte) []byte {
	b = append(b, field<<3|2)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

// record writes one framed record at once.
func (t *TensorBoard) record(data []byte) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(data))
	if _, err := t.file.Write(b); err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func maskedCRC(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
