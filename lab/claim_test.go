package lab

import (
	"math"
	"strings"
	"testing"
	"time"
)

// results makes those of a cell: accuracies in percent by seed, from 20 on.
func results(cell string, ends ...float64) []Result {
	var out []Result
	for i, v := range ends {
		out = append(out, Result{Cell: cell, Seed: i + 1, start: .2, end: v / 100, TargetStd: .9})
	}
	return out
}

func TestClaims(t *testing.T) {
	all := func(parts ...[]Result) (out []Result) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	collapsed := results("c", 20, 21, 19)
	for i := range collapsed {
		collapsed[i].TargetStd = .02
	}
	half := results("c", 20, 21, 19)
	half[1].TargetStd = .01
	diverged := results("b", 90, 90, 90)
	for i := range diverged {
		diverged[i].Verdict, diverged[i].end = "diverged", math.NaN()
	}
	ab := Claim{Say: "a above b", Above: []string{"a", "b"}}
	far := Claim{Say: "a far above b", Above: []string{"a", "b"}, By: 10}
	random := Claim{Say: "a learns", Above: []string{"a", Random}}
	loses := Claim{Say: "less", LosesLess: [][]string{{"a", "a'"}, {"b", "b'"}}}
	for _, x := range []struct {
		claim   Claim
		results []Result
		want    Outcome
		numbers string
	}{
		{ab, nil, NotYet, ""},
		{ab, results("a", 60), NotYet, ""},
		{ab, all(results("a", 60, 61, 59), results("b", 50, 52, 51)), CameOut, "a 60.0 ± 1.0, b 51.0 ± 1.0; difference +9.0 ± 1.0 over 3 seeds"},
		{far, all(results("a", 60, 61, 59), results("b", 50, 52, 51)), DidNot, "wanted at least 10"},
		{ab, all(results("a", 60, 50, 59), results("b", 50, 52, 51)), Undecided, "+5.3 ± 6.4"},
		{ab, all(results("a", 50, 51, 49), results("b", 60, 62, 61)), DidNot, "-11.0"},
		{ab, all(results("a", 60), results("b", 50)), Undecided, "+10.0 on one seed"},
		{ab, []Result{{Cell: "a", Seed: 1, end: math.NaN()}, {Cell: "b", Seed: 1, end: math.NaN()}}, Undecided, "needs labelled pictures"},
		// Only seeds that both have are compared.
		{ab, all(results("a", 60, 60, 60), results("b", 50, 51)), CameOut, "over 2 seeds"},
		{random, results("a", 30, 31, 29), CameOut, "random weights 20.0 ± 0.0"},
		{random, results("a", 20, 15, 18), DidNot, ""},
		// A run that diverged is worth no more than what it began with.
		{ab, all(results("a", 60, 61, 59), diverged), CameOut, "b 20.0 ± 0.0"},
		{Claim{Collapses: "c"}, collapsed, CameOut, "3 of 3 runs collapsed: spread of the projections 0.02"},
		{Claim{Collapses: "c"}, half, Undecided, "1 of 3"},
		{Claim{Collapses: "c"}, results("c", 20, 20), DidNot, "0 of 2"},
		{Claim{Collapses: "c"}, nil, NotYet, ""},
		{Claim{Stays: "a"}, results("a", 20, 19, 20.5), CameOut, "difference -0.2"},
		{Claim{Stays: "a"}, results("a", 30, 31, 30), DidNot, "+10.3"},
		{Claim{Stays: "a"}, results("a", 30, 15, 25), Undecided, ""},
		{loses, all(results("a", 60, 60, 60), results("a'", 55, 56, 54), results("b", 60, 60, 60), results("b'", 40, 41, 42)), CameOut,
			"from a to a' 5.0 ± 1.0 points are lost, from b to b' 19.0 ± 1.0; difference +14.0"},
		{loses, all(results("a", 60, 60), results("a'", 40, 41), results("b", 60, 60), results("b'", 50, 51)), DidNot, ""},
		{loses, results("a", 60, 60), NotYet, ""},
	} {
		got := x.claim.judge(x.results)
		if got.Outcome != x.want || !strings.Contains(got.Numbers, x.numbers) {
			t.Errorf("%+v: %s, %q; want %s, %q", x.claim, got.Outcome, got.Numbers, x.want, x.numbers)
		}
	}
}

// The test's margin is that of tables of Student's t: 2.92 for two degrees of freedom.
func TestMargin(t *testing.T) {
	if m := margin(1, 3); math.Abs(m-2.9200/math.Sqrt(3)) > 1e-4 {
		t.Errorf("margin %v", m)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 70 * time.Second: "1m10s", 0: "0s"} {
		if got := duration(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
