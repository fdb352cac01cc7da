// Package cli is the command line of daytwo: one file a command. It turns
// flags and variables into configuration or API calls, and answers into
// tables; every decision lives below it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Exit statuses: what a script can rely on.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2

	exitInterrupted = 130 // as a shell says of what SIGINT ended
)

// Main runs one command line and returns the process's exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return report(stderr, err)
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "daytwo",
		Short: "Run what you build: metrics, alerts, incidents, deploys and what connects them",
		Long: `daytwo operates your services from one binary: it runs them, scrapes and
stores their metrics, watches their error budgets, pages the person on call,
shows what changed, rolls it back and writes down what was learned.

Start here:
  daytwo demo                     see the whole loop on a real failure
  daytwo serve --config ./ops     run it on your own files
  daytwo check ./ops              validate those files first

Settings come from flags, then DAYTWO_* variables; "daytwo config" prints them.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
	})
	root.AddGroup(
		&cobra.Group{ID: "server", Title: "Server:"},
		&cobra.Group{ID: "operate", Title: "Operate (against a running server):"},
		&cobra.Group{ID: "files", Title: "Files and settings:"},
	)
	root.AddCommand(
		newServe(), newAgent(), newDemo(), newShop(),
		newIncident(), newOncall(), newQuery(), newLogs(), newApply(), newRollout(), newToken(),
		newCheck(), newAudit(), newAuditInside(), newConfig(), newOpenAPI(), newVersion(),
	)
	return root
}

// usageError marks an error of the command line itself: exit status 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

// report prints err for a person and returns the exit status it means.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted // a server or follower that was asked to end returns nil
	}
	if err == errSilent { //nolint:errorlint // the sentinel is never wrapped
		return exitFailure
	}
	status := exitFailure
	if errors.As(err, new(usageError)) || isCobraUsage(err) {
		status = exitUsage
	}
	message := err.Error()
	if p := new(problem.Error); errors.As(err, &p) && p.Mend != "" && !strings.Contains(message, p.Mend) {
		message += "\n  mend: " + p.Mend
	}
	fmt.Fprintln(stderr, "daytwo:", message)
	return status
}

// errSilent ends a command with status 1 after it has said everything itself.
var errSilent = errors.New("failed")

// isCobraUsage recognises the errors cobra makes itself, which have no type.
func isCobraUsage(err error) bool {
	for _, start := range []string{"unknown command", "required flag"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usage(fmt.Errorf("unknown command %q (see %s --help)", args[0], cmd.CommandPath()))
	}
	return usage(fmt.Errorf("%s takes no argument, got %q", cmd.CommandPath(), args[0]))
}

func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usage(fmt.Errorf("%s needs %s (see %s --help)", cmd.CommandPath(), what, cmd.CommandPath()))
	}
}
