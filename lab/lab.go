// Package lab runs experiments: grids of small trainings that differ in a few keys, with
// several seeds each, and sets what comes out beside what was published. It comes with
// the experiments of the literature on why BYOL does not collapse, cut down to built-in
// pictures and minutes; docs/lab.md tells them and the format of grid files.
//
// A study is a folder:
//
//	experiment.yaml          the grid file
//	runs/CELL-seedN/         ordinary runs, as byol train writes them, with lab.json
//	results.csv              one line per finished run
//	report.html              the page
//
// Everything is a function of the grid file: a study that was stopped, or killed, goes on
// where it was, and its results do not depend on how often it was stopped.
package lab

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/byol-go/byol/internal/nearest"
)

//go:embed experiment/*.yaml
var experiments embed.FS

// Names lists the experiments that come with the program, the most telling first.
func Names() []string {
	return []string{"predictor-target", "target", "batchnorm", "negatives", "augmentation", "batch"}
}

// Named returns an experiment that comes with the program.
func Named(name string) (Experiment, error) {
	if !slices.Contains(Names(), name) {
		return Experiment{}, fmt.Errorf("lab: there is no experiment %q", name)
	}
	text, err := experiments.ReadFile("experiment/" + name + ".yaml")
	if err != nil {
		return Experiment{}, fmt.Errorf("lab: %w", err)
	}
	e, err := parse(text)
	if err != nil {
		return e, fmt.Errorf("lab: experiment %s: %w", name, err)
	}
	return e, nil
}

// Open returns the named experiment, or that of a grid file.
func Open(nameOrFile string) (Experiment, error) {
	if slices.Contains(Names(), nameOrFile) {
		return Named(nameOrFile)
	}
	if _, err := os.Stat(nameOrFile); err != nil && !strings.ContainsAny(nameOrFile, `./\`) {
		return Experiment{}, unknownError{nameOrFile}
	}
	return Load(nameOrFile)
}

// unknownError is a name that is neither an experiment nor a file.
type unknownError struct{ name string }

func (e unknownError) Error() string {
	return fmt.Sprintf("lab: %q is neither an experiment nor a grid file", e.name)
}

// Hint names the nearest experiment.
func (e unknownError) Hint() string {
	if n, ok := nearest.Of(e.name, Names()); ok {
		return "did you mean " + n + "?"
	}
	return "there are " + strings.Join(Names(), ", ")
}
