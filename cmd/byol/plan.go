package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/byol-go/byol/plan"
	"github.com/byol-go/byol/run"
	"github.com/spf13/cobra"
)

func newPlan() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan --data DIR|FILE|builtin:glyphs",
		Short: "Choose how to train in a given time, with reasons",
		Long: `Look at the pictures, time a few training steps of this machine, and choose network,
size, batch, length, rates, norm, precision and augmentation for the time that --time
allows (an hour, if nothing is said), each with its reason. What flags, --config and --set
say is kept, and the rest chosen around it.

The last line is the command that trains as planned; byol train --auto does both.`,
		Example: `  byol plan --data photos --time 2h
  byol train --data photos --time 2h --auto --out runs/photos`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request, err := flags.request(cmd)
			if err != nil {
				return err
			}
			p, err := makePlan(cmd, request)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if asJSON {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(p)
			}
			if err := p.Print(w); err != nil {
				return err
			}
			_, err = fmt.Fprintf(w, "%s --out RUN\n", p.Command)
			return err
		},
	}
	flags.register(cmd, allFlags()...)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// makePlan plans for what the flags of a command ask for.
func makePlan(cmd *cobra.Command, request run.Request) (plan.Plan, error) {
	if request.Preset != "" {
		return plan.Plan{}, usageError{errors.New("--preset and a plan exclude each other: both choose the whole recipe")}
	}
	c, err := run.Build(request)
	if err != nil {
		return plan.Plan{}, err
	}
	if c.Data.Train == "" {
		return plan.Plan{}, usageError{errors.New("--data is missing: name a folder of pictures, or builtin:glyphs")}
	}
	say := func(string) {}
	if w := cmd.ErrOrStderr(); isTerminal(w) {
		say = func(what string) { fmt.Fprintln(w, what) }
	}
	return plan.Make(cmd.Context(), request, say)
}

// planned returns the configuration of train --auto: the plan's, below what was given.
func planned(cmd *cobra.Command, request run.Request) (run.Config, error) {
	p, err := makePlan(cmd, request)
	if err != nil {
		return run.Config{}, err
	}
	if err := p.Print(cmd.ErrOrStderr()); err != nil {
		return run.Config{}, err
	}
	return p.Apply(request)
}
