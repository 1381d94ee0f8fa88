package main

import (
	"fmt"

	"github.com/byol-go/byol/report"
	"github.com/byol-go/byol/run"
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	return &cobra.Command{
		Use:   "report RUN...",
		Short: "Show runs as a page with curves and nearest neighbours",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, folder := range args {
				path, err := report.Write(cmd.Context(), run.Folder(folder))
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}
}
