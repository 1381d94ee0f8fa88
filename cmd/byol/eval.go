package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/internal/kernel/par"
	"github.com/byol-go/byol/run"
	"github.com/spf13/cobra"
)

func newEval() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Judge a trained encoder",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEvalKNN())
	return cmd
}

func newEvalKNN() *cobra.Command {
	var flags configFlags
	var modelPath string
	var asJSON, noRandom bool
	cmd := &cobra.Command{
		Use:   "knn --model RUN|CHECKPOINT|FILE --data DIR|FILE [--test DIR|FILE]",
		Short: "Classify by nearest neighbours, beside an encoder with random weights",
		Long: `Classify every test picture by the weighted vote of its nearest neighbours among
the training pictures (cosine, k = 200, temperature 0.1; also k = 20), beside an
encoder with random weights. Without test data: leave-one-out.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if modelPath == "" {
				return usageError{errors.New("--model is missing: name a run, a checkpoint or an encoder.safetensors")}
			}
			c, err := flags.build(cmd, nil)
			if err != nil {
				return err
			}
			model, err := embed.Load(modelPath)
			if err != nil {
				return err
			}
			bank, test, err := openJudged(c, model.Meta)
			if err != nil {
				return err
			}
			backend, err := compute.New(c.Train.Backend, c.Train.Threads)
			if err != nil {
				return err
			}
			defer backend.Finalize()
			e, err := embed.NewEmbedder(backend, model, embed.DefaultBatch)
			if err != nil {
				return err
			}
			defer e.Close()
			pool := par.New(c.Train.Threads)
			defer pool.Close()
			protocol := eval.KNN{K: c.Eval.K, Temperature: c.Eval.Temperature}
			report, err := protocol.JudgeSets(cmd.Context(), pool, e, bank, test, c.Data.Workers)
			if err != nil {
				return err
			}
			if !noRandom {
				random, err := embed.Random(model.Meta, c.Train.Seed)
				if err != nil {
					return err
				}
				e.SetValues(random.Values)
				r, err := protocol.JudgeSets(cmd.Context(), pool, e, bank, test, c.Data.Workers)
				if err != nil {
					return err
				}
				report.Random = &r.Score
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			return printKNN(cmd.OutOrStdout(), report)
		},
	}
	flags.register(cmd, "data", "test", "backend", "threads", "seed")
	cmd.Flags().StringVar(&modelPath, "model", "", "run, checkpoint or encoder.safetensors")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&noRandom, "no-random", false, "leave out the encoder with random weights")
	return cmd
}

// openJudged opens bank and test pictures as a model wants them.
func openJudged(c run.Config, m embed.Meta) (bank, test *dataset.Set, err error) {
	if c.Data.Train == "" {
		return nil, nil, usageError{errors.New("--data is missing: name the training pictures, from which neighbours are taken")}
	}
	opt := dataset.Options{Split: dataset.Train, Limit: c.Data.Limit, Channels: m.Channels, Size: m.Size, MaxBad: c.Data.MaxBad}
	if bank, err = dataset.Open(c.Data.Train, opt); err != nil {
		return nil, nil, err
	}
	spec := c.Data.Test
	if spec == "" {
		if !dataset.HasSplits(c.Data.Train) {
			return bank, nil, nil
		}
		spec = c.Data.Train
	}
	opt.Split, opt.Limit = dataset.Test, c.Data.TestLimit
	test, err = dataset.Open(spec, opt)
	return bank, test, err
}

// printKNN prints a report as a table.
func printKNN(w io.Writer, r eval.KNNReport) error {
	protocol := "on the test data"
	if r.LeaveOneOut {
		protocol = "leave-one-out"
	}
	fmt.Fprintf(w, "kNN %s: %d pictures judged by a bank of %d (k %d, temperature %g)\n\n", protocol, r.N, r.Bank, r.K, r.Temperature)
	fmt.Fprintf(w, "%-24s %8s %8s\n", "", "top-1", "top-5")
	fmt.Fprintf(w, "%-24s %7.2f%% %7.2f%%\n", "this encoder", 100*r.Top1, 100*r.Top5)
	fmt.Fprintf(w, "%-24s %7.2f%%\n", "this encoder, k 20", 100*r.K20)
	if r.Random != nil {
		fmt.Fprintf(w, "%-24s %7.2f%% %7.2f%%\n", "random weights", 100*r.Random.Top1, 100*r.Random.Top5)
	}
	fmt.Fprintf(w, "\n%-24s %8s\n", "class", "top-1")
	for i, name := range r.Classes {
		if _, err := fmt.Fprintf(w, "%-24s %7.2f%%\n", name, 100*float64(r.PerClass[i])); err != nil {
			return err
		}
	}
	return nil
}
