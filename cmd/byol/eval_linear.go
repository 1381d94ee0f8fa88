package main

import (
	"fmt"
	"strings"

	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/eval"
	"github.com/spf13/cobra"
)

// The ways to fit the linear probe.
const (
	variantLBFGS = "lbfgs"
	variantSGD   = "sgd"
)

func newEvalLinear() *cobra.Command {
	var flags evalFlags
	var variant string
	var l2, rates []float64
	var epochs, batch int
	cmd := &cobra.Command{
		Use:   "linear --model RUN|CHECKPOINT|FILE --data DIR|FILE [--test DIR|FILE]",
		Short: "Classify by a linear map of the features, beside an encoder with random weights",
		Long: `Fit a linear classifier on the features of the frozen encoder and judge it.

--solver lbfgs, the transfer protocol: multinomial logistic regression on
standardised features, without augmentation; l2 is chosen out of 45 values from
1e-6 to 1e5 (1/C of scikit-learn's LogisticRegression), or set by --l2.

--solver sgd, the protocol on ImageNet: 80 epochs over random crops and flips,
Nesterov momentum 0.9, batches of up to 1024, cosine schedule; the learning rate per
256 pictures is chosen out of 0.4, 0.3, 0.2, 0.1 and 0.05, or set by --lr.

The choice is made on a fifth of the training pictures, of every class alike, which
the final fit then includes. Without test data a fifth is set aside to judge by.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if variant != variantLBFGS && variant != variantSGD {
				return usageError{fmt.Errorf("--solver %s: want lbfgs or sgd", variant)}
			}
			foreign := map[string][]string{variantLBFGS: {"lr", "epochs", "batch"}, variantSGD: {"l2"}}[variant]
			for _, name := range foreign {
				if cmd.Flags().Changed(name) {
					return usageError{fmt.Errorf("--%s means nothing to --solver %s", name, variant)}
				}
			}
			return flags.run(cmd, "linear", func(j *judging) (eval.Judge, error) {
				if variant == variantSGD {
					return j.linearSGD(eval.SGD{Rates: rates, Epochs: epochs, Batch: batch}), nil
				}
				return func(m *embed.Model, seed uint64) (eval.Outcome, error) {
					train, test, err := j.features(m)
					if err != nil {
						return eval.Outcome{}, err
					}
					return eval.Logistic{L2: l2, Seed: seed}.JudgeFeatures(j.pool, train, test, len(j.Train.Classes))
				}, nil
			}, func(_ *judging, r *eval.Report) { r.Variant = variant })
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&variant, "solver", variantLBFGS, "lbfgs or sgd")
	cmd.Flags().Float64SliceVar(&l2, "l2", eval.L2Grid(), "lbfgs: strengths of regularisation to choose from")
	cmd.Flags().Float64SliceVar(&rates, "lr", eval.LinearRates(), "sgd: learning rates to choose from")
	cmd.Flags().IntVar(&epochs, "epochs", 80, "sgd: passes over the training pictures")
	cmd.Flags().IntVar(&batch, "batch", 0, "sgd: pictures in a batch (default: a twelfth of them, at most 1024)")
	cmd.Flags().Lookup("l2").DefValue = "45 values from 1e-6 to 1e5"
	cmd.Flags().Lookup("lr").DefValue = strings.Trim(fmt.Sprint(eval.LinearRates()), "[]")
	return cmd
}

// linearSGD returns the judgement by SGD.
func (j *judging) linearSGD(p eval.SGD) eval.Judge {
	p.Crop, p.Flip = j.config.Augment.Crop.Scale, j.config.Augment.Flip[0]
	return func(m *embed.Model, seed uint64) (eval.Outcome, error) {
		e, err := j.embedder(m)
		if err != nil {
			return eval.Outcome{}, err
		}
		p := p
		p.Seed = seed
		lines := j.progress(m)
		p.Progress = func(epoch int, loss float64) { lines("epoch %d of %d, loss %.3f", epoch, p.Epochs, loss) }
		return p.JudgeSets(j.cmd.Context(), j.pool, e, j.Pictures)
	}
}
