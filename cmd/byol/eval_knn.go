package main

import (
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/spf13/cobra"
)

func newEvalKNN() *cobra.Command {
	var flags evalFlags
	cmd := &cobra.Command{
		Use:   "knn --model RUN|CHECKPOINT|FILE --data DIR|FILE [--test DIR|FILE]",
		Short: "Classify by nearest neighbours, beside an encoder with random weights",
		Long: `Classify every test picture by the weighted vote of its nearest neighbours among
the training pictures (cosine, k = 200 and at most half of them, temperature 0.1;
also k = 20), beside an encoder with random weights. Without test data: leave-one-out.
Keys: eval.k, eval.temperature.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd, "knn", func(j *judging) (eval.Judge, error) {
				protocol := eval.KNN{K: j.config.Eval.K, Temperature: j.config.Eval.Temperature}
				return func(m *embed.Model, _ uint64) (eval.Outcome, error) {
					train, test, err := j.features(m)
					if err != nil {
						return eval.Outcome{}, err
					}
					return protocol.JudgeFeatures(j.pool, train, test, len(j.Train.Classes))
				}, nil
			}, nil)
		},
	}
	flags.register(cmd)
	return cmd
}
