// Package daemon is what gated and regiond have in common as programs: how they start,
// log, stop and answer the shell.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"gatehouse/cmd/settings"
)

// Exit codes of every program of the house.
const (
	OK       = 0
	Fault    = 1 // it did not work
	Usage    = 2 // it was asked wrongly: flags, arguments, a settings file with faults
	Degraded = 3 // it works, but not whole
)

// A UsageError is a mistake of the caller.
type UsageError struct{ Err error }

func (u UsageError) Error() string { return u.Err.Error() }
func (u UsageError) Unwrap() error { return u.Err }

// An ExitError carries an exit code of its own; what there is to say has been said.
type ExitError struct{ Code int }

func (e ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Execute runs a command until it is done or the process is told to stop, and gives its
// exit code.
func Execute(c *cobra.Command, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	// What goes wrong before a command begins to run is the caller's mistake: an unknown
	// verb, a flag that does not parse, too few arguments.
	ran := false
	c.PersistentPreRun = func(*cobra.Command, []string) { ran = true }
	err := c.ExecuteContext(ctx)
	if err != nil && !ran {
		err = UsageError{err}
	}
	return code(c, err, stderr)
}

func code(c *cobra.Command, err error, stderr io.Writer) int {
	var exit ExitError
	var faults *settings.Faults
	var usage UsageError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
		return Usage
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %v\n%s\n", c.Name(), err, "See '"+c.Name()+" --help'.")
		return Usage
	}
	fmt.Fprintf(stderr, "%s: %v\n", c.Name(), err)
	return Fault
}

// unreadable makes an error of settings.Read the caller's mistake: the file's faults, or a
// file that is not there.
func unreadable(err error) error {
	var faults *settings.Faults
	if errors.As(err, &faults) {
		return err
	}
	return UsageError{err}
}

// Logger writes for people on a terminal and for programs elsewhere. It becomes the
// process's own, so that what a driver has to say stands in the same log.
func Logger(w io.Writer) *slog.Logger {
	var h slog.Handler = slog.NewJSONHandler(w, nil)
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		h = slog.NewTextHandler(w, nil)
	}
	logger := slog.New(h)
	slog.SetDefault(logger)
	return logger
}
