package dataset

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/byol-go/byol/imaging"
)

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestFolderOfClasses(t *testing.T) {
	files := flowers(t, "")
	files["readme.txt"] = []byte("not a picture")
	files[".hidden/x.png"] = pngBytes(t, 4, 4, 99)
	files["aster/deeper/4.PNG"] = pngBytes(t, 10, 8, 9)
	files["begonia/no-suffix"] = pngBytes(t, 10, 8, 19)
	s := opened(t, tree(t, files), Options{})
	equal(t, "classes", s.Classes, []string{"aster", "begonia", "crocus"})
	equal(t, "labels", labelsOf(s), []int{0, 0, 0, 0, 0, 1, 1, 1, 2})
	equal(t, "shades", shades(t, s), []byte{0, 1, 2, 3, 9, 10, 11, 19, 20})
	equal(t, "native size", s.NativeSize(), 8)
	equal(t, "default size", s.DefaultSize(), 8)
	if !s.HasLabels() || !strings.HasSuffix(s.Name(8), filepath.Join("crocus", "0.png")) {
		t.Errorf("labels %v, name %s", s.HasLabels(), s.Name(8))
	}
	equal(t, "gray", opened(t, s.Spec, Options{Channels: 1}).Channels(), 1)
}

func TestFolderLimitTakesClassesInTurn(t *testing.T) {
	dir := tree(t, flowers(t, ""))
	for limit, want := range map[int][]byte{1: {0}, 3: {0, 10, 20}, 4: {0, 1, 10, 20}, 6: {0, 1, 2, 10, 11, 20}, 100: {0, 1, 2, 3, 10, 11, 20}} {
		s := opened(t, dir, Options{Limit: limit})
		equal(t, "shades", shades(t, s), want)
		equal(t, "classes", len(s.Classes), 3)
	}
}

func TestFolderSplits(t *testing.T) {
	files := flowers(t, "train/")
	files["val/begonia/7.png"] = pngBytes(t, 10, 8, 77)
	files["val/unknown/8.png"] = pngBytes(t, 10, 8, 88)
	dir := tree(t, map[string][]byte{})
	// An archive's own folder around everything is passed through.
	wrapped := tree(t, func() map[string][]byte {
		m := map[string][]byte{}
		for k, v := range files {
			m["archive-1.0/"+k] = v
		}
		return m
	}())
	for _, spec := range []string{tree(t, files), wrapped} {
		equal(t, "has splits", HasSplits(spec), true)
		equal(t, "train", opened(t, spec, Options{}).Len(), 7)
		test := opened(t, spec, Options{Split: Test})
		equal(t, "test shades", shades(t, test), []byte{77, 88})
		equal(t, "test labels count by the training classes", labelsOf(test), []int{1, -1})
		equal(t, "test classes", len(test.Classes), 3)
	}
	equal(t, "no splits", HasSplits(dir), false)
}

func TestUnlabelled(t *testing.T) {
	flat := map[string][]byte{"b.png": pngBytes(t, 9, 9, 2), "a.png": pngBytes(t, 9, 9, 1)}
	mixed := maps.Clone(flat)
	mixed["x/c.png"], mixed["y/d.png"] = pngBytes(t, 9, 9, 3), pngBytes(t, 9, 9, 4)
	one := map[string][]byte{"only/b.png": flat["b.png"], "only/a.png": flat["a.png"]}
	for name, files := range map[string]map[string][]byte{"flat": flat, "mixed": mixed, "one folder": one} {
		s := opened(t, tree(t, files), Options{})
		if s.HasLabels() || s.Label(0) != -1 || s.Len() != len(files) || pixelOf(t, s, 0) != 1 {
			t.Errorf("%s: labels %v, label %d, %d pictures", name, s.HasLabels(), s.Label(0), s.Len())
		}
	}
}

func TestLinks(t *testing.T) {
	dir := tree(t, flowers(t, "real/"))
	links := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "real", "aster"), filepath.Join(links, "aster")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	os.Symlink(filepath.Join(dir, "real", "crocus"), filepath.Join(links, "crocus"))
	os.Symlink(links, filepath.Join(links, "crocus-loop")) // a circle
	os.Symlink("nowhere.png", filepath.Join(links, "dangling.png"))
	s := opened(t, links, Options{})
	equal(t, "shades", shades(t, s), []byte{0, 1, 2, 3, 20})
}

