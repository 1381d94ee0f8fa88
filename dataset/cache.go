package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/byol-go/byol/imaging"
)

// diskCache keeps shrunk pictures as plain samples, one file each, named by a
// hash of all that they depend on. Entries are written under another name and
// renamed, so that readers, in other processes too, see whole files only; a
// checksum finds those that are damaged all the same, and they are made anew.
//
// Its size is bounded. When it is full, the files used longest ago go first, but
// none that was used since this process started: a set larger than the bound
// keeps a stable part in the cache, where replacing would drop every file just
// before its next use.
type diskCache struct {
	dir   string
	limit int64
	start time.Time

	mu    sync.Mutex
	bytes int64 // of all entries; -1 before the folder was first listed
	full  bool  // nothing is left to evict
}

const (
	cacheMagic  = "byolpix1"
	cacheHeader = 8 + 32 + 3*4 + 4 // magic, key, W, H, C, CRC-32C of the samples
	cacheSuffix = ".pix"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cacheKey is a hash of path, time and size of the file, and of what was made of it.
type cacheKey [sha256.Size]byte

func newCacheKey(path string, info fs.FileInfo, bound, channels int) cacheKey {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	h := sha256.New()
	for _, v := range []int64{info.ModTime().UnixNano(), info.Size(), int64(bound), int64(channels)} {
		binary.Write(h, binary.LittleEndian, v)
	}
	h.Write([]byte(path))
	return cacheKey(h.Sum(nil))
}

// newDiskCache returns the cache in dir, "" meaning the user's cache folder; nil
// for "off" or where there is no such folder, since a cache is never a must.
func newDiskCache(dir string, limit int64) *diskCache {
	if dir == "off" {
		return nil
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(user, "byol", "pictures")
	}
	if limit <= 0 {
		limit = DefaultCacheBytes
	}
	return &diskCache{dir: dir, limit: limit, start: time.Now(), bytes: -1}
}

func (c *diskCache) path(key cacheKey) string {
	name := hex.EncodeToString(key[:])
	return filepath.Join(c.dir, name[:2], name[2:]+cacheSuffix)
}

// get returns the picture of key, nil if it is absent or damaged.
func (c *diskCache) get(key cacheKey) *imaging.Image {
	path := c.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	m := parseEntry(key, data)
	if m == nil {
		os.Remove(path)
		return nil
	}
	now := time.Now()
	os.Chtimes(path, now, now) // marks it as used; where that is not allowed, eviction is less clever
	return m
}

func parseEntry(key cacheKey, data []byte) *imaging.Image {
	if len(data) < cacheHeader || string(data[:8]) != cacheMagic || cacheKey(data[8:40]) != key {
		return nil
	}
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(data[at:])) }
	m := &imaging.Image{W: u32(40), H: u32(44), C: u32(48), Pix: data[cacheHeader:]}
	if m.C != 1 && m.C != 3 || m.W < 1 || m.H < 1 || m.W > 1<<16 || m.H > 1<<16 || len(m.Pix) != m.W*m.H*m.C {
		return nil
	}
	if crc32.Checksum(m.Pix, castagnoli) != uint32(u32(52)) {
		return nil
	}
	return m
}

// put stores m. Failures are silent: the picture will be decoded again.
func (c *diskCache) put(key cacheKey, m *imaging.Image) {
	data := make([]byte, 0, cacheHeader+len(m.Pix))
	data = append(append(data, cacheMagic...), key[:]...)
	for _, v := range []uint32{uint32(m.W), uint32(m.H), uint32(m.C), crc32.Checksum(m.Pix, castagnoli)} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	data = append(data, m.Pix...)
	if !c.reserve(int64(len(data))) {
		return
	}
	if err := writeAtomic(c.path(key), data); err != nil {
		c.mu.Lock()
		c.bytes -= int64(len(data))
		c.mu.Unlock()
	}
}

func writeAtomic(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "tmp-*"+cacheSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// reserve makes room for n more bytes and reports whether there is any.
func (c *diskCache) reserve(n int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full {
		return false
	}
	if c.bytes < 0 || c.bytes+n > c.limit {
		c.evict(c.limit - n)
	}
	if c.bytes+n > c.limit {
		c.full = true
		return false
	}
	c.bytes += n
	return true
}

// evict lists the folder and, if it holds more than keep bytes, removes entries
// unused since this process started, oldest first, down to nine tenths of keep.
func (c *diskCache) evict(keep int64) {
	type entry struct {
		path string
		size int64
		used time.Time
	}
	var entries []entry
	c.bytes = 0
	filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, cacheSuffix) {
			return nil // unreadable parts are not ours to judge
		}
		if info, err := d.Info(); err == nil {
			entries = append(entries, entry{path, info.Size(), info.ModTime()})
			c.bytes += info.Size()
		}
		return nil
	})
	if c.bytes <= keep {
		return
	}
	sort.Slice(entries, func(a, b int) bool { return entries[a].used.Before(entries[b].used) })
	for _, e := range entries {
		if c.bytes <= keep*9/10 || !e.used.Before(c.start) {
			return
		}
		if os.Remove(e.path) == nil {
			c.bytes -= e.size
		}
	}
}
