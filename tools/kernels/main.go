// Command kernels rewrites the tables of KERNELS.md from measurements on this machine:
//
//	go run ./tools/kernels           # where the time of training steps goes (two minutes, an idle machine)
//	go run ./tools/kernels -tests    # run the tests on every instruction set, and note it
//
// It works on the folder in which it is started, and replaces what stands between the
// file's markers only.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/byol-go/byol/bench"
	"github.com/byol-go/byol/internal/atomicfile"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/run"
)

func main() {
	log.SetFlags(0)
	file := flag.String("file", "KERNELS.md", "file to rewrite")
	tests := flag.Bool("tests", false, "run the tests on every instruction set instead of measuring")
	repeat := flag.Int("repeat", 5, "timed steps of each kind")
	flag.Parse()
	text, err := os.ReadFile(*file)
	if err != nil {
		log.Fatal(err)
	}
	var updated string
	if *tests {
		updated, err = noteTests(string(text), runTests)
	} else {
		updated, err = measure(string(text), *repeat)
	}
	if err != nil {
		log.Fatalf("kernels: %s: %v", *file, err)
	}
	if err := atomicfile.Write(*file, func(w io.Writer) error { _, err := io.WriteString(w, updated); return err }); err != nil {
		log.Fatal(err)
	}
}

// section replaces what stands between the markers of a name by what change makes of it.
func section(text, name string, change func(old string) string) (string, error) {
	begin, end := "<!-- "+name+" begin -->\n", "<!-- "+name+" end -->"
	from := strings.Index(text, begin)
	to := strings.Index(text, end)
	if from < 0 || to < from {
		return "", fmt.Errorf("no markers %q and %q", strings.TrimSpace(begin), end)
	}
	from += len(begin)
	return text[:from] + change(text[from:to]) + text[to:], nil
}

// setup is a training step that is measured.
type setup struct {
	name  string
	level isa.Level
	edit  func(c *run.Config)
}

func quarter(c *run.Config) { c.Encoder.Width, c.Heads.Hidden, c.Heads.Dim = .25, 512, 128 }

func setups() []setup {
	top := isa.Current()
	list := []setup{
		{"ResNet-18, float32", top, func(*run.Config) {}},
		{"ResNet-18, bfloat16", top, func(c *run.Config) { c.Train.Precision = "bf16" }},
		{"a quarter of the width, heads 512/128, float32", top, quarter},
	}
	if top > isa.AVX2 {
		list = append(list, setup{"ResNet-18, float32, capped to AVX2", isa.AVX2, func(*run.Config) {}})
	}
	return list
}

func measure(text string, repeat int) (string, error) {
	var results []bench.OpsResult
	list := setups()
	for _, s := range list {
		c := run.Default()
		s.edit(&c)
		log.Printf("measuring %s", s.name)
		restore := isa.Set(s.level)
		r, err := bench.Ops(c, bench.Repeat{Warmup: 2, Steps: repeat})
		restore()
		if err != nil {
			return "", err
		}
		results = append(results, r)
	}
	return section(text, "steps", func(string) string { return tables(list, results) })
}

