package main

import (
	"fmt"
	"os"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/safetensors"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

func newInspect() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE|RUN",
		Short: "Show what is in a run, or the tensors of a .safetensors file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			if info.IsDir() {
				return inspectRun(cmd, run.Folder(args[0]))
			}
			return inspectFile(cmd, args[0])
		},
	}
}

// inspectRun shows a run's progress and where it can go on.
func inspectRun(cmd *cobra.Command, f run.Folder) error {
	c, err := run.ReadConfig(f.Config())
	if err != nil {
		return fmt.Errorf("%s is no run: %w", f, err)
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "run         %s\n", f)
	fmt.Fprintf(w, "model       %s x%g, %s stem, %s norm, %d pixels\n", c.Encoder.Arch, c.Encoder.Width, c.Encoder.Stem, c.Encoder.Norm, c.Data.Size)
	fmt.Fprintf(w, "method      %s, %s, batch %d\n", c.Method.Name, c.Optim.Name, c.Train.Batch*c.Optim.Accumulate)
	epochs, err := run.ReadEpochs(f.Metrics())
	if err != nil {
		return err
	}
	steps, err := checkpoint.Steps(f.Checkpoints())
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "checkpoints %v of %d steps\n", steps, c.Train.Steps)
	_, err = os.Stat(f.Encoder())
	fmt.Fprintf(w, "finished    %v\n\n", err == nil)
	fmt.Fprintf(w, "%6s %8s %8s %8s %8s %8s\n", "epoch", "step", "loss", "std", "rank", "kNN")
	cell := func(n *run.Number, scale float64) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprintf("%.4g", scale*float64(*n))
	}
	for _, e := range epochs {
		fmt.Fprintf(w, "%6d %8d %8s %8s %8s %8s\n", e.Epoch, e.Step, cell(e.Loss, 1), cell(e.TargetStd, 1), cell(e.Rank, 1), cell(e.KNN, 100))
	}
	return nil
}

// inspectFile lists the tensors of a file.
func inspectFile(cmd *cobra.Command, path string) error {
	tensors, metadata, err := safetensors.ReadFile(path)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	for key, value := range metadata {
		fmt.Fprintf(w, "%s: %s\n", key, value)
	}
	total, bytes := 0, 0
	for _, t := range tensors {
		fmt.Fprintf(w, "%-48s %-5s %v\n", t.Name, t.DType, t.Shape)
		total += len(t.Data) / t.DType.Size()
		bytes += len(t.Data)
	}
	_, err = fmt.Fprintf(w, "%d tensors, %s numbers, %s\n", len(tensors), humanize.Comma(int64(total)), humanize.IBytes(uint64(bytes)))
	return err
}
