package imaging

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// goldenFiles returns the small files of testdata/decode.json by name.
func goldenFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	var cases []struct {
		Name string
		File []byte
	}
	data, err := os.ReadFile("testdata/decode.json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		tb.Fatal(err)
	}
	files := map[string][]byte{}
	for _, c := range cases {
		files[c.Name] = c.File
	}
	return files
}

// checkKind fails unless err wraps exactly one of the kinds, in one short line.
func checkKind(t *testing.T, name string, err error) {
	t.Helper()
	kinds := 0
	for _, kind := range []error{ErrFormat, ErrUnsupported, ErrTooLarge, ErrCorrupt} {
		if errors.Is(err, kind) {
			kinds++
		}
	}
	if text := err.Error(); kinds != 1 || len(text) > 250 || strings.ContainsAny(text, "\n\x00") || strings.Contains(text, "goroutine") {
		t.Errorf("%s: error %q wraps %d kinds; want one, and a short reason", name, text, kinds)
	}
}

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		data string
		kind error
		text string
	}{
		{"", ErrFormat, "empty"},
		{"hello, world", ErrFormat, ""},
		{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", ErrUnsupported, "HEIC cannot be read; convert it, for example with: heif-convert"},
		{"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", ErrUnsupported, "AVIF"},
		{"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heicmiaf", ErrUnsupported, "HEIC"},
		{"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf", ErrUnsupported, "AVIF"},
		{"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", ErrUnsupported, "film"},
		{"\xff\x0a\x00", ErrUnsupported, "JPEG XL"},
		{"\x00\x00\x00\x0cJXL \r\n\x87\n", ErrUnsupported, "JPEG XL"},
		{"8BPS\x00\x01", ErrUnsupported, "Photoshop"},
		{"%PDF-1.7", ErrUnsupported, "PDF"},
		{"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=", ErrUnsupported, "SVG"},
		{"P6\n3 2\n255\n", ErrUnsupported, "Netpbm"},
	} {
		_, err := Decode([]byte(c.data), Options{})
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%.20q: %v, want %v with %q", c.data, err, c.kind, c.text)
		}
	}
}

// jpegOf makes a JPEG of one Huffman table and the given number of scans, each of
// which codes all blocks in a few bytes.
func jpegOf(sof byte, w, h, scans int) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xff, marker})
		binary.Write(&b, binary.BigEndian, uint16(len(body)+2))
		b.Write(body)
	}
	b.Write([]byte{0xff, 0xd8})
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(sof, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
	// AC codes: 0 = end of band run of 2^14 + 14 bits.
	segment(0xc4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xe0)...)
	for range scans {
		segment(0xda, 1, 1, 0, 1, 63, 0)
		b.Write(bytes.Repeat([]byte{0x00}, 2*(w*h/64/(1<<14)+1)))
	}
	b.Write([]byte{0xff, 0xd9})
	return b.Bytes()
}

func pngHeader(w, h uint32, depth, colour byte) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return append(b, depth, colour, 0, 0, 0, 0, 0, 0, 0, 0)
}

// tiffOf makes a little-endian TIFF directory of long values.
func tiffOf(tags ...uint32) []byte {
	le := binary.LittleEndian
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = le.AppendUint16(b, uint16(len(tags)/2))
	for i := 0; i < len(tags); i += 2 {
		b = le.AppendUint16(b, uint16(tags[i]))
		b = le.AppendUint16(b, 4)
		b = le.AppendUint32(b, 1)
		b = le.AppendUint32(b, tags[i+1])
	}
	return append(b, 0, 0, 0, 0)
}

func bmpOf(w, h, compression uint32, bits uint16) []byte {
	le := binary.LittleEndian
	b := append([]byte("BM"), make([]byte, 8)...)
	b = le.AppendUint32(b, 54+4*256)
	b = le.AppendUint32(b, 40)
	b = le.AppendUint32(b, w)
	b = le.AppendUint32(b, h)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, bits)
	b = le.AppendUint32(b, compression)
	return append(b, make([]byte, 20+4*256+8)...)
}