// tables writes one row per setup, then the kinds of each.
func tables(list []setup, results []bench.OpsResult) string {
	var b strings.Builder
	m := results[0].Machine
	fmt.Fprintf(&b, "%s, %d threads, %s, %s.", m.Processor, m.Threads, runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	for _, a := range m.Arithmetic {
		if a.IsPeak {
			fmt.Fprintf(&b, " %s %s: %.0f GFLOP/s.", a.ISA, a.Type, a.FLOPS/1e9)
		}
	}
	last := m.Memory[len(m.Memory)-1]
	fmt.Fprintf(&b, " Memory: %.0f GB/s read, %.0f written, %.0f copied.\n\n", last.Read/1e9, last.Write/1e9, last.Copy/1e9)
	fmt.Fprintln(&b, "| step | images/s | ms | direct GFLOP | done GFLOP | GB | floor of all nodes, ms | of the products alone, ms | products, ms | the other nodes, ms | between nodes, ms | all floors / step |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	for i, r := range results {
		var products, others, floor float64
		for _, k := range r.Kinds {
			if isProduct(k.Kind) {
				products += k.Seconds
				floor += k.FloorS
			} else {
				others += k.Seconds
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.0f | %.1f | %.1f | %.2f | %.0f | %.0f | %.0f | %.0f | %.1f | %.0f %% |\n", list[i].name, float64(r.Batch)/r.StepS, 1e3*r.StepS,
			r.FLOP/1e9, r.Done/1e9, r.Bytes/1e9, 1e3*r.FloorS, 1e3*floor, 1e3*products, 1e3*others, 1e3*r.BetweenS, 100*r.FloorS/r.StepS)
	}
	for i, r := range results {
		fmt.Fprintf(&b, "\n%s:\n\n| nodes | kind | ms | direct GFLOP | done GFLOP | MB | direct GFLOP/s | GB/s | floor, ms | floor / time |\n", list[i].name)
		fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|")
		for _, k := range r.Kinds {
			if k.Seconds < 1e-3*r.NodesS {
				continue
			}
			fmt.Fprintf(&b, "| %d | %s | %.1f | %.1f | %.1f | %.0f | %.0f | %.0f | %.1f | %.0f %% |\n", k.Nodes, k.Kind, 1e3*k.Seconds, k.FLOP/1e9, k.Done/1e9,
				k.Bytes/1e6, k.FLOPS/1e9, k.Bytes/k.Seconds/1e9, 1e3*k.FloorS, 100*k.Share)
		}
	}
	return b.String()
}

// isProduct reports whether a kind is convolutions or matrix products.
func isProduct(kind string) bool {
	return strings.HasPrefix(kind, "Conv ") || strings.HasPrefix(kind, "MatMul ")
}

// tested is a row of the table of paths.
type tested struct{ path, processor, system, version, date string }

const testedHead = "| path | processor | system | Go | last passed |\n|---|---|---|---|---|\n"

// noteTests runs the tests of every path that this machine has and notes those that pass.
// Rows of other processors stay.
func noteTests(text string, test func(path string) error) (string, error) {
	var rows []tested
	if _, err := section(text, "tested", func(old string) string { rows = parseTested(old); return old }); err != nil {
		return "", err
	}
	paths := []string{"purego"}
	for _, l := range isa.Available() {
		paths = append(paths, l.String())
	}
	for _, path := range paths {
		log.Printf("testing %s", path)
		if err := test(path); err != nil {
			return "", fmt.Errorf("the tests of %s: %w", path, err)
		}
		row := tested{path, machine.Processor(), runtime.GOOS + "/" + runtime.GOARCH, runtime.Version(), time.Now().UTC().Format(time.DateOnly)}
		rows = slices.DeleteFunc(rows, func(r tested) bool {
			return r.path == row.path && r.processor == row.processor && r.system == row.system
		})
		rows = append(rows, row)
	}
	return section(text, "tested", func(string) string {
		var b strings.Builder
		b.WriteString(testedHead)
		for _, r := range rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.path, r.processor, r.system, r.version, r.date)
		}
		return b.String()
	})
}

func parseTested(table string) []tested {
	var rows []tested
	for line := range strings.Lines(strings.TrimPrefix(table, testedHead)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, tested{cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	return rows
}

// runTests runs the tests of kernels and engine on one path.
func runTests(path string) error {
	args := []string{"test", "-count=1"}
	packages := []string{"./internal/kernel/...", "./compute/cpu"}
	if path == "purego" {
		args = append(args, "-tags=purego")
		packages = packages[:1]
	}
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Env = os.Environ()
	if path != "purego" {
		cmd.Env = append(cmd.Env, isa.EnvVar+"="+path)
	}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
