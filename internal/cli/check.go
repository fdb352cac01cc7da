package cli

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check DIR|FILE...",
		Short: "Validate an operations directory without running anything",
		Long: `Reads every file of an operations directory as "daytwo serve" would, and what
they say of each other, runs the unit tests of Prometheus rules in it (promtool's
format), and prints one finding a line:

  file:line:column: message (mend)

A single file may be a prometheus.yml, an alertmanager.yml, a file of rules or one
of their tests.

Exit status 1 if any finding is an error; warnings alone pass.`,
		Example: `  daytwo check ./ops
  daytwo check ./ops/rules/*.yml`,
		GroupID: "files",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exactArgs(1, "a directory")(cmd, args)
			}
			return nil
		},
	}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		signal.Reset(os.Interrupt, syscall.SIGTERM) // there is nothing to tidy: a signal ends the process as is usual
		var findings []problem.Finding
		for _, path := range args {
			found, err := app.Check(cmd.Context(), path, listenAddress(os.Getenv))
			if err != nil {
				return err
			}
			findings = append(findings, found...)
		}
		if *out == "table" {
			for _, f := range findings {
				fmt.Fprintln(cmd.OutOrStdout(), f)
			}
			if len(findings) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no findings\n", strings.Join(args, " "))
			}
		} else if err := out.print(cmd.OutOrStdout(), findings, nil); err != nil {
			return err
		}
		if problem.Broken(findings) {
			return errSilent
		}
		return nil
	}
	return cmd
}
