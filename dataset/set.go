// Package dataset finds pictures and brings them, in a fixed order, to those who
// learn from them or judge by them.
//
// [Open] recognises what a user points at: a folder of pictures with or without
// classes, a list of paths, CIFAR's binary files, the MNIST family's IDX files,
// or the built-in glyphs. The [Set] it returns serves single pictures to any
// number of goroutines. [NewLoader] makes training batches of two augmented
// views, [NewEvalLoader] batches of prepared pictures in order.
//
// Nothing here depends on clocks, on the number of workers or on who came first:
// the order of an epoch is a function of seed and epoch ([Order]), and the place
// of a batch in it is a function of the step.
package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/byol-go/byol/imaging"
)

// The splits that Options.Split takes.
const (
	Train = "train"
	Test  = "test"
)

// Options say how to open a set. The zero value opens the training split at its
// own channels with default caches.
type Options struct {
	// Split is Train (also "") or Test. It selects where the source has splits
	// (see HasSplits); other sources are taken whole.
	Split string
	// Limit keeps that many pictures, 0 all: the first records of a file, or of a
	// folder with classes one picture of each class in turn.
	Limit int
	// Channels is 1 (gray), 3 (RGB) or 0: what the source has, 3 for folders.
	Channels int
	// Size is the side in pixels at which the pictures will be used. It is the
	// side at which glyphs are drawn (0: 32), and pictures much larger are shrunk
	// once (see SetSize); 0 means not known yet.
	Size int
	// CacheDir is where shrunk pictures are kept: "" the user's cache folder,
	// "off" nowhere.
	CacheDir string
	// CacheBytes bounds that folder; 0 means DefaultCacheBytes.
	CacheBytes int64
	// MemoryBytes bounds the decoded pictures of files held in memory; 0 means
	// DefaultMemoryBytes, negative none.
	MemoryBytes int64
	// MaxBad is the share of pictures that may be unreadable before a training
	// loader stops, 0 to 1; negative means DefaultMaxBad.
	MaxBad float64
}

// Defaults for the fields of Options.
const (
	DefaultCacheBytes  = 8 << 30
	DefaultMemoryBytes = 512 << 20
	DefaultMaxBad      = 0.1
)

// Set is an ordered collection of pictures, some of which may turn out to be
// unreadable. Its methods may be called by several goroutines at once.
type Set struct {
	// Spec is what Open was given.
	Spec string
	// Classes names the classes in the order of the labels; empty without labels.
	Classes []string
	// MirrorChangesClass says that a mirrored picture may belong to another class
	// or to none, as with letters: augmentation should not flip.
	MirrorChangesClass bool

	source   source
	labels   []int32 // one per picture, -1 unknown; nil when none is known
	native   int     // see NativeSize
	channels int
	maxBad   float64
	bad      badList
}

// source is a way of storing pictures.
type source interface {
	len() int
	name(i int) string
	// load makes img show picture i in the set's channels. It may point
	// img.Pix to memory that it shares with others.
	load(i int, img *imaging.Image) error
}

// sizer is a source that profits from knowing the size of use.
type sizer interface{ setSize(size int) }

// Open opens the pictures that spec names:
//
//   - a folder: its sub-folders are the classes, if there are at least two with
//     pictures and no picture lies beside them; nested deeper at will. With train
//     and test (or val) inside, those are the splits. A folder that holds only one
//     folder stands for it. Pictures are found by suffix, files with unknown
//     suffix by content.
//   - a CSV or text file: one path a line, relative to the file; a CSV may have a
//     header with path[,label].
//   - CIFAR-10 or CIFAR-100 in binary form: a .bin file, recognised by its size,
//     or their folder.
//   - IDX (MNIST and its family), gzipped or not: the images file, its labels
//     found beside it by name, or the folder.
//   - builtin:glyphs.
//
// Errors name the file and, through Hint, what to do about it.
func Open(spec string, opt Options) (*Set, error) {
	switch opt.Split {
	case "":
		opt.Split = Train
	case Train, Test:
	default:
		return nil, fmt.Errorf("dataset: split %q: want %s or %s", opt.Split, Train, Test)
	}
	if opt.Channels != 0 && opt.Channels != 1 && opt.Channels != 3 {
		return nil, fmt.Errorf("dataset: %d channels: want 1 (gray) or 3 (RGB)", opt.Channels)
	}
	if opt.Limit < 0 || opt.Size < 0 {
		return nil, fmt.Errorf("dataset: limit %d, size %d: neither may be negative", opt.Limit, opt.Size)
	}
	if opt.MaxBad < 0 {
		opt.MaxBad = DefaultMaxBad
	}
	set, err := open(spec, opt)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", spec, err)
	}
	set.Spec, set.maxBad = spec, opt.MaxBad
	if opt.Size > 0 {
		set.SetSize(opt.Size)
	}
	return set, nil
}

func open(spec string, opt Options) (*Set, error) {
	if strings.HasPrefix(spec, builtinPrefix) {
		return openBuiltin(spec, opt)
	}
	if spec == "" {
		return nil, hint(errors.New("no data named"), "give a folder of pictures, or builtin:glyphs to try things")
	}
	info, err := os.Stat(spec)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, hint(errors.New("does not exist"), "check the path; builtin:glyphs needs none")
	case err != nil:
		return nil, plainPathError(err)
	case info.IsDir():
		return openFolder(spec, opt)
	case !info.Mode().IsRegular():
		return nil, hint(errors.New("neither a folder nor a regular file"), "give a folder of pictures")
	}
	return openFile(spec, info.Size(), opt)
}

