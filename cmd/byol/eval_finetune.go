package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/byol-go/byol/train"
	"github.com/spf13/cobra"
)

func newEvalFinetune() *cobra.Command {
	var flags evalFlags
	var labels string
	var rates []float64
	var epochs, batch int
	cmd := &cobra.Command{
		Use:   "finetune --model RUN|CHECKPOINT|FILE --data DIR|FILE [--test DIR|FILE] [--labels 1%|10%|100%]",
		Short: "Train encoder and classifier on few labels, beside random weights",
		Long: `Train the encoder and a linear classifier on a share of the labelled pictures, the
same number of every class, and judge them: random crops and flips, SGD with Nesterov
momentum 0.9, no decay, cosine schedule. The learning rate per 256 pictures is chosen
out of 0.1, 0.05, 0.02, 0.01 and 0.005 by a fifth of that share, which the final
training then includes, or set by --lr. Beside it: the same from random weights, which
is supervised learning on those labels. Without test data a fifth of the pictures is
set aside to judge by.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			share, err := parseShare(labels)
			if err != nil {
				return usageError{err}
			}
			return flags.run(cmd, "finetune", func(j *judging) (eval.Judge, error) {
				c, a := j.config, j.config.Augment
				protocol := train.Finetune{
					Share: share, Rates: rates, Epochs: epochs, Batch: batch,
					Precision: c.Train.Precision, Crop: a.Crop.Scale, Flip: a.Flip[0],
				}
				return func(m *embed.Model, seed uint64) (eval.Outcome, error) {
					e, err := j.embedder(m)
					if err != nil {
						return eval.Outcome{}, err
					}
					p := protocol
					p.Seed = seed
					lines := j.progress(m)
					p.Progress = func(rate float64, epoch int, loss float64) {
						lines("learning rate %g: epoch %d of %d, loss %.3f", rate, epoch, epochs, loss)
					}
					return p.Judge(cmd.Context(), j.backend, j.pool, e, m, j.Pictures)
				}, nil
			}, func(_ *judging, r *eval.Report) { r.Labels = share })
		},
	}
	flags.register(cmd, "precision")
	cmd.Flags().StringVar(&labels, "labels", "10%", "share of the labels")
	cmd.Flags().Float64SliceVar(&rates, "lr", train.FinetuneRates(), "learning rates to choose from")
	cmd.Flags().IntVar(&epochs, "epochs", 50, "passes over the pictures; published: 30 or 50")
	cmd.Flags().IntVar(&batch, "batch", 0, "pictures in a batch (default: a twelfth of them, at most 256; published: 1024)")
	cmd.Flags().Lookup("lr").DefValue = strings.Trim(fmt.Sprint(train.FinetuneRates()), "[]")
	return cmd
}

// parseShare reads 10% or 0.1.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		return 0, fmt.Errorf("--labels %s: want a share such as 1%%, 10%% or 100%%", text)
	}
	return v, nil
}
