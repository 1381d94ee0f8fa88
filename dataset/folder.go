package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/byol-go/byol/imaging"
)

// Suffixes that settle what a file is without opening it; files with any other
// suffix, or none, are recognised by content.
var (
	pictureSuffix = suffixes("jpg jpeg jpe jfif png gif bmp dib tif tiff webp heic heif avif jxl jp2")
	otherSuffix   = suffixes("txt csv tsv json jsonl xml yaml yml md html htm pdf zip tar gz tgz xz bz2 zst 7z rar " +
		"mat npy npz pkl pt pth onnx safetensors h5 hdf5 parquet py ipynb sh log db lock ini cfg mp4 mov avi mkv mp3 wav")
)

func suffixes(list string) map[string]bool {
	m := map[string]bool{}
	for s := range strings.FieldsSeq(list) {
		m["."+s] = true
	}
	return m
}

// maxDepth bounds the nesting of folders, against links that run in circles
// under ever new names.
const maxDepth = 32

// openFolder opens whatever a folder holds.
func openFolder(spec string, opt Options) (*Set, error) {
	dir := unwrap(spec)
	if train, test, ok := splitFolders(dir); ok {
		// The classes are the training split's, so that a class without test
		// pictures does not shift the labels.
		list, err := listFolder(train)
		if err != nil {
			return nil, err
		}
		classes := list.classes
		if opt.Split == Test {
			if list, err = listFolder(test); err != nil {
				return nil, err
			}
		}
		return list.open(opt, classes)
	}
	if train, test := cifarFiles(dir); len(train)+len(test) > 0 && allCIFAR(append(train, test...)) {
		return openCIFARFolder(dir, opt)
	}
	if images := findIDX(dir, opt.Split); images != "" {
		return openIDX(images, opt)
	}
	list, err := listFolder(dir)
	if err != nil {
		return nil, err
	}
	return list.open(opt, list.classes)
}

// allCIFAR reports whether some file has a size that fits CIFAR's records; .bin
// files may be anything.
func allCIFAR(paths []string) bool {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			if _, _, err := cifarFormat(p, info.Size()); err == nil {
				return true
			}
		}
	}
	return false
}

// unwrap descends through folders that hold one folder and no visible file, as
// unpacked archives do.
func unwrap(dir string) string {
	for range maxDepth {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return dir
		}
		only := ""
		for _, e := range entries {
			if hidden(e.Name()) {
				continue
			}
			if path := filepath.Join(dir, e.Name()); only == "" && isDir(path) {
				only = path
				continue
			}
			return dir
		}
		if only == "" {
			return dir
		}
		dir = only
	}
	return dir
}

// splitFolders finds train with test or val in dir.
func splitFolders(dir string) (train, test string, ok bool) {
	train = filepath.Join(dir, "train")
	if !isDir(train) {
		return "", "", false
	}
	for _, name := range []string{"test", "val"} {
		if test = filepath.Join(dir, name); isDir(test) {
			return train, test, true
		}
	}
	return "", "", false
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") || name == "__MACOSX" }

// folderList is what a walk through a folder found.
type folderList struct {
	dir     string
	paths   []string // by class, then by path
	class   []string // the class folder of each path, "" for pictures in dir itself
	classes []string // sorted; empty when the folders are no classes
	skipped int      // files that are no pictures
}

// listFolder finds the pictures below dir.
func listFolder(dir string) (*folderList, error) {
	list := &folderList{dir: dir}
	if err := list.walk(dir, "", 0, map[string]bool{}); err != nil {
		return nil, plainPathError(err)
	}
	if len(list.paths) == 0 {
		err := fmt.Errorf("holds no picture (%d other files)", list.skipped)
		if list.skipped == 0 {
			err = errors.New("is an empty folder")
		}
		return nil, hint(err, "give a folder with JPEG, PNG, GIF, BMP, TIFF or WebP files, in sub-folders by class if you know them")
	}
	seen := map[string]bool{}
	for _, c := range list.class {
		seen[c] = true
	}
	if len(seen) >= 2 && !seen[""] {
		for c := range seen {
			list.classes = append(list.classes, c)
		}
		sort.Strings(list.classes)
	}
	return list, nil
}

// walk lists dir and what is below it in the order of names.
func (l *folderList) walk(dir, class string, depth int, within map[string]bool) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if within[real] || depth > maxDepth {
		return nil // a link to a folder that we are in
	}
	within[real] = true
	defer delete(within, real)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				l.skipped++ // a dangling link
				continue
			}
			mode = info.Mode().Type()
		}
		switch {
		case mode.IsDir():
			c := class
			if depth == 0 {
				c = e.Name()
			}
			if err := l.walk(path, c, depth+1, within); err != nil {
				return err
			}
		case mode.IsRegular() && isPicture(path):
			l.paths, l.class = append(l.paths, path), append(l.class, class)
		default:
			l.skipped++
		}
	}
	return nil
}

// isPicture decides by suffix or, where that says nothing, by content. A file
// with a picture's suffix counts whatever it holds, so that it is named as bad.
func isPicture(path string) bool {
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case pictureSuffix[ext]:
		return true
	case otherSuffix[ext]:
		return false
	}
	head, err := readHead(path)
	if err != nil || len(head) == 0 {
		return false
	}
	_, err = imaging.Sniff(head)
	return err == nil
}

// open makes the set, with the labels of the given classes; pictures of a class
// that is not among them have label -1.
func (l *folderList) open(opt Options, classes []string) (*Set, error) {
	index := map[string]int32{}
	for i, c := range classes {
		index[c] = int32(i)
	}
	var labels []int32
	if len(classes) > 0 {
		labels = make([]int32, len(l.class))
		for i, c := range l.class {
			if k, ok := index[c]; ok {
				labels[i] = k
			} else {
				labels[i] = -1
			}
		}
	}
	paths := l.paths
	if opt.Limit > 0 && opt.Limit < len(paths) {
		keep := roundRobin(l.class, opt.Limit)
		paths = pick(paths, keep)
		if labels != nil {
			labels = pick(labels, keep)
		}
	}
	return openFiles(paths, labels, classes, opt)
}

// roundRobin returns, in ascending order, the indices of the n pictures that are
// reached first when one picture of each class is taken in turn. Pictures of a
// class lie together.
func roundRobin(class []string, n int) []int {
	var starts []int
	for i := range class {
		if i == 0 || class[i] != class[i-1] {
			starts = append(starts, i)
		}
	}
	var keep []int
	for turn := 0; len(keep) < n; turn++ {
		taken := len(keep)
		for k, start := range starts {
			end := len(class)
			if k+1 < len(starts) {
				end = starts[k+1]
			}
			if i := start + turn; i < end && len(keep) < n {
				keep = append(keep, i)
			}
		}
		if len(keep) == taken {
			break // n is more than there are
		}
	}
	sort.Ints(keep)
	return keep
}

func pick[T any](list []T, indices []int) []T {
	out := make([]T, len(indices))
	for k, i := range indices {
		out[k] = list[i]
	}
	return out
}