// TestBombs: what a header announces is refused before memory is taken.
func TestBombs(t *testing.T) {
	vp8 := "VP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"
	for _, c := range []struct {
		name string
		data []byte
		kind error
	}{
		{"png 3,000,000 x 2,000,000", pngHeader(3_000_000, 2_000_000, 8, 2), ErrTooLarge},
		{"png 4,294,967,295 squared", pngHeader(1<<32-1, 1<<32-1, 16, 6), ErrTooLarge},
		{"png of memory", pngHeader(8000, 8000, 16, 6), ErrTooLarge},
		{"png one pixel wide", pngHeader(1, 1<<25, 8, 0), ErrTooLarge},
		{"png of no width", pngHeader(0, 5, 8, 2), ErrCorrupt},
		{"gif", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00"), ErrTooLarge},
		{"gif frame outside", []byte("GIF89a\x05\x00\x05\x00\x00\x00\x00\x2c\x00\x00\x00\x00\xff\xff\xff\xff\x00"), ErrCorrupt},
		{"bmp", bmpOf(60000, 60000, 0, 24), ErrCorrupt},
		{"bmp without its pixels", bmpOf(6000, 6000, 0, 24), ErrCorrupt},
		{"bmp rle", bmpOf(60000, 60000, 1, 8), ErrTooLarge},
		{"bmp negative", bmpOf(1<<31, 1<<31, 0, 24), ErrCorrupt},
		{"jpeg", jpegOf(0xc0, 65500, 65500, 1), ErrTooLarge},
		{"jpeg of 600 scans", jpegOf(0xc2, 64, 64, 600), ErrTooLarge},
		{"jpeg of 100 large scans", jpegOf(0xc2, 4000, 4000, 100), ErrTooLarge},
		{"tiff", tiffOf(256, 3_000_000, 257, 2_000_000, 258, 8, 262, 1, 273, 8, 278, 1, 279, 9), ErrTooLarge},
		{"tiff of a million tiles", tiffOf(256, 8192, 257, 8192, 258, 8, 259, 8, 262, 1, 322, 8, 323, 8, 324, 8, 325, 9), ErrTooLarge},
		{"tiff of tiles beyond the edge", tiffOf(256, 1, 257, 131072, 258, 8, 259, 8, 262, 1, 322, 1024, 323, 1024, 324, 8, 325, 9), ErrTooLarge},
		{"tiff of tiles that overflow", tiffOf(256, 100, 257, 100, 258, 8, 259, 8, 262, 1, 322, 1<<32-1, 323, 1<<32-1, 324, 8, 325, 9), ErrTooLarge},
		{"tiff of one large gray strip", tiffOf(256, 8000, 257, 8000, 258, 8, 259, 8, 262, 1, 273, 8, 278, 8000, 279, 9), ErrTooLarge},
		{"tiff of one large strip", tiffOf(256, 8000, 257, 8000, 258, 16, 259, 8, 262, 1, 273, 8, 278, 8000, 279, 9), ErrTooLarge},
		{"webp", []byte("RIFF\x16\x00\x00\x00WEBP" + vp8), ErrTooLarge},
		{"webp with a long chunk", []byte("RIFF\xff\xff\xff\x7fWEBPVP8 \xf0\xff\xff\x7f\x10\x00\x00\x9d\x01\x2a\x10\x00\x10\x00"), ErrCorrupt},
		{"webp canvas", []byte("RIFF\x28\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff" + vp8), ErrTooLarge},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(c.data, Options{})
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
			continue
		}
		checkKind(t, c.name, err)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: refused only after %d bytes were allocated", c.name, n)
		}
	}
}

// TestManyScansAllowed: a progressive JPEG within the limits is read, so that the
// bound above is one on work and not on the format.
func TestManyScansAllowed(t *testing.T) {
	m, err := Decode(jpegOf(0xc2, 64, 64, 100), Options{})
	if err != nil || m.W != 64 || m.H != 64 {
		t.Errorf("100 small scans: %v", err)
	}
}

// TestLimits: the fields of Limits are obeyed, in one direction and the other.
func TestLimits(t *testing.T) {
	file := goldenFiles(t)["png-rgb"] // 21 x 17
	for _, c := range []struct {
		limits Limits
		ok     bool
	}{
		{Limits{MaxPixels: 21 * 17}, true},
		{Limits{MaxPixels: 21*17 - 1}, false},
		{Limits{MaxFileBytes: int64(len(file))}, true},
		{Limits{MaxFileBytes: int64(len(file)) - 1}, false},
		{Limits{MaxBytes: 1 << 16}, true},
		{Limits{MaxBytes: 1 << 10}, false},
	} {
		_, err := Decode(file, Options{Limits: c.limits})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%+v: %v, want ok = %v", c.limits, err, c.ok)
		}
	}
	if _, err := Decode(file, Options{Channels: 2}); err == nil {
		t.Error("2 channels: want an error")
	}
}

// TestTruncated cuts every small file at every length: never a panic, and no
// picture from a JPEG or PNG that is not whole, nor from another file that lacks a
// tenth of its bytes.
func TestTruncated(t *testing.T) {
	for name, file := range goldenFiles(t) {
		for n := 0; n < len(file); n += 1 + len(file)/200 {
			m, err := Decode(file[:n], Options{})
			switch {
			case err != nil:
				checkKind(t, name, err)
			case strings.HasPrefix(name, "jpeg-") || strings.HasPrefix(name, "png-") || n < len(file)*9/10 && !keepsPixelsFirst(name):
				t.Errorf("%s cut to %d of %d bytes: decoded to %d x %d", name, n, len(file), m.W, m.H)
			}
		}
	}
}

