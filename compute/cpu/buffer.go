package cpu

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// align is the alignment of every buffer in bytes: a cache line, and an AVX-512 register.
const align = 64

// Buffer is a tensor in memory: a shape and its elements in row-major order.
type Buffer struct {
	shape  shapes.Shape
	bytes  []byte // 64-byte aligned; length is that of the shape's elements
	shared bool   // handed out by NewSharedBuffer: the caller may write to it, so it is never donated
}

// newBuffer allocates a buffer of its own, with undefined contents as far as callers may assume.
func newBuffer(shape shapes.Shape) *Buffer {
	return &Buffer{shape: shape, bytes: alignedBytes(byteLen(shape))}
}

func byteLen(shape shapes.Shape) int { return shape.Size() * shape.DType.Size() }

// alignedBytes returns n bytes at a 64-byte boundary.
func alignedBytes(n int) []byte {
	raw := make([]byte, n+align)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(raw))) & (align - 1))
	return raw[skip : skip+n : skip+n]
}

// flat returns the buffer's elements as Go values of type T, which must be the type of
// its dtype (or one of the same size, as uint16 for bfloat16).
func flat[T any](b *Buffer) []T {
	var t T
	size := int(unsafe.Sizeof(t))
	if size != b.shape.DType.Size() {
		panic(fmt.Sprintf("cpu: view of %s as elements of %d bytes", b.shape, size))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b.bytes))), len(b.bytes)/size)
}

// anyFlat returns the elements as a slice of the dtype's Go type.
func (b *Buffer) anyFlat() any {
	n := b.shape.Size()
	t := b.shape.DType.GoType()
	p := unsafe.Pointer(unsafe.SliceData(b.bytes))
	return reflect.SliceAt(t, p, n).Interface()
}

// asBuffer checks that an opaque buffer is a live one of this backend.
func asBuffer(buffer backends.Buffer) (*Buffer, error) {
	b, ok := buffer.(*Buffer)
	switch {
	case !ok:
		return nil, fmt.Errorf("buffer of type %T is not one of backend %q", buffer, Name)
	case b == nil || !b.shape.Ok():
		return nil, fmt.Errorf("buffer was finalized or donated before")
	}
	return b, nil
}

// BufferFinalize gives the memory back. The buffer must not be used again.
func (b *Backend) BufferFinalize(buffer backends.Buffer) error {
	buf, err := asBuffer(buffer)
	if err != nil {
		return err
	}
	*buf = Buffer{}
	return nil
}

// BufferShape returns the shape of a buffer.
func (b *Backend) BufferShape(buffer backends.Buffer) (shapes.Shape, error) {
	buf, err := asBuffer(buffer)
	if err != nil {
		return shapes.Invalid(), err
	}
	return buf.shape, nil
}

// BufferDeviceNum is always 0.
func (b *Backend) BufferDeviceNum(buffer backends.Buffer) (backends.DeviceNum, error) {
	_, err := asBuffer(buffer)
	return 0, err
}

// BufferToFlatData copies the elements to a Go slice of the dtype's type and the buffer's length.
func (b *Backend) BufferToFlatData(buffer backends.Buffer, flat any) error {
	buf, err := asBuffer(buffer)
	if err != nil {
		return err
	}
	bytes, err := flatBytes(flat, buf.shape)
	if err != nil {
		return err
	}
	copy(bytes, buf.bytes)
	return nil
}

// BufferFromFlatData copies a Go slice of the dtype's type into a new buffer.
func (b *Backend) BufferFromFlatData(_ backends.DeviceNum, flat any, shape shapes.Shape) (backends.Buffer, error) {
	bytes, err := flatBytes(flat, shape)
	if err != nil {
		return nil, err
	}
	buf := newBuffer(shape)
	copy(buf.bytes, bytes)
	return buf, nil
}

// flatBytes views a Go slice as bytes after checking its type and length against the shape.
func flatBytes(flat any, shape shapes.Shape) ([]byte, error) {
	v := reflect.ValueOf(flat)
	if v.Kind() != reflect.Slice || dtypes.FromGoType(v.Type().Elem()) != shape.DType || v.Len() != shape.Size() {
		return nil, fmt.Errorf("data of type %T does not fit shape %s", flat, shape)
	}
	return unsafe.Slice((*byte)(v.UnsafePointer()), byteLen(shape)), nil
}

// HasSharedBuffers is true: the memory is the program's own.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer returns a buffer and its elements, which the caller may read and write
// while no computation uses it.
func (b *Backend) NewSharedBuffer(_ backends.DeviceNum, shape shapes.Shape) (backends.Buffer, any, error) {
	buf := newBuffer(shape)
	buf.shared = true
	return buf, buf.anyFlat(), nil
}

// BufferData returns the buffer's elements in place, as a slice of the dtype's Go type.
func (b *Backend) BufferData(buffer backends.Buffer) (any, error) {
	buf, err := asBuffer(buffer)
	if err != nil {
		return nil, err
	}
	return buf.anyFlat(), nil
}

// BufferCopyToDevice fails: there is only one device.
func (b *Backend) BufferCopyToDevice(backends.Buffer, backends.DeviceNum) (backends.Buffer, error) {
	return nil, fmt.Errorf("backend %q has one device only", Name)
}
