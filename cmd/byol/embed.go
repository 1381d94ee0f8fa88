package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/spf13/cobra"
)

func newEmbed() *cobra.Command {
	var flags configFlags
	var modelPath, out string
	cmd := &cobra.Command{
		Use:   "embed --model RUN|FILE --data DIR|FILE --out FILE.npy|.csv",
		Short: "Turn pictures into vectors",
		Long: `Turn pictures into vectors: a row each, in the order of the data, in a .npy file
with the paths beside it (FILE.paths.txt), or in a .csv file. Pictures that cannot
be read are left out and named on standard error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if modelPath == "" || out == "" {
				return usageError{errors.New("--model and --out are needed")}
			}
			if err := embed.CheckOutput(out); err != nil {
				return usageError{err}
			}
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			if c.Data.Train == "" {
				return usageError{errors.New("--data is missing: name the pictures")}
			}
			model, err := embed.Load(modelPath)
			if err != nil {
				return err
			}
			set, err := dataset.Open(c.Data.Train, dataset.Options{Limit: c.Data.Limit, Channels: model.Channels, Size: model.Size, MaxBad: 1})
			if err != nil {
				return err
			}
			backend, err := compute.New(c.Train.Backend, c.Train.Threads)
			if err != nil {
				return err
			}
			defer backend.Finalize()
			e, err := embed.NewEmbedder(backend, model, min(embed.DefaultBatch, set.Len()))
			if err != nil {
				return err
			}
			defer e.Close()
			vectors, err := e.Set(cmd.Context(), set, c.Data.Workers)
			if err != nil {
				return err
			}
			for _, b := range set.Bad() {
				fmt.Fprintf(cmd.ErrOrStderr(), "byol: skipped %s: %s\n", b.Path, b.Reason)
			}
			if vectors.N == 0 {
				return fmt.Errorf("none of the %d pictures of %s could be read", set.Len(), c.Data.Train)
			}
			if i := slices.IndexFunc(vectors.X, func(x float32) bool { return x-x != 0 }); i >= 0 {
				return fmt.Errorf("the vector of %s is not finite: the encoder's training has diverged, or its weights are damaged; nothing was written", vectors.Names[i/vectors.D])
			}
			if err := vectors.Write(out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d vectors of %d numbers in %s, %d pictures skipped\n", vectors.N, vectors.D, out, len(set.Bad()))
			return err
		},
	}
	flags.register(cmd, "data", "backend", "threads")
	cmd.Flags().StringVar(&modelPath, "model", "", "run, checkpoint or encoder.safetensors")
	cmd.Flags().StringVar(&out, "out", "", "file to write: .npy or .csv")
	return cmd
}