// TestScanEndsEarly: an end marker does not hide that data is missing.
func TestScanEndsEarly(t *testing.T) {
	for name, file := range goldenFiles(t) {
		if !strings.HasPrefix(name, "jpeg-") || strings.Contains(name, "1x1") || strings.Contains(name, "2x3") {
			continue
		}
		scan := bytes.LastIndex(file, []byte("\xff\xda"))
		cut := append(bytes.Clone(file[:scan+16]), 0xff, 0xd9)
		if _, err := Decode(cut, Options{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s cut inside its last scan: %v, want %v", name, err, ErrCorrupt)
		}
	}
}

// TestPanicBecomesError: a decoder that panics costs one picture, not the run.
func TestPanicBecomesError(t *testing.T) {
	_, err := decodeGuarded(&header{format: GIF}, goldenFiles(t)["gif"], 3, &Image{}) // no canvas
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v, want %v", err, ErrCorrupt)
	}
}

// keepsPixelsFirst says which files hold other things behind their pixels: a TIFF
// has its directory there (and cannot be read without), an animation more frames.
func keepsPixelsFirst(name string) bool {
	return strings.Contains(name, "-animated") || strings.HasPrefix(name, "webp-orientation")
}

// TestDamaged changes bytes of every small file.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, file := range goldenFiles(t) {
		for range 60 {
			data := bytes.Clone(file)
			for range 1 + r.IntN(4) {
				data[r.IntN(len(data))] = uint8(r.Uint32())
			}
			start := time.Now()
			m, err := Decode(data, Options{Limits: Limits{MaxPixels: 1 << 20}})
			if err != nil {
				checkKind(t, name, err)
			} else if len(m.Pix) != m.W*m.H*m.C {
				t.Errorf("%s: %d samples for %d x %d x %d", name, len(m.Pix), m.W, m.H, m.C)
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("%s: a damaged file took %v", name, d)
			}
		}
	}
}

// TestConcurrent decodes all small files on several goroutines: decoders share
// pooled buffers, and a result must not depend on who used them before.
func TestConcurrent(t *testing.T) {
	files := goldenFiles(t)
	want := map[string]uint32{}
	for name, file := range files {
		m, err := Decode(file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want[name] = crc32.ChecksumIEEE(m.Pix)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for name, file := range files { // in another order each time
				m, err := Decode(file, Options{})
				if err != nil || crc32.ChecksumIEEE(m.Pix) != want[name] {
					t.Errorf("%s: another picture than alone (%v)", name, err)
				}
				_, _ = Decode(file[:len(file)*2/3], Options{}) // leaves a decoder half way
			}
		})
	}
	wait.Wait()
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "picture.txt") // the suffix plays no part
	file := goldenFiles(t)["png-rgb"]
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := DecodeFile(path, Options{}); err != nil || m.W != 21 {
		t.Errorf("%v", err)
	}
	if _, err := DecodeFile(path, Options{Limits: Limits{MaxFileBytes: 10}}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file above the limit: %v", err)
	}
	if _, err := DecodeFile(dir, Options{}); !errors.Is(err, ErrFormat) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := DecodeFile(filepath.Join(dir, "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestFolder decodes every file of the folder that BYOL_HOSTILE names, and says
// how many were good and what the worst cost.
func TestFolder(t *testing.T) {
	dir := os.Getenv("BYOL_HOSTILE")
	if dir == "" {
		t.Skip("BYOL_HOSTILE names no folder of hostile pictures")
	}
	files, good, worst, worstName := 0, 0, time.Duration(0), ""
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		start := time.Now()
		_, err = DecodeFile(path, Options{})
		if d := time.Since(start); d > worst {
			worst, worstName = d, path
		}
		files++
		if err == nil {
			good++
		} else {
			checkKind(t, path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d good; the worst took %v: %s", files, good, worst, worstName)
	if worst > 2*time.Second {
		t.Errorf("%s took %v", worstName, worst)
	}
}

// FuzzDecode: any bytes give a picture or an error that wraps one kind.
func FuzzDecode(f *testing.F) {
	for _, file := range goldenFiles(f) {
		f.Add(file)
	}
	f.Add(jpegOf(0xc2, 64, 64, 3))
	f.Add(bmpOf(20, 20, 1, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, Options{Limits: Limits{MaxPixels: 1 << 20, MaxBytes: 64 << 20}})
		if err != nil {
			checkKind(t, "input", err)
		} else if len(m.Pix) != m.W*m.H*3 {
			t.Errorf("%d samples for %d x %d", len(m.Pix), m.W, m.H)
		}
	})
}
