package imaging

import (
	"bytes"
	"fmt"
)

// Format is a file format, recognised by content.
type Format uint8

// The formats that Decode reads, and Unknown.
const (
	Unknown Format = iota
	JPEG
	PNG
	GIF
	BMP
	TIFF
	WebP
)

var formatNames = [...]string{"unknown", "JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP"}

// String returns the usual name of the format.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("imaging.Format(%d)", uint8(f))
}

// Sniff recognises the format by the first bytes (32 suffice); the name of the
// file plays no part. What is recognised but cannot be read gives an error that
// wraps ErrUnsupported and says how to convert it; anything else ErrFormat.
func Sniff(data []byte) (Format, error) {
	has := func(offset int, magic string) bool {
		return len(data) >= offset+len(magic) && string(data[offset:offset+len(magic)]) == magic
	}
	switch {
	case len(data) == 0:
		return Unknown, fmt.Errorf("%w: the file is empty", ErrFormat)
	case has(0, "\xff\xd8"):
		return JPEG, nil
	case has(0, "\x89PNG\r\n\x1a\n"):
		return PNG, nil
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return GIF, nil
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return TIFF, nil
	case has(0, "RIFF") && has(8, "WEBP"):
		return WebP, nil
	case has(0, "BM") && len(data) >= 18 && data[15] == 0 && data[16] == 0 && data[17] == 0:
		return BMP, nil
	}
	return Unknown, foreign(data, has)
}

// foreign names the picture and document formats that are not read here.
func foreign(data []byte, has func(int, string) bool) error {
	const magick = "convert it to JPEG or PNG, for example with: magick IN OUT.png"
	name, hint := "", magick
	switch {
	case has(4, "ftyp"):
		name, hint = isobmff(data)
	case has(0, "\xff\x0a"), has(0, "\x00\x00\x00\x0cJXL \r\n\x87\n"):
		name, hint = "JPEG XL", "convert it, for example with: djxl IN OUT.png"
	case has(0, "\x00\x00\x00\x0cjP  \r\n\x87\n"), has(0, "\xff\x4f\xff\x51"):
		name = "JPEG 2000"
	case has(0, "II\xbc\x01"):
		name = "JPEG XR"
	case has(0, "II+\x00"), has(0, "MM\x00+"):
		name, hint = "BigTIFF", "convert it, for example with: tiffcp -a IN OUT.tif, or to PNG"
	case has(0, "8BPS"):
		name = "Photoshop (PSD)"
	case has(0, "%PDF"):
		name, hint = "PDF", "a document, not a picture; extract its pictures with: pdfimages -all IN OUT"
	case has(0, "%!PS"), has(0, "\xc5\xd0\xd3\xc6"):
		name = "PostScript"
	case has(0, "\x00\x00\x01\x00"), has(0, "\x00\x00\x02\x00"):
		name = "Windows icon"
	case has(0, "DDS "):
		name = "DirectDraw surface (DDS)"
	case has(0, "qoif"):
		name = "QOI"
	case has(0, "\x76\x2f\x31\x01"):
		name = "OpenEXR"
	case has(0, "#?RADIANCE"), has(0, "#?RGBE"):
		name = "Radiance HDR"
	case len(data) > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '7' && (data[2] == '\n' || data[2] == ' ' || data[2] == '\r' || data[2] == '\t' || data[2] == '#'):
		name = "Netpbm (PBM, PGM, PPM, PAM)"
	case has(0, "PF\n"), has(0, "Pf\n"):
		name = "portable float map"
	case has(0, "farbfeld"):
		name = "farbfeld"
	case has(0, "gimp xcf"):
		name = "GIMP (XCF)"
	case has(0, "\xd7\xcd\xc6\x9a"):
		name = "Windows metafile"
	case has(0, "FLIF"):
		name = "FLIF"
	case has(0, "BLP1"), has(0, "BLP2"):
		name = "Blizzard texture (BLP)"
	case has(0, "\xc3\xb1A"):
		name = "NIE"
	case has(0, "\x1f\x8b"):
		name, hint = "gzip", "unpack it first"
	case has(0, "PK\x03\x04"):
		name, hint = "zip", "unpack it first"
	case has(4, "\x11\xaf"), has(4, "\x12\xaf"):
		name = "Autodesk animation (FLI, FLC)"
	case isSVG(data):
		name, hint = "SVG", "a drawing, not pixels; render it, for example with: rsvg-convert IN -o OUT.png"
	default:
		return ErrFormat
	}
	return fmt.Errorf("%w: %s cannot be read; %s", ErrUnsupported, name, hint)
}

// isobmff tells HEIC, AVIF and films apart by the brands of an ftyp box
// (ISO/IEC 14496-12, 4.3): the major brand decides, then the compatible ones.
func isobmff(data []byte) (name, hint string) {
	end := min(len(data), 64)
	if n := int(data[2])<<8 | int(data[3]); data[0] == 0 && data[1] == 0 && n < end {
		end = n
	}
	for i := 8; i+4 <= end; i += 4 {
		if i == 12 {
			continue // the minor version
		}
		switch string(data[i : i+4]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "mif2":
			if data[i] == 'm' && bytes.Contains(data[8:end], []byte("avif")) {
				continue // a general brand: the other one tells
			}
			return "HEIC", "convert it, for example with: heif-convert IN OUT.jpg, or set the camera to JPEG"
		case "avif", "avis":
			return "AVIF", "convert it, for example with: avifdec IN OUT.png"
		case "crx ":
			return "Canon raw (CR3)", "develop it to JPEG first"
		case "jxl ":
			return "JPEG XL", "convert it, for example with: djxl IN OUT.png"
		}
	}
	return "a film or another ISO media file", "extract frames, for example with: ffmpeg -i IN OUT-%05d.png"
}

// isSVG looks for an <svg element near the start of a text.
func isSVG(data []byte) bool {
	head := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && head[0] == '<' && bytes.Contains(bytes.ToLower(head), []byte("<svg"))
}
