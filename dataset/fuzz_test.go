package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/byol-go/byol/imaging"
)

// Whatever a file holds, opening it and reading from it returns or fails, in
// memory that its size bounds.
func FuzzOpen(f *testing.F) {
	f.Add(uint8(0), []byte("path,label\na.png,1\n\"b.png\",2\n"))
	f.Add(uint8(1), []byte("a.png\n# comment\n../b.png\n"))
	f.Add(uint8(2), cifar(1, 1, 10, 3))
	f.Add(uint8(3), idx(2, 4))
	f.Add(uint8(3), zipped(idx(2, 4)))
	f.Add(uint8(3), []byte{0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 4, 0, 0, 0, 4, 0})
	f.Add(uint8(4), []byte("a.png\tone\n"))
	names := []string{"x.csv", "x.txt", "x.bin", "x-images-idx3-ubyte", "x.tsv"}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), pngBytes(f, 4, 4, 1), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name uint8, data []byte) {
		path := filepath.Join(dir, names[int(name)%len(names)])
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{CacheDir: "off"})
		if err != nil {
			return
		}
		var img imaging.Image
		for i := range min(s.Len(), 10) {
			if l := s.Label(i); l < -1 || l >= 0 && l >= len(s.Classes) {
				t.Errorf("label %d of %d classes", l, len(s.Classes))
			}
			if s.Load(i, &img) == nil && len(img.Pix) != img.W*img.H*s.Channels() {
				t.Errorf("picture %d: %d samples", i, len(img.Pix))
			}
		}
	})
}
