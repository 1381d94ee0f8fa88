// Package plan chooses how to train within a given time. [Inspect] looks at the pictures,
// [Measure] times training steps of this machine, and [Propose], a pure function of what
// they found, chooses network, batch, length, rates, norm, precision and augmentation, each
// with its reason. docs/plan.md has the experiments behind the rules.
package plan

import (
	"context"
	"errors"
	"time"

	"github.com/byol-go/byol/run"
)

// Data is what a plan must know of the pictures.
type Data struct {
	Train    string `json:"train"`
	Images   int    `json:"images"`   // training pictures
	Test     int    `json:"test"`     // pictures to judge by; 0: leave-one-out on the training pictures
	Classes  int    `json:"classes"`  // 0 without labels
	Native   int    `json:"native"`   // shorter side in pixels, the median of a folder's
	Channels int    `json:"channels"` // 1 or 3
	Gray     bool   `json:"gray"`     // of 3 channels, but all alike
	Symbols  bool   `json:"symbols"`  // letters or digits: a mirrored picture is another class, or none

	// Sampled is the number of pictures that the following were measured on.
	Sampled int       `json:"sampled"`
	Mean    []float64 `json:"mean"`   // of the channels, in [0,1] units
	Std     []float64 `json:"std"`    // their deviation over all pixels
	LoadS   float64   `json:"load_s"` // seconds of one core to load a picture the first time
	Held    bool      `json:"held"`   // pictures stay decoded in memory after that
}

// Machine is what a plan must know of the machine: how fast and how large steps are.
type Machine struct {
	Processor string  `json:"processor"`
	ISA       string  `json:"isa"`
	Backend   string  `json:"backend"`
	Threads   int     `json:"threads"` // of the steps and of the loader
	Free      int64   `json:"free"`    // bytes of memory available, 0 unknown
	Shared    bool    `json:"shared"`  // the loader takes its time from the steps: they run on the same cores
	Trials    []Trial `json:"trials"`  // from the cheapest upwards
}

// Trial is a training step that was measured.
type Trial struct {
	Setup
	Needs float64 `json:"needs"`  // as Candidate's
	StepS float64 `json:"step_s"` // seconds
	Bytes int64   `json:"bytes"`  // that a step holds, 0 unknown
	ViewS float64 `json:"view_s"` // seconds of one core for the two views of a picture
}

// Setup is what decides a step's cost.
type Setup struct {
	Arch      string  `json:"arch"`
	Width     float64 `json:"width"`
	Stem      string  `json:"stem"`
	Norm      string  `json:"norm"`
	Size      int     `json:"size"`
	Channels  int     `json:"channels"`
	Precision string  `json:"precision"`
	Batch     int     `json:"batch"`
}

// Given is what the user has decided: the configuration as it is without a plan, and the
// keys in it that are not to be touched.
type Given struct {
	Config run.Config
	Named  map[string]bool
	Time   time.Duration // of the whole run; 0 where epochs or steps are named
	File   string        // that the configuration was read from, and
	Set    [][2]string   // keys and values that were set, both for the command
}

// Choice is one key of the configuration.
type Choice struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Expected is what the run should come to on this machine.
type Expected struct {
	ImagesPerS float64 `json:"images_per_s"` // loading included, judging not
	Steps      int     `json:"steps"`
	Epochs     float64 `json:"epochs"`
	Seconds    float64 `json:"seconds"` // of the whole run
	JudgingS   float64 `json:"judging_s"`
	LoadingS   float64 `json:"loading_s"` // reading the pictures for the first time
	Bytes      int64   `json:"bytes"`     // pictures held in memory not counted; 0 unknown
}

// Plan is a proposal.
type Plan struct {
	Data     Data     `json:"data"`
	Machine  Machine  `json:"machine"`
	BudgetS  float64  `json:"budget_s"` // 0: the length was given
	Choices  []Choice `json:"choices"`
	Expected Expected `json:"expected"`
	Notes    []string `json:"notes"`
	Command  string   `json:"command"`
}

// DefaultTime is what a plan is made for when nothing else is said.
const DefaultTime = time.Hour

// Make plans for what the user asked for: request names no preset. It tells say what is
// being timed.
func Make(ctx context.Context, request run.Request, say func(string)) (Plan, error) {
	c, err := run.Build(request)
	if err != nil {
		return Plan{}, err
	}
	named, err := request.Named()
	if err != nil {
		return Plan{}, err
	}
	g := Given{Config: c, Named: named, File: request.File, Set: request.Set}
	switch {
	case named["train.time"] && c.Train.Time != 0:
		g.Time = c.Train.Time
	case named["train.steps"] && c.Train.Steps > 0 || named["train.epochs"] && c.Train.Epochs > 0:
	default:
		g.Time = DefaultTime
	}
	if g.Time < 0 {
		return Plan{}, errors.New("plan: train.time is negative: want a duration such as 90s, 45m or 2h")
	}
	if err := check(c); err != nil {
		return Plan{}, err
	}
	data, pictures, err := Inspect(c)
	if err != nil {
		return Plan{}, err
	}
	if data.Images < fewestPictures {
		return Plan{}, tooFew(data)
	}
	machine, err := Measure(ctx, data, pictures, g, say)
	if err != nil {
		return Plan{}, err
	}
	p, err := Propose(data, machine, g)
	if err != nil {
		return Plan{}, err
	}
	// What train would refuse must not be proposed.
	if c, err = p.Apply(request); err == nil {
		err = c.Resolve(run.Source{Images: data.Images, NativeSize: data.Native, Channels: data.Channels, Classes: data.Classes})
	}
	return p, err
}

// check finds wrong values of the user's before anything is measured.
func check(c run.Config) error {
	c.Train.Time, c.Train.Epochs, c.Train.Steps = 0, 0, 1
	return c.Validate()
}

// Apply puts a plan below what request names.
func (p Plan) Apply(request run.Request) (run.Config, error) {
	request.Chosen = p.Chosen()
	c, err := run.Build(request)
	if err != nil {
		return c, err
	}
	for _, choice := range p.Choices {
		if choice.Key == "train.steps" { // it is what has become of train.time
			err = c.Set(choice.Key, choice.Value)
		}
	}
	return c, err
}

// Chosen returns the choices as run.Request takes them.
func (p Plan) Chosen() [][2]string {
	pairs := make([][2]string, len(p.Choices))
	for i, c := range p.Choices {
		pairs[i] = [2]string{c.Key, c.Value}
	}
	return pairs
}

// adviceError is an error with advice for the user.
type adviceError struct {
	error
	advice string
}

func (e adviceError) Unwrap() error { return e.error }

// Hint returns the advice.
func (e adviceError) Hint() string { return e.advice }

func hint(err error, advice string) error { return adviceError{err, advice} }
