package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/byol-go/byol/report"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	var out string
	var steps, threads int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See BYOL learn from built-in pictures, in a few minutes",
		Long: `Train a small encoder on built-in pictures of letters and digits, without their
labels, and judge it by its nearest neighbours before and after. An earlier run of
the demo in the same folder is replaced.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := run.Preset("demo")
			if err != nil {
				return err
			}
			c.Train.Threads = threads
			if steps > 0 {
				c.Train.Epochs, c.Train.Steps = 0, steps
			}
			folder := run.Folder(out)
			start := time.Now()
			err = train.Run(cmd.Context(), train.Options{
				Config: c, Folder: folder, Overwrite: true,
				Progress: train.NewProgress(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr())),
			})
			if err != nil {
				return err
			}
			page, err := report.Write(cmd.Context(), folder)
			if err != nil {
				return err
			}
			return printDemo(cmd, folder, page, time.Since(start))
		},
	}
	cmd.Flags().StringVar(&out, "out", "byol-demo", "folder of the run")
	cmd.Flags().IntVar(&steps, "steps", 0, "stop after so many steps (default: the whole demo)")
	cmd.Flags().IntVar(&threads, "threads", 0, "processor threads (default: all)")
	return cmd
}

// printDemo says what came out.
func printDemo(cmd *cobra.Command, folder run.Folder, page string, took time.Duration) error {
	epochs, err := run.ReadEpochs(folder.Metrics())
	if err != nil {
		return err
	}
	first, last := epochs[0], epochs[len(epochs)-1]
	if first.KNN == nil || last.KNN == nil {
		return errors.New("the demo measured no kNN accuracy")
	}
	verdicts, err := run.ReadVerdicts(folder.Metrics())
	if err != nil {
		return err
	}
	verdict := ""
	if n := len(verdicts); n > 0 {
		verdict = verdicts[n-1].Verdict
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), `
Nearest neighbours tell held-out letters and digits apart:
  random encoder    %5.1f %%
  after BYOL        %5.1f %%   (%+.1f points, without a single label, in %s)

Verdict without labels: %s
Look at %s
Next: byol train --data YOUR_PICTURES --out runs/first
`, 100*float64(*first.KNN), 100*float64(*last.KNN), 100*float64(*last.KNN-*first.KNN), took.Round(time.Second), verdict, page)
	return err
}
