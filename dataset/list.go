package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// openList opens the pictures that a CSV or text file names.
func openList(file string, opt Options) (*Set, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, plainPathError(err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	if bom, _ := in.Peek(3); string(bom) == "\xef\xbb\xbf" {
		in.Discard(3)
	}
	var paths, names []string // names: of the classes, one per path or none at all
	switch ext := strings.ToLower(filepath.Ext(file)); {
	case ext == ".csv":
		paths, names, err = readCSV(in, ',')
	case ext == ".tsv":
		paths, names, err = readCSV(in, '\t')
	default:
		paths, err = readLines(in)
	}
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, hint(errors.New("lists no path"), "write one path a line, or a CSV with the header path,label")
	}
	exists := false
	for i, p := range paths {
		if !filepath.IsAbs(p) {
			paths[i] = filepath.Join(filepath.Dir(file), filepath.FromSlash(p))
		}
		if !exists {
			info, err := os.Stat(paths[i])
			exists = err == nil && info.Mode().IsRegular()
		}
	}
	if !exists {
		return nil, hint(fmt.Errorf("lists %d paths, and none of them is a file; the first is %s", len(paths), brief(paths[0])),
			"paths are relative to the folder of the list")
	}
	if opt.Limit > 0 && opt.Limit < len(paths) {
		paths = paths[:opt.Limit]
	}
	var classes []string
	var labels []int32
	if names != nil {
		classes, labels = classify(names)
		labels = labels[:len(paths)] // the classes stay those of the whole list
	}
	return openFiles(paths, labels, classes, opt)
}

// brief cuts what may be the whole of a file that is no list.
func brief(path string) string {
	const most = 200
	runes := []rune(path)
	if len(runes) <= most {
		return path
	}
	return string(runes[:most]) + " …"
}

// readLines returns the lines that are neither empty nor comments.
func readLines(r io.Reader) ([]string, error) {
	var paths []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			paths = append(paths, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, hint(err, "write one path a line")
	}
	return paths, nil
}

// readCSV reads path and label from the columns that a header names so, or
// without a header from the first and second column.
func readCSV(r io.Reader, comma rune) (paths, names []string, err error) {
	in := csv.NewReader(r)
	in.Comma, in.FieldsPerRecord, in.ReuseRecord, in.TrimLeadingSpace = comma, -1, true, true
	pathCol, labelCol := 0, 1
	labelled := false
	for first := true; ; first = false {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, hint(err, "a CSV has one picture a line: path or path,label")
		}
		if first {
			if p, l := header(row); p >= 0 {
				pathCol, labelCol = p, l
				continue
			}
		}
		if pathCol >= len(row) || strings.TrimSpace(row[pathCol]) == "" {
			continue
		}
		name := ""
		if labelCol >= 0 && labelCol < len(row) {
			name = strings.TrimSpace(row[labelCol])
		}
		labelled = labelled || name != ""
		paths, names = append(paths, strings.TrimSpace(row[pathCol])), append(names, name)
	}
	if !labelled {
		names = nil
	}
	return paths, names, nil
}

// header finds the columns of path and label, -1 where there is none.
func header(row []string) (path, label int) {
	path, label = -1, -1
	for i, name := range row {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "path", "file", "filename", "file_name", "image", "filepath":
			if path < 0 {
				path = i
			}
		case "label", "class", "target", "category":
			if label < 0 {
				label = i
			}
		}
	}
	return path, label
}

// classify numbers the names, in numerical order if all are integers and else in
// alphabetical order; an empty name has label -1.
func classify(names []string) (classes []string, labels []int32) {
	index := map[string]int32{"": -1}
	numeric := true
	for _, n := range names {
		if _, ok := index[n]; !ok {
			index[n] = 0
			classes = append(classes, n)
			_, err := strconv.Atoi(n)
			numeric = numeric && err == nil
		}
	}
	sort.Strings(classes)
	if numeric {
		sort.SliceStable(classes, func(a, b int) bool {
			x, _ := strconv.Atoi(classes[a])
			y, _ := strconv.Atoi(classes[b])
			return x < y
		})
	}
	for i, c := range classes {
		index[c] = int32(i)
	}
	labels = make([]int32, len(names))
	for i, n := range names {
		labels[i] = index[n]
	}
	return classes, labels
}
