package main

import (
	"fmt"

	"github.com/byol-go/byol/report"
	"github.com/byol-go/byol/run"
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report RUN [RUN...]",
		Short: "Show a run as a page, or several beside each other",
		Long: `Write a page that needs nothing else: what came of the run, curves, pictures with
their nearest neighbours before and after, a map of the features, and every number.
Of one run it is report.html in the run's folder, with PNG files beside it; several
runs are set beside each other in a page of their own.`,
		Example: `  byol report runs/photos
  byol report runs/a runs/b runs/c --out compared.html`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && !cmd.Flags().Changed("out") {
				path, err := report.Write(cmd.Context(), run.Folder(args[0]))
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), path)
				}
				return err
			}
			folders := make([]run.Folder, len(args))
			for i, a := range args {
				folders[i] = run.Folder(a)
			}
			if err := report.Compare(cmd.Context(), folders, out); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "byol-report.html", "page of several runs")
	return cmd
}

// writeReport writes a finished run's report unless it has one. That it cannot be written
// takes nothing from the run.
func writeReport(cmd *cobra.Command, f run.Folder) {
	if report.Written(f) {
		return
	}
	path, err := report.Write(cmd.Context(), f)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "byol: the run is complete, but has no report: %v\n", err)
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "report written to %s\n", path)
}
