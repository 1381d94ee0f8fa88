package dataset

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/byol-go/byol/imaging"
)

// entries lists the cache's files and their sizes.
func entries(t *testing.T, dir string) (paths []string, bytes int64) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, _ := d.Info()
			paths, bytes = append(paths, path), bytes+info.Size()
		}
		return nil
	})
	return paths, bytes
}

// Photographs are decoded once: later runs take the shrunk copy, make a damaged
// one anew, and notice a changed file.
func TestLargePicturesAreShrunkOnce(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	dir := tree(t, map[string][]byte{"a.png": bigPNG(t, 4000, 3000, 50), "b.png": bigPNG(t, 300, 256, 20)})
	load := func() *imaging.Image {
		s := opened(t, dir, Options{Size: 64, CacheDir: cache})
		var a, b imaging.Image
		if err := s.Load(0, &a); err != nil {
			t.Fatal(err)
		}
		if err := s.Load(1, &b); err != nil {
			t.Fatal(err)
		}
		equal(t, "sizes", []int{a.W, a.H, b.W, b.H}, []int{341, 256, 300, 256})
		return &a
	}
	start := time.Now()
	first := load()
	cold := time.Since(start)
	paths, _ := entries(t, cache)
	if len(paths) != 1 {
		t.Fatalf("cache holds %v", paths)
	}
	start = time.Now()
	if !slices.Equal(load().Pix, first.Pix) {
		t.Error("the cached copy differs")
	}
	warm := time.Since(start)
	t.Logf("12 megapixels: %v first, %v from the cache", cold, warm)
	if warm > cold/3 {
		t.Errorf("12 megapixels take %v from the cache, %v before", warm, cold)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"cut off":    func(d []byte) []byte { return d[:len(d)/2] },
		"bit turned": func(d []byte) []byte { d[len(d)-5] ^= 4; return d },
		"empty":      func(d []byte) []byte { return nil },
		"huge":       func(d []byte) []byte { copy(d[40:], "\xff\xff\xff\xff\xff\xff\xff\xff"); return d },
	} {
		whole, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(paths[0], spoil(bytes.Clone(whole)), 0o644)
		if !slices.Equal(load().Pix, first.Pix) {
			t.Errorf("%s: the damaged copy was used", name)
		}
		if again, _ := os.ReadFile(paths[0]); !bytes.Equal(again, whole) {
			t.Errorf("%s: the damaged copy was not made anew", name)
		}
	}
	file := filepath.Join(dir, "a.png")
	if err := os.WriteFile(file, bigPNG(t, 4000, 3000, 500), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(file, time.Now(), time.Now().Add(time.Minute))
	if slices.Equal(load().Pix, first.Pix) {
		t.Error("the file changed, its copy did not")
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	m := imaging.New(100, 100, 1) // an entry takes some 10 kB
	key := func(k byte) cacheKey { return cacheKey{k} }
	c := newDiskCache(dir, 50_000)
	for k := range byte(20) {
		c.put(key(k), m)
	}
	paths, size := entries(t, dir)
	if size > 50_000 || len(paths) != 4 {
		t.Errorf("%d entries of %d bytes", len(paths), size)
	}
	if c.get(key(0)) == nil || c.get(key(19)) != nil {
		t.Error("what this process stored must stay, and what came later not replace it")
	}
	// A later process may evict what was used longest ago.
	old := time.Now().Add(-time.Hour)
	for k := range byte(4) {
		os.Chtimes(c.path(key(k)), old, old.Add(time.Duration(k)*time.Minute))
	}
	c = newDiskCache(dir, 50_000)
	if c.get(key(0)) == nil { // used now
		t.Fatal("entry 0 is gone")
	}
	c.put(key(50), m)
	if c.get(key(0)) == nil || c.get(key(1)) != nil || c.get(key(50)) == nil {
		t.Errorf("the entry used longest ago should have gone: %v %v %v", c.get(key(0)) != nil, c.get(key(1)) != nil, c.get(key(50)) != nil)
	}
	if _, size := entries(t, dir); size > 50_000 {
		t.Errorf("%d bytes", size)
	}
}

// Where the cache cannot be written everything works without.
func TestCacheNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	dir := tree(t, map[string][]byte{"a.png": bigPNG(t, 600, 600, 50)})
	for _, cache := range []string{"off", filepath.Join(file, "below")} {
		s := opened(t, dir, Options{Size: 100, CacheDir: cache})
		var img imaging.Image
		if err := s.Load(0, &img); err != nil || img.W != 256 {
			t.Errorf("%s: %v, %d wide", cache, err, img.W)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := opened(t, garden(t, 10), Options{MemoryBytes: 3 * 12 * 12 * 3})
	src := s.source.(*fileSource)
	for range 2 {
		shades(t, s)
	}
	held := 0
	for i := range src.held {
		if src.held[i].Load() != nil {
			held++
		}
	}
	equal(t, "pictures held", held, 3)
}
