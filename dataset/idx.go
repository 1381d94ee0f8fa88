package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// IDX is the format of MNIST and its family: two zero bytes, the type (8:
// unsigned bytes), the number of dimensions, each dimension as a big-endian
// 32-bit integer, then the samples. Pictures are [N,H,W], labels [N].
const (
	idxImages = 0x0803
	idxLabels = 0x0801
	idxSide   = 1024 // largest side believed
)

// isIDX reports whether a file is IDX, possibly gzipped, by its beginning.
func isIDX(path string, head []byte) bool {
	if len(head) > 2 && head[0] == 0x1f && head[1] == 0x8b {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return false
		}
		head = make([]byte, 4)
		if n, _ := io.ReadFull(z, head); n < 4 {
			return false
		}
	}
	return len(head) >= 4 && head[0] == 0 && head[1] == 0 && head[2] == 8 && (head[3] == 1 || head[3] == 3)
}

// findIDX returns the images file of the split in dir, "" if there is none:
// names with "images" and "idx3", those that begin with t10k or test being the
// test split. A folder with files of one kind only is taken whole.
func findIDX(dir, split string) string {
	paths, _ := filepath.Glob(filepath.Join(globEscape(dir), "*idx3*")) // sorted; the pattern is escaped, so no error
	other := ""
	for _, p := range paths {
		base := strings.ToLower(filepath.Base(p))
		if !strings.Contains(base, "images") {
			continue
		}
		isTest := strings.HasPrefix(base, "t10k") || strings.Contains(base, "test")
		if isTest == (split == Test) {
			return p
		}
		other = p
	}
	return other
}

// idxReader opens an IDX file and reads its dimensions.
func idxReader(path string, magic uint32) (dims []int, r io.Reader, close func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	fail := func(err error) ([]int, io.Reader, func(), error) {
		f.Close()
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	in := bufio.NewReaderSize(f, 1<<18)
	r = in
	if sig, _ := in.Peek(2); len(sig) == 2 && sig[0] == 0x1f && sig[1] == 0x8b {
		if r, err = gzip.NewReader(in); err != nil {
			return fail(err)
		}
	}
	var got uint32
	if err := binary.Read(r, binary.BigEndian, &got); err != nil {
		return fail(fmt.Errorf("no IDX header: %w", err))
	}
	if got != magic {
		err := fmt.Errorf("begins with %#08x, want %#08x", got, magic)
		if magic == idxImages && got == idxLabels {
			err = hint(errors.New("holds labels"), "give the images file (…images-idx3…); its labels are found beside it")
		}
		return fail(err)
	}
	sizes := make([]uint32, magic&0xff)
	if err := binary.Read(r, binary.BigEndian, sizes); err != nil {
		return fail(fmt.Errorf("IDX header cut off: %w", err))
	}
	for _, s := range sizes {
		dims = append(dims, int(s))
	}
	return dims, r, func() { f.Close() }, nil
}

// openIDX reads an images file and the labels beside it, if there are any.
func openIDX(path string, opt Options) (*Set, error) {
	dims, r, done, err := idxReader(path, idxImages)
	if err != nil {
		return nil, err
	}
	defer done()
	n, h, w := dims[0], dims[1], dims[2]
	if n == 0 || h != w || h == 0 || h > idxSide {
		return nil, hint(fmt.Errorf("%s: %d pictures of %d x %d: want square ones of up to %d pixels", path, n, w, h, idxSide),
			"export other shapes as PNG files in a folder")
	}
	total := n
	if opt.Limit > 0 {
		n = min(n, opt.Limit)
	}
	channels := orChannels(opt.Channels, 1)
	rec := &records{size: w, channels: channels, file: []string{path}, first: []int{0}}
	// Grown record by record, so that a lying header takes no memory.
	buf := make([]byte, h*w)
	for k := range n {
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil, hint(fmt.Errorf("%s: picture %d of %d: %w", path, k, total, err), "the download may be cut off")
		}
		if channels == 1 {
			rec.pix = append(rec.pix, buf...)
			continue
		}
		for _, v := range buf {
			rec.pix = append(rec.pix, v, v, v)
		}
	}
	set := &Set{source: rec, native: w, channels: channels}
	labels := idxLabelsFile(path)
	if labels == "" {
		return set, nil
	}
	if err := set.readIDXLabels(labels, total, n); err != nil {
		return nil, err
	}
	return set, nil
}

// idxLabelsFile returns the labels file that belongs to an images file, "" if none.
func idxLabelsFile(images string) string {
	dir, base := filepath.Split(images)
	base = strings.Replace(strings.Replace(base, "images", "labels", 1), "idx3", "idx1", 1)
	for _, name := range []string{base, base + ".gz", strings.TrimSuffix(base, ".gz")} {
		if p := filepath.Join(dir, name); p != images {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				return p
			}
		}
	}
	return ""
}

func (s *Set) readIDXLabels(path string, total, n int) error {
	dims, r, done, err := idxReader(path, idxLabels)
	if err != nil {
		return err
	}
	defer done()
	if dims[0] != total {
		return hint(fmt.Errorf("%s: %d labels for %d pictures", path, dims[0], total), "the two files do not belong together")
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(r, buf); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	last := byte(0)
	s.labels = make([]int32, n)
	for i, b := range buf {
		s.labels[i], last = int32(b), max(last, b)
	}
	s.Classes = numbers(int(last) + 1)
	return nil
}
