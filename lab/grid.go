package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/nearest"
	"github.com/byol-go/byol/run"
	"github.com/goccy/go-yaml"
)

// Random names, in claims, the random weights that the runs of an experiment start from.
const Random = "random weights"

// Experiment is a grid of small runs that differ in a few keys, and what is known of them.
type Experiment struct {
	Name            string   `yaml:"name"`
	Title           string   `yaml:"title"`            // the question, in a few words
	About           string   `yaml:"about"`            // what it shows, in a few sentences
	Source          string   `yaml:"source"`           // of the published figures
	Measure         string   `yaml:"measure"`          // what the published figures are
	PublishedRandom *float64 `yaml:"published_random"` // the same of random weights

	Judge string `yaml:"judge"` // what claims are about: linear (the default) or knn accuracy

	Preset string         `yaml:"preset"` // of package run, or "" for the default
	Seeds  int            `yaml:"seeds"`  // runs of every cell: seeds 1 to Seeds
	Set    map[string]any `yaml:"set"`    // configuration keys of every run

	Cells  []Cell  `yaml:"cells"`
	Claims []Claim `yaml:"claims"`

	text []byte // the file
}

// Cell is one setting of an experiment.
type Cell struct {
	Name      string         `yaml:"name"`
	Published *float64       `yaml:"published"` // what came out there
	Set       map[string]any `yaml:"set"`       // configuration keys, over those of the experiment
}

// Claim is an order or an outcome that was published, to be held against what came out.
// It has one of Above, Collapses, Stays and Loses.
type Claim struct {
	Say string `yaml:"say"` // in words

	Above     []string   `yaml:"above"`      // cells A, B (or "random weights"): A ends with the higher accuracy
	Collapses string     `yaml:"collapses"`  // cell whose projections become the same for every picture
	Stays     string     `yaml:"stays"`      // cell that does not get better than its random weights
	LosesLess [][]string `yaml:"loses_less"` // [A, A'], [B, B']: from A to A' less is lost than from B to B'

	By float64 `yaml:"by"` // points that the difference must have at least, of Above
}

// What claims are judged by.
const (
	byLinear = "linear"
	byKNN    = "knn"
)

var (
	gridKeys  = []string{"name", "title", "about", "source", "measure", "published_random", "judge", "preset", "seeds", "set", "cells", "claims"}
	cellKeys  = []string{"name", "published", "set"}
	claimKeys = []string{"say", "above", "collapses", "stays", "loses_less", "by"}
)

// Load reads an experiment from a grid file. Unknown keys, also of the configuration, are
// errors that name the nearest known one.
func Load(path string) (Experiment, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Experiment{}, fmt.Errorf("lab: %w", err)
	}
	e, err := parse(text)
	if err != nil {
		return e, fmt.Errorf("lab: %s: %w", path, err)
	}
	return e, nil
}