func TestLists(t *testing.T) {
	files := flowers(t, "pics/")
	files["a, b.png"] = pngBytes(t, 5, 5, 55)
	files["plain.txt"] = []byte("# a comment\n\npics/crocus/0.png\r\na, b.png\npics/gone.png\n")
	files["head.csv"] = []byte("id,label,path\n1,ten,pics/begonia/0.png\n2,two,\"a, b.png\"\n3,,pics/crocus/0.png\n")
	files["bare.csv"] = []byte("\xef\xbb\xbfpics/begonia/1.png,10\npics/aster/2.png,9\n")
	files["paths.csv"] = []byte("pics/aster/1.png\n")
	dir := tree(t, files)
	at := func(name string) string { return filepath.Join(dir, name) }

	s := opened(t, at("plain.txt"), Options{MaxBad: 1})
	equal(t, "length", s.Len(), 3)
	equal(t, "shades", []byte{pixelOf(t, s, 0), pixelOf(t, s, 1)}, []byte{20, 55})
	if err := s.Load(2, new(imaging.Image)); err == nil || !strings.Contains(err.Error(), "gone.png") {
		t.Errorf("missing picture: %v", err)
	}
	s = opened(t, at("head.csv"), Options{})
	equal(t, "classes", s.Classes, []string{"ten", "two"})
	equal(t, "labels", labelsOf(s), []int{0, 1, -1})
	equal(t, "shades", shades(t, s), []byte{10, 55, 20})
	s = opened(t, at("bare.csv"), Options{})
	equal(t, "numeric classes", s.Classes, []string{"9", "10"})
	equal(t, "labels", labelsOf(s), []int{1, 0})
	equal(t, "limit keeps the classes", opened(t, at("bare.csv"), Options{Limit: 1}).Classes, []string{"9", "10"})
	equal(t, "paths only", opened(t, at("paths.csv"), Options{}).HasLabels(), false)
}

func TestCIFAR(t *testing.T) {
	files := map[string][]byte{"data_batch_1.bin": cifar(3, 1, 10, 0), "data_batch_2.bin": cifar(2, 1, 10, 50), "test_batch.bin": cifar(1, 1, 10, 90)}
	dir := tree(t, files)
	equal(t, "has splits", HasSplits(dir), true)
	s := opened(t, dir, Options{})
	equal(t, "shades", shades(t, s), []byte{0, 1, 2, 50, 51})
	equal(t, "labels", labelsOf(s), []int{0, 1, 2, 0, 1})
	equal(t, "class", s.Classes[3], "cat")
	equal(t, "native size", s.NativeSize(), 32)
	equal(t, "name", filepath.Base(s.Name(4)), "data_batch_2.bin#1")
	var img imaging.Image
	s.Load(4, &img)
	equal(t, "interleaved", img.Pix[:6], []byte{51, 100, 200, 51, 100, 200})
	equal(t, "test", shades(t, opened(t, dir, Options{Split: Test})), []byte{90})
	equal(t, "limit", shades(t, opened(t, dir, Options{Limit: 4})), []byte{0, 1, 2, 50})
	one := filepath.Join(dir, "data_batch_2.bin")
	equal(t, "one file, whichever split", shades(t, opened(t, one, Options{Split: Test})), []byte{50, 51})
	equal(t, "gray", pixelOf(t, opened(t, one, Options{Channels: 1}), 0), byte((50*19595+100*38470+200*7471+0x8000)>>16))

	hundred := tree(t, map[string][]byte{"train.bin": cifar(3, 2, 100, 7), "test.bin": cifar(1, 2, 100, 9), "fine_label_names.txt": []byte(strings.Repeat("name\n", 99) + "last\n")})
	s = opened(t, hundred, Options{})
	equal(t, "shades", shades(t, s), []byte{7, 8, 9})
	equal(t, "fine labels", labelsOf(s), []int{0, 1, 2})
	equal(t, "class", s.Classes[99], "last")
}

func TestIDX(t *testing.T) {
	files := map[string][]byte{
		"train-images-idx3-ubyte.gz": zipped(idx(5, 28)), "train-labels-idx1-ubyte.gz": zipped(idx(5, 0)),
		"t10k-images-idx3-ubyte": idx(3, 28), "t10k-labels-idx1-ubyte": idx(3, 0)}
	dir := tree(t, files)
	equal(t, "has splits", HasSplits(dir), true)
	for _, spec := range []string{dir, filepath.Join(dir, "train-images-idx3-ubyte.gz")} {
		s := opened(t, spec, Options{})
		equal(t, "shades", shades(t, s), []byte{0, 1, 2, 3, 4})
		equal(t, "labels", labelsOf(s), []int{0, 1, 2, 3, 4})
		equal(t, "channels", s.Channels(), 1)
		equal(t, "native size", s.NativeSize(), 28)
	}
	s := opened(t, dir, Options{Split: Test, Channels: 3, Limit: 2})
	equal(t, "shades", shades(t, s), []byte{0, 1})
	equal(t, "no labels", opened(t, tree(t, map[string][]byte{"images-idx3-ubyte": idx(2, 8)}), Options{}).HasLabels(), false)
}

