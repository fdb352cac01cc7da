package cli

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Validate an operations directory without running anything",
		Long: `Reads every file of an operations directory as "daytwo serve" would, and what
they say of each other, and prints one finding a line:

  file:line:column: message (mend)

Exit status 1 if any finding is an error; warnings alone pass.`,
		Example: `  daytwo check ./ops`,
		GroupID: "files",
		Args:    exactArgs(1, "a directory"),
	}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		signal.Reset(os.Interrupt, syscall.SIGTERM) // there is nothing to tidy: a signal ends the process as is usual
		findings, err := app.Check(args[0], listenAddress(os.Getenv))
		if err != nil {
			return err
		}
		if *out == "table" {
			for _, f := range findings {
				fmt.Fprintln(cmd.OutOrStdout(), f)
			}
			if len(findings) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no findings\n", args[0])
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
