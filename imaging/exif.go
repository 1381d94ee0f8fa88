package imaging

import (
	"bytes"
	"encoding/binary"
)

// tagOrientation is the TIFF and EXIF tag of the orientation.
const tagOrientation = 0x0112

// exifOrientation returns the orientation (1 to 8) in an EXIF block: a TIFF
// structure (TIFF 6.0, section 2), perhaps after "Exif\0\0". Anything broken
// counts as 1: metadata must not cost a good picture.
func exifOrientation(block []byte) int {
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	orientation := 1
	eachTag(block, func(order binary.ByteOrder, tag, kind uint16, count uint32, value []byte) {
		if tag != tagOrientation || count < 1 {
			return
		}
		v := 0
		switch kind {
		case 1:
			v = int(value[0])
		case 3:
			v = int(order.Uint16(value))
		case 4:
			v = int(order.Uint32(value))
		}
		if v >= 1 && v <= 8 {
			orientation = v
		}
	})
	return orientation
}

// eachTag calls f with every entry of the first directory of a TIFF structure;
// value holds the entry's last four bytes. It stops quietly where data ends.
func eachTag(data []byte, f func(order binary.ByteOrder, tag, kind uint16, count uint32, value []byte)) {
	if len(data) < 8 {
		return
	}
	var order binary.ByteOrder
	switch string(data[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return
	}
	start := int64(order.Uint32(data[4:]))
	if start+2 > int64(len(data)) {
		return
	}
	entries := int(order.Uint16(data[start:]))
	for i := range entries {
		e := start + 2 + 12*int64(i)
		if e+12 > int64(len(data)) {
			return
		}
		b := data[e : e+12]
		f(order, order.Uint16(b), order.Uint16(b[2:]), order.Uint32(b[4:]), b[8:12])
	}
}