func TestOpenErrors(t *testing.T) {
	dir := tree(t, map[string][]byte{
		"empty/.keep": nil, "texts/a.txt": []byte("a"), "texts/b.md": []byte("b"), "picture.jpg": pngBytes(t, 4, 4, 1),
		"list.txt": []byte("no/such.png\nneither/this.png\n"), "blank.txt": []byte("\n\n"), "blank.csv": []byte("path,label\n"),
		"cut.bin": make([]byte, 3072), "labels.bin": append([]byte{77}, make([]byte, 3072)...),
		"zero.bin": nil, "cut-images-idx3-ubyte": idx(5, 28)[:3000], "train-labels-idx1-ubyte": idx(5, 0),
		"m-images-idx3-ubyte": idx(4, 8), "m-labels-idx1-ubyte": idx(3, 0), "noise": {1, 2, 3, 0, 5}, "bad.csv": []byte("a,\"b\nc"),
		"mixed/data_batch_1.bin": cifar(1, 1, 10, 0), "mixed/data_batch_2.bin": cifar(1, 2, 100, 0),
	})
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	failsWith(t, at("missing"), Options{}, "does not exist")
	failsWith(t, at("empty"), Options{}, "empty folder")
	failsWith(t, at("texts"), Options{}, "no picture", "2 other files")
	failsWith(t, at("picture.jpg"), Options{}, "file where a folder")
	failsWith(t, at("list.txt"), Options{}, "2 paths", "no/such.png")
	failsWith(t, at("blank.txt"), Options{}, "lists no path")
	failsWith(t, at("blank.csv"), Options{}, "lists no path")
	failsWith(t, at("bad.csv"), Options{}, "line")
	failsWith(t, at("cut.bin"), Options{}, "3072 bytes", "3,073")
	failsWith(t, at("labels.bin"), Options{}, "label 77")
	failsWith(t, at("zero.bin"), Options{}, "empty")
	failsWith(t, at("cut-images-idx3-ubyte"), Options{}, "picture 3 of 5")
	failsWith(t, at("train-labels-idx1-ubyte"), Options{}, "holds labels")
	failsWith(t, at("m-images-idx3-ubyte"), Options{}, "3 labels for 4 pictures")
	failsWith(t, at("noise"), Options{}, "is not a list")
	failsWith(t, at("mixed"), Options{}, "CIFAR-100")
	failsWith(t, "builtin:digits", Options{}, "no built-in set")
	if runtime.GOOS != "windows" && os.Getuid() != 0 { // root may read everything
		locked := tree(t, map[string][]byte{"in/a.png": pngBytes(t, 4, 4, 1)})
		os.Chmod(filepath.Join(locked, "in"), 0)
		defer os.Chmod(filepath.Join(locked, "in"), 0o755)
		failsWith(t, locked, Options{}, "may not be read")
	}
	for _, opt := range []Options{{Split: "dev"}, {Channels: 4}, {Limit: -1}} {
		if _, err := Open("builtin:glyphs", opt); err == nil {
			t.Errorf("%+v: opened", opt)
		}
	}
}

func TestSubset(t *testing.T) {
	s := opened(t, tree(t, flowers(t, "")), Options{})
	sub := s.Subset([]int{6, 0, 5})
	equal(t, "shades", shades(t, sub), []byte{20, 0, 11})
	equal(t, "labels", labelsOf(sub), []int{2, 0, 1})
	equal(t, "name", sub.Name(0), s.Name(6))
}

func TestGlyphs(t *testing.T) {
	s := opened(t, "builtin:glyphs", Options{Limit: 200})
	test := opened(t, "builtin:glyphs", Options{Split: Test, Limit: 200})
	again := opened(t, "builtin:glyphs", Options{})
	small := opened(t, "builtin:glyphs", Options{Limit: 50, Size: 24, Channels: 1})
	equal(t, "native size", []int{s.NativeSize(), small.NativeSize()}, []int{32, 24})
	equal(t, "mirror", s.MirrorChangesClass, true)
	var a, b, c, d imaging.Image
	for _, i := range []int{199, 3, 0} { // in any order
		s.Load(i, &a)
		again.Load(i, &b)
		test.Load(i, &c)
		if a.W != 32 || !slices.Equal(a.Pix, b.Pix) {
			t.Errorf("picture %d differs between openings", i)
		}
		if slices.Equal(a.Pix, c.Pix) {
			t.Errorf("picture %d is the same in both splits", i)
		}
	}
	small.Load(3, &d)
	equal(t, "small", []int{d.W, d.H, d.C, len(d.Pix)}, []int{24, 24, 1, 24 * 24})
	count := make([]int, len(again.Classes))
	for i := range again.Len() {
		count[again.Label(i)]++
	}
	if lo, hi := slices.Min(count), slices.Max(count); lo < 100 || hi-lo > 1 {
		t.Errorf("classes of %d to %d pictures", lo, hi)
	}
	// The same pictures on every platform: a sum over some of them.
	sum := uint32(2166136261)
	for i := range 64 {
		again.Load(i, &a)
		for _, v := range a.Pix {
			sum = (sum ^ uint32(v)) * 16777619
		}
	}
	if sum != glyphSum {
		t.Errorf("hash of the first glyphs %#x, want %#x", sum, uint32(glyphSum))
	}
}

const glyphSum = 0x8b64c307
