package report

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/byol-go/byol/run"
)

// foreign finds what a page would have to load.
var foreign = regexp.MustCompile(`(?i)(src|href)="[^d]|url\([^d]|https?://[^w]|@import`)

func written(t *testing.T, f run.Folder) string {
	t.Helper()
	path, err := Write(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func has(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func TestWrite(t *testing.T) {
	f := newRun(t, "a<b>&c", tinyConfig(), tinyMetrics(), true)
	put(t, filepath.Join(string(f), "eval-linear.json"),
		`{"protocol":"linear","n":60,"top1":0.71,"top5":0.9,"confusion":[[7,3],[2,8]],"classes":["left","right"],"random":{"top1":0.33}}`)
	var sheet bytes.Buffer
	if err := png.Encode(&sheet, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(string(f), "views.png"), sheet.String())
	if Written(f) {
		t.Error("written before it was")
	}
	text := written(t, f)
	has(t, text, "a&lt;b&gt;&amp;c", "kNN accuracy 25.0 % → 62.5 %", `id="chart-loss"`, `id="chart-cosine"`, `id="chart-tau"`, `id="chart-spectrum"`,
		"What it learns from", "Nearest neighbours", "Map of the features", "71.0 %", "random weights 33.0 %", "left taken for right: 3 of 10",
		"finished after 100 steps", "<dt>momentum</dt><dd>0.9</dd>")
	if strings.Contains(text, "a<b>") {
		t.Error("the folder's name is not escaped")
	}
	if m := foreign.FindString(text); m != "" {
		t.Errorf("the page is not self-contained: %q", m)
	}
	if len(text) > 3<<20 {
		t.Errorf("%d bytes", len(text))
	}
	if n := strings.Count(text, `class="query"`); n != queryCount {
		t.Errorf("%d rows of neighbours", n)
	}
	if !Written(f) {
		t.Error("not written after it was")
	}
	for _, name := range []string{"curves.png", "neighbours-before.png", "neighbours-after.png", "map.png"} {
		data, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			t.Error(err)
		} else if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again := written(t, f); again != text {
		t.Error("the same run gives another page")
	}
}

func TestWriteWithoutPictures(t *testing.T) {
	c := tinyConfig()
	c.Data.Train = filepath.Join(t.TempDir(), "gone")
	text := written(t, newRun(t, "run", c, tinyMetrics()+`{"event":"step","st`, true))
	has(t, text, "No pictures: ", "gone", "does not exist", `id="chart-loss"`)
	if strings.Contains(text, "Nearest neighbours</h2>") {
		t.Error("neighbours of nothing")
	}
}

func TestWriteOfNoRun(t *testing.T) {
	_, err := Write(context.Background(), run.Folder(t.TempDir()))
	var h interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "is no run") || !errors.As(err, &h) {
		t.Errorf("%v", err)
	}
	_, err = Write(context.Background(), newRun(t, "run", tinyConfig(), "", false))
	if err == nil || !strings.Contains(err.Error(), "no finished step yet") {
		t.Errorf("%v", err)
	}
	f := newRun(t, "run", tinyConfig(), tinyMetrics(), false)
	put(t, filepath.Join(string(f), "eval-knn.json"), "{")
	if _, err = Write(context.Background(), f); err == nil || !strings.Contains(err.Error(), "eval-knn.json") {
		t.Errorf("%v", err)
	}
}

func TestCompare(t *testing.T) {
	a := newRun(t, "run", tinyConfig(), tinyMetrics(), true)
	c := tinyConfig()
	c.Optim.Momentum = .5
	b := newRun(t, "run", c, tinyMetrics(), true)
	page := filepath.Join(t.TempDir(), "two.html")
	compare := func(folders ...run.Folder) string {
		t.Helper()
		if err := Compare(context.Background(), folders, page); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	text := compare(a, b)
	has(t, text, "2 runs", "<code>optim.<wbr>momentum</code></th><td>0.<wbr>9</td><td>0.<wbr>5</td>", "Map of the features", string(a), string(b))
	if strings.Contains(text, "<code>optim.<wbr>nesterov") {
		t.Error("a key that does not differ is listed")
	}
	if m := foreign.FindString(text); m != "" {
		t.Errorf("the page is not self-contained: %q", m)
	}
	if _, err := os.Stat(strings.TrimSuffix(page, ".html") + "-curves.png"); err != nil {
		t.Error(err)
	}
	c.Data.Test = "builtin:glyphs"
	other := newRun(t, "other", c, tinyMetrics(), true)
	has(t, compare(a, other), "No pictures: the runs do not have the same pictures")
}
