package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/byol-go/byol/lab"
	"github.com/spf13/cobra"
)

func newLab() *cobra.Command {
	var out string
	var budget time.Duration
	var seeds, threads int
	cmd := &cobra.Command{
		Use:   "lab [NAME|FILE]",
		Short: "Repeat the published experiments on why BYOL does not collapse, or run your own grid",
		Long: `Run an experiment: a grid of small trainings that differ in a few keys, with several
seeds each, and set what comes out beside what was published. Without a name, list the
experiments that come with the program. A grid file describes others; its format is
in docs/lab.md.

The folder DIR gets runs/ (ordinary runs), results.csv and report.html, which are
written anew after every run. Stopped or killed at any point, the same command goes on.
Every setting gets its first seed before any gets its second.`,
		Example: `  byol lab
  byol lab predictor-target --out lab/predictor-target
  byol lab grid.yaml --out lab/mine --budget 20m`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listExperiments(cmd)
			}
			switch {
			case out == "":
				return usageError{errors.New("--out DIR is missing: where should the study be written?")}
			case seeds < 0 || threads < 0 || budget < 0:
				return usageError{errors.New("--seeds, --threads and --budget: want no number below 0")}
			}
			e, err := lab.Open(args[0])
			if err != nil {
				return err
			}
			study, err := lab.Run(cmd.Context(), lab.Options{
				Experiment: e, Dir: out, Budget: budget, Seeds: seeds, Threads: threads,
				Log: cmd.ErrOrStderr(), Terminal: isTerminal(cmd.ErrOrStderr()),
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "report written to %s\n", study.Page())
			_, err = fmt.Fprint(cmd.OutOrStdout(), study.Markdown())
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder of the study")
	cmd.Flags().DurationVar(&budget, "budget", time.Hour, "stop between runs before this call takes longer; 0: no limit")
	cmd.Flags().IntVar(&seeds, "seeds", 0, "runs of every setting (default: the experiment's own, 3)")
	cmd.Flags().IntVar(&threads, "threads", 0, "processor threads (default: all); the results do not depend on them")
	return cmd
}

// listExperiments prints a line for each.
func listExperiments(cmd *cobra.Command) error {
	for _, name := range lab.Names() {
		e, err := lab.Named(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%-18s %s (%d settings, %d seeds)\n", name, e.Title, len(e.Cells), e.Seeds)
	}
	return nil
}
