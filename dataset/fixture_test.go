package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/byol-go/byol/imaging"
)

// pngBytes returns a PNG of one colour, which tells pictures apart.
func pngBytes(t testing.TB, w, h int, shade byte) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = shade
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// tree writes files below a new folder: name to content.
func tree(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// flowers is a folder with three classes of 4, 2 and 1 pictures of 10 x 8 pixels,
// whose shades are 10·class + number.
func flowers(t testing.TB, prefix string) map[string][]byte {
	files := map[string][]byte{}
	for c, name := range []string{"aster", "begonia", "crocus"} {
		for k := range 4 >> c {
			files[prefix+name+"/"+string(rune('0'+k))+".png"] = pngBytes(t, 10, 8, byte(10*c+k))
		}
	}
	return files
}

// opened opens spec without caches on disk.
func opened(t testing.TB, spec string, opt Options) *Set {
	t.Helper()
	if opt.CacheDir == "" {
		opt.CacheDir = "off"
	}
	s, err := Open(spec, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pixel returns the first sample of picture i, which must be readable.
func pixelOf(t testing.TB, s *Set, i int) byte {
	t.Helper()
	var img imaging.Image
	if err := s.Load(i, &img); err != nil {
		t.Fatal(err)
	}
	if img.C != s.Channels() || len(img.Pix) != img.W*img.H*img.C {
		t.Fatalf("picture %d: %d x %d x %d with %d samples, set of %d channels", i, img.W, img.H, img.C, len(img.Pix), s.Channels())
	}
	return img.Pix[0]
}

// shades returns the first sample of every picture.
func shades(t testing.TB, s *Set) (out []byte) {
	for i := range s.Len() {
		out = append(out, pixelOf(t, s, i))
	}
	return out
}

func labelsOf(s *Set) (out []int) {
	for i := range s.Len() {
		out = append(out, s.Label(i))
	}
	return out
}

// cifar returns n records whose samples are base + record in red, 100 in green,
// 200 in blue, with labels (record % classes).
func cifar(n, labelBytes, classes int, base byte) []byte {
	var out []byte
	for k := range n {
		if labelBytes == 2 {
			out = append(out, byte(k%20)) // the coarse label, not used
		}
		out = append(out, byte(k%classes))
		for _, v := range []byte{base + byte(k), 100, 200} {
			out = append(out, bytes.Repeat([]byte{v}, cifarPlane)...)
		}
	}
	return out
}

// idx returns an IDX file of n squares of the given side, or of n labels (side 0).
func idx(n, side int) []byte {
	if side == 0 {
		out := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 1}, uint32(n))
		for k := range n {
			out = append(out, byte(k%10))
		}
		return out
	}
	out := []byte{0, 0, 8, 3}
	for _, d := range []int{n, side, side} {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	for k := range n {
		out = append(out, bytes.Repeat([]byte{byte(k)}, side*side)...)
	}
	return out
}

func zipped(data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(data)
	z.Close()
	return buf.Bytes()
}

// bigPNG returns a PNG of a checkerboard of tiles.
func bigPNG(t testing.TB, w, h, tile int) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{Y: byte(40 + 150*((x/tile+y/tile)%2))})
		}
	}
	var buf bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// failsWith checks that Open fails with an error that holds the words, and a hint.
func failsWith(t *testing.T, spec string, opt Options, words ...string) {
	t.Helper()
	_, err := Open(spec, opt)
	if err == nil {
		t.Errorf("%s: opened", spec)
		return
	}
	for _, w := range append(words, spec) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q does not say %q", spec, err, w)
		}
	}
	if hintOf(err) == "" {
		t.Errorf("%s: error %q has no hint", spec, err)
	}
}

// hintOf returns the advice that err or an error that it wraps carries, "" if none.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
