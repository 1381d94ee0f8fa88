package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// CIFAR's binary version (A. Krizhevsky, "Learning Multiple Layers of Features
// from Tiny Images", 2009): records of one label byte (CIFAR-100: coarse, then
// fine) and 3,072 bytes, the planes R, G, B of 32 x 32 pixels.
const (
	cifarSide   = 32
	cifarPlane  = cifarSide * cifarSide
	cifarPixels = 3 * cifarPlane
)

var cifar10Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// cifarFiles lists the training and test files of CIFAR's folder dir, in order;
// .bin files of other names count as training files.
func cifarFiles(dir string) (train, test []string) {
	paths, _ := filepath.Glob(filepath.Join(globEscape(dir), "*.bin")) // sorted; the pattern is escaped, so no error
	for _, p := range paths {
		if strings.HasPrefix(filepath.Base(p), "test") {
			test = append(test, p)
		} else {
			train = append(train, p)
		}
	}
	return train, test
}

func globEscape(path string) string {
	if os.PathSeparator == '\\' {
		return path // Windows' Glob has no escapes, and its paths no stars
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// cifarFormat tells the two formats apart by the size of a file.
func cifarFormat(path string, size int64) (labelBytes, classes int, err error) {
	is10, is100 := size > 0 && size%(cifarPixels+1) == 0, size > 0 && size%(cifarPixels+2) == 0
	if is10 && is100 { // a multiple of 3073*3074: both lengths fit, the label bytes must decide
		head, err := readHead(path)
		if err != nil {
			return 0, 0, err
		}
		is10 = head[0] < 10 && head[1] >= 100
	}
	switch {
	case is10:
		return 1, 10, nil
	case is100:
		return 2, 100, nil
	}
	return 0, 0, hint(fmt.Errorf("%s has %d bytes, no multiple of CIFAR-10's 3,073 or CIFAR-100's 3,074 a record", path, size),
		"the download may be cut off; the binary version is needed, not the Python one")
}

// openCIFAR reads the files, the first opt.Limit records of them.
func openCIFAR(paths []string, opt Options) (*Set, error) {
	channels := orChannels(opt.Channels, 3)
	rec := &records{size: cifarSide, channels: channels}
	set := &Set{source: rec, native: cifarSide, channels: channels}
	labelBytes, classes := 0, 0
	for _, path := range paths {
		if opt.Limit > 0 && len(set.labels) >= opt.Limit {
			break
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		lb, nc, err := cifarFormat(path, info.Size())
		if err != nil {
			return nil, err
		}
		if labelBytes != 0 && lb != labelBytes {
			return nil, hint(fmt.Errorf("%s is CIFAR-%d, the files before it are not", path, nc), "give one file, or a folder with one of the two")
		}
		labelBytes, classes = lb, nc
		n := int(info.Size() / int64(lb+cifarPixels))
		if opt.Limit > 0 {
			n = min(n, opt.Limit-len(set.labels))
		}
		rec.file, rec.first = append(rec.file, path), append(rec.first, len(set.labels))
		if set.labels, err = rec.readCIFAR(path, n, lb, nc, set.labels); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	set.Classes = cifarClasses(filepath.Dir(paths[0]), classes)
	return set, nil
}

// readCIFAR appends n records of a file to r and their labels to labels.
func (r *records) readCIFAR(path string, n, labelBytes, classes int, labels []int32) ([]int32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<18)
	buf := make([]byte, labelBytes+cifarPixels)
	for k := range n {
		if _, err := io.ReadFull(in, buf); err != nil {
			return nil, fmt.Errorf("record %d: %w", k, err)
		}
		label := buf[labelBytes-1]
		if int(label) >= classes {
			return nil, hint(fmt.Errorf("record %d has label %d: CIFAR-%d has labels below %d", k, label, classes, classes),
				"the size fits by chance, or the file is damaged")
		}
		labels = append(labels, int32(label))
		red, green, blue := buf[labelBytes:][:cifarPlane], buf[labelBytes+cifarPlane:][:cifarPlane], buf[labelBytes+2*cifarPlane:][:cifarPlane]
		for p := range cifarPlane {
			if r.channels == 1 {
				r.pix = append(r.pix, gray(red[p], green[p], blue[p]))
			} else {
				r.pix = append(r.pix, red[p], green[p], blue[p])
			}
		}
	}
	return labels, nil
}

// cifarClasses reads the names that lie beside the files, or returns those known.
func cifarClasses(dir string, n int) []string {
	name := "batches.meta.txt"
	if n == 100 {
		name = "fine_label_names.txt"
	}
	if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
		if names := strings.Fields(string(text)); len(names) == n {
			return names
		}
	}
	if n == 10 {
		return append([]string(nil), cifar10Classes...)
	}
	return numbers(n)
}

// numbers returns the class names "0" to n-1.
func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

// openCIFARFolder opens the files of a folder that belong to the split; a
// folder with files of one kind only is taken whole.
func openCIFARFolder(dir string, opt Options) (*Set, error) {
	train, test := cifarFiles(dir)
	paths := train
	if (opt.Split == Test && len(test) > 0) || len(train) == 0 {
		paths = test
	}
	if len(paths) == 0 {
		return nil, errors.New("holds no .bin files")
	}
	return openCIFAR(paths, opt)
}
