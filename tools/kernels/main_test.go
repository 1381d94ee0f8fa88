package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/byol-go/byol/bench"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/peak"
)

func TestSection(t *testing.T) {
	const text = "before\n<!-- a begin -->\nold\n<!-- a end -->\nafter\n"
	got, err := section(text, "a", func(old string) string { return strings.ToUpper(old) })
	if err != nil || got != "before\n<!-- a begin -->\nOLD\n<!-- a end -->\nafter\n" {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := section(text, "b", func(old string) string { return old }); err == nil {
		t.Error("no markers: no error")
	}
}

// TestNoteTests: rows of this machine are renewed, others stay, a failure changes nothing.
func TestNoteTests(t *testing.T) {
	const other = "| neon | a phone | linux/arm64 | go1.20 | 2020-01-01 |\n"
	text := "<!-- tested begin -->\n" + testedHead + other + "<!-- tested end -->\n"
	var ran []string
	pass := func(path string) error { ran = append(ran, path); return nil }
	for range 2 {
		var err error
		if text, err = noteTests(text, pass); err != nil {
			t.Fatal(err)
		}
	}
	want := len(isa.Available()) + 1
	if len(ran) != 2*want || strings.Count(text, "\n| ") != want+2 || !strings.Contains(text, other) {
		t.Errorf("ran %v\n%s", ran, text)
	}
	if _, err := noteTests(text, func(string) error { return errors.New("failed") }); err == nil {
		t.Error("a failed test was noted")
	}
}

func TestTables(t *testing.T) {
	m := bench.Machine{Processor: "P", Threads: 2, Arithmetic: []peak.Arithmetic{{Type: "f32", ISA: "avx2", FLOPS: 1e11, IsPeak: true}}, Memory: []peak.Memory{{Bytes: 1, Read: 1e9, Write: 2e9, Copy: 3e9}}}
	r := bench.OpsResult{Machine: m, Batch: 64, StepS: 2, NodesS: 1.5, FloorS: 1, BetweenS: .1, Kinds: []bench.Kind{
		{Kind: "Conv forward winograd", Nodes: 3, Seconds: 1, FloorS: .75}, {Kind: "Fused", Nodes: 5, Seconds: .5, FloorS: .25}}}
	got := tables([]setup{{name: "S"}}, []bench.OpsResult{r})
	for _, want := range []string{"P, 2 threads", "avx2 f32: 100 GFLOP/s", "| S | 32.0 | 2000 |", "| 1000 | 750 | 1000 | 500 | 100.0 | 50 % |", "| 3 | Conv forward winograd | 1000.0 |"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
