// Package house holds no code: its test reads the import graph and keeps the rules of
// ARCHITECTURE.md.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/byol-go/byol/"

// floors lists the rooms from the ground up: a room imports only from floors below its
// own, and what stands on its own floor imports none of its neighbours.
var floors = [][]string{
	{"internal"},
	{"compute/cpu", "safetensors", "search"},
	{"compute"},
	{"nn", "imaging"},
	{"encoder", "optim", "augment", "checkpoint", "diagnose"},
	{"dataset"},
	{"method"},
	{"run"},
	{"embed"},
	{"eval", "export", "serve"},
	{"report"},
	{"train"},
	{"lab", "plan", "bench"},
	{"cmd"},
}

// imports returns what every package of the module imports, tests left out.
func imports(t *testing.T) map[string][]string {
	root := "../.."
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "tools") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if !slices.Contains(found[pkg], name) {
				found[pkg] = append(found[pkg], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// floor returns the floor of a package, and the room on it.
func floor(t *testing.T, pkg string) (int, string) {
	best, room := -1, ""
	for n, rooms := range floors {
		for _, r := range rooms {
			if (pkg == r || strings.HasPrefix(pkg, r+"/")) && len(r) > len(room) {
				best, room = n, r
			}
		}
	}
	if best < 0 {
		t.Errorf("package %s stands on no floor", pkg)
	}
	return best, room
}

func TestRoomsStandAboveWhatTheyImport(t *testing.T) {
	for pkg, list := range imports(t) {
		own, room := floor(t, pkg)
		for _, name := range list {
			below, ok := strings.CutPrefix(name, module)
			if !ok {
				continue
			}
			if n, other := floor(t, below); n > own || n == own && other != room {
				t.Errorf("%s imports %s, which stands no lower", pkg, below)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	graph := imports(t)
	for pkg, list := range graph {
		for _, name := range list {
			ours, isOurs := strings.CutPrefix(name, module)
			switch {
			case strings.HasPrefix(pkg, "internal/kernel") && isOurs && !strings.HasPrefix(ours, "internal/kernel"):
				t.Errorf("%s imports %s: kernels import nothing of ours", pkg, ours)
			case pkg == "method" && ours == "train":
				t.Errorf("method imports train")
			case slices.Contains([]string{"embed", "report", "serve"}, pkg) && slices.Contains([]string{"train", "optim", "augment"}, ours):
				t.Errorf("%s imports %s: using an encoder must not need what trained it", pkg, ours)
			case strings.HasPrefix(name, "github.com/gomlx/gomlx/backends") && pkg != "compute" && !strings.HasPrefix(pkg, "compute/"):
				t.Errorf("%s imports %s: only compute and compute/cpu know backends", pkg, name)
			}
			if strings.HasPrefix(pkg, "compute/cpu") && strings.HasPrefix(name, "github.com/gomlx/gomlx/") {
				rest := strings.TrimPrefix(name, "github.com/gomlx/gomlx/")
				if !strings.HasPrefix(rest, "backends") && !slices.Contains([]string{"pkg/core/dtypes", "pkg/core/dtypes/bfloat16", "pkg/core/shapes"}, rest) {
					t.Errorf("%s imports %s: the backend knows GoMLX's interface and types only", pkg, name)
				}
			}
		}
	}
	if len(graph["compute/cpu"]) == 0 || len(graph["method"]) == 0 {
		t.Error("the graph misses packages")
	}
}