// parse reads a grid file's text.
func parse(text []byte) (Experiment, error) {
	e := Experiment{text: text}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return e, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if err := checkTree(tree); err != nil {
		return e, err
	}
	if err := yaml.UnmarshalWithOptions(text, &e, yaml.Strict()); err != nil {
		return e, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if e.Seeds == 0 {
		e.Seeds = 3
	}
	if e.Judge == "" {
		e.Judge = byLinear
	}
	return e, e.check()
}

// checkTree refuses keys that a grid file does not have.
func checkTree(tree map[string]any) error {
	if err := known("", tree, gridKeys); err != nil {
		return err
	}
	for list, keys := range map[string][]string{"cells": cellKeys, "claims": claimKeys} {
		items, _ := tree[list].([]any)
		for i, item := range items {
			of, ok := item.(map[string]any)
			if !ok {
				return fmt.Errorf("%s: entry %d is no mapping of keys to values", list, i+1)
			}
			if err := known(fmt.Sprintf("%s: entry %d: ", list, i+1), of, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

func known(where string, tree map[string]any, keys []string) error {
	for key := range tree {
		if slices.Contains(keys, key) {
			continue
		}
		if n, ok := nearest.Of(key, keys); ok {
			return fmt.Errorf("%sunknown key %q; did you mean %s?", where, key, n)
		}
		return fmt.Errorf("%sunknown key %q; there are %s", where, key, strings.Join(keys, ", "))
	}
	return nil
}

// check refuses an experiment that cannot be run or judged.
func (e Experiment) check() error {
	switch {
	case e.Name == "" || slug(e.Name) != e.Name:
		return fmt.Errorf("name %q: want lower-case letters, digits and dashes", e.Name)
	case len(e.Cells) == 0:
		return errors.New("cells: there are none; want at least one, each with a name and keys to set")
	case e.Judge != byLinear && e.Judge != byKNN:
		return fmt.Errorf("judge: %q: want %s or %s", e.Judge, byLinear, byKNN)
	case e.Seeds < 1:
		return fmt.Errorf("seeds: %d: want at least 1", e.Seeds)
	}
	folders := map[string]string{Random: Random}
	for i, c := range e.Cells {
		if slug(c.Name) == "" {
			return fmt.Errorf("cells: entry %d: name %q: want letters or digits in it", i+1, c.Name)
		}
		folder := slug(c.Name)
		if other, taken := folders[folder]; taken {
			return fmt.Errorf("cells: %q and %q have the same folder, %s: choose another name", other, c.Name, folder)
		}
		folders[folder] = c.Name
		if _, err := e.config(c, 1); err != nil {
			return fmt.Errorf("cells: %q: %w", c.Name, err)
		}
	}
	for i, c := range e.Claims {
		if err := c.check(e); err != nil {
			return fmt.Errorf("claims: entry %d: %w", i+1, err)
		}
	}
	return nil
}

// check refuses a claim about cells that the experiment does not have.
func (c Claim) check(e Experiment) error {
	cells := []string{}
	kinds := 0
	if c.Above != nil {
		kinds++
		if len(c.Above) != 2 {
			return fmt.Errorf("above: want two cells, as [better, worse]")
		}
		cells = append(cells, c.Above...)
		if c.Above[0] == Random {
			return fmt.Errorf("above: %q can only come second; to claim that a cell does not learn, use stays", Random)
		}
		if c.Above[1] == Random {
			cells = cells[:1]
		}
	}
	for _, one := range []string{c.Collapses, c.Stays} {
		if one != "" {
			kinds++
			cells = append(cells, one)
		}
	}
	if c.LosesLess != nil {
		kinds++
		if len(c.LosesLess) != 2 || len(c.LosesLess[0]) != 2 || len(c.LosesLess[1]) != 2 {
			return fmt.Errorf("loses_less: want two pairs of cells, as [[a, a changed], [b, b changed]]")
		}
		cells = slices.Concat(cells, c.LosesLess[0], c.LosesLess[1])
	}
	switch {
	case c.Say == "":
		return fmt.Errorf("say: is missing: what is claimed, in words?")
	case kinds != 1:
		return fmt.Errorf("%d of above, collapses, stays and loses_less: want exactly one", kinds)
	case c.By != 0 && c.Above == nil:
		return fmt.Errorf("by: belongs to above")
	}
	names := e.cellNames()
	for _, name := range cells {
		if !slices.Contains(names, name) {
			if n, ok := nearest.Of(name, names); ok {
				return fmt.Errorf("there is no cell %q; did you mean %q?", name, n)
			}
			return fmt.Errorf("there is no cell %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

func (e Experiment) cellNames() []string {
	names := make([]string, len(e.Cells))
	for i, c := range e.Cells {
		names[i] = c.Name
	}
	return names
}

// reserved are keys that the laboratory sets itself, or that would make a result depend
// on the speed of the machine.
var reserved = map[string]string{
	"train.seed":        "seeds belong to the laboratory: use seeds",
	"train.time":        "a run of so many minutes comes out otherwise on another machine: use train.steps",
	"train.threads":     "use --threads",
	"train.on_collapse": "a run of the laboratory goes on to its end",
}

// config is that of a run of a cell, not resolved yet.
func (e Experiment) config(cell Cell, seed int) (run.Config, error) {
	set := slices.Concat(run.Pairs(e.Set), run.Pairs(cell.Set))
	for _, kv := range set {
		if why, ok := reserved[kv[0]]; ok {
			return run.Config{}, fmt.Errorf("set: %s: %s", kv[0], why)
		}
	}
	c, err := run.Build(run.Request{Preset: e.Preset, Set: set})
	if err != nil {
		return c, errors.New(strings.TrimPrefix(err.Error(), "--"))
	}
	c.Train.Seed = uint64(seed)
	if c.Data.Train == "" {
		return c, errors.New("set: data.train is missing: which pictures?")
	}
	return c, c.Validate()
}

// slug is a name as part of a path.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-.")
}