// openFile recognises a single file by content, name and size.
func openFile(path string, size int64, opt Options) (*Set, error) {
	head, err := readHead(path)
	if err != nil {
		return nil, err
	}
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case size == 0:
		return nil, hint(errors.New("is empty"), "give a folder of pictures, a list of paths, CIFAR's .bin or an IDX file")
	case isIDX(path, head):
		return openIDX(path, opt)
	case ext == ".bin":
		return openCIFAR([]string{path}, opt)
	}
	if _, err := imaging.Sniff(head); err == nil || errors.Is(err, imaging.ErrUnsupported) {
		return nil, hint(errors.New("is a file where a folder or a list should be"),
			"give the folder that holds it, or a text file with one path a line")
	}
	if ext == ".csv" || ext == ".tsv" || isText(head) {
		return openList(path, opt)
	}
	return nil, hint(errors.New("is not a list of paths, a CIFAR .bin or an IDX file"), "give a folder of pictures")
}

// HasSplits reports whether spec itself holds a training and a test split, so
// that opening it with Split Test gives other pictures than with Train.
func HasSplits(spec string) bool {
	if strings.HasPrefix(spec, builtinPrefix) {
		return true
	}
	dir := unwrap(spec)
	if _, _, ok := splitFolders(dir); ok {
		return true
	}
	train, test := cifarFiles(dir)
	if len(train) > 0 && len(test) > 0 {
		return true
	}
	return findIDX(dir, Train) != "" && findIDX(dir, Test) != "" && findIDX(dir, Train) != findIDX(dir, Test)
}

// Len returns the number of pictures, unreadable ones included.
func (s *Set) Len() int { return s.source.len() }

// Name returns picture i's path, or file#record for files of many pictures.
func (s *Set) Name(i int) string { return s.source.name(i) }

// Label returns the index in Classes of picture i's class, -1 when unknown.
func (s *Set) Label(i int) int {
	if s.labels == nil {
		return -1
	}
	return int(s.labels[i])
}

// HasLabels reports whether the class of any picture is known.
func (s *Set) HasLabels() bool { return len(s.Classes) > 0 }

// Channels returns the channels of the pictures that Load gives: 1 or 3.
func (s *Set) Channels() int { return s.channels }

// NativeSize returns the side in pixels that the pictures have: the shorter
// side, of a folder the median of the shorter sides of up to 32 of its pictures,
// spread evenly; 0 when none of them can be read.
func (s *Set) NativeSize() int { return s.native }

// DefaultSize returns the native size up to 64 pixels, else 128: the size to
// train at when the user names none.
func (s *Set) DefaultSize() int {
	if s.native > 0 && s.native <= 64 {
		return s.native
	}
	return 128
}

// SetSize tells at which size the pictures will be used, so that much larger
// ones (shorter side above twice that, and above 256) can be decoded once, shrunk
// with antialiasing to that bound and kept. It must precede the first Load.
func (s *Set) SetSize(size int) {
	if z, ok := s.source.(sizer); ok && size > 0 {
		z.setSize(size)
	}
}

// Load makes img show picture i. The samples belong to the set and may be shared
// with other callers: they must not be written to, and stay valid for as long as
// they are referred to. An error is recorded (see Bad) and returned again by later
// calls without another attempt.
func (s *Set) Load(i int, img *imaging.Image) error {
	if err := s.bad.err(i); err != nil {
		return err
	}
	if err := s.source.load(i, img); err != nil {
		return s.bad.add(i, s.source.name(i), err)
	}
	return nil
}

// Subset returns the pictures of the given indices, in that order, as a set that
// shares storage with s.
func (s *Set) Subset(indices []int) *Set {
	sub := &Set{Spec: s.Spec, Classes: s.Classes, MirrorChangesClass: s.MirrorChangesClass,
		source: &subset{s.source, indices}, native: s.native, channels: s.channels, maxBad: s.maxBad}
	if s.labels != nil {
		sub.labels = make([]int32, len(indices))
		for k, i := range indices {
			sub.labels[k] = s.labels[i]
		}
	}
	return sub
}

type subset struct {
	source
	indices []int
}

func (s *subset) len() int                             { return len(s.indices) }
func (s *subset) name(i int) string                    { return s.source.name(s.indices[i]) }
func (s *subset) load(i int, img *imaging.Image) error { return s.source.load(s.indices[i], img) }
func (s *subset) setSize(size int) {
	if z, ok := s.source.(sizer); ok {
		z.setSize(size)
	}
}

// records is a source of equal pictures held in memory.
type records struct {
	size, channels int
	pix            []byte // [n,size,size,channels]
	file           []string
	first          []int // index of each file's first record
}

func (r *records) len() int { return len(r.pix) / (r.size * r.size * r.channels) }

func (r *records) name(i int) string {
	k := len(r.first) - 1
	for r.first[k] > i {
		k--
	}
	return fmt.Sprintf("%s#%d", r.file[k], i-r.first[k])
}

func (r *records) load(i int, img *imaging.Image) error {
	n := r.size * r.size * r.channels
	*img = imaging.Image{W: r.size, H: r.size, C: r.channels, Pix: r.pix[i*n : (i+1)*n : (i+1)*n]}
	return nil
}

// orChannels returns want, or native where want is 0.
func orChannels(want, native int) int {
	if want == 0 {
		return native
	}
	return want
}

// gray is Pillow's convert("L"), ITU-R 601 in 16-bit fixed point.
func gray(r, g, b byte) byte {
	return byte((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 0x8000) >> 16)
}

// readHead returns up to the first 512 bytes of a file.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := readFull(f, head)
	return head[:n], err
}

// isText reports whether a file's beginning looks like text.
func isText(head []byte) bool {
	for _, b := range head {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' {
			return false
		}
	}
	return true
}

// badList collects the unreadable pictures of a set.
type badList struct {
	mu     sync.RWMutex
	errs   map[int]error
	order  []BadPicture
	notify func(BadPicture)
}
