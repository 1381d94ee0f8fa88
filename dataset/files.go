package dataset

import (
	"fmt"
	"os"
	"sort"
	"sync/atomic"

	"github.com/byol-go/byol/imaging"
)

// shrinkAbove is the shorter side that is never shrunk, whatever the size of use.
const shrinkAbove = 256

// fileSource is a list of picture files, with two caches: decoded pictures in
// memory as far as a bound allows, and shrunk copies of large ones on disk.
type fileSource struct {
	paths    []string
	channels int
	bound    int // the shorter side to which larger pictures are shrunk; 0: never
	disk     *diskCache

	held  []atomic.Pointer[imaging.Image]
	small []atomic.Bool // known not to be in the disk cache's range
	room  atomic.Int64  // bytes that held may still take
}

// openFiles makes a set of picture files.
func openFiles(paths []string, labels []int32, classes []string, opt Options) (*Set, error) {
	channels := orChannels(opt.Channels, 3)
	src := &fileSource{paths: paths, channels: channels,
		held: make([]atomic.Pointer[imaging.Image], len(paths)), small: make([]atomic.Bool, len(paths))}
	memory := opt.MemoryBytes
	if memory == 0 {
		memory = DefaultMemoryBytes
	}
	src.room.Store(memory)
	src.disk = newDiskCache(opt.CacheDir, opt.CacheBytes)
	return &Set{Classes: classes, labels: labels, source: src, channels: channels, native: src.nativeSize()}, nil
}

func (s *fileSource) len() int          { return len(s.paths) }
func (s *fileSource) name(i int) string { return s.paths[i] }

func (s *fileSource) setSize(size int) { s.bound = max(2*size, shrinkAbove) }

// nativeSize is the median of the shorter sides that the headers of up to 32
// files tell, spread evenly over the list.
func (s *fileSource) nativeSize() int {
	const samples = 32
	var sides []int
	n := min(samples, len(s.paths))
	for k := range n {
		info, err := fileInfo(s.paths[k*len(s.paths)/n])
		if err == nil {
			sides = append(sides, min(info.W, info.H))
		}
	}
	if len(sides) == 0 {
		return 0
	}
	sort.Ints(sides)
	return sides[len(sides)/2]
}

// fileInfo reads a picture file's header.
func fileInfo(path string) (imaging.Info, error) {
	data, err := imaging.ReadFile(path, imaging.Limits{})
	if err != nil {
		return imaging.Info{}, err
	}
	return imaging.DecodeConfig(data, imaging.Options{})
}

// load decodes picture i, or takes it from a cache.
func (s *fileSource) load(i int, img *imaging.Image) error {
	if m := s.held[i].Load(); m != nil {
		*img = *m
		return nil
	}
	m, err := s.decode(i)
	if err != nil {
		return err
	}
	s.hold(i, m)
	*img = *m
	return nil
}

func (s *fileSource) decode(i int) (*imaging.Image, error) {
	path := s.paths[i]
	var key cacheKey
	cached := s.disk != nil && s.bound > 0 && !s.small[i].Load()
	if cached {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return nil, fmt.Errorf("is a folder")
		}
		key = newCacheKey(path, info, s.bound, s.channels)
		if m := s.disk.get(key); m != nil {
			return m, nil
		}
	}
	data, err := imaging.ReadFile(path, imaging.Limits{})
	if err != nil {
		return nil, err
	}
	m, err := imaging.Decode(data, imaging.Options{Channels: s.channels})
	if err != nil {
		return nil, err
	}
	if s.bound == 0 || min(m.W, m.H) <= s.bound {
		s.small[i].Store(true)
		return m, nil
	}
	if m, err = s.shrink(m); err != nil {
		return nil, err
	}
	if cached {
		s.disk.put(key, m)
	}
	return m, nil
}

// shrink scales m with antialiasing so that its shorter side is the bound.
func (s *fileSource) shrink(m *imaging.Image) (*imaging.Image, error) {
	w, h := s.bound, s.bound
	if m.W > m.H {
		w = scaled(m.W, s.bound, m.H)
	} else {
		h = scaled(m.H, s.bound, m.W)
	}
	return imaging.Resize(m, w, h, imaging.Bicubic)
}

// scaled returns n·num/den, rounded to the nearest.
func scaled(n, num, den int) int { return max(1, (2*n*num+den)/(2*den)) }

// hold keeps m in memory if there is room. What is kept depends on who came
// first, what is returned does not.
func (s *fileSource) hold(i int, m *imaging.Image) {
	n := int64(len(m.Pix))
	if s.room.Add(-n) < 0 {
		s.room.Add(n)
		return
	}
	if cap(m.Pix) > len(m.Pix)+len(m.Pix)/4 { // the decoder's buffer was larger
		m.Pix = append([]uint8(nil), m.Pix...)
	}
	if !s.held[i].CompareAndSwap(nil, m) {
		s.room.Add(n)
	}
}
