package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestWords holds every word in the generated assembly to what GNU objdump reads in it
// (package binutils-aarch64-linux-gnu).
func TestWords(t *testing.T) {
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		t.Skip(err)
	}
	words := map[uint32]string{}
	line := regexp.MustCompile(`WORD \$(0x[0-9a-f]+) // (.*)`)
	for _, pattern := range []string{"../*/*_arm64.s", "../*/*/*_arm64.s"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range line.FindAllStringSubmatch(string(text), -1) {
				w, err := strconv.ParseUint(m[1], 0, 32)
				if err != nil {
					t.Fatal(err)
				}
				words[uint32(w)] = m[2]
			}
		}
	}
	var code []byte
	for w := range words {
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	file := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^\s*[0-9a-f]+:\t([0-9a-f]{8}) \t(.*)$`).FindAllStringSubmatch(string(out), -1) {
		w, err := strconv.ParseUint(m[1], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := strings.Cut(strings.Join(strings.Fields(m[2]), " "), " //")
		if want := words[uint32(w)]; got != want {
			t.Errorf("%08x is %q, not %q", w, got, want)
		}
		seen++
	}
	if seen != len(words) || seen == 0 {
		t.Errorf("%d words of %d were read", seen, len(words))
	}
	t.Logf("%d words", seen)
}
