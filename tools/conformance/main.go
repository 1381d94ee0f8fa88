// Command conformance runs GoMLX's own tests on this project's CPU backend.
//
//	go run ./tools/conformance [-v] [-timeout 60s] [PACKAGE...]
//
// It copies the GoMLX module that go.mod names to a temporary directory, puts a stub that
// imports compute/cpu in the place of its XLA backend (which its tests import by name),
// and runs each test of the packages in a process of its own, so that one that panics or
// hangs takes no other with it. PACKAGE is relative to the GoMLX module; the default
// is what a training program is made of. It exits with 1 if the tests cannot be run,
// never because some fail: compute/cpu/CONFORMANCE.md says which do and why.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const gomlx = "github.com/gomlx/gomlx"

// stub takes the place of GoMLX's package backends/xla.
const stub = `// Package xla stands in for GoMLX's XLA backend.
package xla

import _ "github.com/byol-go/byol/compute/cpu"

func AutoInstall() error { return nil }

func EnableAutoInstall(bool) {}
`

func main() {
	verbose := flag.Bool("v", false, "print the first error of each test that fails")
	timeout := flag.Duration("timeout", time.Minute, "time for one test")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"pkg/core/graph", "pkg/ml/layers/...", "pkg/ml/train/...", "pkg/ml/context/..."}
	}
	if err := run(packages, *timeout, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// suite is the prepared copy of GoMLX.
type suite struct {
	dir     string   // of the copied module
	env     []string // that makes the go command use it
	timeout time.Duration
	verbose bool
}

func run(packages []string, timeout time.Duration, verbose bool) error {
	work, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	s := suite{dir: filepath.Join(work, "gomlx"), timeout: timeout, verbose: verbose}
	if err := s.prepare(work); err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, pattern := range packages {
		list, err := s.command("go", "list", gomlx+"/"+pattern).Output()
		if err != nil {
			return fmt.Errorf("go list %s: %w", pattern, err)
		}
		for _, pkg := range strings.Fields(string(list)) {
			p, f, err := s.test(pkg, filepath.Join(work, "test.bin"))
			if err != nil {
				return err
			}
			if p+f > 0 {
				fmt.Printf("%s: %d passed, %d failed\n", strings.TrimPrefix(pkg, gomlx+"/"), p, f)
			}
			passed, failed = passed+p, failed+f
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	return nil
}

// prepare copies the module, replaces its backend and writes a go.mod that uses the copy.
func (s *suite) prepare(work string) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", gomlx).Output()
	if err != nil {
		return fmt.Errorf("go list -m %s: %w", gomlx, err)
	}
	if err := copyTree(s.dir, strings.TrimSpace(string(out))); err != nil {
		return err
	}
	for _, replaced := range []string{"backends/xla", "backends/stablehlo", "backends/default/xla.go"} {
		if err := os.RemoveAll(filepath.Join(s.dir, replaced)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "backends/xla"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "backends/xla/xla.go"), []byte(stub), 0o644); err != nil {
		return err
	}
	modfile := filepath.Join(work, "go.mod")
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("%w: run this in the module's root", err)
		}
		if err := os.WriteFile(filepath.Join(work, name), content, 0o644); err != nil {
			return err
		}
	}
	if out, err := exec.Command("go", "mod", "edit", "-replace", gomlx+"="+s.dir, modfile).CombinedOutput(); err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, out)
	}
	s.env = append(os.Environ(), "GOFLAGS=-modfile="+modfile+" -mod=mod", "GOMLX_BACKEND=cpu", "GOMLX_NO_AUTO_INSTALL=1")
	return nil
}

// copyTree copies files and directories, writable whatever the source's modes are.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}

func (s *suite) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = s.env
	return cmd
}

// cause finds the line that tells most about a failure.
var cause = regexp.MustCompile(`(?i)not implemented|panic:|Error:|Messages:`)

// test builds a package's tests and runs them one by one.
func (s *suite) test(pkg, binary string) (passed, failed int, err error) {
	os.Remove(binary)
	if out, err := s.command("go", "test", "-c", "-o", binary, pkg).CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("%s does not build: %w\n%s", pkg, err, out)
	}
	if _, err := os.Stat(binary); err != nil {
		return 0, 0, nil // no tests
	}
	dir := filepath.Join(s.dir, strings.TrimPrefix(pkg, gomlx))
	list := s.command(binary, "-test.list", "^Test")
	list.Dir = dir
	names, err := list.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: listing its tests: %w", pkg, err)
	}
	for _, name := range strings.Fields(string(names)) {
		if !strings.HasPrefix(name, "Test") {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		cmd := exec.CommandContext(ctx, binary, "-test.run", "^"+name+"$")
		cmd.Env, cmd.Dir = s.env, dir
		out, err := cmd.CombinedOutput()
		late := ctx.Err() != nil
		cancel()
		if err == nil {
			passed++
			continue
		}
		failed++
		if s.verbose {
			fmt.Printf("   FAIL %s: %s\n", name, firstCause(out, late))
		}
	}
	return passed, failed, nil
}

func firstCause(out []byte, late bool) string {
	if late {
		return "out of time"
	}
	for line := range bytes.Lines(out) {
		if cause.Match(line) {
			return strings.TrimSpace(string(line))
		}
	}
	return "no message"
}
