package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/byol-go/byol/run"
	"github.com/byol-go/byol/train"
	"github.com/spf13/cobra"
)

func newTrain() *cobra.Command {
	var flags configFlags
	var out, init, watchAt string
	var resume, overwrite, auto bool
	var timeline traceFlags
	cmd := &cobra.Command{
		Use:   "train --data DIR|FILE|builtin:glyphs --out RUN",
		Short: "Train an encoder on pictures without labels",
		Long: `Train an encoder on pictures without labels. Everything about the run ends up in
the folder RUN: configuration, metrics, checkpoints, encoder and report.

Without a preset: the published recipe on batches of 64, its rates scaled to the
length of the run. Every key of the configuration can be set with --set.`,
		Example: `  byol train --data photos --out runs/photos --epochs 200
  byol train --preset cifar10-quick --data cifar/data_batch_1.bin --test cifar/test_batch.bin --out runs/cifar
  byol train --out runs/photos --resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("--out RUN is missing: where should the run be written?")}
			}
			if resume && overwrite {
				return usageError{errors.New("--resume and --overwrite exclude each other")}
			}
			stored, err := storedConfig(run.Folder(out), resume)
			if err != nil {
				return err
			}
			request, err := flags.request(cmd)
			if err != nil {
				return err
			}
			request.Stored = stored
			var c run.Config
			if auto && stored == nil { // a run that goes on has its plan in config.yaml
				if err := train.CheckFolder(run.Folder(out), resume, overwrite); err != nil {
					return err
				}
				c, err = planned(cmd, request)
			} else {
				c, err = run.Build(request)
			}
			if err != nil {
				return err
			}
			if c.Data.Train == "" {
				return usageError{errors.New("--data is missing: name a folder of pictures, or builtin:glyphs")}
			}
			record, err := timeline.recorder()
			if err != nil {
				return err
			}
			end, err := watch(cmd.ErrOrStderr(), watchAt, run.Folder(out))
			if err != nil {
				return err
			}
			defer end()
			err = train.Run(cmd.Context(), train.Options{
				Config: c, Folder: run.Folder(out), Resume: resume, Overwrite: overwrite, Init: init,
				Progress: train.NewProgress(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr())), Trace: record,
			})
			if traced := timeline.write(record); err == nil {
				err = traced
			}
			var collapsed train.CollapseError
			if err == nil || errors.As(err, &collapsed) {
				writeReport(cmd, run.Folder(out))
			}
			return err
		},
	}
	flags.register(cmd, allFlags()...)
	cmd.Flags().StringVar(&out, "out", "", "folder of the run")
	cmd.Flags().StringVar(&init, "init", "", "start from the weights of an encoder.safetensors or of torchvision's or timm's ResNet")
	cmd.Flags().StringVar(&watchAt, "watch", "", "serve the report live at this address of this machine, as 127.0.0.1:8080")
	timeline.register(cmd, "steps, loading, judging and checkpoints")
	cmd.Flags().BoolVar(&auto, "auto", false, "choose everything that is not given for the --time there is, as byol plan does (default: an hour)")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on from the newest whole checkpoint")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace an earlier run in the folder")
	return cmd
}

// storedConfig returns the configuration of the run to go on with, nil if there is none.
func storedConfig(f run.Folder, resume bool) (*run.Config, error) {
	if !resume {
		return nil, nil
	}
	c, err := run.ReadConfig(f.Config())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	return &c, nil
}
