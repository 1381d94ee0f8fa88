package main

import (
	"fmt"

	"github.com/byol-go/byol/internal/trace"
	"github.com/spf13/cobra"
)

// traceFlags are --trace and --trace-steps.
type traceFlags struct {
	file  string
	steps int
}

func (f *traceFlags) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.file, "trace", "", "write a timeline of "+what+" to this file, for ui.perfetto.dev or chrome://tracing")
	cmd.Flags().IntVar(&f.steps, "trace-steps", 3, "steps of which the timeline has every node and thread")
}

// recorder returns nil if there is nothing to record.
func (f *traceFlags) recorder() (*trace.Recorder, error) {
	if f.steps < 1 {
		return nil, usageError{fmt.Errorf("--trace-steps %d: want at least 1", f.steps)}
	}
	if f.file == "" {
		return nil, nil
	}
	r := trace.New(f.steps)
	r.AfterDetail(func() { r.WriteFile(f.file) }) // to be looked at while the run goes on; write tells of errors
	return r, nil
}

// write writes what was recorded, if anything was to be.
func (f *traceFlags) write(r *trace.Recorder) error {
	if r == nil {
		return nil
	}
	if err := r.WriteFile(f.file); err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}
