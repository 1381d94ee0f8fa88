package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/spf13/cobra"
)

// checkup is what doctor prints with --json.
type checkup struct {
	OS       string               `json:"os"`
	Arch     string               `json:"arch"`
	Threads  int                  `json:"threads"`
	ISA      string               `json:"isa"`          // used now
	Detected string               `json:"isa_detected"` // what the processor offers
	Backends []string             `json:"backends"`
	Good     *int                 `json:"good,omitempty"` // readable pictures
	Bad      []dataset.BadPicture `json:"bad"`            // in the order of the data
}

func newDoctor() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--data DIR|FILE]",
		Short: "Look over this machine, and every picture of a data set",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			if err := isa.Err(); err != nil {
				return err
			}
			d := checkup{
				OS: runtime.GOOS, Arch: runtime.GOARCH, Threads: runtime.GOMAXPROCS(0),
				ISA: isa.Current().String(), Detected: isa.Detected().String(), Backends: compute.Names(),
			}
			if c.Data.Train != "" {
				set, err := dataset.Open(c.Data.Train, dataset.Options{Limit: c.Data.Limit, Channels: c.Data.Channels, MaxBad: 1})
				if err != nil {
					return err
				}
				if err := set.Check(cmd.Context(), c.Data.Workers); err != nil {
					return err
				}
				d.Bad = set.Bad()
				good := set.Len() - len(d.Bad)
				d.Good = &good
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(d)
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "machine   %s/%s, %d threads\n", d.OS, d.Arch, d.Threads)
			fmt.Fprintf(w, "kernels   %s (the processor offers %s)\n", d.ISA, d.Detected)
			fmt.Fprintf(w, "backends  %s\n", strings.Join(d.Backends, ", "))
			if d.Good != nil {
				fmt.Fprintf(w, "pictures  %d good, %d bad\n", *d.Good, len(d.Bad))
				for _, b := range d.Bad {
					fmt.Fprintf(w, "  %s: %s\n", b.Path, b.Reason)
				}
			}
			return nil
		},
	}
	flags.register(cmd, "data")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
