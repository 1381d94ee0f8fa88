package vec

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssembly reads the generated assembly of this package, reduce, winograd and pixel: what
// is called AVX2 must not need AVX-512, which a machine that has both cannot notice, and
// no function may return with dirty upper halves.
func TestAssembly(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*_amd64.s", "../reduce/*_amd64.s", "../winograd/*_amd64.s", "../pixel/*_amd64.s"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		files = append(files, names...)
	}
	wide := regexp.MustCompile(`\b(Z\d+|K[0-7]|[XY](1[6-9]|2\d|3[01]))\b|\.Z\b|\b(VMOVDQU(8|16|32|64)|VPANDD|VPORD|VPXORD|VRNDSCALEPS|VSCALEFPS|VBLENDMPS|VPMOVDW|VEXTRACT[FI](32|64)X\d|VPTERNLOG\w|VPBROADCASTM\w+)\b`)
	vectors := regexp.MustCompile(`\b[YZ]\d+\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, function := range strings.Split(string(text), "\nTEXT ·")[1:] {
			name, body, _ := strings.Cut(function, "(")
			if !strings.HasSuffix(name, "AVX2") && !strings.HasSuffix(name, "AVX512") {
				t.Errorf("%s: %s does not say its instruction set", file, name)
			}
			if strings.HasSuffix(name, "AVX2") {
				if found := wide.FindString(body); found != "" {
					t.Errorf("%s: %s uses %s", file, name, found)
				}
			}
			lines := strings.Split(body, "\n")
			for i, line := range lines {
				if strings.TrimSpace(line) == "RET" && vectors.MatchString(body) && strings.TrimSpace(lines[i-1]) != "VZEROUPPER" {
					t.Errorf("%s: %s returns without VZEROUPPER", file, name)
				}
			}
		}
	}
}
