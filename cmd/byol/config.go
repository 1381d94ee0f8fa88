package main

import (
	"fmt"
	"strings"

	"github.com/byol-go/byol/run"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configFlags are the flags that make a configuration: a preset, a file, the flags that
// stand for a key, and --set, which reaches every key.
type configFlags struct {
	preset, file string
	set          []string
	keys         map[string]string // flag to key
}

// flagKeys are the flags that stand for a configuration key.
var flagKeys = []struct{ flag, key, usage string }{
	{"data", "data.train", "training pictures: a folder, a list, a CIFAR or IDX file, or builtin:glyphs"},
	{"test", "data.test", "pictures to judge by (default: the test split of --data, if it has one)"},
	{"arch", "encoder.arch", "resnet18, 34, 50, 101, 152 or 200"},
	{"method", "method.name", "byol, simclr, moco, simsiam or supervised, each with its own recipe"},
	{"size", "data.size", "side of the views in pixels (default: the pictures' own up to 64, else 128)"},
	{"epochs", "train.epochs", "passes over the pictures"},
	{"steps", "train.steps", "optimiser steps, instead of epochs"},
	{"time", "train.time", "length of the run, as 45m or 2h, instead of epochs"},
	{"batch", "train.batch", "pictures in a batch"},
	{"precision", "train.precision", "fp32 or bf16"},
	{"backend", "train.backend", "cpu, or xla:PLUGIN in builds with cgo"},
	{"threads", "train.threads", "processor threads (default: all)"},
	{"memory", "train.memory", "most memory that the process may take, as 2GB: computes again what does not fit (default: what is available)"},
	{"seed", "train.seed", "seed of everything random"},
	{"on-collapse", "train.on_collapse", "when the verdict is bad: warn, or stop after saving"},
}

// register adds --preset, --config, --set and the named flags to a command.
func (f *configFlags) register(cmd *cobra.Command, flags ...string) {
	f.keys = map[string]string{}
	fs := cmd.Flags()
	for _, k := range flagKeys {
		for _, name := range flags {
			if name == k.flag {
				fs.String(k.flag, "", k.usage)
				f.keys[k.flag] = k.key
			}
		}
	}
	fs.StringArrayVar(&f.set, "set", nil, "key=value: set any key of the configuration (repeatable)")
	if f.keys["arch"] != "" {
		fs.StringVar(&f.preset, "preset", "", "start from "+strings.Join(run.Presets(), ", "))
		fs.StringVar(&f.file, "config", "", "YAML file of configuration keys")
	}
}

// build puts the configuration together; stored is that of the run that goes on, or nil.
func (f *configFlags) build(cmd *cobra.Command, stored *run.Config) (run.Config, error) {
	r, err := f.request(cmd)
	if err != nil {
		return run.Config{}, err
	}
	r.Stored = stored
	return run.Build(r)
}

// request says what the flags ask for.
func (f *configFlags) request(cmd *cobra.Command) (run.Request, error) {
	r := run.Request{Preset: f.preset, File: f.file}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if key, ok := f.keys[flag.Name]; ok {
			r.Set = append(r.Set, [2]string{key, flag.Value.String()})
		}
	})
	for _, kv := range f.set {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			return r, usageError{fmt.Errorf("--set %s: want key=value", kv)}
		}
		r.Set = append(r.Set, [2]string{strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return r, nil
}

// allFlags lists every flag of flagKeys.
func allFlags() []string {
	names := make([]string, len(flagKeys))
	for i, k := range flagKeys {
		names[i] = k.flag
	}
	return names
}
