package main

import (
	"encoding/json"
	"fmt"

	"github.com/byol-go/byol/bench"
	"github.com/byol-go/byol/run"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newBenchOf("step", "Time the training step on a synthetic batch", bench.Repeat{Warmup: 2, Steps: 5}, bench.Step),
		newBenchOf("embed", "Time the encoder on a synthetic batch", bench.Repeat{Warmup: 2, Steps: 9}, bench.Embed),
		newBenchOf("data", "Time decoding and augmentation on one core: --data DIR, --size N", bench.Repeat{Warmup: 1, Steps: 5}, bench.Data),
	)
	return cmd
}

// newBenchOf returns the command of one benchmark.
func newBenchOf(name, short string, repeat bench.Repeat, measure func(run.Config, bench.Repeat) (bench.Result, error)) *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if repeat.Warmup < 0 || repeat.Steps < 1 {
				return usageError{fmt.Errorf("--warmup %d, --repeat %d: want at least 0 and 1", repeat.Warmup, repeat.Steps)}
			}
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			r, err := measure(c, repeat)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %.2f images/s, median %.4f s (min %.4f, max %.4f) for %d pictures, peak %s, %d threads, %s\n",
				r.Name, r.ImagesPerS, r.StepS, r.MinS, r.MaxS, r.Batch, humanize.IBytes(uint64(r.PeakBytes)), r.Threads, r.ISA)
			return err
		},
	}
	flags.register(cmd, allFlags()...)
	cmd.Flags().IntVar(&repeat.Warmup, "warmup", repeat.Warmup, "repetitions before the timed ones")
	cmd.Flags().IntVar(&repeat.Steps, "repeat", repeat.Steps, "timed repetitions")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
