package main

import (
	"encoding/json"
	"errors"
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
		newBenchOps(),
		newBenchOf("embed", "Time the encoder on a synthetic batch, or on pictures from the disk: --data DIR", bench.Repeat{Warmup: 2, Steps: 9}, bench.Embed),
		newBenchOf("data", "Time decoding and augmentation on one core: --data DIR, --size N", bench.Repeat{Warmup: 1, Steps: 5}, bench.Data),
	)
	return cmd
}

// newBenchOf returns the command of one benchmark.
func newBenchOf(name, short string, repeat bench.Repeat, measure func(run.Config, bench.Repeat) (bench.Result, error)) *cobra.Command {
	var flags configFlags
	var timeline traceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			if err := checkRepeat(repeat); err != nil {
				return err
			}
			if name == "step" {
				if repeat.Trace, err = timeline.recorder(); err != nil {
					return err
				}
			}
			r, err := measure(c, repeat)
			if err != nil {
				return err
			}
			if err := timeline.write(repeat.Trace); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			latency := ""
			if r.LatencyP95 > 0 {
				latency = fmt.Sprintf(", 95 %% within %.4f", r.LatencyP95)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %.2f images/s, median %.4f s (min %.4f, max %.4f%s) for %d pictures, peak %s, %d threads, %s\n",
				r.Name, r.ImagesPerS, r.StepS, r.MinS, r.MaxS, latency, r.Batch, humanize.IBytes(uint64(r.PeakBytes)), r.Threads, r.ISA)
			return err
		},
	}
	flags.register(cmd, allFlags()...)
	repeatFlags(cmd, &repeat)
	if name == "step" {
		timeline.register(cmd, "steps")
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func repeatFlags(cmd *cobra.Command, repeat *bench.Repeat) {
	cmd.Flags().IntVar(&repeat.Warmup, "warmup", repeat.Warmup, "repetitions before the timed ones")
	cmd.Flags().IntVar(&repeat.Steps, "repeat", repeat.Steps, "timed repetitions")
}

func checkRepeat(r bench.Repeat) error {
	if r.Warmup < 0 || r.Steps < 1 {
		return usageError{fmt.Errorf("--warmup %d, --repeat %d: want at least 0 and 1", r.Warmup, r.Steps)}
	}
	return nil
}

func newBenchOps() *cobra.Command {
	var flags configFlags
	var timeline traceFlags
	var asJSON, all, sweep bool
	repeat := bench.Repeat{Warmup: 1, Steps: 5}
	cmd := &cobra.Command{
		Use:   "ops",
		Short: "Time every node of the training step against what the machine can do",
		Long: `Time every node of the training step against what the machine can do: the rates of
independent multiply-adds and of plain memory traffic, measured in the same run.

GFLOP is the direct count, whatever the algorithm. "of roof" is the time that a node
would take at the machine's rates, for the arithmetic that its algorithm does and the
bytes of its operands, over the time that it takes; nodes add up to less than the step,
the rest is between nodes. With --sweep, convolutions and matrix products of many shapes
instead of a model's, the worst first (--all: every shape, within two minutes).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			if err := checkRepeat(repeat); err != nil {
				return err
			}
			if repeat.Trace, err = timeline.recorder(); err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if sweep {
				if repeat.Trace != nil {
					return usageError{errors.New("--sweep and --trace exclude each other")}
				}
				r, err := bench.Sweep(cmd.Context(), bench.SweepGrid(), c.Train.Precision == "bf16", c.Train.Threads)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(w).Encode(r)
				}
				return r.Print(w, all)
			}
			r, err := bench.Ops(c, repeat)
			if err != nil {
				return err
			}
			if err := timeline.write(repeat.Trace); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(w).Encode(r)
			}
			return r.Print(w, all)
		},
	}
	flags.register(cmd, allFlags()...)
	repeatFlags(cmd, &repeat)
	timeline.register(cmd, "further steps")
	cmd.Flags().BoolVar(&all, "all", false, "list every node, or every shape")
	cmd.Flags().BoolVar(&sweep, "sweep", false, "time convolutions and matrix products over a grid of shapes, in two minutes at most")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
