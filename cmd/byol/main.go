// Command byol trains an image encoder without labels by Bootstrap Your Own Latent,
// says whether it learns, judges it and uses it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/byol-go/byol/train"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130 // after saving, as shells report SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs one command line: results go to stdout, progress and errors to stderr.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(stderr, "byol: %v\n", err)
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "byol: error: %v\n", err)
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Fprintf(stderr, "byol: hint: %s\n", h.Hint())
	}
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "byol",
		Short: "Learn visual representations from pictures without labels",
		Long: `byol learns visual representations from pictures without labels, by Bootstrap
Your Own Latent (Grill et al. 2020, arXiv 2006.07733), on any CPU and, through
XLA, on GPUs. Start with: byol demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newDemo(), newTrain(), newPlan(), newLab(), newEval(), newEmbed(), newBench(), newDoctor(), newInspect(), newReport())
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	root.Args = asUsage(root.Args)
	return root
}

// usageError is a command line that makes no sense: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Hint points to the help.
func (e usageError) Hint() string { return "see byol --help, or byol COMMAND --help" }

// wrapArgs makes complaints about arguments usage errors, in a command and those below.
func wrapArgs(c *cobra.Command) {
	c.Args = asUsage(c.Args)
	for _, below := range c.Commands() {
		wrapArgs(below)
	}
}

func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// isTerminal reports whether a writer is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
